//! The address of an external broker, which holds a password and never shows it.

use std::{fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

/// Where the broker is. Shown without user and password, but written with them where settings are merged.
#[derive(Clone)]
pub enum BrokerAddress {
    /// In this process.
    Embedded,
    /// Another program.
    External(MqttUrl),
}

/// `mqtt://user:password@host:port`, or `mqtts://…` for TLS.
#[derive(Clone)]
pub struct MqttUrl {
    /// Its name or address.
    pub host: String,
    /// Its port; 1883, with TLS 8883.
    pub port: u16,
    /// Whether it is spoken to over TLS.
    pub tls: bool,
    /// Who signs in.
    pub user: String,
    /// With what.
    pub(super) password: String,
    text: String,
}

impl MqttUrl {
    fn of(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            _ => return None,
        };
        let host = match url.host()? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let decoded = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
        let (user, password) = (decoded(url.username())?, decoded(url.password().unwrap_or_default())?);
        let is_plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        let port = url.port().unwrap_or(if tls { 8883 } else { 1883 });
        is_plain.then(|| Self { host, port, tls, user, password, text: text.to_owned() })
    }
}

impl fmt::Display for MqttUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", if self.tls { "mqtts" } else { "mqtt" }, self.host, self.port)
    }
}

impl fmt::Debug for MqttUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BrokerAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if text == "embedded" {
            return Ok(Self::Embedded);
        }
        // The text is not repeated, for it may hold a password.
        MqttUrl::of(text).map(Self::External).ok_or(
            "it is neither \"embedded\" nor the address of a broker as in mqtt://user:password@host:1883 or mqtts://…",
        )
    }
}

impl fmt::Debug for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::External(url) => fmt::Display::fmt(url, f),
        }
    }
}

impl Serialize for BrokerAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Embedded => "embedded",
            Self::External(url) => &url.text,
        })
    }
}

impl<'de> Deserialize<'de> for BrokerAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_its_password_is_shown_nowhere() {
        let BrokerAddress::External(url) = "mqtts://dface:ge%40heim@mq.example.org".parse().unwrap() else { panic!() };
        assert_eq!((url.host.as_str(), url.port, url.tls), ("mq.example.org", 8883, true));
        assert_eq!((url.user.as_str(), url.password.as_str()), ("dface", "ge@heim"));
        assert_eq!(format!("{url:?} {url}"), "mqtts://mq.example.org:8883 mqtts://mq.example.org:8883");
        let BrokerAddress::External(url) = "mqtt://[::1]:1884".parse().unwrap() else { panic!() };
        assert_eq!((url.host.as_str(), url.port, url.tls, url.user.as_str()), ("::1", 1884, false, ""));
        for bad in ["", "mqtt:geheim", "http://a:geheim@host", "mqtt://a:geheim@host/vhost", "mqtt://a:geheim@host?x=1"]
        {
            let error = bad.parse::<BrokerAddress>().unwrap_err();
            assert!(!error.contains("geheim"), "{bad}");
        }
        assert!(matches!("embedded".parse(), Ok(BrokerAddress::Embedded)));
    }
}
