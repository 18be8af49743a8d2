//! Which objects circles need: for the cleaning and the doctor.

use dface_domain::objects::ObjectKey;

use super::{
    FamiliesView,
    rows::{FILE, FileRow, IMAGE, ImageRow, OBJECT, object_of},
};
use crate::{
    keys::KeyBuf,
    photos::LetGo,
    projector::{ModelError, rows},
};

/// Names of let go objects that wait to be asked for; more are found by looking through all objects.
const LET_GO: usize = 10_000;

impl FamiliesView {
    pub(super) fn let_go(&self, key: &[u8], value: Option<&[u8]>) {
        let Some(object) = object_of(key).ok().filter(|_| value.is_none()) else { return };
        let mut let_go = self.let_go.lock();
        if let_go.objects.len() < LET_GO {
            let_go.objects.push(object);
        } else {
            let_go.more = true;
        }
    }

    /// What was let go since this was last asked.
    #[must_use]
    pub fn take_let_go(&self) -> LetGo {
        std::mem::take(&mut *self.let_go.lock())
    }

    /// Whether a file or a watch's picture stands on that object.
    ///
    /// # Errors
    /// The disk's.
    pub fn stands_on(&self, object: ObjectKey) -> Result<bool, ModelError> {
        let mut found = self.rows.prefix(&*KeyBuf::tag(OBJECT).object(object));
        Ok(found.next().map(|guard| guard.key()).transpose()?.is_some())
    }

    /// The objects after `after` that something stands on, each once, in the order of their names, at most `take`.
    ///
    /// # Errors
    /// The disk's.
    pub fn objects(&self, after: Option<ObjectKey>, take: usize) -> Result<Vec<ObjectKey>, ModelError> {
        let begin = after.map_or_else(|| vec![OBJECT], |object| KeyBuf::tag(OBJECT).object(object).to_vec());
        let mut objects: Vec<ObjectKey> = Vec::new();
        for guard in self.rows.range(begin..vec![OBJECT + 1]) {
            let object = object_of(&guard.key()?)?;
            if objects.last() != Some(&object) && Some(object) != after {
                if objects.len() == take {
                    break;
                }
                objects.push(object);
            }
        }
        Ok(objects)
    }

    /// How many files and watches cannot be opened though nobody has left: the keys are not those of this log.
    ///
    /// # Errors
    /// The disk's.
    pub fn unreadable(&self) -> Result<usize, ModelError> {
        let mut count = 0;
        for found in rows::scan::<FileRow>(&self.rows, &[FILE]) {
            count += usize::from(found?.1.object.is_none());
        }
        for found in rows::scan::<ImageRow>(&self.rows, &[IMAGE]) {
            count += usize::from(!found?.1.readable);
        }
        Ok(count)
    }
}
