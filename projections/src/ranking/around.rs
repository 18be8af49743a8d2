//! Who is a candidate for an answer of §4, and the answer.

use dface_domain::{geo::Position, ids::ShopId};

use super::{Candidate, Friends, Query, UserPrior, model::Priors, rank};
use crate::shops::{ShopIndex, Slot};

/// Nearest shops that are looked at. Fewer lose true venues in dense places (docs/ranking.md).
const NEAREST: usize = 128;

/// Metres beyond the accuracy at which shops are still offered: whoever checks in further away is far (§9).
const OFFERED_M: f64 = 2_000.0;

/// A question of §4.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Where the phone is.
    pub position: Position,
    /// Radius in metres that it claims.
    pub accuracy: f64,
    /// Now, in Unix seconds.
    pub now: i64,
    /// The local hour, 0 to 23.
    pub hour: u8,
    /// What the asker's own check-ins taught.
    pub user: Option<&'a UserPrior>,
    /// Whom the asker follows.
    pub friends: &'a Friends,
    /// The access point, as the priors have it.
    pub bssid: Option<u64>,
}

/// The shops that the asker is most likely in, at most 50, the most likely first, with their distance in metres.
#[must_use]
pub fn around(index: &ShopIndex, priors: &Priors, asked: &Asked<'_>) -> Vec<(Slot, f64)> {
    let query = Query::new(asked.accuracy, asked.now, asked.hour, asked.user, asked.friends, &priors.world);
    let candidate = |slot: Slot, id: ShopId, distance: f64| {
        let heard = asked.bssid.map_or(0, |bssid| priors.times_heard(id, bssid));
        Candidate { slot, id: id.0, distance, prior: priors.shops.get(&id.0), heard }
    };
    let mut candidates: Vec<Candidate<'_>> = Vec::with_capacity(NEAREST + 16);
    for (slot, distance) in index.nearest_n(asked.position, NEAREST, asked.accuracy + OFFERED_M) {
        if let Some(shop) = index.get(slot) {
            candidates.push(candidate(slot, shop.id(), distance));
        }
    }
    // In dense places the asker's own shops may lie behind the nearest ones and still be the likely ones.
    let edge = candidates.last().filter(|_| candidates.len() == NEAREST).map(|last| last.distance);
    if let (Some(edge), Some(user)) = (edge, asked.user) {
        let reach = query.reach();
        for own in &user.shops {
            let Some(slot) = index.slot_of(ShopId(own.shop)) else { continue };
            let Some(shop) = index.get(slot) else { continue };
            let distance = asked.position.distance_m(&shop.position());
            let known = distance <= edge && candidates.iter().any(|candidate| candidate.slot == slot);
            if distance <= reach && !known {
                candidates.push(candidate(slot, shop.id(), distance));
            }
        }
    }
    rank(&query, &mut candidates);
    candidates.into_iter().map(|candidate| (candidate.slot, candidate.distance)).collect()
}
