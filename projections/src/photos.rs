//! Pictures: of whom, for whom, how far they are, and which objects they stand on (seed §12, §14, §17 to §20, §29, §30).
//!
//! Rows: `p photo` → the picture, `a user` → the album in its order, `h user` → the head portrait (the first of the album that can be shown), `u user photo` → nothing (all of a person's), `r user shop time!
//! photo` → nothing (what somebody sent to a room), `o object photo` → nothing (who stands on an object). Objects are opened
//! out of sealed fields; a picture whose owner left has no rows at all.

mod rows;
mod view;

use std::sync::Arc;

use dface_domain::{
    envelope::Recorded,
    events::{Event, PhotoFiles, PhotoPlace, PhotoUploaded},
    ids::{PhotoId, ShopId, UserId},
    objects::ObjectKey,
    ports::Keys,
    time::Timestamp,
};

use self::rows::{PhotoRow, album_key, head_key, object_key, of_person_key, photo_key, room_key};
pub use self::view::{LetGo, PhotosView};
use crate::projector::{ModelError, Parts, ReadModel, Rows};

/// How far a picture is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It came in; this is the object as it came.
    Waiting(ObjectKey),
    /// It can be shown.
    Ready(PhotoFiles),
    /// It cannot be decoded: why.
    Failed(String),
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoEntry {
    /// Its id.
    pub photo: PhotoId,
    /// Whose.
    pub user: UserId,
    /// What it is for.
    pub place: PhotoPlace,
    /// The shop whose room it is for.
    pub room: Option<ShopId>,
    /// The other person that it is for.
    pub to: Option<UserId>,
    /// What its owner wrote to it.
    pub desc: Option<String>,
    /// To be posted at Weibo too.
    pub weibo: bool,
    /// When it came in.
    pub at: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Bytes of what is shown; before that, of what came.
    pub bytes: u64,
    /// How far it is.
    pub standing: Standing,
}

/// Turns events of pictures into albums and lists.
pub struct Photos {
    keys: Arc<dyn Keys>,
}

impl ReadModel for Photos {
    type View = PhotosView;

    const NAME: &'static str = "photos";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] =
        &["AlbumOrdered", "PersonErased", "PhotoDeleted", "PhotoFailed", "PhotoProcessed", "PhotoUploaded"];

    fn new(parts: &Parts) -> Self {
        Self { keys: Arc::clone(&parts.keys) }
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::PhotoUploaded(event) => self.uploaded(event, recorded.occurred_at, rows),
            Event::PhotoProcessed(event) => self.change(event.photo, rows, |row| {
                row.files = Some(event.files.clone());
                (row.shown_bytes, row.updated) = (Some(event.bytes), recorded.occurred_at);
            }),
            Event::PhotoFailed(event) => self.change(event.photo, rows, |row| {
                (row.failed, row.updated) = (Some(event.reason.clone()), recorded.occurred_at);
            }),
            Event::PhotoDeleted(event) => Self::delete(event.photo, rows),
            Event::AlbumOrdered(event) => {
                rows.put(&album_key(event.user), &event.photos)?;
                find_head(event.user, rows)
            }
            Event::PersonErased(event) => Self::forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

impl Photos {
    fn uploaded(&self, event: &PhotoUploaded, at: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
        let mut row = PhotoRow::new(event, at);
        row.open_objects(&*self.keys);
        if event.place == PhotoPlace::Album {
            let mut album: Vec<PhotoId> = rows.get(&album_key(event.user))?.unwrap_or_default();
            album.push(event.photo);
            rows.put(&album_key(event.user), &album)?;
        }
        if let Some(room) = event.room {
            rows.put(&room_key(event.user, room, at, event.photo), &())?;
        }
        rows.put(&of_person_key(event.user, event.photo), &())?;
        stand_on(event.photo, None, Some(&row), rows)?;
        rows.put(&photo_key(event.photo), &row)
    }

    fn change(&self, photo: PhotoId, rows: &mut Rows, how: impl FnOnce(&mut PhotoRow)) -> Result<(), ModelError> {
        let Some(before) = rows.get::<PhotoRow>(&photo_key(photo))? else { return Ok(()) };
        let mut after = before.clone();
        how(&mut after);
        after.open_objects(&*self.keys);
        stand_on(photo, Some(&before), Some(&after), rows)?;
        rows.put(&photo_key(photo), &after)?;
        if after.place == PhotoPlace::Album { find_head(after.user, rows) } else { Ok(()) }
    }

    fn delete(photo: PhotoId, rows: &mut Rows) -> Result<(), ModelError> {
        let Some(row) = rows.get::<PhotoRow>(&photo_key(photo))? else { return Ok(()) };
        if row.place == PhotoPlace::Album {
            let mut album: Vec<PhotoId> = rows.get(&album_key(row.user))?.unwrap_or_default();
            album.retain(|known| *known != photo);
            rows.put(&album_key(row.user), &album)?;
        }
        if let Some(room) = row.room {
            rows.delete(&room_key(row.user, room, row.at, photo));
        }
        stand_on(photo, Some(&row), None, rows)?;
        rows.delete(&of_person_key(row.user, photo));
        rows.delete(&photo_key(photo));
        if row.place == PhotoPlace::Album { find_head(row.user, rows) } else { Ok(()) }
    }

    fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
        for key in rows.keys(&rows::of_person(user))? {
            Self::delete(rows::photo_of_person(&key)?, rows)?;
        }
        rows.delete(&album_key(user));
        rows.delete(&head_key(user));
        Ok(())
    }
}

fn find_head(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    let album: Vec<PhotoId> = rows.get(&album_key(user))?.unwrap_or_default();
    let mut head = None;
    for photo in album {
        if rows.get::<PhotoRow>(&photo_key(photo))?.is_some_and(|row| row.files.is_some()) {
            head = Some(photo);
            break;
        }
    }
    if rows.get::<PhotoId>(&head_key(user))? == head {
        return Ok(());
    }
    match head {
        Some(head) => rows.put(&head_key(user), &head)?,
        None => rows.delete(&head_key(user)),
    }
    Ok(())
}

/// Keeps `o` rows what the picture's row says: nothing else says who stands on an object.
fn stand_on(
    photo: PhotoId,
    before: Option<&PhotoRow>,
    after: Option<&PhotoRow>,
    rows: &mut Rows,
) -> Result<(), ModelError> {
    let objects = |row: Option<&PhotoRow>| row.map(|row| row.objects.clone()).unwrap_or_default();
    let (before, after) = (objects(before), objects(after));
    for object in before.iter().filter(|object| !after.contains(object)) {
        rows.delete(&object_key(*object, photo));
    }
    for object in after.iter().filter(|object| !before.contains(object)) {
        rows.put(&object_key(*object, photo), &())?;
    }
    Ok(())
}
