//! A generation that is being made says in its own rows how far they are, so that one that was cut off goes on there.
//!
//! The place is a row of each sorted run, and a run is there whole or not at all: rows and place never disagree. It is taken out before anybody
//! reads the generation.

use dface_domain::envelope::LogPosition;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use serde::{Deserialize, Serialize};

use super::{
    ModelError,
    build::{generation_of, generations},
    managed::Shared,
    model::ReadModel,
    rows::decode_row,
};

/// Comes after the keys of all rows, whose first byte is their kind.
pub(super) const PLACE: &[u8] = b"\xff\xffplace";

/// How far the rows of an unfinished generation are, and what they were made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    log: [u8; 16],
    schema: u32,
    /// Another program may make other rows of the same events.
    program: String,
    skipped: Vec<LogPosition>,
    /// Whether it is to serve when it is finished; else it was made to be compared.
    serves: bool,
    pub(super) position: LogPosition,
}

impl Place {
    /// At the beginning of a generation of `M`.
    pub(super) fn begin<M: ReadModel>(shared: &Shared, serves: bool) -> Self {
        Self {
            log: shared.log,
            schema: M::SCHEMA,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            skipped: shared.checkpoints.skipped(M::NAME),
            serves,
            position: LogPosition::default(),
        }
    }

    /// The same, further on.
    pub(super) fn at(&self, position: LogPosition) -> Self {
        Self { position, ..self.clone() }
    }
}

/// Whether a keyspace is a generation that was not finished.
pub(super) fn is_unfinished(keyspace: &Keyspace) -> Result<bool, ModelError> {
    Ok(keyspace.get(PLACE)?.is_some())
}

/// The unfinished generation of `M` that goes on as `begin` would begin, if one is there, and how far it is. All others are deleted.
pub(super) fn find<M: ReadModel>(
    shared: &Shared,
    begin: &Place,
    until: LogPosition,
) -> Result<Option<(String, LogPosition)>, ModelError> {
    let serving = shared.checkpoints.get(M::NAME).map(|checkpoint| checkpoint.generation);
    let mut found: Option<(String, LogPosition)> = None;
    for name in generations::<M>(&shared.db) {
        let keyspace = shared.db.keyspace(&name, KeyspaceCreateOptions::default)?;
        if Some(generation_of(&keyspace)) == serving {
            continue;
        }
        match place_in(&keyspace)? {
            Some(place) if found.is_none() && place == begin.at(place.position) && place.position <= until => {
                found = Some((name, place.position));
            }
            _ => shared.db.delete_keyspace(keyspace)?,
        }
    }
    Ok(found)
}

fn place_in(keyspace: &Keyspace) -> Result<Option<Place>, ModelError> {
    // One that cannot be read is of another program.
    Ok(keyspace.get(PLACE)?.and_then(|bytes| decode_row(&bytes).ok()))
}

/// Deletes keyspaces that are neither among `kept` nor could go on.
pub(super) fn sweep(db: &Database, kept: &[String]) -> Result<(), ModelError> {
    for name in db.list_keyspace_names() {
        let name: &str = &name;
        if kept.iter().any(|one| one == name) {
            continue;
        }
        let keyspace = db.keyspace(name, KeyspaceCreateOptions::default)?;
        if !is_unfinished(&keyspace)? {
            db.delete_keyspace(keyspace)?;
        }
    }
    Ok(())
}
