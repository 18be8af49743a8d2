//! Files of circles, watches' pictures, and who stands on which object.

use dface_domain::{
    events::CircleFileStored,
    ids::{FileId, Imei},
    objects::ObjectKey,
    reports::Actor,
    sealed::Sealed,
    time::Timestamp,
    watches::WatchDetails,
};

use super::{
    Families, has_gone,
    rows::{
        FileRow, ImageRow, file_key, file_of_key, files_of, image_key, object_id_of, object_of_file_key,
        object_of_watch_key,
    },
};
use crate::projector::{ModelError, Rows};

impl Families {
    pub(super) fn file_stored(
        &self,
        event: &CircleFileStored,
        at: Timestamp,
        rows: &mut Rows,
    ) -> Result<(), ModelError> {
        let (file, group, from, media) = (event.file, event.group, event.from, event.media);
        if has_gone(from, group, rows)? {
            return Ok(());
        }
        let object = self.keys.open(&event.object);
        if let Some(object) = object {
            rows.put(&object_of_file_key(object, file), &())?;
        }
        rows.put(&file_of_key(from, file), &())?;
        rows.put(&file_key(file), &FileRow { group, from, object, media, at })
    }

    /// A watch's picture is what was said last.
    pub(super) fn image(&self, imei: Imei, details: &Sealed<WatchDetails>, rows: &mut Rows) -> Result<(), ModelError> {
        let details = self.keys.open(details);
        let row = ImageRow { object: details.as_ref().and_then(|details| details.image), readable: details.is_some() };
        let before = image_object(imei, rows)?;
        if let Some(object) = before.filter(|before| row.object != Some(*before)) {
            rows.delete(&object_of_watch_key(object, imei));
        }
        if let Some(object) = row.object {
            rows.put(&object_of_watch_key(object, imei), &())?;
        }
        rows.put(&image_key(imei), &row)
    }
}

fn image_object(imei: Imei, rows: &Rows) -> Result<Option<ObjectKey>, ModelError> {
    Ok(rows.get::<ImageRow>(&image_key(imei))?.and_then(|row| row.object))
}

pub(super) fn let_image_go(imei: Imei, rows: &mut Rows) -> Result<(), ModelError> {
    if let Some(object) = image_object(imei, rows)? {
        rows.delete(&object_of_watch_key(object, imei));
    }
    rows.delete(&image_key(imei));
    Ok(())
}

pub(super) fn forget(owner: Actor, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&files_of(owner))? {
        let file = FileId(object_id_of(&key)?);
        if let Some(object) = rows.get::<FileRow>(&file_key(file))?.and_then(|row| row.object) {
            rows.delete(&object_of_file_key(object, file));
        }
        rows.delete(&file_key(file));
        rows.delete(&key);
    }
    Ok(())
}
