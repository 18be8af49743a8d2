//! Settings of a node among several.

use serde::{Deserialize, Serialize};

use super::{BadSettings, Settings};

/// Characters of a node's name.
const LONGEST: usize = 64;

/// This node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// What operators call it; empty: the beginning of its id.
    pub name: String,
}

impl Settings {
    pub(super) fn check_nodes(&self) -> Result<(), BadSettings> {
        let name = &self.nodes.name;
        if name.chars().count() > LONGEST || name.chars().any(char::is_control) {
            return Err(BadSettings(format!(
                "setting `nodes.name` must have at most {LONGEST} characters, in one line"
            )));
        }
        Ok(())
    }
}
