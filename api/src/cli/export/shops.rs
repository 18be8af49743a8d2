//! `dface export shops`

use std::collections::{BTreeMap, HashMap, HashSet};

use dface_domain::{
    events::{EventType as _, Field, ShopAdded, ShopCorrected, ShopNoticeChanged, ShopStaffAdded, ShopStaffRemoved},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Dimension, table::column};
use crate::replay::Row;

#[derive(Serialize)]
struct Shop {
    shop: String,
    name: String,
    address: String,
    phone: String,
    kind: u8,
    lat: f64,
    lng: f64,
    map_lat: f64,
    map_lng: f64,
    notice: String,
    staff: u32,
    source: Option<String>,
    added_at: Timestamp,
    changed_at: Timestamp,
}

#[derive(Deserialize)]
struct Place {
    lat: f64,
    lng: f64,
}

#[derive(Deserialize)]
struct Details {
    name: String,
    address: String,
    phone: String,
    kind: u8,
    position: Place,
    map: Place,
}

#[derive(Deserialize)]
struct Told {
    shop: String,
    details: Option<Details>,
    source: Option<String>,
    text: Option<String>,
    user: Option<String>,
}

/// Shops by the position that added them.
#[derive(Default)]
pub struct Shops {
    rows: BTreeMap<u64, Shop>,
    places: HashMap<String, u64>,
    staff: HashMap<String, HashSet<String>>,
}

impl Shop {
    fn new(shop: String, source: Option<String>, time: Timestamp) -> Self {
        let [name, address, phone, notice] = [const { String::new() }; 4];
        let (lat, lng, map_lat, map_lng) = (0.0, 0.0, 0.0, 0.0);
        let (kind, staff, added_at, changed_at) = (0, 0, time, time);
        Self {
            shop,
            name,
            address,
            phone,
            kind,
            lat,
            lng,
            map_lat,
            map_lng,
            notice,
            staff,
            source,
            added_at,
            changed_at,
        }
    }

    fn set(&mut self, details: Details) {
        (self.name, self.address, self.phone) = (details.name, details.address, details.phone);
        self.kind = details.kind;
        (self.lat, self.lng) = (details.position.lat, details.position.lng);
        (self.map_lat, self.map_lng) = (details.map.lat, details.map.lng);
    }
}

impl Dimension for Shops {
    const FIELDS: &'static [Field] = &[
        column("shop", "ShopId", "Which: the `shop` of events."),
        column("name", "String", "Its name."),
        column("address", "String", "Its address, or empty."),
        column("phone", "String", "Its phone number, or empty."),
        column("kind", "u8", "Its type, 1 to 6."),
        column("lat", "f64", "Latitude, WGS-84."),
        column("lng", "f64", "Longitude, WGS-84."),
        column("map_lat", "f64", "Latitude on Chinese maps, GCJ-02."),
        column("map_lng", "f64", "Longitude on Chinese maps, GCJ-02."),
        column("notice", "String", "Its notice, or empty."),
        column("staff", "u32", "How many people work there."),
        column("source", "String", "The import that brought it, or null."),
        column("added_at", "Timestamp", "When it was added."),
        column("changed_at", "Timestamp", "When its details or its notice changed last."),
    ];
    const TYPES: &'static [&'static str] =
        &[ShopAdded::TYPE, ShopCorrected::TYPE, ShopNoticeChanged::TYPE, ShopStaffAdded::TYPE, ShopStaffRemoved::TYPE];

    fn event(&mut self, row: &Row<'_>) -> serde_json::Result<()> {
        let told: Told = serde_json::from_str(row.data)?;
        if let Some(user) = told.user {
            let staff = self.staff.entry(told.shop).or_default();
            if row.type_name == ShopStaffAdded::TYPE {
                staff.insert(user)
            } else {
                staff.remove(&user)
            };
            return Ok(());
        }
        let at = *self.places.entry(told.shop.clone()).or_insert(row.position);
        let shop = self.rows.entry(at).or_insert_with(|| Shop::new(told.shop, told.source, row.occurred_at));
        shop.changed_at = row.occurred_at;
        if let Some(details) = told.details {
            shop.set(details);
        }
        if let Some(text) = told.text {
            shop.notice = text;
        }
        Ok(())
    }

    fn rows(self) -> impl Iterator<Item = serde_json::Result<String>> {
        let Self { rows, staff, .. } = self;
        rows.into_values().map(move |mut shop| {
            let staff = staff.get(&shop.shop).map_or(0, HashSet::len);
            shop.staff = u32::try_from(staff).unwrap_or(u32::MAX);
            serde_json::to_string(&shop)
        })
    }
}
