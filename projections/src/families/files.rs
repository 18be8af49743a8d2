//! Files of circles, and who stands on which object.

use dface_domain::{events::CircleFileStored, ids::FileId, reports::Actor, time::Timestamp};

use super::{
    Families, has_gone,
    rows::{FileRow, file_key, file_of_key, files_of, object_id_of, object_of_file_key},
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
