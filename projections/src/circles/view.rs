//! Circles, members and watches in memory: every message of a watch asks for them, and every door who may.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use dface_domain::{
    ids::{GroupId, Imei, UserId},
    objects::ObjectKey,
    ports::Keys,
    sealed::Sealed,
    time::Timestamp,
    watches::KeyHash,
};
use fjall::Keyspace;
use parking_lot::RwLock;

use super::{
    erased_of,
    rows::{
        CIRCLE, CODE_OF, CircleRow, CodeRow, ERASED, MEMBER, Member, WATCH, WATCH_OF, WatchRow, code_key, member_of,
    },
    watch_in,
};
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, View, rows},
};

/// A circle, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle {
    /// What it is called.
    pub name: Sealed<String>,
    /// Since when there is one.
    pub since: Timestamp,
    /// Who is in it, by id.
    pub members: BTreeMap<UserId, Member>,
    /// Its watches.
    pub watches: BTreeSet<Imei>,
}

impl Circle {
    /// Whether somebody is in it.
    #[must_use]
    pub fn has(&self, user: UserId) -> bool {
        self.members.contains_key(&user)
    }

    /// Whether somebody decides in it.
    #[must_use]
    pub fn is_guardian(&self, user: UserId) -> bool {
        self.members.get(&user).is_some_and(|member| member.guardian)
    }
}

#[derive(Default)]
struct Known {
    circles: HashMap<GroupId, Arc<Circle>>,
    /// What came before its circle did: the changes of a batch come in any order.
    early: HashMap<GroupId, Early>,
    of_user: HashMap<UserId, BTreeSet<GroupId>>,
    watches: HashMap<Imei, Arc<WatchRow>>,
    pictures: Pictures,
}

#[derive(Default)]
struct Early {
    members: BTreeMap<UserId, Member>,
    watches: BTreeSet<Imei>,
}

/// The pictures of watches that are in circles: what they stand on is sealed with them.
#[derive(Default)]
struct Pictures {
    of: HashMap<Imei, ObjectKey>,
    all: HashSet<ObjectKey>,
    unreadable: HashSet<Imei>,
}

impl Pictures {
    fn changed(&mut self, imei: Imei, row: Option<&WatchRow>, keys: &dyn Keys) {
        self.unreadable.remove(&imei);
        if let Some(former) = self.of.remove(&imei) {
            self.all.remove(&former);
        }
        let Some(bound) = row.and_then(|row| row.bound.as_ref()) else { return };
        match keys.open(&bound.details) {
            Some(details) => {
                if let Some(image) = details.image {
                    self.of.insert(imei, image);
                    self.all.insert(image);
                }
            }
            None => {
                self.unreadable.insert(imei);
            }
        }
    }
}

/// What readers hold.
pub struct CirclesView {
    rows: Keyspace,
    keys: Arc<dyn Keys>,
    known: RwLock<Known>,
}

impl View for CirclesView {
    fn open(parts: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        let (mut known, keys) = (Known::default(), Arc::clone(&parts.keys));
        for tag in [CIRCLE, MEMBER, WATCH_OF, WATCH] {
            for guard in rows.prefix([tag]) {
                let (key, value) = guard.into_inner()?;
                known.changed(&key, Some(&value), &*keys)?;
            }
        }
        Ok(Self { rows, keys, known: RwLock::new(known) })
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        if let Err(error) = self.known.write().changed(key, value, &*self.keys) {
            tracing::error!(%error, "a row of a circle cannot be read");
        }
    }
}

