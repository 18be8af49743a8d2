//! Check-ins (seed §9, §15).

use serde::{Deserialize, Serialize};

use super::macros::event;
use crate::{
    geo::Position,
    ids::{CheckinId, ShopId, UserId},
    sealed::Sealed,
};

/// What a phone measured when it checked in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// Where, WGS-84 degrees.
    pub position: Position,
    /// Radius in metres that the phone claims.
    pub accuracy: u32,
    /// Metres above the sea.
    pub altitude: Option<f64>,
    /// Radius of the altitude in metres.
    pub altacc: Option<f64>,
}

event! {
    /// A person arrived at a shop.
    CheckedIn, schema 1 {
        /// The check-in: the same for the same person, shop and minute.
        checkin: CheckinId => Public,
        /// Who.
        user: UserId => Person,
        /// Where.
        shop: ShopId => Public,
        /// Which place of the list of §4 was picked, from 1; 0 where it is not known.
        od: u32 => Public,
        /// Whether the phone was further from the shop than its accuracy and 2 km.
        far: bool => Public,
        /// What the phone measured.
        fix: Sealed<Fix> => Position,
        /// Hardware address of the access point that it saw; sealed apart, so that who needs this alone opens nothing else.
        bssid: Option<Sealed<String>> => Personal,
    }
}

event! {
    /// A person took a check-in out of the own trace.
    CheckinDeleted, schema 1 {
        /// The check-in.
        checkin: CheckinId => Public,
        /// Whose.
        user: UserId => Person,
        /// Where it was.
        shop: ShopId => Public,
    }
}
