//! The priors as rows, and in memory what each query asks of them.
//!
//! Rows: `i user` → who does not see the user, `w` → the world, `s shop` → the shop's, `u user` → the user's, `c user checkin` → what it taught, to take it back.

use std::{collections::HashMap, sync::Arc};

use dface_domain::{
    envelope::Recorded,
    events::{CheckedIn, Event, Invisible},
    ids::{CheckinId, ShopId, UserId},
    ports::{KeyedHash, Keys},
    privacy,
    time::Timestamp,
};
use fjall::Keyspace;
use jiff::tz::TimeZone;
use parking_lot::{RwLock, RwLockReadGuard};
use quick_cache::{DefaultHashBuilder, sync::Cache};
use serde::{Deserialize, Serialize};

use super::priors::{ShopPrior, UserPrior, Visit, World};
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const WORLD: u8 = b'w';
const SHOP: u8 = b's';
const USER: u8 = b'u';
const CHECKIN: u8 = b'c';
const INVISIBLE: u8 = b'i';

#[derive(Clone, Serialize, Deserialize)]
struct Taught {
    user: UserId,
    shop: ShopId,
    at: i64,
    hour: u8,
    od: u32,
    bssid: Option<u64>,
    /// Whether others learned from it too.
    others: bool,
}

impl Taught {
    fn visit(&self) -> Visit {
        let (user, shop) = (user_number(self.user), self.shop.0);
        Visit { user, shop, at: self.at, hour: self.hour, od: self.od, bssid: self.bssid }
    }
}

/// A person in the priors: the number, or for ids of old a number made of them.
#[must_use]
pub fn user_number(user: UserId) -> u64 {
    match user {
        UserId::Number(number) => number,
        UserId::Object(object) => {
            let folded = object
                .0
                .iter()
                .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
            folded | 1 << 63
        }
    }
}

/// The local hour of a moment, 0 to 23.
#[must_use]
pub fn local_hour(at: Timestamp, zone: &TimeZone) -> u8 {
    zone.to_datetime(at.to_jiff()).hour().unsigned_abs()
}

/// How an access point stands in the priors.
#[must_use]
pub fn bssid_number(hash: &dyn KeyedHash, bssid: &str) -> u64 {
    let hash = hash.keyed_hash("bssid", &[bssid.to_ascii_lowercase().as_bytes()]);
    u64::from_be_bytes(hash[..8].try_into().unwrap_or_default())
}

/// Turns check-ins into priors.
pub struct Ranking {
    keys: Arc<dyn Keys>,
    hash: Arc<dyn KeyedHash>,
    zone: TimeZone,
}

impl ReadModel for Ranking {
    type View = RankingView;

    const NAME: &'static str = "ranking";
    const SCHEMA: u32 = 3;
    const WANTS: &'static [&'static str] = &["CheckedIn", "CheckinDeleted", "VisibilityChanged", "PersonErased"];

    fn new(parts: &Parts) -> Self {
        let (keys, hash) = (Arc::clone(&parts.keys), Arc::clone(&parts.hash));
        Self { keys, hash, zone: parts.zone.clone() }
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::CheckedIn(event) if !event.far => self.learn(event, recorded.occurred_at, rows),
            Event::CheckinDeleted(event) => unlearn(event.user, event.checkin, rows),
            Event::VisibilityChanged(event) => rows.put(&KeyBuf::tag(INVISIBLE).user(event.user), &event.invisible),
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

impl Ranking {
    fn learn(&self, event: &CheckedIn, at: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
        let bssid = self.keys.open(&event.fix).and_then(|fix| fix.bssid);
        let invisible: Invisible = rows.get(&KeyBuf::tag(INVISIBLE).user(event.user))?.unwrap_or_default();
        let taught = Taught {
            user: event.user,
            shop: event.shop,
            at: at.seconds(),
            hour: local_hour(at, &self.zone),
            od: event.od,
            bssid: bssid.map(|bssid| bssid_number(self.hash.as_ref(), &bssid)),
            others: privacy::counts_for_others(invisible),
        };
        let visit = taught.visit();
        let user_key = KeyBuf::tag(USER).user(event.user);
        let nth = rows.update(&user_key, |user: &mut UserPrior| user.learn(visit.shop, taught.others))?;
        if taught.others {
            rows.update(&KeyBuf::tag(SHOP).shop(event.shop), |shop: &mut ShopPrior| shop.learn(&visit, nth))?;
            rows.update(&KeyBuf::tag(WORLD), |world: &mut World| world.learn(&visit))?;
        }
        rows.put(&KeyBuf::tag(CHECKIN).user(event.user).checkin(event.checkin), &taught)
    }
}

/// What a person taught stays as counts; who it was does not.
fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    let key = KeyBuf::tag(USER).user(user);
    let known: UserPrior = rows.get(&key)?.unwrap_or_default();
    for own in &known.shops {
        rows.update(&KeyBuf::tag(SHOP).shop(ShopId(own.shop)), |shop: &mut ShopPrior| shop.forget(user_number(user)))?;
    }
    rows.delete(&key);
    rows.delete(&KeyBuf::tag(INVISIBLE).user(user));
    for key in rows.keys(&KeyBuf::tag(CHECKIN).user(user))? {
        // Where the phone was goes with its owner; that somebody was at the shop stays.
        if let Some(Taught { shop, bssid: Some(bssid), others: true, .. }) = rows.get(&key)? {
            rows.update(&KeyBuf::tag(SHOP).shop(shop), |shop: &mut ShopPrior| shop.unheard(bssid))?;
        }
        rows.delete(&key);
    }
    Ok(())
}

