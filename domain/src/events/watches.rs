//! Watches (腕表): where they come from, in which circle they are, how they are set, whether they can be reached.

use super::macros::event;
use crate::{
    ids::{GroupId, Imei, MessageId, UserId},
    sealed::Sealed,
    watches::{KeyHash, WatchDetails},
};

event! {
    /// An operator made a watch known, with what proves that somebody has it in hands.
    WatchImported, schema 1 {
        /// The watch.
        imei: Imei => Person,
        /// Keyed hash of the key that it signs in with.
        key: KeyHash => Secret,
        /// Keyed hash of the code that is printed on it.
        code: KeyHash => Secret,
    }
}

event! {
    /// A guardian took a watch into the circle (type 14).
    WatchBound, schema 1 {
        /// The watch.
        imei: Imei => Person,
        /// How many times it was bound, this one included: names its key (`Imei::subject`).
        binding: u16 => Public,
        /// The circle.
        group: GroupId => Circle,
        /// Which guardian.
        by: UserId => Person,
        /// Version of the text that the guardian agreed to.
        consent: String => Public,
        /// What it is called and the like.
        details: Sealed<WatchDetails> => Personal,
        /// Keyed hash of a key that was made for it, in place of an earlier one; none where it has the factory's.
        key: Option<KeyHash> => Secret,
        /// The message that tells of it.
        message: MessageId => Public,
    }
}

event! {
    /// A guardian changed a watch's names or switches.
    WatchChanged, schema 1 {
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// Which guardian.
        by: UserId => Person,
        /// What it is called and the like, all of it.
        details: Sealed<WatchDetails> => Personal,
        /// Whether it is locked.
        lock: bool => Public,
        /// Whether it tells that it was taken off.
        fall: bool => Public,
        /// What the watch is told (`settings`).
        message: MessageId => Public,
    }
}

event! {
    /// A watch left its circle (type 15); its key is destroyed.
    WatchUnbound, schema 1 {
        /// The watch.
        imei: Imei => Person,
        /// Which time in a circle ended.
        binding: u16 => Public,
        /// The circle.
        group: GroupId => Circle,
        /// Which guardian, or who was the circle's last member.
        by: UserId => Person,
        /// The message that tells of it, the watch too.
        message: MessageId => Public,
    }
}

event! {
    /// A watch that was unbound knows of it, or had a day to: it signs in no more.
    WatchReleased, schema 1 {
        /// The watch.
        imei: Imei => Person,
        /// Which time in a circle.
        binding: u16 => Public,
    }
}

event! {
    /// A watch can be reached again, or no more (type 16).
    WatchPresenceChanged, schema 1 {
        /// The message that tells of it.
        message: MessageId => Public,
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// Reached again, or no more.
        online: bool => Public,
    }
}

event! {
    /// A watch's battery is low: 20 % or less, once until it was charged (type 6).
    BatteryLow, schema 1 {
        /// The message that tells of it.
        message: MessageId => Public,
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// What is left, per cent.
        percent: u8 => Public,
    }
}

event! {
    /// A watch's battery is above 20 % again.
    BatteryCharged, schema 1 {
        /// The watch.
        imei: Imei => Person,
        /// Its circle.
        group: GroupId => Circle,
        /// What it has, per cent.
        percent: u8 => Public,
    }
}

event! {
    /// A watch told something, to whichever node: said seldom, and only where several nodes share the log, so that the one that looks for silent watches knows.
    WatchHeard, schema 1 {
        /// The watch.
        imei: Imei => Person,
    }
}
