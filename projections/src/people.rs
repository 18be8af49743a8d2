//! People, by id (seed §8, §10, §16). What is personal stays sealed on disk and is opened in memory.
//!
//! Rows: `u user` → the person.

use std::sync::Arc;

use dface_domain::{
    envelope::Recorded,
    events::{Event, Gender, Invisible, Profile, Provider, UserRegistered, WeiboAccount},
    ids::UserId,
    ports::Keys,
    sealed::{Sealed, Subject},
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
    /// What the person says; the name is the one shown.
    pub profile: Profile,
    /// 0, 1 or 2.
    pub gender: Gender,
    /// Who does not see where the person is.
    pub invisible: Invisible,
    /// Who vouches for the account.
    pub provider: Provider,
    /// The uid at Weibo.
    pub wb_uid: Option<u64>,
    /// The import that made it.
    pub source: Option<String>,
    /// Since when.
    pub registered: Timestamp,
    /// Which derived chat password counts.
    pub generation: u32,
    /// Since when the visibility is as it is: what was before is shown to nobody else (spec http.md §16).
    pub visibility_since: Timestamp,
    /// An operator suspended it.
    pub suspended: bool,
}

#[derive(Clone, Serialize, Deserialize)]
struct PersonRow {
    name: Sealed<String>,
    profile: Option<Sealed<Profile>>,
    weibo: Option<Sealed<WeiboAccount>>,
    gender: Gender,
    invisible: Invisible,
    provider: Provider,
    source: Option<String>,
    registered: Timestamp,
    generation: u32,
    visibility_since: Timestamp,
    suspended: bool,
}

/// Turns account events into people.
pub struct People {
    keys: Arc<dyn Keys>,
}

impl ReadModel for People {
    type View = PeopleView;

    const NAME: &'static str = "people";
    const SCHEMA: u32 = 2;
    const WANTS: &'static [&'static str] = &[
        "UserRegistered",
        "ChatPasswordReset",
        "ProfileChanged",
        "VisibilityChanged",
        "WeiboLinked",
        "UserSuspended",
        "UserResumed",
        "PersonErased",
    ];

    fn new(parts: &Parts) -> Self {
        Self { keys: Arc::clone(&parts.keys) }
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::UserRegistered(event) => register(event, recorded.occurred_at, rows),
            Event::ChatPasswordReset(event) => change(event.user, rows, |row| row.generation = event.generation),
            Event::ProfileChanged(event) => change(event.user, rows, |row| {
                row.profile = Some(event.profile.clone());
                row.gender = event.gender;
            }),
            Event::VisibilityChanged(event) => change(event.user, rows, |row| {
                row.invisible = event.invisible;
                row.visibility_since = recorded.occurred_at;
            }),
            Event::WeiboLinked(event) => change(event.user, rows, |row| row.weibo = Some(event.account.clone())),
            Event::UserSuspended(event) => change(event.user, rows, |row| row.suspended = true),
            Event::UserResumed(event) => change(event.user, rows, |row| row.suspended = false),
            Event::PersonErased(event) => {
                // Where a crash or a restored key file left the key of somebody who has left, it ends here.
                let destroyed = self.keys.destroy(Subject::User(event.user));
                destroyed.map_err(|e| ModelError::Event(e.to_string()))?;
                rows.delete(&KeyBuf::tag(PERSON).user(event.user));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn register(event: &UserRegistered, at: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
    let row = PersonRow {
        name: event.name.clone(),
        profile: None,
        weibo: None,
        gender: event.gender,
        invisible: Invisible::No,
        provider: event.provider,
        source: event.source.clone(),
        registered: at,
        generation: 0,
        visibility_since: Timestamp(i64::MIN),
        suspended: false,
    };
    rows.put(&KeyBuf::tag(PERSON).user(event.user), &row)
}

fn change(user: UserId, rows: &mut Rows, how: impl FnOnce(&mut PersonRow)) -> Result<(), ModelError> {
    let key = KeyBuf::tag(PERSON).user(user);
    let mut row: PersonRow = rows.get(&key)?.ok_or_else(|| ModelError::Event(format!("there is no user {user}")))?;
    how(&mut row);
    rows.put(&key, &row)
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

    /// Somebody's account at Weibo, sealed; none of an account that does not sign in there.
    ///
    /// # Errors
    /// The disk's.
    pub fn weibo_account(&self, user: UserId) -> Result<Option<Sealed<WeiboAccount>>, ModelError> {
        let row = self.rows.get(&*KeyBuf::tag(PERSON).user(user))?;
        Ok(row.map(|bytes| rows::decode_row::<PersonRow>(&bytes)).transpose()?.and_then(|row| row.weibo))
    }

    /// People in the order of their ids, after `after`.
    ///
    /// # Errors
    /// The disk's.
    pub fn list(&self, after: Option<UserId>, take: usize) -> Result<Vec<Person>, ModelError> {
        self.after(after).take(take).collect()
    }

    /// People whose name holds `part`, whatever the case, in the order of their ids, after `after`. Opens every name
    /// on its way: for operators, not for phones.
    ///
    /// # Errors
    /// The disk's.
    pub fn named(&self, part: &str, after: Option<UserId>, take: usize) -> Result<Vec<Person>, ModelError> {
        self.after(after)
            .filter(|found| match found {
                Ok(person) => name_holds(person.profile.name.as_deref(), part),
                Err(_) => true,
            })
            .take(take)
            .collect()
    }

    fn after(&self, after: Option<UserId>) -> impl Iterator<Item = Result<Person, ModelError>> {
        let start = after.map_or_else(|| KeyBuf::tag(PERSON), |user| KeyBuf::tag(PERSON).user(user).bytes(&[0]));
        self.rows.range(start.to_vec()..vec![PERSON + 1]).map(|guard| {
            let (key, value) = guard.into_inner()?;
            let user = KeyReader::tagged(&key, PERSON).and_then(|mut reader| reader.user());
            let user = user.ok_or_else(|| ModelError::Row("a key among the people".to_owned()))?;
            Ok(self.person(user, rows::decode_row(&value)?))
        })
    }

    fn person(&self, user: UserId, row: PersonRow) -> Person {
        let profile = match &row.profile {
            Some(profile) => self.keys.open(profile).unwrap_or_default(),
            None => Profile { name: self.keys.open(&row.name), ..Profile::default() },
        };
        Person {
            user,
            profile,
            gender: row.gender,
            invisible: row.invisible,
            provider: row.provider,
            wb_uid: row.weibo.and_then(|weibo| self.keys.open(&weibo)).map(|weibo| weibo.uid),
            source: row.source,
            registered: row.registered,
            generation: row.generation,
            visibility_since: row.visibility_since,
            suspended: row.suspended,
        }
    }
}

/// Whether a name holds a piece of text, whatever the case; an empty piece is in every name.
#[must_use]
pub fn name_holds(name: Option<&str>, part: &str) -> bool {
    part.is_empty() || name.is_some_and(|name| name.to_lowercase().contains(&part.to_lowercase()))
}
