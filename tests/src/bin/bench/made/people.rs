//! People, whom they follow, and where they checked in.

use std::sync::Arc;

use dface_domain::{
    checkins::is_far,
    events::{CheckedIn, Fix, Followed, Gender, Provider, ShopDetails, UserRegistered},
    geo::Position,
    ids::{CheckinId, ObjectId, RecordId, ShopId, UserId},
    ports::Keys,
    sealed::Subject,
    stream::StreamId,
    time::Timestamp,
};

use super::directory::Fact;
use crate::{Failed, chance::Chance};

/// Makes keys for users 1 to `count`.
pub fn make_keys(keys: &dyn Keys, count: u64) -> Result<(), Failed> {
    let subjects: Vec<Subject> = (1..=count).map(|user| Subject::User(UserId::Number(user))).collect();
    subjects.chunks(1_000).try_for_each(|some| Ok(keys.ensure(some)?))
}

/// The account of `user`.
pub fn registered(keys: &Arc<dyn Keys>, user: u64, at: Timestamp) -> Result<Fact, Failed> {
    let id = UserId::Number(user);
    let gender = Gender::try_from(u8::try_from(user % 3)?)?;
    let name = keys.seal(Subject::User(id), &format!("用户{user}"))?;
    let event = UserRegistered { user: id, provider: Provider::Local, name, gender, source: Some("bench".to_owned()) };
    Ok(Fact::new(StreamId::user(id), at, event))
}

/// `user` follows `other`.
pub fn followed(record: u64, user: u64, other: u64, at: Timestamp) -> Fact {
    let (user, follow) = (UserId::Number(user), UserId::Number(other));
    let event = Followed { record: RecordId(record), user, follow };
    Fact::new(StreamId::relation(user, follow), at, event)
}

/// A check-in whose phone was at `phone`.
pub struct Visit {
    pub number: u64,
    pub user: u64,
    pub shop: ShopId,
    pub place: Position,
    pub phone: Position,
    pub at: Timestamp,
}

/// The event of a visit.
pub fn checked_in(keys: &Arc<dyn Keys>, visit: &Visit) -> Result<Fact, Failed> {
    let Visit { number, shop, phone, at, .. } = *visit;
    let user = UserId::Number(visit.user);
    let seconds = u32::try_from(at.seconds().max(0)).unwrap_or(u32::MAX);
    let checkin = CheckinId(ObjectId::from_parts(seconds, number.to_be_bytes()));
    let fix = Fix { position: phone, accuracy: 100, altitude: None, altacc: None };
    let far = is_far(&phone, fix.accuracy, &visit.place);
    let fix = keys.seal(Subject::User(user), &fix)?;
    let event = CheckedIn { checkin, user, shop, od: 0, far, fix, bssid: None };
    Ok(Fact::new(StreamId::checkin(checkin), at, event))
}

/// How many of each kind are made.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    pub users: u64,
    pub follows: u64,
    pub checkins: u64,
}

/// Follows between people whose numbers are near each other, each pair once.
pub fn follows(crowd: Crowd, at: Timestamp) -> impl Iterator<Item = Result<Fact, Failed>> {
    (0..crowd.follows).map(move |n| {
        let (user, step) = (n % crowd.users, 1 + n / crowd.users);
        Ok(followed(n + 1, user + 1, (user + step) % crowd.users + 1, at))
    })
}

/// Check-ins over the last 300 days, rising in time: everybody has some haunts and at times tries others.
pub fn visits<'a>(crowd: Crowd, shops: &'a [ShopDetails], now: Timestamp) -> impl Iterator<Item = Visit> + 'a {
    let (mut chance, step) = (Chance::new(5), 300 * 86_400 / crowd.checkins.max(1).cast_signed());
    (0..crowd.checkins).map(move |number| {
        let user = 1 + chance.below(crowd.users);
        // A third of all check-ins are in a place where the person was before.
        let haunt = if chance.below(3) == 0 { chance.below(10) } else { 10 + chance.below(1_000) };
        let at_shop = Chance::new(user << 20 | haunt).below(shops.len() as u64);
        let index = usize::try_from(at_shop).unwrap_or_default();
        let place = shops[index].position;
        let back = (crowd.checkins - number).cast_signed() * step;
        Visit {
            number,
            user,
            shop: super::shops::id(index),
            place,
            phone: chance.near(place, 40.0),
            at: now.plus_seconds(-back - 86_400),
        }
    })
}
