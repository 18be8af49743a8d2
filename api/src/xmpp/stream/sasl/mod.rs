//! Signing in (RFC 6120 §6): the mechanisms, and what they fail with.

pub(super) mod plain;
pub(super) mod scram;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::names::SASL;

/// Why signing in failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Aborted,
    AccountDisabled,
    EncryptionRequired,
    IncorrectEncoding,
    InvalidAuthzid,
    InvalidMechanism,
    MalformedRequest,
    NotAuthorized,
    Temporary,
}

impl Failure {
    /// The machinery failed.
    pub(super) fn of(error: &dyn fmt::Display) -> Self {
        tracing::error!(%error, "signing in to the chat failed");
        Self::Temporary
    }

    /// Its name, on the wire and in metrics.
    pub(super) const fn condition(self) -> &'static str {
        match self {
            Self::Aborted => "aborted",
            Self::AccountDisabled => "account-disabled",
            Self::EncryptionRequired => "encryption-required",
            Self::IncorrectEncoding => "incorrect-encoding",
            Self::InvalidAuthzid => "invalid-authzid",
            Self::InvalidMechanism => "invalid-mechanism",
            Self::MalformedRequest => "malformed-request",
            Self::NotAuthorized => "not-authorized",
            Self::Temporary => "temporary-auth-failure",
        }
    }

    pub(super) fn to_xml(self) -> String {
        format!("<failure xmlns='{SASL}'><{}/></failure>", self.condition())
    }
}

/// What the text of an element says; `=` is nothing, which is not the same as no text.
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, Failure> {
    match text.trim_ascii() {
        "=" => Ok(Vec::new()),
        text => STANDARD.decode(text).map_err(|_| Failure::IncorrectEncoding),
    }
}

/// Data as the text of an element.
pub(super) fn encoded(data: &[u8]) -> String {
    STANDARD.encode(data)
}
