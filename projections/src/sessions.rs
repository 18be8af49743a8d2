//! Who is signed in (seed §2): all sessions in memory, since every request asks; and the addresses that people
//! signed in from, by keyed hash, for the limits of signing in.
//!
//! Rows: `s session` → whose and since when, `u user session` → nothing, `a user address#` → when last.

use std::{collections::HashMap, sync::Arc};

use dface_domain::{
    envelope::Recorded,
    events::{Event, SessionOpened},
    ids::{SessionId, UserId},
    ports::{KeyedHash, Keys},
    sealed::Subject,
    time::Timestamp,
};
use fjall::Keyspace;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const SESSION: u8 = b's';
const OF_USER: u8 = b'u';
const ADDRESS: u8 = b'a';

/// An open session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Whose.
    pub user: UserId,
    /// Since when.
    pub opened: Timestamp,
    /// When its use was last noted, to a day.
    pub used: Timestamp,
}

/// Turns session events into open sessions.
pub struct Sessions {
    keys: Arc<dyn Keys>,
    hash: Arc<dyn KeyedHash>,
}

impl ReadModel for Sessions {
    type View = SessionsView;

    const NAME: &'static str = "sessions";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] = &["SessionOpened", "SessionRenewed", "SessionEnded", "PersonErased"];

    fn new(parts: &Parts) -> Self {
        Self { keys: Arc::clone(&parts.keys), hash: Arc::clone(&parts.hash) }
    }

    fn opens(event: &Event) -> Option<Subject> {
        match event {
            Event::SessionOpened(event) => Some(event.address.about),
            _ => None,
        }
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::SessionOpened(event) => self.open(event, recorded.occurred_at, rows),
            Event::SessionRenewed(event) => {
                let key = KeyBuf::tag(SESSION).session(event.session);
                match rows.get::<SessionRow>(&key)? {
                    Some(row) => rows.put(&key, &SessionRow { used: recorded.occurred_at, ..row }),
                    None => Ok(()),
                }
            }
            Event::SessionEnded(event) => {
                rows.delete(&KeyBuf::tag(SESSION).session(event.session));
                rows.delete(&KeyBuf::tag(OF_USER).user(event.user).session(event.session));
                Ok(())
            }
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&KeyBuf::tag(OF_USER).user(user))? {
        rows.delete(&KeyBuf::tag(SESSION).session(session_of(&key)?));
        rows.delete(&key);
    }
    for key in rows.keys(&KeyBuf::tag(ADDRESS).user(user))? {
        rows.delete(&key);
    }
    Ok(())
}

fn session_of(key: &[u8]) -> Result<SessionId, ModelError> {
    let session = KeyReader::tagged(key, OF_USER).and_then(|mut reader| {
        reader.user()?;
        reader.session()
    });
    session.ok_or_else(|| ModelError::Row("a key among the sessions".to_owned()))
}

impl Sessions {
    fn open(&self, event: &SessionOpened, at: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
        let row = SessionRow { user: event.user, opened: at, used: at };
        rows.put(&KeyBuf::tag(SESSION).session(event.session), &row)?;
        rows.put(&KeyBuf::tag(OF_USER).user(event.user).session(event.session), &())?;
        if let Some(address) = self.keys.open(&event.address) {
            rows.put(&address_key(self.hash.as_ref(), event.user, &address), &at)?;
        }
        Ok(())
    }
}

fn address_key(hash: &dyn KeyedHash, user: UserId, address: &str) -> KeyBuf {
    let hash = hash.keyed_hash("sign-in-address", &[user.to_string().as_bytes(), address.as_bytes()]);
    KeyBuf::tag(ADDRESS).user(user).bytes(&hash[..16])
}

/// Open sessions, in memory.
pub struct SessionsView {
    rows: Keyspace,
    hash: Arc<dyn KeyedHash>,
    open: RwLock<HashMap<SessionId, SessionRow>>,
}

impl View for SessionsView {
    fn open(parts: &Parts, keyspace: Keyspace) -> Result<Self, ModelError> {
        let open = rows::scan::<SessionRow>(&keyspace, &[SESSION])
            .map(|found| {
                let (key, row) = found?;
                let session = KeyReader::tagged(&key, SESSION).and_then(|mut reader| reader.session());
                Ok((session.ok_or_else(|| ModelError::Row("a key among the sessions".to_owned()))?, row))
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { rows: keyspace, hash: Arc::clone(&parts.hash), open: RwLock::new(open) })
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        let Some(session) = KeyReader::tagged(key, SESSION).and_then(|mut reader| reader.session()) else { return };
        match value.and_then(|bytes| rows::decode_row(bytes).ok()) {
            Some(row) => self.open.write().insert(session, row),
            None => self.open.write().remove(&session),
        };
    }
}

impl SessionsView {
    /// An open session.
    #[must_use]
    pub fn get(&self, session: SessionId) -> Option<SessionRow> {
        self.open.read().get(&session).copied()
    }

    /// Somebody's open sessions.
    ///
    /// # Errors
    /// The disk's.
    pub fn of_user(&self, user: UserId) -> Result<Vec<SessionId>, ModelError> {
        rows::scan::<()>(&self.rows, &KeyBuf::tag(OF_USER).user(user))
            .map(|found| {
                let (key, ()) = found?;
                session_of(&key)
            })
            .collect()
    }

    /// When somebody last signed in from this address.
    ///
    /// # Errors
    /// The disk's.
    pub fn last_from(&self, user: UserId, address: &str) -> Result<Option<Timestamp>, ModelError> {
        let row = self.rows.get(&*address_key(self.hash.as_ref(), user, address))?;
        row.map(|bytes| rows::decode_row(&bytes)).transpose()
    }
}
