//! Settings of chat.

use serde::{Deserialize, Serialize};

use super::{BadSettings, Rooms, Settings};

/// Chat; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Chat {
    pub domain: String,
    pub rooms_domain: String,
    pub scram: bool,
    pub allow_plaintext: bool,
    pub stanza_bytes: usize,
    pub stanza_depth: usize,
    pub stanza_parts: usize,
    pub outbox_bytes: usize,
    pub sign_in_s: u64,
    pub sign_in_tries: u32,
    pub write_s: u64,
    pub silent_s: u64,
    pub answer_s: u64,
    pub resume_s: u64,
    pub resumable: usize,
    pub unacknowledged: usize,
    pub archive_page: usize,
    pub missed_within_s: i64,
    pub missed_after_s: u64,
    pub rooms: Rooms,
}

impl Settings {
    pub(super) fn check_chat(&self) -> Result<(), BadSettings> {
        let chat = &self.chat;
        for (key, domain) in [("chat.domain", &chat.domain), ("chat.rooms_domain", &chat.rooms_domain)] {
            let is_one = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
            if domain.is_empty() || domain.len() > 253 || !domain.chars().all(is_one) {
                return Err(BadSettings(format!(
                    "setting `{key}` must be a domain of lower-case letters, digits, dots and hyphens"
                )));
            }
        }
        if chat.domain == chat.rooms_domain {
            return Err(BadSettings("setting `chat.rooms_domain` must not be `chat.domain`".to_owned()));
        }
        // What RFC 6120 §13.12 asks of every server.
        if chat.stanza_bytes < 10_000 {
            return Err(BadSettings("setting `chat.stanza_bytes` must be at least 10000".to_owned()));
        }
        if chat.outbox_bytes < 4 * chat.stanza_bytes {
            return Err(BadSettings(
                "setting `chat.outbox_bytes` must be at least four times `chat.stanza_bytes`".to_owned(),
            ));
        }
        let positive = [
            ("chat.stanza_depth", chat.stanza_depth as u64),
            ("chat.stanza_parts", chat.stanza_parts as u64),
            ("chat.sign_in_s", chat.sign_in_s),
            ("chat.sign_in_tries", chat.sign_in_tries.into()),
            ("chat.write_s", chat.write_s),
            ("chat.silent_s", chat.silent_s),
            ("chat.answer_s", chat.answer_s),
            ("chat.unacknowledged", chat.unacknowledged as u64),
            ("chat.archive_page", chat.archive_page as u64),
            ("chat.missed_after_s", chat.missed_after_s),
            ("chat.missed_within_s", chat.missed_within_s.max(0).cast_unsigned()),
            ("limits.messages_per_second", self.limits.messages_per_second.into()),
            ("limits.message_burst", self.limits.message_burst.into()),
            ("limits.stanzas_per_second", self.limits.stanzas_per_second.into()),
            ("limits.stanza_burst", self.limits.stanza_burst.into()),
        ];
        match positive.into_iter().find(|(_, value)| *value == 0) {
            Some((key, _)) => Err(BadSettings(format!("setting `{key}` must be more than 0"))),
            None => chat.rooms.check(),
        }
    }
}
