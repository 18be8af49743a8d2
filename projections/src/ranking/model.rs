//! The priors as rows, and in memory what each query asks of them.
//!
//! Rows: `w` → the world, `s shop` → the shop's, `u user` → the user's, and who does not see the user, `a shop bssid` → how
//! often that access point was seen there, `c user checkin` → what it taught, to take it back.

use std::{collections::HashMap, sync::Arc};

use dface_domain::{
    envelope::Recorded,
    events::{CheckedIn, Event, Invisible},
    ids::{CheckinId, ShopId, UserId},
    ports::{KeyedHash, Keys},
    privacy,
    sealed::Subject,
    time::Timestamp,
};
use fjall::Keyspace;
use jiff::tz::TimeZone;
use parking_lot::{RwLock, RwLockReadGuard};
use quick_cache::{DefaultHashBuilder, sync::Cache};
use serde::{Deserialize, Serialize};

use super::{
    access_points::AccessPoints,
    priors::{ShopPrior, UserPrior, Visit, World},
};
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const WORLD: u8 = b'w';
const SHOP: u8 = b's';
const USER: u8 = b'u';
const CHECKIN: u8 = b'c';
const ACCESS_POINT: u8 = b'a';

#[derive(Clone, Default, Serialize, Deserialize)]
struct UserRow {
    /// Who does not see the user: beside the prior, since each check-in needs both.
    invisible: Invisible,
    prior: UserPrior,
}

#[derive(Clone, Serialize, Deserialize)]
struct Taught {
    shop: ShopId,
    at: i64,
    hour: u8,
    od: u32,
    bssid: Option<u64>,
    /// Whether others learned from it too.
    others: bool,
}

impl Taught {
    fn visit(&self, user: UserId) -> Visit {
        Visit { user: user_number(user), shop: self.shop.0, at: self.at, hour: self.hour, od: self.od }
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
    const SCHEMA: u32 = 4;
    const WANTS: &'static [&'static str] = &["CheckedIn", "CheckinDeleted", "VisibilityChanged", "PersonErased"];

    fn new(parts: &Parts) -> Self {
        let (keys, hash) = (Arc::clone(&parts.keys), Arc::clone(&parts.hash));
        Self { keys, hash, zone: parts.zone.clone() }
    }

