//! Who is where now (seed §4, §8): from a check-in until the next one elsewhere, or some hours. What is over
//! expires by reading the clock, without an event.
//!
//! Rows: `p user` → where and since when, `g user` → the sex,
//! where it is set, `i user` → who does not see the user.

use std::{collections::HashMap, sync::Arc};

use dface_domain::{
    envelope::Recorded,
    events::{CheckedIn, Event, Gender, Invisible},
    ids::{CheckinId, ShopId, UserId},
    ports::Clock,
    privacy,
    time::Timestamp,
};
use fjall::Keyspace;
use parking_lot::RwLock;
use quick_cache::DefaultHashBuilder;
use serde::{Deserialize, Serialize};

use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const PRESENT: u8 = b'p';
const GENDER: u8 = b'g';
const INVISIBLE: u8 = b'i';

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct PresenceRow {
    checkin: CheckinId,
    shop: ShopId,
    since: Timestamp,
    gender: Gender,
    invisible: Invisible,
}

/// Somebody who is at a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub user: UserId,
    /// When last active there.
    pub since: Timestamp,
    /// 0, 1 or 2.
    pub gender: Gender,
    /// Who did not see the person when they came.
    pub invisible: Invisible,
}

/// How many are at a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All.
    pub user: u32,
    /// 男.
    pub male: u32,
    /// 女.
    pub female: u32,
}

/// Turns check-ins into presence.
pub struct Presence;

impl ReadModel for Presence {
    type View = PresenceView;

