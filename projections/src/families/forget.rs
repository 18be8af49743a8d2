//! Forgetting: what is of somebody whose account has ended, and of a watch that left its circle.

use dface_domain::{envelope::LogPosition, ids::MessageId, reports::Actor};

use super::{
    files,
    rows::{
        EntryRow, OF_CIRCLE, Receipts, TALK, down_key, entry_key, fixes, given_by, given_key, object_id_of,
        of_circle_key, owned, owned_key, position_of, receipts_key, track_key,
    },
};
use crate::projector::{ModelError, Rows};

/// Takes out all that is of somebody: what they told, what was told of them, their receipts and files.
pub(super) fn actor(owner: Actor, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&owned(owner))? {
        entry(position_of(&key)?, rows)?;
        rows.delete(&key);
    }
    for key in rows.keys(&given_by(owner))? {
        let message = receipts_key(MessageId(object_id_of(&key)?));
        if let Some(mut receipts) = rows.get::<Receipts>(&message)? {
            receipts.retain(|receipt| receipt.by != owner);
            put_receipts(&message, &receipts, rows)?;
        }
        rows.delete(&key);
    }
    for key in rows.keys(&fixes(owner))? {
        rows.delete(&key);
    }
    files::forget(owner, rows)
}

/// Where nobody is left who told of a message, there is no row: as if nobody ever had.
pub(super) fn put_receipts(key: &[u8], receipts: &Receipts, rows: &mut Rows) -> Result<(), ModelError> {
    if receipts.is_empty() {
        rows.delete(key);
        return Ok(());
    }
    rows.put(key, receipts)
}

/// Takes an event out of all lists.
pub(super) fn entry(position: LogPosition, rows: &mut Rows) -> Result<(), ModelError> {
    let Some(row) = rows.get::<EntryRow>(&entry_key(position))? else { return Ok(()) };
    for group in &row.groups {
        for tag in [OF_CIRCLE, TALK] {
            rows.delete(&of_circle_key(tag, *group, position));
        }
        for imei in super::bound(*group, rows)? {
            rows.delete(&down_key(imei, position));
        }
    }
    for owner in &row.owners {
        rows.delete(&owned_key(*owner, position));
        if let Actor::Watch(imei) = owner {
            rows.delete(&track_key(*imei, row.at, position));
            rows.delete(&down_key(*imei, position));
        }
    }
    if let Some(receipts) = rows.get::<Receipts>(&receipts_key(row.message))? {
        for receipt in receipts {
            rows.delete(&given_key(receipt.by, row.message));
        }
        rows.delete(&receipts_key(row.message));
    }
    rows.delete(&entry_key(position));
    Ok(())
}
