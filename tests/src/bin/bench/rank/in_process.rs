//! The projections' own code, without a log or a server.

use dface_commands::system::SystemClock;
use dface_domain::{events::ShopDetails, ids::ShopId, ports::Clock as _, shops::kind::ShopKind, time::Timestamp};
use dface_projections::{
    ranking::{
        Friends, LIMIT, UserPrior, Visit as Learning,
        around::{Asked, around},
        model::{Priors, local_hour},
    },
    shops::{ShopEntry, ShopIndex},
};
use jiff::tz::TimeZone;

use super::{
    ACCURACY_M, Question, ZONE,
    files::{Data, Venue, Visit},
};
use crate::{Failed, stats::Ranks};

/// The index of all venues, and what the history taught.
pub struct Learned {
    index: ShopIndex,
    priors: Priors,
    users: Vec<UserPrior>,
    friends: Vec<Friends>,
    zone: TimeZone,
}

/// What is known of a venue as a shop.
pub fn details(number: usize, venue: &Venue) -> ShopDetails {
    ShopDetails {
        name: venue.name.clone().unwrap_or_else(|| format!("Venue {number}")),
        address: String::new(),
        phone: String::new(),
        kind: ShopKind::from_category(&venue.category),
        position: venue.place,
        map: venue.place.to_map(),
    }
}

fn shop(number: usize) -> ShopId {
    crate::made::shops::id(number)
}

impl Learned {
    pub fn of(data: &Data, history: &[Visit]) -> Result<Self, Failed> {
        let entries = data.venues.iter().enumerate();
        let entries = entries.map(|(number, venue)| ShopEntry::new(shop(number), &details(number, venue)));
        let mut friends = vec![Vec::new(); data.users];
        data.follows.iter().for_each(|(user, other)| friends[*user].push(*other as u64));
        let mut learned = Self {
            index: ShopIndex::bulk(entries.collect()),
            priors: Priors::default(),
            users: vec![UserPrior::default(); data.users],
            friends: friends.into_iter().map(Friends::new).collect(),
            zone: TimeZone::get(ZONE)?,
        };
        history.iter().for_each(|visit| learned.learn(visit));
        Ok(learned)
    }

    fn learn(&mut self, visit: &Visit) {
        let shop = shop(visit.venue).0;
        let hour = local_hour(Timestamp::from_seconds(visit.at), &self.zone);
        let learning = Learning { user: visit.user as u64, shop, at: visit.at, hour, od: 0 };
        let nth = self.users[visit.user].learn(shop, true);
        self.priors.shops.entry(shop).or_default().learn(&learning, nth);
        self.priors.world.learn(&learning);
    }

    /// Today, in Unix seconds.
    pub fn now(&self) -> i64 {
        SystemClock.now().seconds()
    }

    /// The places that the ranking gives the true venues, at the clock of each question.
    pub fn ranked(&self, questions: &[Question], clock: impl Fn(&Question) -> i64) -> Ranks {
        let mut ranks = Ranks::default();
        for question in questions {
            let now = clock(question);
            let asked = Asked {
                position: question.phone,
                accuracy: f64::from(ACCURACY_M),
                now,
                hour: local_hour(Timestamp::from_seconds(now), &self.zone),
                user: Some(&self.users[question.user]),
                friends: &self.friends[question.user],
                bssid: None,
            };
            let wanted = self.index.slot_of(shop(question.venue));
            let found = around(&self.index, &self.priors, &asked);
            ranks.count(found.iter().position(|(slot, _)| Some(*slot) == wanted));
        }
        ranks
    }

    /// The places of the true venues where the nearest comes first.
    pub fn nearest_first(&self, questions: &[Question]) -> Ranks {
        let mut ranks = Ranks::default();
        for question in questions {
            let wanted = self.index.slot_of(shop(question.venue));
            let found = self.index.nearest_n(question.phone, LIMIT, f64::INFINITY);
            ranks.count(found.iter().position(|(slot, _)| Some(*slot) == wanted));
        }
        ranks
    }
}
