//! One settings struct: defaults (`default.toml`, which is the documentation), file, environment, flags, in that
//! order; unknown keys are refused, and all of it is checked at start.

mod chat;
mod check;
mod families;
mod jobs;
mod nodes;
mod objects;
mod processes;
mod retention;
mod rooms;
mod signals;
mod store;
mod tokens;
mod weibo;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use dface_workers::pictures::PictureLimits;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use self::{
    chat::Chat,
    families::{AlertKind, Apns, Circles, Mqtt, Optional, Positions, Push, Watches},
    jobs::{Amqp, Jobs, QueueAddress, Role, Roles},
    nodes::Nodes,
    objects::{Cleaning, ObjectUrls},
    processes::{Coupons, Greetings, Processes},
    retention::Retention,
    rooms::Rooms,
    signals::Signals,
    store::{KeyAddress, StoreAddress},
    tokens::Tokens,
    weibo::Weibo,
};

/// The defaults, as the documentation has them.
pub const DEFAULTS: &str = include_str!("default.toml");

/// All settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Data directory.
    pub data: PathBuf,
    /// Where the event store is.
    pub store: StoreAddress,
    /// Where pictures are; empty: beside the log.
    pub objects: String,
    /// What this process does.
    pub roles: Roles,
    /// Where the queue is.
    pub queue: QueueAddress,
    /// This node.
    pub nodes: Nodes,
    /// What nodes tell each other and keep nowhere.
    pub signals: Signals,
    /// Where keys are; empty: beside the data.
    pub keys: KeyAddress,
    /// Server secret; empty: in the key directory.
    pub secret_file: PathBuf,
    /// What absolute URLs begin with.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Allows plain text off loopback.
    pub allow_plaintext: bool,
    /// Where the document's own times are local.
    pub timezone: String,
    /// What `/init/init` tells.
    pub app_version: f64,
    /// Addresses.
    pub listen: Listen,
    /// Certificate and key.
    pub tls: Tls,
    /// Logging.
    pub log: Log,
    /// Limits.
    pub limits: Limits,
    /// Sina Weibo.
    pub weibo: Weibo,
    /// What `/init/init` tells.
    pub regions: Regions,
    /// Sessions.
    pub sessions: Sessions,
    /// Presence.
    pub presence: Presence,
    /// Named tokens of the admin listener.
    pub tokens: Tokens,
    /// The event store.
    pub store_tuning: StoreTuning,
    /// The read models.
    pub projections: Projections,
    /// Jobs.
    pub jobs: Jobs,
    /// RabbitMQ.
    pub amqp: Amqp,
    /// Chat.
    pub chat: Chat,
    /// Coupons.
    pub coupons: Coupons,
    /// Greetings in rooms.
    pub greetings: Greetings,
    /// Processes that follow the log.
    pub processes: Processes,
    /// URLs of stored files.
    pub object_urls: ObjectUrls,
    /// Objects that nothing needs.
    pub cleaning: Cleaning,
    /// How long what is kept is kept.
    pub retention: Retention,
    /// MQTT.
    pub mqtt: Mqtt,
    /// Circles.
    pub circles: Circles,
    /// Watches.
    pub watches: Watches,
    /// Pushes.
    pub push: Push,
    /// APNs.
    pub apns: Apns,
}

/// Addresses to listen on; port 0 is any free one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// The public API.
    pub http: SocketAddr,
    /// Operators, analysts, metrics.
    pub admin: SocketAddr,
    /// Chat.
    pub xmpp: SocketAddr,
    /// History and the back end (§32).
    pub xmpp_api: SocketAddr,
    /// MQTT.
    pub mqtt: Optional,
}

/// PEM files; both or none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Logging.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Level or directives.
    pub level: String,
}

/// Limits; each is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Limits {
    pub body_bytes: usize,
    pub head_bytes: usize,
    pub connections: usize,
    pub head_s: u64,
    pub request_s: u64,
    pub idle_s: u64,
    pub stop_s: u64,
    pub read_after_ms: u64,
    pub sign_in_window_s: i64,
    pub sign_in_pair: u32,
    pub sign_in_address: u32,
    pub sign_in_name: u32,
    pub sign_in_known_days: i64,
    pub import_errors: u64,
    pub messages_per_second: u32,
    pub message_burst: u32,
    pub stanzas_per_second: u32,
    pub stanza_burst: u32,
    pub init_per_minute: u32,
    pub events_per_minute: u32,
    pub events_at_once: u32,
    pub boot_kinds: usize,
    pub min_free_bytes: u64,
    pub event_bytes: usize,
    pub picture_bytes: u64,
    pub picture_pixels: u64,
    pub picture_working_bytes: u64,
    pub picture_scans: u32,
    pub animation_pixels: u64,
    pub album_photos: usize,
    pub uploads_at_once: usize,
    pub upload_s: u64,
}

