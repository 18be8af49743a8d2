//! Shops (seed §4, §5, §7). A shop is no person: nothing here is sealed.

use serde::{Deserialize, Serialize};

use super::macros::event;
use crate::{
    geo::{MapPosition, Position},
    ids::{ShopId, UserId},
    shops::kind::ShopKind,
};

/// What is known of a shop's place and name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShopDetails {
    /// Its name.
    pub name: String,
    /// Its address, or empty.
    pub address: String,
    /// Its phone number, or empty.
    pub phone: String,
    /// Its type, 1 to 6 (§5).
    pub kind: ShopKind,
    /// Where it is, WGS-84 (`lo`).
    pub position: Position,
    /// Where the map shows it, GCJ-02 (`lat`, `lng`).
    pub map: MapPosition,
}

event! {
    /// A shop was added.
    ShopAdded, schema 1 {
        /// Which.
        shop: ShopId => Public,
        /// What is known of it.
        details: ShopDetails => Public,
        /// The import that brought it, or null.
        source: Option<String> => Public,
    }
}

event! {
    /// A shop's name, address or place was put right.
    ShopCorrected, schema 1 {
        /// Which.
        shop: ShopId => Public,
        /// What is known of it now.
        details: ShopDetails => Public,
    }
}

event! {
    /// A shop's notice (公告) changed.
    ShopNoticeChanged, schema 1 {
        /// Which.
        shop: ShopId => Public,
        /// The text, or empty.
        text: String => Public,
    }
}

event! {
    /// A person works at a shop from now on and speaks there with the V.
    ShopStaffAdded, schema 1 {
        /// Which.
        shop: ShopId => Public,
        /// Who.
        user: UserId => Person,
    }
}

event! {
    /// A person works at a shop no more.
    ShopStaffRemoved, schema 1 {
        /// Which.
        shop: ShopId => Public,
        /// Who.
        user: UserId => Person,
    }
}

event! {
    /// An import's id for a shop stands for one of ours.
    ForeignIdMapped, schema 1 {
        /// The import's source name.
        source: String => Public,
        /// Its id there.
        foreign: String => Public,
        /// Ours.
        shop: ShopId => Public,
    }
}