fn unlearn(user: UserId, checkin: CheckinId, rows: &mut Rows) -> Result<(), ModelError> {
    let key = KeyBuf::tag(CHECKIN).user(user).checkin(checkin);
    let Some(taught) = rows.get::<Taught>(&key)? else { return Ok(()) };
    rows.delete(&key);
    let visit = taught.visit();
    let user_key = KeyBuf::tag(USER).user(taught.user);
    let nth = rows.update(&user_key, |user: &mut UserPrior| user.unlearn(visit.shop, taught.others))?;
    if taught.others {
        rows.update(&KeyBuf::tag(SHOP).shop(taught.shop), |shop: &mut ShopPrior| shop.unlearn(&visit, nth))?;
        rows.update(&KeyBuf::tag(WORLD), |world: &mut World| world.unlearn(&visit))?;
    }
    Ok(())
}

/// What all shops together taught, in memory.
#[derive(Default)]
pub struct Priors {
    /// The world's.
    pub world: World,
    /// The shops' where somebody checked in.
    pub shops: ShopPriors,
}

/// Shops' priors by id. A request looks up hundreds, so the hash is a quick one; ids are given out by us.
pub type ShopPriors = HashMap<u64, ShopPrior, DefaultHashBuilder>;

/// The priors for queries: shops and world in memory, users from disk with those lately asked for in memory.
pub struct RankingView {
    rows: Keyspace,
    priors: RwLock<Priors>,
    users: Cache<UserId, Option<Arc<UserPrior>>>,
}

/// Users' priors kept in memory.
const RECENT: usize = 50_000;

impl View for RankingView {
    fn open(_: &Parts, keyspace: Keyspace) -> Result<Self, ModelError> {
        let mut priors = Priors::default();
        for found in rows::scan::<ShopPrior>(&keyspace, &[SHOP]) {
            let (key, row) = found?;
            if let Some(shop) = KeyReader::tagged(&key, SHOP).and_then(|mut reader| reader.shop()) {
                priors.shops.insert(shop.0, row);
            }
        }
        if let Some(row) = keyspace.get([WORLD])? {
            priors.world = rows::decode_row(&row)?;
        }
        Ok(Self { rows: keyspace, priors: RwLock::new(priors), users: Cache::new(RECENT) })
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        match key.first() {
            Some(&USER) => {
                if let Some(user) = KeyReader::tagged(key, USER).and_then(|mut reader| reader.user()) {
                    self.users.remove(&user);
                }
            }
            Some(&WORLD) => {
                if let Some(world) = value.and_then(|bytes| rows::decode_row(bytes).ok()) {
                    self.priors.write().world = world;
                }
            }
            Some(&SHOP) => {
                let Some(shop) = KeyReader::tagged(key, SHOP).and_then(|mut reader| reader.shop()) else { return };
                if let Some(row) = value.and_then(|bytes| rows::decode_row(bytes).ok()) {
                    self.priors.write().shops.insert(shop.0, row);
                }
            }
            _ => {}
        }
    }
}

impl RankingView {
    /// What the shops taught; not to be held over an await.
    pub fn priors(&self) -> RwLockReadGuard<'_, Priors> {
        self.priors.read()
    }

    /// What somebody's own check-ins taught.
    ///
    /// # Errors
    /// The disk's.
    pub fn user(&self, user: UserId) -> Result<Option<Arc<UserPrior>>, ModelError> {
        self.users.get_or_insert_with(&user, || {
            let row = self.rows.get(&*KeyBuf::tag(USER).user(user))?;
            row.map(|bytes| Ok(Arc::new(rows::decode_row(&bytes)?))).transpose()
        })
    }
}
