//! The broker's address, which holds a password and never shows it.

use std::{fmt, str::FromStr};

use lapin::uri::{AMQPScheme, AMQPUri};

/// `amqp://user:password@host:port/vhost`, or `amqps://…` for TLS. Shown without user and password.
#[derive(Clone)]
pub struct AmqpUrl(AMQPUri);

/// The text is no such address. It is not repeated, for it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a broker as in amqp://user:password@host:5672/vhost or amqps://…")]
pub struct InvalidAmqpUrl;

impl FromStr for AmqpUrl {
    type Err = InvalidAmqpUrl;

    fn from_str(text: &str) -> Result<Self, InvalidAmqpUrl> {
        text.parse().map(Self).map_err(|_| InvalidAmqpUrl)
    }
}

impl AmqpUrl {
    /// Whether it is spoken to over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.0.scheme == AMQPScheme::AMQPS
    }

    /// What the client library wants, with a heartbeat each `heartbeat_s` seconds where the address says nothing of it.
    pub(super) fn with_heartbeat(&self, heartbeat_s: u16) -> AMQPUri {
        let mut uri = self.0.clone();
        uri.query.heartbeat.get_or_insert(heartbeat_s);
        uri
    }
}

impl fmt::Display for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = &self.0.authority;
        write!(f, "{}://{}:{}/{}", self.0.scheme, at.host, at.port, self.0.vhost)
    }
}

impl fmt::Debug for AmqpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_shown_nowhere() {
        let url: AmqpUrl = "amqps://anna:geheim@example.org:5671/cards".parse().unwrap();
        assert_eq!(url.to_string(), "amqps://example.org:5671/cards");
        assert!(url.is_tls() && !format!("{url:?}").contains("geheim"));
        for bad in ["", "http://anna:geheim@host", "amqp:geheim", "anna:geheim@host"] {
            let error = bad.parse::<AmqpUrl>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("geheim"), "{bad}");
        }
    }
}
