//! Why a connection cannot be made, and what the client's errors mean to a call.

use dface_domain::ports::StoreError;
use eventstore::Error;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The connection string or other settings.
    #[error("settings of the event store: {0}")]
    Config(String),
    /// What is in the store is not for this program.
    #[error("the event store: {0}")]
    Unsuitable(String),
    /// The store does not answer, or what it answers cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why one try of a call failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Another try may do it.
    Again {
        /// What is wrong.
        what: String,
        /// Whether to look for the server anew.
        reconnect: bool,
    },
    /// No other try would.
    Final(StoreError),
}

/// What the server calls an argument that it does not take: gRPC's `INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 3;

impl Trouble {
    /// What an error of a call means. Those that belong to a stream (wrong version, not found, deleted) are told apart before.
    pub(super) fn of(error: &Error) -> Self {
        let again = |reconnect| Self::Again { what: short(&error.to_string()), reconnect };
        match error {
            // The client goes to the leader by itself.
            Error::NotLeaderException(leader) => {
                Self::Again { what: format!("the leader is {}:{} now", leader.host, leader.port), reconnect: false }
            }
            Error::AccessDenied => {
                Self::Final(StoreError::Unavailable("the server refuses user and password".to_owned()))
            }
            Error::UnsupportedFeature => {
                Self::Final(StoreError::Unavailable("the server does not know a call; is it too old?".to_owned()))
            }
            Error::Grpc { code, message } if i32::from(*code) == INVALID_ARGUMENT => {
                Self::Final(StoreError::Refused(short(message)))
            }
            // It remembers a server that is gone, also where the cluster has others, and ends for good where it found none.
            Error::ServerError(_) | Error::ConnectionClosed | Error::GrpcConnectionError(_) => again(true),
            _ => again(false),
        }
    }

    /// No answer in time.
    pub(super) fn silence() -> Self {
        Self::Again { what: "no answer in time".to_owned(), reconnect: true }
    }
}

/// The beginning of a text that the server or the client wrote.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
