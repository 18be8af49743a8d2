//! Reading pictures.

use std::sync::Arc;

use dface_domain::{
    ids::{PhotoId, ShopId, UserId},
    objects::ObjectKey,
    ports::Keys,
    time::Timestamp,
};
use fjall::Keyspace;
use parking_lot::Mutex;
use quick_cache::sync::Cache;

use super::{
    PhotoEntry,
    rows::{
        HEAD, OBJECT, PHOTO, PhotoRow, album_key, bad_key, head_key, of_person, of_room, photo_key, photo_of_person,
    },
};
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, View, rows},
};

/// Names of let go objects that wait to be asked for; more are found by looking through all objects.
const LET_GO: usize = 10_000;

/// Objects that a picture stood on a moment ago.
#[derive(Debug, Default)]
pub struct LetGo {
    /// Which; others may still stand on them.
    pub objects: Vec<ObjectKey>,
    /// There were more.
    pub more: bool,
}

/// Reads pictures from disk.
pub struct PhotosView {
    rows: Keyspace,
    keys: Arc<dyn Keys>,
    let_go: Mutex<LetGo>,
    heads: Cache<UserId, Option<PhotoId>>,
}

/// Head portraits kept in memory: every list of people shows them.
const HEADS: usize = 50_000;

impl View for PhotosView {
    fn open(parts: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows, keys: Arc::clone(&parts.keys), let_go: Mutex::default(), heads: Cache::new(HEADS) })
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        if let Some(user) = KeyReader::tagged(key, HEAD).and_then(|mut key| key.user()) {
            self.heads.remove(&user);
        }
        if value.is_none()
            && let Some(object) = KeyReader::tagged(key, OBJECT).and_then(|mut key| key.object())
        {
            let mut let_go = self.let_go.lock();
            if let_go.objects.len() < LET_GO {
                let_go.objects.push(object);
            } else {
                let_go.more = true;
            }
        }
    }
}

impl PhotosView {
    /// A picture; none where there is none, or its owner has left.
    ///
    /// # Errors
    /// The disk's.
    pub fn get(&self, photo: PhotoId) -> Result<Option<PhotoEntry>, ModelError> {
        let row = self.rows.get(&*photo_key(photo))?.map(|bytes| rows::decode_row::<PhotoRow>(&bytes)).transpose()?;
        Ok(row.and_then(|row| row.opened(photo, &*self.keys)))
    }

    /// Somebody's album in its order; the first one is the head portrait.
    ///
    /// # Errors
    /// The disk's.
    pub fn album(&self, user: UserId) -> Result<Vec<PhotoId>, ModelError> {
        let row = self.rows.get(&*album_key(user))?;
        Ok(row.map(|bytes| rows::decode_row(&bytes)).transpose()?.unwrap_or_default())
    }

    /// Somebody's head portrait: the first of the album that can be shown.
    ///
    /// # Errors
    /// The disk's.
    pub fn head(&self, user: UserId) -> Result<Option<PhotoId>, ModelError> {
        self.heads.get_or_insert_with(&user, || {
            self.rows.get(&*head_key(user))?.map(|bytes| rows::decode_row(&bytes)).transpose()
        })
    }

    /// All pictures of somebody, for their own export.
    ///
    /// # Errors
    /// The disk's.
    pub fn all_of(&self, user: UserId) -> Result<Vec<PhotoEntry>, ModelError> {
        let mut all = Vec::new();
        for guard in self.rows.prefix(&*of_person(user)) {
            all.extend(self.get(photo_of_person(&guard.key()?)?)?);
        }
        Ok(all)
    }

    /// What somebody sent to a shop's room from `from` to before `until`, newest first.
    ///
    /// # Errors
    /// The disk's.
    pub fn sent_to(
        &self,
        user: UserId,
        room: ShopId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<PhotoEntry>, ModelError> {
        let bound = |at: Timestamp| of_room(user, room).newest_first(Timestamp(at.0.saturating_sub(1))).to_vec();
        let range = bound(until)..bound(from);
        let mut sent = Vec::new();
        for guard in self.rows.range(range) {
            let key = guard.key()?;
            let photo = KeyReader::tagged(&key, super::rows::ROOM)
                .and_then(|mut key| key.user().and(key.shop()).and(key.newest_first()).and(key.photo()));
            sent.extend(self.get(photo.ok_or_else(|| bad_key(&key))?)?);
        }
        Ok(sent)
    }

    /// What was let go since this was last asked.
    #[must_use]
    pub fn take_let_go(&self) -> LetGo {
        std::mem::take(&mut *self.let_go.lock())
    }

    /// Whether a picture stands on that object.
    ///
    /// # Errors
    /// The disk's.
    pub fn stands_on(&self, object: ObjectKey) -> Result<bool, ModelError> {
        let mut found = self.rows.prefix(&*KeyBuf::tag(OBJECT).object(object));
        Ok(found.next().map(|guard| guard.key()).transpose()?.is_some())
    }

    /// The objects after `after` that pictures stand on, each once, in the order of their names, at most `take`.
    ///
    /// # Errors
    /// The disk's.
    pub fn objects(&self, after: Option<ObjectKey>, take: usize) -> Result<Vec<ObjectKey>, ModelError> {
        let begin = after.map_or_else(|| vec![OBJECT], |object| KeyBuf::tag(OBJECT).object(object).to_vec());
        let mut objects: Vec<ObjectKey> = Vec::new();
        for guard in self.rows.range(begin..vec![OBJECT + 1]) {
            let key = guard.key()?;
            let object =
                KeyReader::tagged(&key, OBJECT).and_then(|mut key| key.object()).ok_or_else(|| bad_key(&key))?;
            if objects.last() != Some(&object) && Some(object) != after {
                if objects.len() == take {
                    break;
                }
                objects.push(object);
            }
        }
        Ok(objects)
    }

    /// How many pictures of people who have not left cannot be opened: more than none means that the keys are not those of this
    /// log, and that nobody can say which objects are needed.
    ///
    /// # Errors
    /// The disk's.
    pub fn unreadable(&self) -> Result<usize, ModelError> {
        let mut count = 0;
        for found in rows::scan::<PhotoRow>(&self.rows, &[PHOTO]) {
            count += usize::from(found?.1.is_unreadable());
        }
        Ok(count)
    }
}
