//! Family circles (圈子): who is in one, who decides, which codes let somebody in. One stream for each circle; its watches are streams of their
//! own (`watches`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    envelope::LogPosition,
    events::{
        CircleCreated, CircleEnded, CircleInvited, CircleJoined, CircleLeft, Event, GuardianChanged,
        LocationSharingChanged,
    },
    ids::{GroupId, Imei, MessageId, UserId},
    ports::PortFuture,
    privacy::{Place, may_decide_in_circle, may_see_circle},
    rejection::Rejection,
    time::Timestamp,
    watches::KeyHash,
};

#[cfg(test)]
mod tests;

/// Seconds that a code to join by lives.
pub const CODE_S: i64 = 86_400;

/// What is in which circle cannot be told now; works again later.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct CirclesUnknown(pub String);

/// What is in which circle: asked by the processes that follow an account's or a circle's end, answered by a read model.
pub trait CirclesKnown: Send + Sync {
    /// The circles that have not let go yet of somebody whose account has ended, once all events up to `as_of` count.
    fn erased_from(&self, user: UserId, as_of: LogPosition) -> PortFuture<'_, Result<Vec<GroupId>, CirclesUnknown>>;

    /// The watches that are bound to a circle, once all events up to `as_of` count.
    fn watches_of(&self, group: GroupId, as_of: LogPosition) -> PortFuture<'_, Result<Vec<Imei>, CirclesUnknown>>;
}

