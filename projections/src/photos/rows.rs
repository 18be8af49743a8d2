//! The rows of pictures and their keys.

use dface_domain::{
    events::{PhotoFiles, PhotoPlace, PhotoUploaded},
    ids::{PhotoId, ShopId, UserId},
    objects::ObjectKey,
    ports::Keys,
    sealed::Sealed,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{PhotoEntry, Standing};
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::ModelError,
};

pub(super) const PHOTO: u8 = b'p';
pub(super) const ALBUM: u8 = b'a';
pub(super) const HEAD: u8 = b'h';
pub(super) const OF_PERSON: u8 = b'u';
pub(super) const ROOM: u8 = b'r';
pub(super) const OBJECT: u8 = b'o';

pub(super) fn photo_key(photo: PhotoId) -> KeyBuf {
    KeyBuf::tag(PHOTO).photo(photo)
}

pub(super) fn album_key(user: UserId) -> KeyBuf {
    KeyBuf::tag(ALBUM).user(user)
}

pub(super) fn head_key(user: UserId) -> KeyBuf {
    KeyBuf::tag(HEAD).user(user)
}

pub(super) fn of_person(user: UserId) -> KeyBuf {
    KeyBuf::tag(OF_PERSON).user(user)
}

pub(super) fn of_person_key(user: UserId, photo: PhotoId) -> KeyBuf {
    of_person(user).photo(photo)
}

pub(super) fn photo_of_person(key: &[u8]) -> Result<PhotoId, ModelError> {
    let photo = KeyReader::tagged(key, OF_PERSON).and_then(|mut key| key.user().and(key.photo()));
    photo.ok_or_else(|| bad_key(key))
}

pub(super) fn of_room(user: UserId, room: ShopId) -> KeyBuf {
    KeyBuf::tag(ROOM).user(user).shop(room)
}

pub(super) fn room_key(user: UserId, room: ShopId, at: Timestamp, photo: PhotoId) -> KeyBuf {
    of_room(user, room).newest_first(at).photo(photo)
}

pub(super) fn object_key(object: ObjectKey, photo: PhotoId) -> KeyBuf {
    KeyBuf::tag(OBJECT).object(object).photo(photo)
}

pub(super) fn bad_key(key: &[u8]) -> ModelError {
    ModelError::Row(format!("a key of {} bytes among the pictures", key.len()))
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PhotoRow {
    pub(super) user: UserId,
    pub(super) place: PhotoPlace,
    pub(super) room: Option<ShopId>,
    pub(super) to: Option<UserId>,
    pub(super) desc: Option<Sealed<String>>,
    pub(super) weibo: bool,
    pub(super) at: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) came_bytes: u64,
    pub(super) shown_bytes: Option<u64>,
    pub(super) upload: Sealed<ObjectKey>,
    pub(super) files: Option<Sealed<PhotoFiles>>,
    pub(super) failed: Option<String>,
    /// Known here though they are sealed above: they are taken away after their owner's key.
    pub(super) objects: Vec<ObjectKey>,
}

impl PhotoRow {
    pub(super) fn new(event: &PhotoUploaded, at: Timestamp) -> Self {
        let event = event.clone();
        Self {
            user: event.user,
            place: event.place,
            room: event.room,
            to: event.to,
            desc: event.desc,
            weibo: event.weibo,
            at,
            updated: at,
            came_bytes: event.bytes,
            shown_bytes: None,
            upload: event.upload,
            files: None,
            failed: None,
            objects: Vec::new(),
        }
    }

    /// The objects that it stands on, out of what is sealed; none where the key is gone. What came is let go once its end is known.
    pub(super) fn open_objects(&mut self, keys: &dyn Keys) {
        self.objects = match (&self.files, &self.failed) {
            (Some(files), _) => keys
                .open(files)
                .map(|files| [Some(files.picture), files.small, Some(files.medium)].into_iter().flatten().collect())
                .unwrap_or_default(),
            (None, Some(_)) => Vec::new(),
            (None, None) => keys.open(&self.upload).into_iter().collect(),
        };
    }

    /// Whether its objects cannot be told, though their owner has not left: the keys are not those of this log.
    pub(super) fn is_unreadable(&self) -> bool {
        self.failed.is_none() && self.objects.is_empty()
    }

    /// None where its owner's key is gone.
    pub(super) fn opened(&self, photo: PhotoId, keys: &dyn Keys) -> Option<PhotoEntry> {
        let standing = match (&self.files, &self.failed) {
            (Some(files), _) => Standing::Ready(keys.open(files)?),
            (None, Some(reason)) => Standing::Failed(reason.clone()),
            (None, None) => Standing::Waiting(keys.open(&self.upload)?),
        };
        Some(PhotoEntry {
            photo,
            user: self.user,
            place: self.place,
            room: self.room,
            to: self.to,
            desc: self.desc.as_ref().and_then(|desc| keys.open(desc)),
            weibo: self.weibo,
            at: self.at,
            updated: self.updated,
            bytes: self.shown_bytes.unwrap_or(self.came_bytes),
            standing,
        })
    }
}
