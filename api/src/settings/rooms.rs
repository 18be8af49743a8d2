//! Settings of rooms.

use serde::{Deserialize, Serialize};

use super::BadSettings;

/// Rooms; each key is explained in `default.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "explained in default.toml, which is the documentation")]
pub struct Rooms {
    pub occupants: usize,
    pub streams: usize,
    pub joined: usize,
    pub history: usize,
    pub history_most: usize,
    pub held: usize,
    pub page: usize,
}

impl Rooms {
    pub(super) fn check(&self) -> Result<(), BadSettings> {
        let positive = [
            ("occupants", self.occupants),
            ("streams", self.streams),
            ("joined", self.joined),
            ("held", self.held),
            ("page", self.page),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(BadSettings(format!("setting `chat.rooms.{key}` must be more than 0")));
        }
        if self.history_most < self.history {
            return Err(BadSettings(
                "setting `chat.rooms.history_most` must not be less than `chat.rooms.history`".to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    fn load(key: &str, value: usize) -> Result<Settings, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("[chat.rooms]\n{key} = {value}")).unwrap();
        Settings::load(Some(file.path()), &[]).map_err(|e| e.0)
    }

    #[test]
    fn limits_of_rooms_are_more_than_nothing_and_fit_each_other() {
        for key in ["occupants", "streams", "joined", "held", "page", "history_most"] {
            let error = load(key, 0).unwrap_err();
            assert!(error.contains(&format!("chat.rooms.{key}")), "{error}");
        }
        assert!(load("history", 0).is_ok());
    }
}
