//! Which objects the files of circles need: for the cleaning.

use dface_domain::objects::ObjectKey;

use super::{
    FamiliesView,
    rows::{FILE, FileRow, OBJECT, object_of},
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

    /// Whether a file stands on that object.
    ///
    /// # Errors
    /// The disk's.
    pub fn stands_on(&self, object: ObjectKey) -> Result<bool, ModelError> {
        let mut found = self.rows.prefix(&*KeyBuf::tag(OBJECT).object(object));
        Ok(found.next().map(|guard| guard.key()).transpose()?.is_some())
    }

    /// How many files cannot be opened though nobody has left: the keys are not those of this log.
    ///
    /// # Errors
    /// The disk's.
    pub fn unreadable(&self) -> Result<usize, ModelError> {
        let mut count = 0;
        for found in rows::scan::<FileRow>(&self.rows, &[FILE]) {
            count += usize::from(found?.1.object.is_none());
        }
        Ok(count)
    }
}
