//! Forms that several sections of the document share.

use dface_domain::{
    events::Gender,
    ids::{ShopId, UserId},
};
use dface_projections::{people::Person, presence::Counts, shops::ShopEntry};
use serde::Serialize;
use utoipa::ToSchema;

use super::pictures::head_urls;
use crate::{app::App, http::ApiError};

/// A shop as §4 lists it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShopItem<'a> {
    pub(super) name: &'a str,
    pub(super) address: &'a str,
    /// Where the map shows it (GCJ-02).
    pub(super) lng: f64,
    #[schema(value_type = u64)]
    pub(super) id: ShopId,
    pub(super) phone: &'a str,
    /// Where the map shows it (GCJ-02).
    pub(super) lat: f64,
    /// Where it is, WGS-84 `[lat, lng]`.
    pub(super) lo: [f64; 2],
    /// Its type, 1 to 6 (§5).
    pub(super) t: u8,
    /// People there now.
    pub(super) user: u32,
    /// Of them 男.
    pub(super) male: u32,
    /// Of them 女.
    pub(super) female: u32,
    /// Metres from the caller (§5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) distance: Option<u64>,
}

/// Six digits, as the document's examples have them: a decimetre.
pub(super) fn shown_degrees(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

impl<'a> ShopItem<'a> {
    pub(super) fn new(shop: &'a ShopEntry, counts: Counts, distance: Option<f64>) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "metres on the earth, not negative"
        )]
        let distance = distance.map(|metres| metres.round() as u64);
        let (map, place) = (shop.map(), shop.position());
        Self {
            name: shop.name(),
            address: shop.address(),
            lng: shown_degrees(map.lng()),
            id: shop.id(),
            phone: shop.phone(),
            lat: shown_degrees(map.lat()),
            lo: [place.lat(), place.lng()],
            t: shop.kind().into(),
            user: counts.user,
            male: counts.male,
            female: counts.female,
            distance,
        }
    }
}

/// A person in a list (§8), without what the list itself adds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserItem {
    #[schema(value_type = u64)]
    pub(super) id: UserId,
    /// The head portrait's URL, or empty.
    pub(super) logo: String,
    pub(super) name: Option<String>,
    pub(super) wb_uid: Option<u64>,
    /// 1 男, 2 女, null where it is not set.
    pub(super) gender: Option<u8>,
    /// The caller follows this one.
    pub(super) friend: bool,
    /// This one follows the caller.
    pub(super) follower: bool,
    pub(super) birthday: Option<String>,
    /// When last active there, in the document's local form (§8).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) time: Option<String>,
}

/// A sex as answers show it: null where it is not set.
pub(super) fn shown_gender(gender: Gender) -> Option<u8> {
    (gender != Gender::Unset).then(|| gender.into())
}

impl UserItem {
    pub(super) fn new(app: &App, person: &Person, friend: bool, follower: bool) -> Result<Self, ApiError> {
        let [logo, _] = head_urls(app, person.user)?;
        Ok(Self {
            id: person.user,
            logo,
            name: person.profile.name.clone(),
            wb_uid: person.wb_uid,
            gender: shown_gender(person.gender),
            friend,
            follower,
            birthday: person.profile.birthday.clone(),
            time: None,
        })
    }
}
