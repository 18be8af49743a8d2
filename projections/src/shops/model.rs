//! Shops as rows, and as the index in memory.
//!
//! Rows: `s shop` → what is known of it.

use dface_domain::{
    envelope::Recorded,
    events::{Event, ShopDetails},
    ids::{ShopId, UserId},
};
use fjall::Keyspace;
use parking_lot::{RwLock, RwLockReadGuard};
use serde::{Deserialize, Serialize};

use super::{ShopEntry, ShopIndex};
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const SHOP: u8 = b's';

/// What is known of a shop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShopRow {
    /// Name, address, place and type.
    pub details: ShopDetails,
    /// Its notice, or empty.
    pub notice: String,
    /// Who works there.
    pub staff: Vec<UserId>,
    /// The import that brought it.
    pub source: Option<String>,
}

/// A `ShopRow` of what an event holds, without copying it.
#[derive(Serialize)]
struct NewShopRow<'a> {
    details: &'a ShopDetails,
    notice: &'a str,
    staff: &'a [UserId],
    source: &'a Option<String>,
}

/// Turns shop events into shops.
pub struct Shops;

impl ReadModel for Shops {
    type View = ShopsView;

    const NAME: &'static str = "shops";
    const SCHEMA: u32 = 1;
    const WANTS: &'static [&'static str] =
        &["ShopAdded", "ShopCorrected", "ShopNoticeChanged", "ShopStaffAdded", "ShopStaffRemoved"];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, _: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::ShopAdded(event) => {
                let row = NewShopRow { details: &event.details, notice: "", staff: &[], source: &event.source };
                rows.put(&KeyBuf::tag(SHOP).shop(event.shop), &row)
            }
            Event::ShopCorrected(event) => change(rows, event.shop, |row| row.details = event.details.clone()),
            Event::ShopNoticeChanged(event) => change(rows, event.shop, |row| row.notice.clone_from(&event.text)),
            Event::ShopStaffAdded(event) => change(rows, event.shop, |row| row.staff.push(event.user)),
            Event::ShopStaffRemoved(event) => {
                change(rows, event.shop, |row| row.staff.retain(|user| *user != event.user))
            }
            _ => Ok(()),
        }
    }
}

fn change(rows: &mut Rows, shop: ShopId, how: impl FnOnce(&mut ShopRow)) -> Result<(), ModelError> {
    let key = KeyBuf::tag(SHOP).shop(shop);
    let mut row: ShopRow = rows.get(&key)?.ok_or_else(|| ModelError::Event(format!("there is no shop {shop}")))?;
    how(&mut row);
    rows.put(&key, &row)
}

/// Shops: places and names in memory, notice and staff on disk.
pub struct ShopsView {
    rows: Keyspace,
    index: RwLock<ShopIndex>,
}

impl View for ShopsView {
    fn open(_: &Parts, keyspace: Keyspace) -> Result<Self, ModelError> {
        let entries = rows::scan::<ShopRow>(&keyspace, &[SHOP])
            .map(|found| {
                let (key, row) = found?;
                Ok(ShopEntry::new(shop_of(&key)?, &row.details))
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        Ok(Self { rows: keyspace, index: RwLock::new(ShopIndex::bulk(entries)) })
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        let Ok(shop) = shop_of(key) else { return };
        match value.and_then(|bytes| rows::decode_row::<ShopRow>(bytes).ok()) {
            Some(row) => {
                self.index.write().insert(ShopEntry::new(shop, &row.details));
            }
            None => {
                self.index.write().remove(shop);
            }
        }
    }
}

fn shop_of(key: &[u8]) -> Result<ShopId, ModelError> {
    let shop = KeyReader::tagged(key, SHOP).and_then(|mut reader| reader.shop());
    shop.ok_or_else(|| ModelError::Row("a key among the shops".to_owned()))
}

impl ShopsView {
    /// Places and names; not to be held over an await.
    pub fn index(&self) -> RwLockReadGuard<'_, ShopIndex> {
        self.index.read()
    }

    /// All that is known of a shop.
    ///
    /// # Errors
    /// The disk's.
    pub fn get(&self, shop: ShopId) -> Result<Option<ShopRow>, ModelError> {
        self.rows.get(&*KeyBuf::tag(SHOP).shop(shop))?.map(|bytes| rows::decode_row(&bytes)).transpose()
    }

    /// A shop's name.
    #[must_use]
    pub fn name(&self, shop: ShopId) -> Option<String> {
        let index = self.index();
        index.slot_of(shop).and_then(|slot| index.get(slot)).map(|entry| entry.name().to_owned())
    }
}
