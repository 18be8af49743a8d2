//! Settings of jobs, of their queue, and of what a process does.

use std::{collections::BTreeSet, fmt, path::PathBuf, str::FromStr, time::Duration};

use dface_domain::jobs::JobKind;
use dface_workers::{
    queue::{
        Limits, MOST_ATTEMPTS,
        amqp::{AmqpConfig, AmqpUrl},
    },
    runner::RunnerSettings,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{BadSettings, Settings};

/// Where the queue is. Shown without its password, but written with it where settings are merged.
#[derive(Clone)]
pub enum QueueAddress {
    /// In this process.
    Embedded,
    /// At RabbitMQ.
    Amqp {
        /// Its address.
        url: AmqpUrl,
        /// The same, as it was given.
        text: String,
    },
}

impl FromStr for QueueAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "embedded" {
            return Ok(Self::Embedded);
        }
        let url = text.parse().map_err(|error| format!("it is neither \"embedded\" nor an address: {error}"))?;
        Ok(Self::Amqp { url, text: text.to_owned() })
    }
}

impl fmt::Debug for QueueAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("embedded"),
            Self::Amqp { url, .. } => fmt::Display::fmt(url, f),
        }
    }
}

impl Serialize for QueueAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Embedded => serializer.serialize_str("embedded"),
            Self::Amqp { text, .. } => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for QueueAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Answers phones and operators; has the log.
    Http,
    /// Chat, beside the log.
    Chat,
    /// Does jobs.
    Worker,
}

/// The roles of a process: a list, or one text with commas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether it has that one.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// Whether it does jobs and nothing else.
    #[must_use]
    pub fn worker_alone(&self) -> bool {
        self.0.len() == 1 && self.has(Role::Worker)
    }
}

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Text(String),
            List(Vec<String>),
        }
        let names = match Given::deserialize(deserializer)? {
            Given::Text(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
            Given::List(names) => names,
        };
        let roles: Result<BTreeSet<Role>, D::Error> = names
            .iter()
            .map(|name| match name.as_str() {
                "http" => Ok(Role::Http),
                "chat" => Ok(Role::Chat),
                "worker" => Ok(Role::Worker),
                other => Err(de::Error::custom(format!(
                    "there is no role \"{other}\" (--roles): there are http, chat and worker"
                ))),
            })
            .collect();
        Ok(Self(roles?))
    }
}

/// Jobs; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Jobs {
    pub picture: u16,
    pub coupon: u16,
    pub weibo: u16,
    pub push: u16,
    pub prefetch: u16,
    pub attempts: u32,
    pub push_attempts: u32,
    pub deadline_s: u64,
    pub first_pause_s: u64,
    pub longest_pause_s: u64,
    pub message_bytes: usize,
    pub silent_s: i64,
    pub told_after_ms: u64,
    pub stop_s: u64,
}

/// RabbitMQ; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Amqp {
    pub ca: PathBuf,
    pub heartbeat_s: u16,
    pub timeout_ms: u64,
    pub reconnect_min_ms: u64,
    pub reconnect_max_ms: u64,
    pub prefetch_reports: u16,
}

impl Jobs {
    fn concurrency(&self) -> [u16; JobKind::ALL.len()] {
        JobKind::ALL.map(|kind| match kind {
            JobKind::Picture => self.picture,
            JobKind::Coupon => self.coupon,
            JobKind::Weibo => self.weibo,
            JobKind::Push => self.push,
        })
    }

    fn tries(&self) -> [u32; JobKind::ALL.len()] {
        JobKind::ALL.map(|kind| match kind {
            JobKind::Picture | JobKind::Coupon | JobKind::Weibo => self.attempts,
            JobKind::Push => self.push_attempts,
        })
    }

    /// What both adapters of the queue hold.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits { attempts: self.tries(), message_bytes: self.message_bytes }
    }

    /// How jobs are run.
    #[must_use]
    pub fn runner(&self) -> RunnerSettings {
        RunnerSettings {
            concurrency: self.concurrency().map(usize::from),
            attempts: self.tries(),
            deadline: Duration::from_secs(self.deadline_s),
            first_pause: Duration::from_secs(self.first_pause_s),
            longest_pause: Duration::from_secs(self.longest_pause_s),
            told_after: Duration::from_millis(self.told_after_ms),
            grace: Duration::from_secs(self.stop_s),
        }
    }
}

