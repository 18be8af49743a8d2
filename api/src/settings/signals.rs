//! Settings of what nodes tell each other.

use serde::{Deserialize, Serialize};

use super::{BadSettings, Settings};

/// Signals between nodes; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Signals {
    pub every_s: u64,
    pub silent_s: u64,
    pub waiting: usize,
    pub queue: u32,
    pub queue_bytes: u32,
}

impl Settings {
    pub(super) fn check_signals(&self) -> Result<(), BadSettings> {
        let signals = &self.signals;
        let positive = [
            ("every_s", signals.every_s),
            ("waiting", signals.waiting as u64),
            ("queue", signals.queue.into()),
            ("queue_bytes", signals.queue_bytes.into()),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(BadSettings(format!("setting `signals.{key}` must be more than 0")));
        }
        if signals.silent_s < signals.every_s.saturating_mul(2) {
            return Err(BadSettings(
                "setting `signals.silent_s` must be at least twice `signals.every_s`: one sign of life may be lost"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    fn load(text: &str) -> Result<Settings, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("[signals]\n{text}")).unwrap();
        Settings::load(Some(file.path()), &[]).map_err(|e| e.0)
    }

    #[test]
    fn limits_of_signals_are_more_than_nothing_and_a_node_may_be_unheard_for_a_while() {
        for key in ["every_s", "waiting", "queue", "queue_bytes"] {
            let error = load(&format!("{key} = 0")).unwrap_err();
            assert!(error.contains(&format!("signals.{key}")), "{error}");
        }
        let error = load("every_s = 5\nsilent_s = 9").unwrap_err();
        assert!(error.contains("signals.silent_s"), "{error}");
        assert!(load("every_s = 5\nsilent_s = 10").is_ok());
    }
}
