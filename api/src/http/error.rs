//! What goes wrong, in the form of the specification: `{"error": "…", "code": "…"}`. The one place where refusals of
//! the rules and failures of the machinery become HTTP statuses.

use std::{borrow::Cow, fmt};

use dface_commands::CommandError;
use dface_domain::{
    objects::ObjectError,
    ports::{KeyError, StoreError},
    rejection::{Rejection, RejectionKind},
};
use dface_projections::projector::ModelError;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::answer::Answer;

/// Every code with its status. `docs/errors.md` explains each; a test holds the two together.
pub const CODES: &[(&str, u16)] = &[
    ("bad_request", 400),
    ("missing_parameter", 400),
    ("bad_parameter", 400),
    ("bad_encoding", 400),
    ("bad_body", 400),
    ("bad_event", 400),
    ("bad_stanza", 400),
    ("follows_oneself", 400),
    ("blocks_oneself", 400),
    ("not_the_album", 400),
    ("session_required", 401),
    ("sign_in_failed", 401),
    ("token_required", 401),
    ("forbidden", 403),
    ("cross_site", 403),
    ("wrong_hash", 403),
    ("not_your_account", 403),
    ("checkin_not_yours", 403),
    ("photo_not_yours", 403),
    ("receiver_blocked", 403),
    ("blocked_pair", 403),
    ("url_expired", 403),
    ("wrong_signature", 403),
    ("suspended", 403),
    ("wrong_password", 403),
    ("not_guardian", 403),
    ("wrong_code", 403),
    ("unknown_path", 404),
    ("not_found", 404),
    ("user_unknown", 404),
    ("shop_unknown", 404),
    ("checkin_unknown", 404),
    ("report_unknown", 404),
    ("message_unknown", 404),
    ("photo_unknown", 404),
    ("receiver_unknown", 404),
    ("processing", 404),
    ("account_ended", 404),
    ("campaign_unknown", 404),
    ("coupon_unknown", 404),
    ("file_unknown", 404),
    ("circle_unknown", 404),
    ("member_unknown", 404),
    ("code_unknown", 404),
    ("watch_unknown", 404),
    ("wrong_method", 405),
    ("conflict", 409),
    ("name_taken", 409),
    ("id_taken", 409),
    ("album_full", 409),
    ("idempotency_key_reused", 409),
    ("not_local", 409),
    ("campaign_not_running", 409),
    ("campaign_used_up", 409),
    ("coupon_held", 409),
    ("coupon_today", 409),
    ("coupon_used", 409),
    ("last_guardian", 409),
    ("circle_full", 409),
    ("too_many_circles", 409),
    ("too_many_codes", 409),
    ("watch_bound", 409),
    ("too_many_watches", 409),
    ("older_node", 409),
    ("other_log", 409),
    ("expired", 410),
    ("body_too_large", 413),
    ("head_too_large", 413),
    ("part_too_large", 413),
    ("picture_too_large", 413),
    ("voice_too_large", 413),
    ("unsupported_media_type", 415),
    ("unsupported_picture", 415),
    ("unsupported_voice", 415),
    ("unprocessable", 422),
    ("undecodable", 422),
    ("too_many_requests", 429),
    ("internal", 500),
    ("busy", 503),
    ("behind", 503),
    ("too_old", 503),
    ("not_finalized", 503),
    ("elsewhere", 503),
    ("not_ready", 503),
    ("timeout", 503),
    ("weibo_unavailable", 503),
    ("queue_unavailable", 503),
    ("storage_full", 503),
    ("objects_unavailable", 503),
    ("store_unavailable", 503),
    ("store_damaged", 503),
];

/// An answer that says no. `message` goes to the client, `inside` to the log alone.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// One of those that the specification lists; 500 for our own faults alone.
    pub status: StatusCode,
    /// Stable, snake case, one of [`CODES`].
    pub code: &'static str,
    /// One sentence for the client; names the parameter where there is one.
    pub message: Cow<'static, str>,
    /// What the log is told beside it.
    pub inside: Option<String>,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
    /// The methods that a path takes, for 405.
    pub allow: Option<HeaderValue>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident = $status:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
                Self::new(StatusCode::$status, code, message)
            }
        )*
    };
}