impl Settings {
    /// How the broker at `url` is spoken to.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub fn amqp_config(&self, url: &AmqpUrl) -> Result<AmqpConfig, BadSettings> {
        let path = &self.amqp.ca;
        let ca = if path.as_os_str().is_empty() {
            None
        } else {
            let read = std::fs::read_to_string(path);
            Some(read.map_err(|e| BadSettings(format!("setting `amqp.ca`: {}: {e}", path.display())))?)
        };
        Ok(AmqpConfig {
            url: url.clone(),
            ca,
            limits: self.jobs.limits(),
            prefetch: self.jobs.concurrency().map(|at_once| at_once.saturating_add(self.jobs.prefetch)),
            prefetch_reports: self.amqp.prefetch_reports,
            heartbeat_s: self.amqp.heartbeat_s,
            timeout: Duration::from_millis(self.amqp.timeout_ms),
            reconnect_min: Duration::from_millis(self.amqp.reconnect_min_ms),
            reconnect_max: Duration::from_millis(self.amqp.reconnect_max_ms),
        })
    }

    pub(super) fn check_jobs(&self) -> Result<(), BadSettings> {
        let bad = |text: String| Err(BadSettings(text));
        if self.roles.0.is_empty() {
            return bad("setting `roles` (--roles) must name a role: http, chat, worker".to_owned());
        }
        if self.roles.has(Role::Chat) && !self.roles.has(Role::Http) {
            return bad(
                "setting `roles` (--roles): chat needs the log, which the process with the role http has; name both"
                    .to_owned(),
            );
        }
        if self.roles.worker_alone() && matches!(self.queue, QueueAddress::Embedded) {
            return bad(
                "setting `queue` (--queue): a worker alone needs a broker that it shares with the others, as in \
                        amqp://user:password@host/vhost; the embedded queue is inside the process with the role http"
                    .to_owned(),
            );
        }
        if self.roles.worker_alone() && self.objects.is_empty() {
            return bad(
                "setting `objects` (--objects): a worker alone needs the objects that it shares with the others"
                    .to_owned(),
            );
        }
        for (key, tries) in [("attempts", self.jobs.attempts), ("push_attempts", self.jobs.push_attempts)] {
            if !(1..=MOST_ATTEMPTS).contains(&tries) {
                return bad(format!("setting `jobs.{key}` must be 1 to {MOST_ATTEMPTS}"));
            }
        }
        let positive = [
            ("jobs.picture", u64::from(self.jobs.picture)),
            ("jobs.coupon", u64::from(self.jobs.coupon)),
            ("jobs.weibo", u64::from(self.jobs.weibo)),
            ("jobs.push", u64::from(self.jobs.push)),
            ("jobs.deadline_s", self.jobs.deadline_s),
            ("jobs.silent_s", u64::try_from(self.jobs.silent_s).unwrap_or(0)),
            ("amqp.heartbeat_s", u64::from(self.amqp.heartbeat_s)),
            ("amqp.timeout_ms", self.amqp.timeout_ms),
            ("amqp.reconnect_min_ms", self.amqp.reconnect_min_ms),
            ("amqp.prefetch_reports", u64::from(self.amqp.prefetch_reports)),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return bad(format!("setting `{key}` must be more than 0"));
        }
        if self.jobs.longest_pause_s < self.jobs.first_pause_s {
            return bad("setting `jobs.longest_pause_s` must not be less than `jobs.first_pause_s`".to_owned());
        }
        if self.amqp.reconnect_max_ms < self.amqp.reconnect_min_ms {
            return bad("setting `amqp.reconnect_max_ms` must not be less than `amqp.reconnect_min_ms`".to_owned());
        }
        if self.jobs.message_bytes < 4096 {
            return bad("setting `jobs.message_bytes` must be at least 4096".to_owned());
        }
        Ok(())
    }
}