    fn opens(event: &Event) -> Option<Subject> {
        match event {
            Event::CheckedIn(event) if !event.far => event.bssid.as_ref().map(|bssid| bssid.about),
            _ => None,
        }
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::CheckedIn(event) if !event.far => self.learn(event, recorded.occurred_at, rows),
            Event::CheckinDeleted(event) => unlearn(event.user, event.checkin, rows),
            Event::VisibilityChanged(event) => {
                rows.update(&KeyBuf::tag(USER).user(event.user), |row: &mut UserRow| row.invisible = event.invisible)
            }
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

impl Ranking {
    fn learn(&self, event: &CheckedIn, at: Timestamp, rows: &mut Rows) -> Result<(), ModelError> {
        let bssid = event.bssid.as_ref().and_then(|sealed| self.keys.open(sealed));
        let user_key = KeyBuf::tag(USER).user(event.user);
        let (nth, others) = rows.update(&user_key, |row: &mut UserRow| {
            let others = privacy::counts_for_others(row.invisible);
            (row.prior.learn(event.shop.0, others), others)
        })?;
        let taught = Taught {
            shop: event.shop,
            at: at.seconds(),
            hour: local_hour(at, &self.zone),
            od: event.od,
            bssid: bssid.map(|bssid| bssid_number(self.hash.as_ref(), &bssid)),
            others,
        };
        if others {
            let visit = taught.visit(event.user);
            rows.update(&KeyBuf::tag(SHOP).shop(event.shop), |shop: &mut ShopPrior| shop.learn(&visit, nth))?;
            rows.update(&KeyBuf::tag(WORLD), |world: &mut World| world.learn(&visit))?;
            if let Some(bssid) = taught.bssid {
                rows.update(&access_point_key(event.shop, bssid), |times: &mut u32| *times = times.saturating_add(1))?;
            }
        }
        rows.put(&KeyBuf::tag(CHECKIN).user(event.user).checkin(event.checkin), &taught)
    }
}

fn access_point_key(shop: ShopId, bssid: u64) -> KeyBuf {
    KeyBuf::tag(ACCESS_POINT).shop(shop).number(bssid)
}

/// What a person taught stays as counts; who it was does not.
fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    rows.delete(&KeyBuf::tag(USER).user(user));
    for key in rows.keys(&KeyBuf::tag(CHECKIN).user(user))? {
        if let Some(taught) = rows.get::<Taught>(&key)? {
            if taught.others {
                let shop_key = KeyBuf::tag(SHOP).shop(taught.shop);
                rows.update(&shop_key, |shop: &mut ShopPrior| shop.forget(user_number(user)))?;
            }
            // The access point goes with its owner, as it does in a rebuild without the key.
            unhear(&taught, rows)?;
        }
        rows.delete(&key);
    }
    Ok(())
}

fn unlearn(user: UserId, checkin: CheckinId, rows: &mut Rows) -> Result<(), ModelError> {
    let key = KeyBuf::tag(CHECKIN).user(user).checkin(checkin);
    let Some(taught) = rows.get::<Taught>(&key)? else { return Ok(()) };
    rows.delete(&key);
    let visit = taught.visit(user);
    let user_key = KeyBuf::tag(USER).user(user);
    let nth = rows.update(&user_key, |row: &mut UserRow| row.prior.unlearn(visit.shop, taught.others))?;
    if taught.others {
        rows.update(&KeyBuf::tag(SHOP).shop(taught.shop), |shop: &mut ShopPrior| shop.unlearn(&visit, nth))?;
        rows.update(&KeyBuf::tag(WORLD), |world: &mut World| world.unlearn(&visit))?;
    }
    unhear(&taught, rows)
}

/// Takes back that an access point was seen.
fn unhear(taught: &Taught, rows: &mut Rows) -> Result<(), ModelError> {
    let Taught { shop, bssid: Some(bssid), others: true, .. } = *taught else { return Ok(()) };
    let key = access_point_key(shop, bssid);
    match rows.get::<u32>(&key)?.unwrap_or_default() {
        0 | 1 => rows.delete(&key),
        times => rows.put(&key, &(times - 1))?,
    }
    Ok(())
}

/// What all shops together taught, in memory.
#[derive(Default)]
pub struct Priors {
    /// The world's.
    pub world: World,
    /// The shops' where somebody checked in.
    pub shops: ByShop<ShopPrior>,
    /// The access points of the shops where a phone told one.
    pub access_points: ByShop<AccessPoints>,
}

/// By shop id. A request looks up hundreds, so the hash is a quick one; ids are given out by us.
pub type ByShop<T> = HashMap<u64, T, DefaultHashBuilder>;

impl Priors {
    /// How often an access point was seen from a shop, where it is one of those that count.
    #[must_use]
    pub fn times_heard(&self, shop: ShopId, bssid: u64) -> u32 {
        self.access_points.get(&shop.0).map_or(0, |points| points.times_heard(bssid))
    }

    fn set_heard(&mut self, shop: ShopId, bssid: u64, times: u32) {
        let points = self.access_points.entry(shop.0).or_default();
        points.set(bssid, times);
        if points.is_empty() {
            self.access_points.remove(&shop.0);
        }
    }
}

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
        for found in rows::scan::<u32>(&keyspace, &[ACCESS_POINT]) {
            let (key, times) = found?;
            if let Some((shop, bssid)) = access_point_of(&key) {
                priors.set_heard(shop, bssid, times);
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
            Some(&ACCESS_POINT) => {
                let Some((shop, bssid)) = access_point_of(key) else { return };
                let times = value.and_then(|bytes| rows::decode_row(bytes).ok()).unwrap_or_default();
                self.priors.write().set_heard(shop, bssid, times);
            }
            _ => {}
        }
    }
}

fn access_point_of(key: &[u8]) -> Option<(ShopId, u64)> {
    let mut reader = KeyReader::tagged(key, ACCESS_POINT)?;
    reader.shop().zip(reader.number())
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
            row.map(|bytes| Ok(Arc::new(rows::decode_row::<UserRow>(&bytes)?.prior))).transpose()
        })
    }
}
