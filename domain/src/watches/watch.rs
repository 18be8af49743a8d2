//! A watch (腕表): the key that it signs in with, its circle, its switches, whether it can be reached. One stream each.

use serde::{Deserialize, Serialize};

use super::{KeyHash, WatchDetails};
use crate::{
    aggregate::Aggregate,
    events::{
        BatteryCharged, BatteryLow, Event, WatchBound, WatchChanged, WatchImported, WatchPresenceChanged,
        WatchReleased, WatchUnbound,
    },
    ids::{GroupId, Imei, MessageId, UserId},
    rejection::Rejection,
    sealed::Sealed,
};

#[cfg(test)]
mod tests;

/// Per cent at which a battery is low.
pub const LOW_PERCENT: u8 = 20;

/// A watch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    key: Option<KeyHash>,
    code: Option<KeyHash>,
    /// How many times it was bound.
    bindings: u16,
    bound: Option<Bound>,
    /// Its circle from before.
    left: Option<Left>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bound {
    group: GroupId,
    /// The message that told of it: a repeat of the same request is known by it.
    message: MessageId,
    details: Sealed<WatchDetails>,
    lock: bool,
    fall: bool,
    online: bool,
    low: bool,
    /// What told last that the battery is low.
    told_low: Option<MessageId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    group: GroupId,
    binding: u16,
    /// It knows, or had its time to.
    released: bool,
}

/// What shows that a watch is in a guardian's hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// The code that is printed on it, where one was given.
    pub code: Option<KeyHash>,
    /// Watches that nobody made known may be bound too.
    pub open: bool,
}

/// What a watch told of its battery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatteryTold {
    /// The watch.
    pub imei: Imei,
    /// What is left, per cent.
    pub percent: u8,
    /// The message that would tell of it.
    pub message: MessageId,
}

/// What can be asked of a watch.
#[derive(Debug, Clone)]
pub enum WatchCommand {
    /// An operator makes it known.
    Import(WatchImported),
    /// A guardian, whom the circle knows as one, takes it in.
    Bind {
        /// What happens; its key counts where nobody made the watch known.
        bound: WatchBound,
        /// What shows that it is theirs.
        proof: Proof,
    },
    /// A guardian, whom the circle knows as one, changes it.
    Set {
        /// The watch.
        imei: Imei,
        /// Its circle.
        group: GroupId,
        /// Which guardian.
        by: UserId,
        /// All that is said of it, where that changed.
        details: Option<Sealed<WatchDetails>>,
        /// Whether it is locked, where that was given.
        lock: Option<bool>,
        /// Whether it tells that it was taken off, where that was given.
        fall: Option<bool>,
        /// What the watch is told.
        message: MessageId,
    },
    /// It leaves its circle.
    Unbind {
        /// The watch.
        imei: Imei,
        /// The circle.
        group: GroupId,
        /// Who did it.
        by: UserId,
        /// The message that tells of it.
        message: MessageId,
    },
    /// It knows that it is in no circle any more, or had its time to.
    Release {
        /// The watch.
        imei: Imei,
        /// Which time in a circle.
        binding: u16,
    },
    /// It can be reached, or no more.
    Presence {
        /// The watch.
        imei: Imei,
        /// Whether it can be reached.
        online: bool,
        /// The message that tells of it.
        message: MessageId,
    },
    /// It told of its battery.
    Battery(BatteryTold),
}

impl Watch {
    /// The number of its next time in a circle: what is sealed for that time is sealed with that key.
    ///
    /// # Errors
    /// It is in a circle, it is not shown that it is theirs, or it was bound more often than anybody can count.
    pub fn next_binding(&self, proof: Proof) -> Result<u16, Rejection> {
        self.must_be_proven(proof)?;
        if self.bound.is_some() {
            return Err(Rejection::WatchBound);
        }
        self.bindings.checked_add(1).ok_or(Rejection::WatchBound)
    }

    /// Which time in a circle a repeat of the request with this message began.
    #[must_use]
    pub fn bound_by(&self, message: MessageId) -> Option<u16> {
        self.bound.as_ref().filter(|bound| bound.message == message).map(|_| self.bindings)
    }

