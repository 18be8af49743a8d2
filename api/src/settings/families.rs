//! Settings of circles, watches, MQTT and pushes.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use dface_workers::{apns::ApnsConfig, tls::trusting};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tokio_rustls::rustls::ClientConfig;

use super::{BadSettings, Settings};
use crate::mqtt::external::BrokerAddress;

/// An address to listen on, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Optional(pub Option<SocketAddr>);

impl Serialize for Optional {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(address) => serializer.collect_str(&address),
            None => serializer.serialize_str("off"),
        }
    }
}

impl<'de> Deserialize<'de> for Optional {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "off" => Ok(Self(None)),
            text => text
                .parse()
                .map(|address| Self(Some(address)))
                .map_err(|_| de::Error::custom(format!("{text:?} is neither an address (127.0.0.1:1883) nor \"off\""))),
        }
    }
}

/// MQTT; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Mqtt {
    pub broker: BrokerAddress,
    pub broker_ca: PathBuf,
    pub broker_timeout_s: u64,
    pub shared_account: bool,
    pub packet_bytes: u32,
    pub connections: usize,
    pub sign_in_s: u64,
    pub keep_alive_most_s: u16,
    pub session_s: u32,
    pub queued: usize,
    pub inflight: u16,
    pub subscriptions: usize,
    pub sessions_of_account: usize,
    pub messages_per_second: u32,
}

/// Circles; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Circles {
    pub of_user: usize,
    pub members: usize,
    pub watches: usize,
    pub codes: usize,
    pub joins_per_hour: u32,
    pub text_chars: usize,
    pub voice_bytes: u64,
}

impl Circles {
    /// Without any of these nobody could do anything.
    pub(super) fn check(&self) -> Result<(), BadSettings> {
        let Self { of_user, members, watches, codes, joins_per_hour, text_chars, voice_bytes } = *self;
        for (key, none) in [
            ("of_user", of_user == 0),
            ("members", members == 0),
            ("watches", watches == 0),
            ("codes", codes == 0),
            ("joins_per_hour", joins_per_hour == 0),
            ("text_chars", text_chars == 0),
            ("voice_bytes", voice_bytes == 0),
        ] {
            if none {
                return Err(BadSettings(format!("setting `circles.{key}` must be more than 0")));
            }
        }
        Ok(())
    }
}

/// Watches; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Watches {
    pub silent_after_s: i64,
    pub open_binding: bool,
    pub events_at_once: usize,
    pub clock_ahead_s: i64,
    pub down_days: i64,
    pub release_after_s: i64,
    pub position_days: i64,
}

/// Pushes; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Push {
    pub receipt_wait_s: u64,
    pub alert_kinds: Vec<AlertKind>,
    pub apns_positions: Positions,
    pub merged: usize,
    pub expire_s: i64,
}

/// What else can wake somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Types 1 to 3.
    Talk,
    /// Type 6.
    BatteryLow,
}

/// Whether positions leave by Apple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Positions {
    /// As the seed has them.
    Send,
    /// Without latitude and longitude: the app fetches them.
    Omit,
}

/// APNs; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Apns {
    pub sandbox_url: String,
    pub production_url: String,
    pub ca: PathBuf,
    pub key: PathBuf,
    pub key_id: String,
    pub team_id: String,
    pub topic: String,
    pub timeout_s: u64,
}

impl Settings {
    /// How Apple is spoken to; none without a key.
    ///
    /// # Errors
    /// The key or the certificates cannot be read.
    pub fn apns_config(&self) -> Result<Option<ApnsConfig>, BadSettings> {
        let (apns, read) = (&self.apns, |setting: &str, path: &Path| {
            std::fs::read(path).map_err(|e| BadSettings(format!("setting `{setting}`: {}: {e}", path.display())))
        });
        if apns.key.as_os_str().is_empty() {
            return Ok(None);
        }
        let ca = if apns.ca.as_os_str().is_empty() { None } else { Some(read("apns.ca", &apns.ca)?) };
        Ok(Some(ApnsConfig {
            sandbox_url: apns.sandbox_url.clone(),
            production_url: apns.production_url.clone(),
            ca,
            key: read("apns.key", &apns.key)?,
            key_id: apns.key_id.clone(),
            team_id: apns.team_id.clone(),
            topic: apns.topic.clone(),
            timeout: Duration::from_secs(apns.timeout_s),
        }))
    }

    /// What an external MQTT broker is trusted by.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn broker_tls(&self) -> Result<ClientConfig, BadSettings> {
        let path = &self.mqtt.broker_ca;
        let bad = |error: &dyn std::fmt::Display| {
            BadSettings(format!("setting `mqtt.broker_ca`: {}: {error}", path.display()))
        };
        let ca = match path.as_os_str().is_empty() {
            true => None,
            false => Some(std::fs::read(path).map_err(|error| bad(&error))?),
        };
        trusting(ca.as_deref(), &[]).map_err(|error| bad(&error))
    }

    pub(super) fn check_apns(&self) -> Result<(), BadSettings> {
        if self.mqtt.broker_timeout_s == 0 {
            return Err(BadSettings("setting `mqtt.broker_timeout_s` must be more than 0".to_owned()));
        }
        let (apns, bad) = (&self.apns, |text: String| Err(BadSettings(text)));
        for (key, url) in [("apns.sandbox_url", &apns.sandbox_url), ("apns.production_url", &apns.production_url)] {
            if !url.starts_with("https://") {
                return bad(format!("setting `{key}` must begin with https://"));
            }
        }
        if apns.timeout_s == 0 {
            return bad("setting `apns.timeout_s` must be more than 0".to_owned());
        }
        if apns.key.as_os_str().is_empty() {
            return Ok(());
        }
        for (key, text) in [("apns.key_id", &apns.key_id), ("apns.team_id", &apns.team_id)] {
            if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return bad(format!("setting `{key}` must be Apple's ten letters and digits where `apns.key` is set"));
            }
        }
        if apns.topic.is_empty() {
            return bad("setting `apns.topic`, the app's bundle id, is needed where `apns.key` is set".to_owned());
        }
        Ok(())
    }
}
