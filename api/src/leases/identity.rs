//! Who this node is: an id that it keeps in its directory, so that after a start it takes over at once what it had before.

use std::{fs, io, path::Path};

use dface_domain::ports::Entropy;
use uuid::Uuid;

use crate::node::write_private;

/// Digits of its id that a node is called by where it has no name.
const NAME: usize = 8;

/// The file of the id, in the data directory.
const FILE: &str = "node";

/// Who this node is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its id.
    pub node: Uuid,
    /// What operators call it.
    pub name: String,
}

impl Identity {
    /// Reads the id, or makes it. Without a name the node is called by the beginning of its id.
    ///
    /// # Errors
    /// The disk's; or the file holds no id.
    pub(crate) fn load_or_create(data: &Path, name: &str, entropy: &dyn Entropy) -> io::Result<Self> {
        let path = data.join(FILE);
        let node = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse::<Uuid>().map_err(|_| {
                io::Error::other(format!("{} holds no id of a node; remove it to get another one", path.display()))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let node = uuid::Builder::from_random_bytes(entropy.bytes()).into_uuid();
                write_private(&path, &format!("{}\n", node.simple()))?;
                node
            }
            Err(error) => return Err(error),
        };
        let id = node.simple().to_string();
        let name = if name.is_empty() { id.chars().take(NAME).collect() } else { name.to_owned() };
        Ok(Self { node, name })
    }
}

#[cfg(test)]
mod tests {
    use dface_commands::system::SystemEntropy;

    use super::*;

    #[test]
    fn a_node_keeps_its_id() {
        let dir = tempfile::tempdir().unwrap();
        let load = |name| Identity::load_or_create(dir.path(), name, &SystemEntropy);
        let made = load("").unwrap();
        assert_eq!((load("api-1").unwrap().node, load("api-1").unwrap().name.as_str()), (made.node, "api-1"));
        assert_eq!(made.name.len(), 8);
        fs::write(dir.path().join(FILE), "somebody").unwrap();
        assert!(load("").unwrap_err().to_string().contains("holds no id"));
    }
}