    /// Whether an operator made it known: it has the factory's key.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.code.is_some()
    }

    /// The circle that it is in.
    #[must_use]
    pub fn group(&self) -> Option<GroupId> {
        self.bound.as_ref().map(|bound| bound.group)
    }

    /// What guardians say of it, sealed with the key of this time in a circle.
    #[must_use]
    pub fn details(&self) -> Option<(u16, &Sealed<WatchDetails>)> {
        self.bound.as_ref().map(|bound| (self.bindings, &bound.details))
    }

    /// Its circle from before, and which time there ended: the key of that time is to be destroyed.
    #[must_use]
    pub fn left(&self) -> Option<(GroupId, u16)> {
        self.left.map(|left| (left.group, left.binding))
    }

    fn must_be_proven(&self, proof: Proof) -> Result<(), Rejection> {
        // Keyed hashes: how far two of them are equal tells nothing of what they are of.
        let proven = if self.is_known() { proof.code == self.code } else { proof.open };
        if proven { Ok(()) } else { Err(Rejection::WrongCode) }
    }

    fn bind(&self, bound: &WatchBound, proof: Proof) -> Result<Vec<Event>, Rejection> {
        if self.bound_by(bound.message) == Some(bound.binding) {
            return Ok(vec![]);
        }
        // Where somebody else bound and unbound it meanwhile, what is sealed is sealed with a key that is gone.
        if self.next_binding(proof)? != bound.binding {
            return Err(Rejection::WatchBound);
        }
        let key = bound.key.filter(|_| !self.is_known());
        Ok(vec![WatchBound { key, ..bound.clone() }.into()])
    }

    fn bound_to(&self, group: GroupId) -> Result<&Bound, Rejection> {
        self.bound.as_ref().filter(|bound| bound.group == group).ok_or(Rejection::WatchUnknown)
    }

    fn battery(&self, told: BatteryTold) -> Option<Event> {
        let (bound, BatteryTold { imei, percent, message }) = (self.bound.as_ref()?, told);
        let (group, is_low) = (bound.group, percent <= LOW_PERCENT);
        if is_low == bound.low || (is_low && bound.told_low == Some(message)) {
            return None;
        }
        Some(match is_low {
            true => BatteryLow { message, imei, group, percent }.into(),
            false => BatteryCharged { imei, group, percent }.into(),
        })
    }
}

impl Aggregate for Watch {
    type Command = WatchCommand;

    fn decide(&self, command: &WatchCommand) -> Result<Vec<Event>, Rejection> {
        Ok(match command {
            WatchCommand::Import(event) if (self.key, self.code) == (Some(event.key), Some(event.code)) => vec![],
            WatchCommand::Import(event) => vec![event.clone().into()],
            WatchCommand::Bind { bound, proof } => self.bind(bound, *proof)?,
            WatchCommand::Set { imei, group, by, details, lock, fall, message } => {
                let bound = self.bound_to(*group)?;
                let (lock, fall) = (lock.unwrap_or(bound.lock), fall.unwrap_or(bound.fall));
                if details.is_none() && (lock, fall) == (bound.lock, bound.fall) {
                    return Ok(vec![]);
                }
                let details = details.clone().unwrap_or_else(|| bound.details.clone());
                let (imei, group, by, message) = (*imei, *group, *by, *message);
                vec![WatchChanged { imei, group, by, details, lock, fall, message }.into()]
            }
            WatchCommand::Unbind { imei, group, by, message } => match self.bound_to(*group) {
                Ok(_) => {
                    let (imei, binding, group, by, message) = (*imei, self.bindings, *group, *by, *message);
                    vec![WatchUnbound { imei, binding, group, by, message }.into()]
                }
                Err(_) if self.bound.is_none() && self.left.is_some_and(|left| left.group == *group) => vec![],
                Err(unknown) => return Err(unknown),
            },
            WatchCommand::Release { imei, binding } => {
                let waits = self.left.is_some_and(|left| left.binding == *binding && !left.released);
                let released = WatchReleased { imei: *imei, binding: *binding };
                if waits { vec![released.into()] } else { vec![] }
            }
            WatchCommand::Presence { imei, online, message } => match &self.bound {
                Some(Bound { group, online: known, .. }) if known != online => {
                    let (message, imei, group, online) = (*message, *imei, *group, *online);
                    vec![WatchPresenceChanged { message, imei, group, online }.into()]
                }
                _ => vec![],
            },
            WatchCommand::Battery(told) => self.battery(*told).into_iter().collect(),
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::WatchImported(event) => (self.key, self.code) = (Some(event.key), Some(event.code)),
            Event::WatchBound(event) => {
                self.key = event.key.or(self.key);
                self.bindings = event.binding;
                self.left = None;
                self.bound = Some(Bound {
                    group: event.group,
                    message: event.message,
                    details: event.details.clone(),
                    lock: false,
                    fall: false,
                    online: false,
                    low: false,
                    told_low: None,
                });
            }
            Event::WatchUnbound(event) => {
                self.bound = None;
                self.left = Some(Left { group: event.group, binding: event.binding, released: false });
            }
            Event::WatchReleased(event) => {
                if let Some(left) = self.left.as_mut().filter(|left| left.binding == event.binding) {
                    left.released = true;
                }
            }
            other => {
                if let Some(bound) = &mut self.bound {
                    bound.apply(other);
                }
            }
        }
    }
}

impl Bound {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::WatchChanged(event) => {
                self.details = event.details.clone();
                (self.lock, self.fall) = (event.lock, event.fall);
            }
            Event::WatchPresenceChanged(event) => self.online = event.online,
            Event::BatteryLow(event) => (self.low, self.told_low) = (true, Some(event.message)),
            Event::BatteryCharged(_) => self.low = false,
            _ => {}
        }
    }
}
