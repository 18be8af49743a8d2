//! Where the server is, and how long anybody waits for it.

use std::{fmt, time::Duration};

use eventstore::ClientSettings;
use percent_encoding::percent_decode_str;

use super::error::ConnectError;

/// What a connection string may begin with; `+discover` before the colon asks the DNS name for the cluster's members.
const SCHEMES: &[&str] = &["esdb", "kurrentdb", "kurrent", "kdb"];

/// What we wish where the connection string does not say it. The client sleeps for one interval even before its first try.
const DEFAULTS: &[(&str, &str)] = &[("discoveryInterval", "100"), ("connectionName", "dface")];

/// Settings of the adapter.
#[derive(Clone)]
pub struct EsdbConfig {
    /// The connection string, as in `esdb://USER:PASSWORD@HOST:2113,HOST:2113?tlsCaFile=FILE`.
    pub url: String,
    /// How long one call may take in all, tries after a lost connection or a change of the leader included.
    pub deadline: Duration,
    /// Bytes of one event, at most.
    pub max_event_bytes: usize,
    /// Events of one batch, at most.
    pub max_batch_events: usize,
    /// Bytes of one batch, at most; the server takes 1 MiB unless it was told otherwise.
    pub max_batch_bytes: usize,
    /// Bytes of the newest events that are kept in memory, since many readers follow the log side by side.
    pub tail_bytes: usize,
    /// How long who has read all that was told waits for what is known to come, before it asks the server.
    pub tail_wait: Duration,
    /// Events of one answer to who reads the log, at most.
    pub page_events: usize,
    /// Bytes after which such an answer ends.
    pub page_bytes: usize,
    /// Calls that wait for the server at once, at most.
    pub max_calls: usize,
    /// What the names of all our streams begin with, before the hyphen: a log of its own for each. Small letters and digits.
    pub prefix: String,
}

impl EsdbConfig {
    /// The usual settings for the server at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            deadline: Duration::from_secs(10),
            max_event_bytes: 1 << 20,
            max_batch_events: 10_000,
            max_batch_bytes: 1 << 20,
            tail_bytes: 16 << 20,
            tail_wait: Duration::from_millis(20),
            page_events: 4096,
            page_bytes: 32 << 20,
            max_calls: 64,
            prefix: "dface".to_owned(),
        }
    }

    /// Whether `text` is a connection string of such a server, and not a directory or the word `embedded`.
    #[must_use]
    pub fn is_url(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| SCHEMES.contains(&scheme.trim_end_matches("+discover")))
    }

    /// The connection string without user, password and parameters: for logs and answers.
    #[must_use]
    pub fn address(&self) -> String {
        let (scheme, authority, _) = parts(&self.url);
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
        format!("{scheme}://{hosts}")
    }

    /// What the client needs.
    ///
    /// # Errors
    /// `Config`, with what is wrong and without the password.
    pub(super) fn settings(&self) -> Result<ClientSettings, ConnectError> {
        let wrong = |what: &str| Err(ConnectError::Config(what.to_owned()));
        if !Self::is_url(&self.url) {
            return wrong("a connection string begins with esdb://, esdb+discover:// or kurrentdb://");
        }
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if self.prefix.is_empty() || !self.prefix.chars().all(plain) {
            return wrong("the prefix of streams must be small letters and digits");
        }
        if self.deadline.is_zero() || [self.max_calls, self.max_batch_events, self.page_events].contains(&0) {
            return wrong("deadline, calls at once, events of a batch and of a page must be above 0");
        }
        // The client's own error quotes the whole string, with the password.
        match self.completed().parse::<ClientSettings>() {
            Ok(settings) => Ok(settings),
            Err(error) => match error.error() {
                Some(error) => wrong(&format!("{}: {error}", self.address())),
                None => wrong(&format!("{}: a host or a parameter is not as it must be", self.address())),
            },
        }
    }

    /// User and password. The client takes them as they stand in the string, with `%40` for `@`.
    pub(super) fn credentials(&self) -> Option<(String, String)> {
        let (_, authority, _) = parts(&self.url);
        let (user, _) = authority.rsplit_once('@')?;
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Some((decoded(name), decoded(password)))
    }

    /// With what we wish, and without a slash after the hosts, which the client would take for one more.
    fn completed(&self) -> String {
        let (scheme, hosts, query) = parts(&self.url);
        let said = query.to_ascii_lowercase();
        let unsaid = DEFAULTS.iter().filter(|(name, _)| !said.contains(&format!("{}=", name.to_ascii_lowercase())));
        let wished = unsaid.map(|(name, value)| format!("{name}={value}"));
        let parameters: Vec<_> =
            [query.to_owned()].into_iter().filter(|query| !query.is_empty()).chain(wished).collect();
        format!("{scheme}://{hosts}?{}", parameters.join("&"))
    }
}

impl fmt::Debug for EsdbConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EsdbConfig").field("url", &self.address()).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Scheme, what stands before the parameters, and these.
fn parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    (scheme, authority.trim_end_matches('/'), query)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLUSTER: &str = "esdb://admin:p%40ss@one:2113,two:2113/?tls=false";

    #[test]
    fn neither_the_address_nor_an_error_shows_the_password() {
        let config = EsdbConfig::new(CLUSTER);
        assert_eq!(config.address(), "esdb://one:2113,two:2113");
        assert!(!format!("{config:?}").contains("ss"));
        for url in ["esdb://admin:p%40ss@one:port", "esdb://admin:p%40ss@one?nodePreference=nobody", "db://a:p%40ss@b"]
        {
            let error = EsdbConfig::new(url).settings().unwrap_err().to_string();
            assert!(!error.contains("p%40ss") && !error.contains("p@ss"), "{error}");
        }
    }

    #[test]
    fn passwords_are_decoded() {
        assert_eq!(EsdbConfig::new(CLUSTER).credentials(), Some(("admin".to_owned(), "p@ss".to_owned())));
        assert_eq!(EsdbConfig::new("esdb://one").credentials(), None);
    }

    #[test]
    fn what_the_string_says_is_left_as_it_is() {
        for (url, interval) in [
            ("esdb://one", 100),
            ("esdb://one?", 100),
            ("esdb://one?tls=false", 100),
            ("esdb://one,two:2113?discoveryinterval=7", 7),
        ] {
            let settings = EsdbConfig::new(url).settings().unwrap();
            assert_eq!(settings.discovery_interval(), Duration::from_millis(interval), "{url}");
        }
        assert_eq!(EsdbConfig::new(CLUSTER).settings().unwrap().hosts().len(), 2);
    }

    #[test]
    fn a_connection_string_is_told_from_a_directory() {
        for url in ["esdb://a", "esdb+discover://a", "kurrentdb://a", "kdb+discover://a"] {
            assert!(EsdbConfig::is_url(url), "{url}");
        }
        for other in ["embedded", "./data", "http://a", "/var/esdb"] {
            assert!(!EsdbConfig::is_url(other), "{other}");
        }
    }

    #[test]
    fn a_prefix_is_letters_and_digits() {
        for prefix in ["", "a-b", "$all", "Dface"] {
            let config = EsdbConfig { prefix: prefix.to_owned(), ..EsdbConfig::new("esdb://a") };
            assert!(config.settings().is_err(), "{prefix}");
        }
    }
}