impl Known {
    fn changed(&mut self, key: &[u8], value: Option<&[u8]>, keys: &dyn Keys) -> Result<(), ModelError> {
        match key.first() {
            Some(&CIRCLE) => {
                let group = KeyReader::tagged(key, CIRCLE).and_then(|mut reader| reader.group());
                let group = group.ok_or_else(|| ModelError::Row("a key of a circle".to_owned()))?;
                self.circle(group, value)
            }
            Some(&MEMBER) => self.member(member_of(key)?, value),
            Some(&WATCH_OF) => {
                let group = KeyReader::tagged(key, WATCH_OF).and_then(|mut reader| reader.group());
                let (group, imei) = (group.unwrap_or(GroupId(0)), watch_in(key)?);
                let watches = match self.circles.get_mut(&group) {
                    Some(circle) => &mut Arc::make_mut(circle).watches,
                    None if value.is_some() => &mut self.early.entry(group).or_default().watches,
                    None => return Ok(()),
                };
                if value.is_some() {
                    watches.insert(imei);
                } else {
                    watches.remove(&imei);
                }
                Ok(())
            }
            Some(&WATCH) => {
                let imei = KeyReader::tagged(key, WATCH).and_then(|mut reader| reader.imei());
                let imei = imei.ok_or_else(|| ModelError::Row("a key of a watch".to_owned()))?;
                let row: Option<WatchRow> = value.map(rows::decode_row).transpose()?;
                self.pictures.changed(imei, row.as_ref(), keys);
                match row {
                    Some(row) => self.watches.insert(imei, Arc::new(row)),
                    None => self.watches.remove(&imei),
                };
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn circle(&mut self, group: GroupId, value: Option<&[u8]>) -> Result<(), ModelError> {
        let Early { members, watches } = self.early.remove(&group).unwrap_or_default();
        let Some(value) = value else {
            self.circles.remove(&group);
            return Ok(());
        };
        let CircleRow { name, since } = rows::decode_row(value)?;
        let circle = Circle { name, since, members, watches };
        self.circles.insert(group, Arc::new(circle));
        Ok(())
    }

    fn member(&mut self, (group, user): (GroupId, UserId), value: Option<&[u8]>) -> Result<(), ModelError> {
        if let Some(value) = value {
            let member: Member = rows::decode_row(value)?;
            match self.circles.get_mut(&group) {
                Some(circle) => Arc::make_mut(circle).members.insert(user, member),
                None => self.early.entry(group).or_default().members.insert(user, member),
            };
            self.of_user.entry(user).or_default().insert(group);
            return Ok(());
        }
        if let Some(circle) = self.circles.get_mut(&group) {
            Arc::make_mut(circle).members.remove(&user);
        }
        if let Some(groups) = self.of_user.get_mut(&user) {
            groups.remove(&group);
            if groups.is_empty() {
                self.of_user.remove(&user);
            }
        }
        Ok(())
    }
}

impl CirclesView {
    /// A circle.
    #[must_use]
    pub fn circle(&self, group: GroupId) -> Option<Arc<Circle>> {
        self.known.read().circles.get(&group).cloned()
    }

    /// Whether somebody is in a circle.
    #[must_use]
    pub fn is_member(&self, group: GroupId, user: UserId) -> bool {
        self.known.read().circles.get(&group).is_some_and(|circle| circle.has(user))
    }

    /// The circles that somebody is in, by id.
    #[must_use]
    pub fn of(&self, user: UserId) -> Vec<GroupId> {
        self.known.read().of_user.get(&user).map(|groups| groups.iter().copied().collect()).unwrap_or_default()
    }

    /// A watch.
    #[must_use]
    pub fn watch(&self, imei: Imei) -> Option<Arc<WatchRow>> {
        self.known.read().watches.get(&imei).cloned()
    }

    /// All watches that are in circles.
    #[must_use]
    pub fn bound_watches(&self) -> Vec<(Imei, Arc<WatchRow>)> {
        let known = self.known.read();
        known
            .watches
            .iter()
            .filter(|(_, row)| row.bound.is_some())
            .map(|(imei, row)| (*imei, Arc::clone(row)))
            .collect()
    }

    /// All watches that were unbound and do not know it yet.
    #[must_use]
    pub fn leaving_watches(&self) -> Vec<(Imei, Arc<WatchRow>)> {
        let known = self.known.read();
        let leaving = known.watches.iter().filter(|(_, row)| row.leaving.is_some());
        leaving.map(|(imei, row)| (*imei, Arc::clone(row))).collect()
    }

    /// What a code lets into; it may be over.
    ///
    /// # Errors
    /// The disk's.
    pub fn code(&self, code: KeyHash) -> Result<Option<CodeRow>, ModelError> {
        self.rows.get(&*code_key(code))?.map(|row| rows::decode_row(&row)).transpose()
    }

    /// Circles that somebody whose account has ended was in, and that have not let them go yet.
    ///
    /// # Errors
    /// The disk's.
    pub fn erased_from(&self, user: UserId) -> Result<Vec<GroupId>, ModelError> {
        self.rows.prefix(&*KeyBuf::tag(ERASED).user(user)).map(|guard| Ok(erased_of(&guard.key()?)?.1)).collect()
    }

    /// Whether the picture of a watch in a circle stands on it.
    #[must_use]
    pub fn stands_on(&self, object: ObjectKey) -> bool {
        self.known.read().pictures.all.contains(&object)
    }

    /// Watches in circles of which it cannot be told what they stand on.
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.known.read().pictures.unreadable.len()
    }

    /// How many codes of a circle nobody has used; some may be over.
    ///
    /// # Errors
    /// The disk's.
    pub fn open_codes(&self, group: GroupId) -> Result<usize, ModelError> {
        let mut count = 0;
        for guard in self.rows.prefix(&*KeyBuf::tag(CODE_OF).group(group)) {
            guard.key()?;
            count += 1;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::{envelope::LogPosition, ports::KeyError, sealed::Subject};

    use super::{
        super::rows::{circle_key, member_key, watch_of_key},
        *,
    };

    /// Opens nothing.
    struct NoKeys;

    impl Keys for NoKeys {
        fn ensure(&self, _: &[Subject]) -> Result<(), KeyError> {
            Ok(())
        }

        fn seal_bytes(&self, about: Subject, _: &[u8]) -> Result<Vec<u8>, KeyError> {
            Err(KeyError::Destroyed(about))
        }

        fn seal_stable(&self, about: Subject, _: &[u8]) -> Result<Vec<u8>, KeyError> {
            Err(KeyError::Destroyed(about))
        }

        fn open_bytes(&self, _: Subject, _: &[u8]) -> Option<Vec<u8>> {
            None
        }

        fn destroy(&self, _: Subject) -> Result<(), KeyError> {
            Ok(())
        }
    }

    #[test]
    fn the_changes_of_a_batch_may_come_in_any_order() {
        let (group, anna, imei) = (GroupId(7), UserId::Number(1), Imei::new(5).unwrap());
        let row = CircleRow { name: Sealed::from_bytes(Subject::User(anna), vec![1]), since: Timestamp(1) };
        let member = Member { guardian: true, shares: false, since: Timestamp(1), position: LogPosition(1) };
        let changes = [
            (circle_key(group).to_vec(), postcard::to_allocvec(&row).unwrap()),
            (member_key(group, anna).to_vec(), postcard::to_allocvec(&member).unwrap()),
            (watch_of_key(group, imei).to_vec(), Vec::new()),
        ];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut known = Known::default();
            for at in order {
                known.changed(&changes[at].0, Some(&changes[at].1), &NoKeys).unwrap();
            }
            let circle = &known.circles[&group];
            assert!(circle.is_guardian(anna) && circle.watches.contains(&imei), "{order:?}: {circle:?}");
            assert!(known.early.is_empty());
        }
    }
}