/// What `/init/init` tells phones.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// The API's address.
    pub ip: String,
    /// The chat server's address.
    pub xmpp: String,
    /// Addresses for phones of some networks.
    pub near: Vec<Region>,
}

/// Addresses for phones of some networks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Networks of the phones.
    pub networks: Vec<IpNet>,
    /// The API's address.
    pub ip: String,
    /// The chat server's address.
    pub xmpp: String,
}

/// Sessions.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// Days after its last use that a session ends.
    pub days: i64,
}

/// Presence.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    /// Hours after a check-in.
    pub hours: i64,
}

/// The event store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreTuning {
    /// Bytes of a segment.
    pub segment_bytes: u64,
    /// Aggregates kept in memory.
    pub cached_aggregates: usize,
    /// Events between two snapshots of a stream.
    pub snapshot_every: u64,
    /// Seconds that a call to a store elsewhere may take.
    pub deadline_s: u64,
    /// Bytes of a store's newest events in memory.
    pub tail_bytes: usize,
    /// Milliseconds that who follows the log waits to be told what was just written, before it asks the server.
    pub tail_wait_ms: u64,
    /// Calls that wait for a store elsewhere at once.
    pub calls_at_once: usize,
    /// Events of one append to it.
    pub batch_events: usize,
    /// Bytes of one append to it.
    pub batch_bytes: usize,
    /// Events of one answer to who reads the log.
    pub page_events: usize,
    /// Bytes after which such an answer ends.
    pub page_bytes: usize,
    /// Keys that all nodes share which are asked for at once.
    pub keys_at_once: usize,
    /// Such keys in memory.
    pub keys_in_memory: usize,
}

/// The read models.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Projections {
    /// Events of one commit while following.
    pub batch: usize,
    /// Events read at once in a rebuild.
    pub rebuild_batch: usize,
    /// Bytes of rows that wait in a rebuild.
    pub rebuild_memory: usize,
    /// Bytes of cache.
    pub cache: u64,
}

/// A setting is unknown, unreadable or contradicts another one.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSettings(pub String);

const FILE: &str = "dface.toml";

impl Settings {
    /// Reads defaults, `file` (or `dface.toml` where present), `DFACE_…` and `flags` (key path and value, as TOML).
    ///
    /// # Errors
    /// Names the key, and where it came from.
    pub fn load(file: Option<&Path>, flags: &[(&str, String)]) -> Result<Self, BadSettings> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        figment = match file {
            Some(path) if !path.is_file() => {
                return Err(BadSettings(format!("--config: there is no file {}", path.display())));
            }
            Some(path) => figment.merge(Toml::file_exact(path)),
            None if Path::new(FILE).is_file() => figment.merge(Toml::file_exact(FILE)),
            None => figment,
        };
        figment = figment.merge(Env::prefixed("DFACE_").split("__"));
        for (key, value) in flags {
            figment = figment.merge(Serialized::global(key, value));
        }
        let settings: Self = figment.extract().map_err(|error| BadSettings(explain(&error)))?;
        settings.check()?;
        Ok(settings)
    }

    /// The directory of keys; beside the data, where they are in a bucket.
    #[must_use]
    pub fn key_dir(&self) -> PathBuf {
        self.keys.dir(&self.data).unwrap_or_else(|| self.data.join("keys"))
    }

    /// Where files are while they come in; on the disk of the data, so that one limit holds for both.
    #[must_use]
    pub fn upload_dir(&self) -> PathBuf {
        self.data.join("uploads")
    }

    /// What a picture may ask for.
    #[must_use]
    pub fn picture_limits(&self) -> PictureLimits {
        PictureLimits {
            bytes: self.limits.picture_bytes,
            pixels: self.limits.picture_pixels,
            working_bytes: self.limits.picture_working_bytes,
            animation_pixels: self.limits.animation_pixels,
            scans: self.limits.picture_scans,
            ..PictureLimits::default()
        }
    }

    /// Where the server secret is.
    #[must_use]
    pub fn secret_path(&self) -> PathBuf {
        if self.secret_file.as_os_str().is_empty() { self.key_dir().join("secret") } else { self.secret_file.clone() }
    }
}

fn explain(error: &figment::Error) -> String {
    let each = error.clone().into_iter().map(|one| {
        let metadata = one.metadata.as_ref();
        let source = metadata.map(|m| m.source.as_ref().map_or_else(|| m.name.to_string(), ToString::to_string));
        let source = source.unwrap_or_default();
        let key = one.path.join(".");
        // figment puts a list of names, each in backticks, into backticks once more.
        let what = one.kind.to_string().replace("``", "`");
        format!("setting `{key}`{}: {what}", if source.is_empty() { source } else { format!(" ({source})") })
    });
    each.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
