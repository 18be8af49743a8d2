//! Who follows whom (seed §21 to §24).
//!
//! Rows: `f user follow` → the record, `b follow user` → the record.

use std::sync::Arc;

use dface_domain::{
    envelope::Recorded,
    events::Event,
    ids::{RecordId, UserId},
};
use fjall::Keyspace;
use quick_cache::sync::Cache;

use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View},
    ranking::{Friends, model::user_number},
};

const FRIENDS: u8 = b'f';
const FOLLOWERS: u8 = b'b';

/// Turns following and unfollowing into lists.
pub struct Follows;

impl ReadModel for Follows {
    type View = FollowsView;

    const NAME: &'static str = "follows";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] = &["Followed", "Unfollowed", "PersonErased"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, _: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::Followed(event) => {
                rows.put(&friend_key(event.user, event.follow), &event.record)?;
                rows.put(&follower_key(event.follow, event.user), &event.record)
            }
            Event::Unfollowed(event) => {
                rows.delete(&friend_key(event.user, event.follow));
                rows.delete(&follower_key(event.follow, event.user));
                Ok(())
            }
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    for (tag, mirrored) in [(FRIENDS, FOLLOWERS), (FOLLOWERS, FRIENDS)] {
        for key in rows.keys(&KeyBuf::tag(tag).user(user))? {
            let other = other_of(&key, tag)?;
            rows.delete(&key);
            rows.delete(&KeyBuf::tag(mirrored).user(other).user(user));
        }
    }
    Ok(())
}

/// The second person in a key.
fn other_of(key: &[u8], tag: u8) -> Result<UserId, ModelError> {
    let other = KeyReader::tagged(key, tag).and_then(|mut reader| {
        reader.user()?;
        reader.user()
    });
    other.ok_or_else(|| ModelError::Row("a key among the follows".to_owned()))
}

fn friend_key(user: UserId, follow: UserId) -> KeyBuf {
    KeyBuf::tag(FRIENDS).user(user).user(follow)
}

fn follower_key(follow: UserId, user: UserId) -> KeyBuf {
    KeyBuf::tag(FOLLOWERS).user(follow).user(user)
}

/// Reads the lists from disk; what ranking asks again and again is kept in memory.
pub struct FollowsView {
    rows: Keyspace,
    recent: Cache<UserId, Arc<Friends>>,
}

/// People whose friends are kept in memory.
const RECENT: usize = 50_000;

/// Followed people that the ranking looks at.
const RANKED: usize = 1_000;

impl View for FollowsView {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows, recent: Cache::new(RECENT) })
    }

    fn changed(&self, key: &[u8], _: Option<&[u8]>) {
        if let Some(user) = KeyReader::tagged(key, FRIENDS).and_then(|mut reader| reader.user()) {
            self.recent.remove(&user);
        }
    }
}

impl FollowsView {
    /// Whether `user` follows `other`.
    ///
    /// # Errors
    /// The disk's.
    pub fn follows(&self, user: UserId, other: UserId) -> Result<bool, ModelError> {
        Ok(self.rows.contains_key(&*friend_key(user, other))?)
    }

    /// The record of `user` following `other`.
    ///
    /// # Errors
    /// The disk's.
    pub fn record(&self, user: UserId, other: UserId) -> Result<Option<RecordId>, ModelError> {
        let row = self.rows.get(&*friend_key(user, other))?;
        row.map(|bytes| crate::projector::rows::decode_row(&bytes)).transpose()
    }

    /// Whom `user` follows, by id, at most `take`.
    ///
    /// # Errors
    /// The disk's.
    pub fn friends(&self, user: UserId, take: usize) -> Result<Vec<UserId>, ModelError> {
        self.listed(FRIENDS, user, take)
    }

    /// Whom `user` follows, as the ranking asks for them.
    ///
    /// # Errors
    /// The disk's.
    pub fn ranked_friends(&self, user: UserId) -> Result<Arc<Friends>, ModelError> {
        self.recent.get_or_insert_with(&user, || {
            let friends = self.friends(user, RANKED)?;
            Ok(Arc::new(Friends::new(friends.into_iter().map(user_number).collect())))
        })
    }

    /// Who follows `user`, by id, at most `take`.
    ///
    /// # Errors
    /// The disk's.
    pub fn followers(&self, user: UserId, take: usize) -> Result<Vec<UserId>, ModelError> {
        self.listed(FOLLOWERS, user, take)
    }

    fn listed(&self, tag: u8, user: UserId, take: usize) -> Result<Vec<UserId>, ModelError> {
        self.rows.prefix(&*KeyBuf::tag(tag).user(user)).take(take).map(|guard| other_of(&guard.key()?, tag)).collect()
    }
}
