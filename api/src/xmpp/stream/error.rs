//! What streams end with (RFC 6120 §4.9).

use super::{
    super::outbox::End,
    names::{SM, STREAM, STREAM_ERRORS},
};

/// Why the server ends a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamError {
    /// What came is no stream, or what it may not hold.
    BadFormat,
    /// The client took the stream over, or another one has its resource.
    Conflict,
    /// The client was silent for too long.
    ConnectionTimeout,
    /// It acknowledged more than it was sent (XEP-0198).
    HandledCountTooHigh {
        /// What it said.
        handled: u32,
        /// What it was sent.
        sent: u32,
    },
    /// `to` is not our domain.
    HostUnknown,
    /// Something failed in the server.
    InternalServerError,
    /// A stanza says that it is from somebody else.
    InvalidFrom,
    /// The stream or its stanzas are in another namespace.
    InvalidNamespace,
    /// It may not do this yet, or not any more.
    NotAuthorized,
    /// It is not XML.
    NotWellFormed,
    /// It asks too much.
    PolicyViolation,
    /// There are too many streams.
    ResourceConstraint,
    /// DTDs, entities, comments, processing instructions.
    RestrictedXml,
    /// The server stops.
    SystemShutdown,
    /// A stanza is larger or deeper than allowed.
    TooLarge,
    /// It is not UTF-8.
    UnsupportedEncoding,
    /// There is no such element here.
    UnsupportedStanzaType,
    /// The client speaks something older than XMPP 1.0.
    UnsupportedVersion,
}

impl StreamError {
    fn condition(self) -> &'static str {
        match self {
            Self::BadFormat => "bad-format",
            Self::Conflict => "conflict",
            Self::ConnectionTimeout => "connection-timeout",
            Self::HandledCountTooHigh { .. } => "undefined-condition",
            Self::HostUnknown => "host-unknown",
            Self::InternalServerError => "internal-server-error",
            Self::InvalidFrom => "invalid-from",
            Self::InvalidNamespace => "invalid-namespace",
            Self::NotAuthorized => "not-authorized",
            Self::NotWellFormed => "not-well-formed",
            Self::PolicyViolation | Self::TooLarge => "policy-violation",
            Self::ResourceConstraint => "resource-constraint",
            Self::RestrictedXml => "restricted-xml",
            Self::SystemShutdown => "system-shutdown",
            Self::UnsupportedEncoding => "unsupported-encoding",
            Self::UnsupportedStanzaType => "unsupported-stanza-type",
            Self::UnsupportedVersion => "unsupported-version",
        }
    }

    fn text(self) -> Option<&'static str> {
        match self {
            Self::TooLarge => Some("a stanza is larger or deeper than allowed"),
            Self::PolicyViolation => Some("the stream asks for more than is allowed"),
            Self::ResourceConstraint => Some("there are too many connections; try again later"),
            _ => None,
        }
    }

    /// The element that tells it.
    #[must_use]
    pub fn to_xml(self) -> String {
        let condition = self.condition();
        let text = self
            .text()
            .map_or_else(String::new, |text| format!("<text xmlns='{STREAM_ERRORS}' xml:lang='en'>{text}</text>"));
        let more = match self {
            Self::HandledCountTooHigh { handled, sent } => {
                format!("<handled-count-too-high xmlns='{}' h='{handled}' send-count='{sent}'/>", SM[0])
            }
            _ => String::new(),
        };
        format!(
            "<stream:error xmlns:stream='{STREAM}'><{condition} xmlns='{STREAM_ERRORS}'/>{text}{more}</stream:error>"
        )
    }
}

impl From<End> for StreamError {
    fn from(why: End) -> Self {
        match why {
            End::Conflict => Self::Conflict,
            End::SignedOut => Self::NotAuthorized,
            End::TooSlow => Self::PolicyViolation,
            End::Shutdown => Self::SystemShutdown,
            End::InvalidFrom => Self::InvalidFrom,
        }
    }
}