/// A circle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circle {
    group: Option<GroupId>,
    members: BTreeMap<UserId, Member>,
    codes: BTreeMap<KeyHash, Code>,
    /// Whoever was in it: they know that there is such a circle.
    former: BTreeSet<UserId>,
    /// How many came so far.
    came: u64,
    /// Who was out last, once it is over.
    last: Option<UserId>,
    ended: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Member {
    /// The how manieth to come: the eldest has the lowest.
    nth: u64,
    guardian: bool,
    shares: bool,
    /// By which code; none who made the circle.
    code: Option<KeyHash>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Code {
    by: UserId,
    until: Timestamp,
}

/// What can be asked of a circle.
#[derive(Debug, Clone)]
pub enum CircleCommand {
    /// It is made.
    Create(CircleCreated),
    /// A guardian makes a code to join by.
    Invite {
        /// The code.
        invited: CircleInvited,
        /// When.
        now: Timestamp,
        /// Codes that may be open.
        most: usize,
    },
    /// Somebody comes by a code.
    Join {
        /// Who, by which code.
        joined: CircleJoined,
        /// When.
        now: Timestamp,
        /// Members that it may have.
        most: usize,
    },
    /// Somebody leaves, or a guardian removes them.
    Leave(CircleLeft),
    /// A guardian makes a member one, or none.
    SetGuardian(GuardianChanged),
    /// A member shows where they are, or no more.
    Share(LocationSharingChanged),
    /// Somebody's account has ended.
    LetGo {
        /// Whose.
        user: UserId,
        /// The message that tells of it.
        message: MessageId,
    },
}

impl Circle {
    /// What somebody is in it.
    #[must_use]
    pub fn place(&self, user: UserId) -> Place {
        match self.members.get(&user) {
            _ if self.ended => Place::Outside,
            Some(member) if member.guardian => Place::Guardian,
            Some(_) => Place::Member,
            None => Place::Outside,
        }
    }

    /// Whether somebody may decide in it.
    ///
    /// # Errors
    /// They are not in it, or no guardian.
    pub fn must_decide(&self, group: GroupId, user: UserId) -> Result<(), Rejection> {
        let place = self.place(user);
        if !may_see_circle(place) {
            return Err(Rejection::CircleUnknown(group));
        }
        if may_decide_in_circle(place) { Ok(()) } else { Err(Rejection::NotGuardian) }
    }

    /// Whether somebody is in it who came by this code.
    #[must_use]
    pub fn came_by(&self, user: UserId, code: KeyHash) -> bool {
        !self.ended && self.members.get(&user).is_some_and(|member| member.code == Some(code))
    }

    /// Who was out last, where it is over.
    #[must_use]
    pub fn ended_by(&self) -> Option<UserId> {
        self.last.filter(|_| self.ended)
    }

    fn is_last_guardian(&self, user: UserId) -> bool {
        self.place(user) == Place::Guardian && self.members.values().filter(|member| member.guardian).count() == 1
    }

    fn invite(&self, invited: &CircleInvited, now: Timestamp, most: usize) -> Result<Vec<Event>, Rejection> {
        self.must_decide(invited.group, invited.by)?;
        if self.codes.contains_key(&invited.code) {
            return Ok(vec![]);
        }
        if self.codes.values().filter(|code| code.until > now).count() >= most {
            return Err(Rejection::TooManyCodes(most));
        }
        Ok(vec![invited.clone().into()])
    }

    fn join(&self, joined: &CircleJoined, now: Timestamp, most: usize) -> Result<Vec<Event>, Rejection> {
        if self.came_by(joined.user, joined.code) {
            return Ok(vec![]);
        }
        let code = self.codes.get(&joined.code).filter(|code| code.until > now);
        // Whoever decides no more lets nobody in either.
        let good = code.is_some_and(|code| self.place(code.by) == Place::Guardian);
        if !good {
            return Err(Rejection::CodeUnknown);
        }
        if self.members.contains_key(&joined.user) {
            return Ok(vec![]);
        }
        if self.members.len() >= most {
            return Err(Rejection::CircleFull(most));
        }
        Ok(vec![joined.clone().into()])
    }

    fn leave(&self, left: &CircleLeft) -> Result<Vec<Event>, Rejection> {
        if left.operator == left.user {
            if self.former.contains(&left.user) && !self.members.contains_key(&left.user) {
                return Ok(vec![]);
            }
            if !may_see_circle(self.place(left.user)) {
                return Err(Rejection::CircleUnknown(left.group));
            }
        } else {
            self.must_decide(left.group, left.operator)?;
            if !self.members.contains_key(&left.user) {
                let was_there = self.former.contains(&left.user);
                return if was_there { Ok(vec![]) } else { Err(Rejection::MemberUnknown(left.user)) };
            }
        }
        if self.is_last_guardian(left.user) && self.members.len() > 1 {
            return Err(Rejection::LastGuardian);
        }
        Ok(self.out(left.clone()))
    }

    /// Somebody is out, and with the last one the circle is over.
    fn out(&self, left: CircleLeft) -> Vec<Event> {
        let group = left.group;
        let over = (self.members.len() == 1).then(|| CircleEnded { group }.into());
        [left.into()].into_iter().chain(over).collect()
    }

    fn set_guardian(&self, changed: &GuardianChanged) -> Result<Vec<Event>, Rejection> {
        self.must_decide(changed.group, changed.by)?;
        let member = self.members.get(&changed.user).ok_or(Rejection::MemberUnknown(changed.user))?;
        if member.guardian == changed.on {
            return Ok(vec![]);
        }
        if self.is_last_guardian(changed.user) {
            return Err(Rejection::LastGuardian);
        }
        Ok(vec![changed.clone().into()])
    }

    fn share(&self, changed: &LocationSharingChanged) -> Result<Vec<Event>, Rejection> {
        let member = self.members.get(&changed.user).filter(|_| !self.ended);
        let member = member.ok_or(Rejection::CircleUnknown(changed.group))?;
        Ok(if member.shares == changed.on { vec![] } else { vec![changed.clone().into()] })
    }

    /// Where nobody else decides, whoever is there longest does from now on.
    fn let_go(&self, user: UserId, message: MessageId) -> Vec<Event> {
        let (Some(group), true) = (self.group, may_see_circle(self.place(user))) else { return vec![] };
        let others = self.members.iter().filter(|(other, _)| **other != user);
        let eldest = others.min_by_key(|(_, member)| member.nth).filter(|_| self.is_last_guardian(user));
        let takes_over = eldest.map(|(other, _)| GuardianChanged { group, user: *other, on: true, by: *other }.into());
        let left = CircleLeft { group, user, operator: user, message };
        takes_over.into_iter().chain(self.out(left)).collect()
    }

    fn come(&mut self, user: UserId, guardian: bool, code: Option<KeyHash>) {
        self.members.insert(user, Member { nth: self.came, guardian, shares: false, code });
        self.came += 1;
        self.former.remove(&user);
    }
}

impl Aggregate for Circle {
    type Command = CircleCommand;

    fn decide(&self, command: &CircleCommand) -> Result<Vec<Event>, Rejection> {
        match command {
            CircleCommand::Create(created) if self.group.is_none() => Ok(vec![created.clone().into()]),
            CircleCommand::Create(created) => Err(Rejection::IdTaken(created.group.to_string())),
            CircleCommand::Invite { invited, now, most } => self.invite(invited, *now, *most),
            CircleCommand::Join { joined, now, most } => self.join(joined, *now, *most),
            CircleCommand::Leave(left) => self.leave(left),
            CircleCommand::SetGuardian(changed) => self.set_guardian(changed),
            CircleCommand::Share(changed) => self.share(changed),
            CircleCommand::LetGo { user, message } => Ok(self.let_go(*user, *message)),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::CircleCreated(event) => {
                self.group = Some(event.group);
                self.come(event.user, true, None);
            }
            Event::CircleInvited(event) => {
                // What is over goes now and then, so that there are never many.
                self.codes.retain(|_, code| code.until > event.until.plus_seconds(-CODE_S));
                self.codes.insert(event.code, Code { by: event.by, until: event.until });
            }
            Event::CircleJoined(event) => {
                self.codes.remove(&event.code);
                self.come(event.user, false, Some(event.code));
            }
            Event::CircleLeft(event) => {
                self.members.remove(&event.user);
                self.codes.retain(|_, code| code.by != event.user);
                self.former.insert(event.user);
                self.last = Some(event.user);
            }
            Event::CircleEnded(_) => {
                self.ended = true;
                self.codes.clear();
            }
            Event::GuardianChanged(event) => {
                if let Some(member) = self.members.get_mut(&event.user) {
                    member.guardian = event.on;
                }
            }
            Event::LocationSharingChanged(event) => {
                if let Some(member) = self.members.get_mut(&event.user) {
                    member.shares = event.on;
                }
            }
            _ => {}
        }
    }
}
