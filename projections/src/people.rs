//! People, by id (seed §8, §10). Names stay sealed on disk and are opened in memory.
//!
//! Rows: `u user` → the person.

use std::sync::Arc;

use dface_domain::{
    envelope::Recorded,
    events::{Event, Gender, Provider},
    ids::UserId,
    ports::Keys,
    sealed::Sealed,
    time::Timestamp,
};
use fjall::Keyspace;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const PERSON: u8 = b'u';

/// What is known of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Whose.
    pub user: UserId,
    /// The name shown; none where the person has left.
    pub name: Option<String>,
    /// 0, 1 or 2.
    pub gender: Gender,
    /// Who vouches for the account.
    pub provider: Provider,
    /// The import that made it.
    pub source: Option<String>,
    /// Since when.
    pub registered: Timestamp,
    /// Which derived chat password counts.
    pub generation: u32,
}

#[derive(Serialize, Deserialize)]
struct PersonRow {
    name: Sealed<String>,
    gender: Gender,
    provider: Provider,
    source: Option<String>,
    registered: Timestamp,
    generation: u32,
}

/// Turns account events into people.
pub struct People;

impl ReadModel for People {
    type View = PeopleView;

    const NAME: &'static str = "people";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] = &["UserRegistered", "ChatPasswordReset"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::UserRegistered(event) => {
                let row = PersonRow {
                    name: event.name.clone(),
                    gender: event.gender,
                    provider: event.provider,
                    source: event.source.clone(),
                    registered: recorded.occurred_at,
                    generation: 0,
                };
                rows.put(&KeyBuf::tag(PERSON).user(event.user), &row)
            }
            Event::ChatPasswordReset(event) => {
                let key = KeyBuf::tag(PERSON).user(event.user);
                let Some(mut row) = rows.get::<PersonRow>(&key)? else {
                    return Err(ModelError::Event(format!("there is no user {}", event.user)));
                };
                row.generation = event.generation;
                rows.put(&key, &row)
            }
            _ => Ok(()),
        }
    }
}

/// People, with those lately asked for in memory.
pub struct PeopleView {
    rows: Keyspace,
    keys: Arc<dyn Keys>,
    recent: Cache<UserId, Option<Arc<Person>>>,
}

/// People kept in memory.
const RECENT: usize = 50_000;

impl View for PeopleView {
    fn open(parts: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows, keys: Arc::clone(&parts.keys), recent: Cache::new(RECENT) })
    }

    fn changed(&self, key: &[u8], _: Option<&[u8]>) {
        if let Some(user) = KeyReader::tagged(key, PERSON).and_then(|mut reader| reader.user()) {
            self.recent.remove(&user);
        }
    }
}

impl PeopleView {
    /// A person.
    ///
    /// # Errors
    /// The disk's.
    pub fn get(&self, user: UserId) -> Result<Option<Arc<Person>>, ModelError> {
        self.recent.get_or_insert_with(&user, || {
            let row = self.rows.get(&*KeyBuf::tag(PERSON).user(user))?;
            row.map(|bytes| Ok(Arc::new(self.person(user, rows::decode_row(&bytes)?)))).transpose()
        })
    }

    /// People in the order of their ids, after `after`.
    ///
    /// # Errors
    /// The disk's.
    pub fn list(&self, after: Option<UserId>, take: usize) -> Result<Vec<Person>, ModelError> {
        let start = after.map_or_else(|| KeyBuf::tag(PERSON), |user| KeyBuf::tag(PERSON).user(user).bytes(&[0]));
        self.rows
            .range(start.to_vec()..vec![PERSON + 1])
            .take(take)
            .map(|guard| {
                let (key, value) = guard.into_inner()?;
                let user = KeyReader::tagged(&key, PERSON).and_then(|mut reader| reader.user());
                let user = user.ok_or_else(|| ModelError::Row("a key among the people".to_owned()))?;
                Ok(self.person(user, rows::decode_row(&value)?))
            })
            .collect()
    }

    fn person(&self, user: UserId, row: PersonRow) -> Person {
        Person {
            user,
            name: self.keys.open(&row.name),
            gender: row.gender,
            provider: row.provider,
            source: row.source,
            registered: row.registered,
            generation: row.generation,
        }
    }
}