    const NAME: &'static str = "presence";
    const SCHEMA: u32 = 2;
    const WANTS: &'static [&'static str] =
        &["CheckedIn", "CheckinDeleted", "UserRegistered", "ProfileChanged", "VisibilityChanged", "PersonErased"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::UserRegistered(event) if event.gender != Gender::Unset => {
                rows.put(&KeyBuf::tag(GENDER).user(event.user), &event.gender)
            }
            Event::ProfileChanged(event) => change_gender(event.user, event.gender, rows),
            Event::VisibilityChanged(event) => change_visibility(event.user, event.invisible, rows),
            Event::PersonErased(event) => {
                for tag in [PRESENT, GENDER, INVISIBLE] {
                    rows.delete(&KeyBuf::tag(tag).user(event.user));
                }
                Ok(())
            }
            Event::CheckedIn(event) => arrive(event, recorded.occurred_at, rows),
            Event::CheckinDeleted(event) => {
                let key = KeyBuf::tag(PRESENT).user(event.user);
                if rows.get::<PresenceRow>(&key)?.is_some_and(|row| row.checkin == event.checkin) {
                    rows.delete(&key);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// An older check-in that comes late (an import) does not move anybody.
fn arrive(event: &CheckedIn, since: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
    let key = KeyBuf::tag(PRESENT).user(event.user);
    if rows.get::<PresenceRow>(&key)?.is_some_and(|row| row.since > since) {
        return Ok(());
    }
    let gender = rows.get(&KeyBuf::tag(GENDER).user(event.user))?.unwrap_or_default();
    let invisible = rows.get(&KeyBuf::tag(INVISIBLE).user(event.user))?.unwrap_or_default();
    rows.put(&key, &PresenceRow { checkin: event.checkin, shop: event.shop, since, gender, invisible })
}

fn change_gender(user: UserId, gender: Gender, rows: &mut Rows) -> Result<(), ModelError> {
    rows.put(&KeyBuf::tag(GENDER).user(user), &gender)?;
    let key = KeyBuf::tag(PRESENT).user(user);
    match rows.get::<PresenceRow>(&key)? {
        Some(row) if row.gender != gender => rows.put(&key, &PresenceRow { gender, ..row }),
        _ => Ok(()),
    }
}

/// Becoming invisible ends an older presence; becoming visible again shows only what comes after (spec http.md §16).
fn change_visibility(user: UserId, invisible: Invisible, rows: &mut Rows) -> Result<(), ModelError> {
    rows.put(&KeyBuf::tag(INVISIBLE).user(user), &invisible)?;
    rows.delete(&KeyBuf::tag(PRESENT).user(user));
    Ok(())
}

#[derive(Default)]
struct Hot {
    place: HashMap<UserId, ShopId>,
    at: HashMap<ShopId, Vec<Present>, DefaultHashBuilder>,
}

impl Hot {
    fn leave(&mut self, user: UserId) {
        let Some(shop) = self.place.remove(&user) else { return };
        if let Some(present) = self.at.get_mut(&shop) {
            present.retain(|one| one.user != user);
            if present.is_empty() {
                self.at.remove(&shop);
            }
        }
    }

    fn arrive(&mut self, user: UserId, row: &PresenceRow) {
        self.leave(user);
        self.place.insert(user, row.shop);
        self.at.entry(row.shop).or_default().push(Present {
            user,
            since: row.since,
            gender: row.gender,
            invisible: row.invisible,
        });
    }
}

/// Who is where, in memory.
pub struct PresenceView {
    hot: RwLock<Hot>,
    clock: Arc<dyn Clock>,
    present_for_s: i64,
}

impl View for PresenceView {
    fn open(parts: &Parts, keyspace: Keyspace) -> Result<Self, ModelError> {
        let view = Self { hot: RwLock::default(), clock: Arc::clone(&parts.clock), present_for_s: parts.present_for_s };
        let over = view.over();
        let mut hot = Hot::default();
        for found in rows::scan::<PresenceRow>(&keyspace, &[PRESENT]) {
            let (key, row) = found?;
            let user = KeyReader::tagged(&key, PRESENT).and_then(|mut reader| reader.user());
            if let Some(user) = user.filter(|_| row.since > over) {
                hot.arrive(user, &row);
            }
        }
        *view.hot.write() = hot;
        Ok(view)
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        let Some(user) = KeyReader::tagged(key, PRESENT).and_then(|mut reader| reader.user()) else { return };
        let over = self.over();
        let row = value.and_then(|bytes| rows::decode_row::<PresenceRow>(bytes).ok()).filter(|row| row.since > over);
        let mut hot = self.hot.write();
        match row {
            Some(row) => hot.arrive(user, &row),
            None => hot.leave(user),
        }
    }
}

impl PresenceView {
    /// Whoever came before this moment is gone.
    fn over(&self) -> Timestamp {
        self.clock.now().plus_seconds(-self.present_for_s)
    }

    /// How many are at each of `shops`, of those who count for others.
    #[must_use]
    pub fn counts(&self, shops: impl Iterator<Item = ShopId>) -> Vec<Counts> {
        let over = self.over();
        let hot = self.hot.read();
        shops
            .map(|shop| {
                let present = hot.at.get(&shop).map(Vec::as_slice).unwrap_or_default();
                let counted =
                    present.iter().filter(|one| one.since > over && privacy::counts_for_others(one.invisible));
                counted.fold(Counts::default(), |counts, one| Counts {
                    user: counts.user + 1,
                    male: counts.male + u32::from(one.gender == Gender::Male),
                    female: counts.female + u32::from(one.gender == Gender::Female),
                })
            })
            .collect()
    }

    /// Where somebody is now.
    #[must_use]
    pub fn of(&self, user: UserId) -> Option<(ShopId, Present)> {
        let over = self.over();
        let hot = self.hot.read();
        let shop = *hot.place.get(&user)?;
        let present = hot.at.get(&shop)?.iter().find(|one| one.user == user && one.since > over)?;
        Some((shop, *present))
    }

    /// The shops where somebody is.
    #[must_use]
    pub fn occupied(&self) -> Vec<ShopId> {
        self.hot.read().at.keys().copied().collect()
    }

    /// Who is at a shop, newest activity first.
    #[must_use]
    pub fn at(&self, shop: ShopId) -> Vec<Present> {
        let over = self.over();
        let mut present: Vec<Present> = {
            let hot = self.hot.read();
            hot.at.get(&shop).into_iter().flatten().filter(|one| one.since > over).copied().collect()
        };
        present.sort_by_key(|one| (std::cmp::Reverse(one.since), one.user));
        present
    }
}