impl ApiError {
    /// Any status; prefer the named constructors.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        debug_assert!(CODES.contains(&(code, status.as_u16())), "{code} ({status}) is not in CODES");
        Self { status, code, message: message.into(), inside: None, retry_after: None, allow: None }
    }

    constructors! {
        /// 400: the request makes no sense.
        invalid = BAD_REQUEST;
        /// 401: sign in first.
        unauthorized = UNAUTHORIZED;
        /// 403: who asks may not.
        forbidden = FORBIDDEN;
        /// 404: there is no such thing, or who asks may not know of it.
        not_found = NOT_FOUND;
        /// 409: it stands against what is already so.
        conflict = CONFLICT;
        /// 413: more bytes than allowed.
        too_large = PAYLOAD_TOO_LARGE;
        /// 415: a form of body that nobody here reads.
        unsupported = UNSUPPORTED_MEDIA_TYPE;
        /// 422: understood, and still not usable.
        unprocessable = UNPROCESSABLE_ENTITY;
        /// 503: not now.
        unavailable = SERVICE_UNAVAILABLE;
    }

    /// 404 for a path that nobody serves.
    #[must_use]
    pub fn unknown_path() -> Self {
        Self::not_found("unknown_path", "there is nothing at this path")
    }

    /// 405; `allow` lists the methods that work (RFC 9110, 10.2.1).
    #[must_use]
    pub fn wrong_method(allow: HeaderValue) -> Self {
        let message = "this path does not take this method; the header Allow lists those that it takes";
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message) }
    }

    /// 429; `after` in seconds.
    #[must_use]
    pub fn too_many(code: &'static str, message: impl Into<Cow<'static, str>>, after: u32) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, message).retry_after(after)
    }

    /// 400: a required parameter is not there.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self::invalid("missing_parameter", format!("{name}: this parameter is required"))
    }

    /// 400: a parameter has a value that it cannot have. Give no value of the client's longer than a few words.
    #[must_use]
    pub fn parameter(name: &str, problem: impl fmt::Display) -> Self {
        Self::invalid("bad_parameter", format!("{name}: {problem}"))
    }

    /// 500: our own fault; `inside` is for the log.
    #[must_use]
    pub fn internal(inside: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "an error of the server; the log has the details")
            .inside(inside)
    }

    /// Adds what the log is told.
    #[must_use]
    pub fn inside(mut self, inside: impl Into<String>) -> Self {
        self.inside = Some(inside.into());
        self
    }

    /// Adds after how many seconds to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The answer that tells it.
    pub fn answer(&self) -> Answer {
        let mut answer = Answer::json(&Body { error: &self.message, code: self.code }).status(self.status);
        if let Some(seconds) = self.retry_after {
            answer = answer.header(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = &self.allow {
            answer = answer.header(header::ALLOW, allow.clone());
        }
        answer
    }
}

/// The form on the wire.
#[derive(Debug, Serialize)]
struct Body<'a> {
    error: &'a str,
    code: &'a str,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.message)
    }
}

impl std::error::Error for ApiError {}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection.kind() {
            RejectionKind::Invalid => StatusCode::BAD_REQUEST,
            RejectionKind::Forbidden => StatusCode::FORBIDDEN,
            RejectionKind::NotFound => StatusCode::NOT_FOUND,
            RejectionKind::Conflict => StatusCode::CONFLICT,
            RejectionKind::Gone => StatusCode::GONE,
        };
        Self::new(status, rejection.code(), rejection.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let inside = error.to_string();
        let refused = match error {
            StoreError::Full(_) => {
                Self::unavailable("storage_full", "there is no room for new data; reading goes on").retry_after(30)
            }
            StoreError::Unavailable(_) => {
                Self::unavailable("store_unavailable", "the event store does not take writes for now").retry_after(5)
            }
            StoreError::Corrupt { .. } => {
                Self::unavailable("store_damaged", "stored data is damaged; the operators have to repair it")
            }
            // The commands retry; what still conflicts then is too much going on at once.
            StoreError::WrongVersion { .. } => {
                Self::unavailable("busy", "too much is going on with this at once; try again").retry_after(1)
            }
            StoreError::Refused(_) => Self::internal(String::new()),
        };
        refused.inside(inside)
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        let inside = error.to_string();
        let refused = match error {
            KeyError::Unavailable(_) => {
                Self::unavailable("store_unavailable", "the key store does not work for now").retry_after(5)
            }
            KeyError::Destroyed(_) => Self::not_found("not_found", "this account has ended"),
            KeyError::Unsealable(_) => Self::internal(String::new()),
        };
        refused.inside(inside)
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Rejected(rejection) => rejection.into(),
            CommandError::Store(error) => error.into(),
            CommandError::Keys(error) => error.into(),
            CommandError::Contended(_) => {
                Self::unavailable("busy", "too much is going on with this at once; try again").retry_after(1)
            }
            CommandError::Interrupted(inside) => {
                Self::unavailable("not_ready", "the server is stopping").retry_after(1).inside(inside)
            }
            CommandError::Older(_) => Self::unavailable(
                "too_old",
                "this server is older than the data; it only answers what it has until it is replaced",
            )
            .inside(error.to_string()),
            CommandError::NotFinalized(_) => Self::unavailable(
                "not_finalized",
                "this is not there yet while the servers are being upgraded; try again later",
            )
            .inside(error.to_string()),
            CommandError::Unreadable { .. } => {
                Self::unavailable("store_damaged", "stored data is damaged; the operators have to repair it")
                    .inside(error.to_string())
            }
        }
    }
}

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        let inside = error.to_string();
        let refused = match error {
            ObjectError::Missing(_) => Self::not_found("not_found", "this picture is gone"),
            ObjectError::Corrupt(_) => {
                Self::unavailable("store_damaged", "stored data is damaged; the operators have to repair it")
            }
            ObjectError::Unavailable(_) => {
                Self::unavailable("objects_unavailable", "the store of pictures does not work for now").retry_after(5)
            }
        };
        refused.inside(inside)
    }
}

impl From<ModelError> for ApiError {
    fn from(error: ModelError) -> Self {
        Self::unavailable("not_ready", "a read model cannot be read; the operators have to look at it")
            .inside(error.to_string())
    }
}

#[cfg(test)]
mod tests;
