//! What two people are to each other: one stream for the pair, so that every rule on both needs no other.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, Followed, Unfollowed},
    ids::{RecordId, UserId},
    rejection::Rejection,
};

/// A pair of people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    follows: Vec<(UserId, RecordId)>,
}

impl Relation {
    /// The record of `user` following the other one.
    #[must_use]
    pub fn follow_of(&self, user: UserId) -> Option<RecordId> {
        self.follows.iter().find(|(who, _)| *who == user).map(|(_, record)| *record)
    }
}

/// What can be asked of a pair.
#[derive(Debug, Clone)]
pub enum RelationCommand {
    /// One follows the other (§21).
    Follow(Followed),
    /// One follows the other no more (§22).
    Unfollow(Unfollowed),
}

impl Aggregate for Relation {
    type Command = RelationCommand;

    fn decide(&self, command: &RelationCommand) -> Result<Vec<Event>, Rejection> {
        match command {
            RelationCommand::Follow(event) if event.user == event.follow => Err(Rejection::FollowsOneself),
            RelationCommand::Follow(event) if self.follow_of(event.user).is_some() => Ok(vec![]),
            RelationCommand::Follow(event) => Ok(vec![event.clone().into()]),
            RelationCommand::Unfollow(event) if self.follow_of(event.user).is_none() => Ok(vec![]),
            RelationCommand::Unfollow(event) => Ok(vec![event.clone().into()]),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Followed(event) => self.follows.push((event.user, event.record)),
            Event::Unfollowed(event) => self.follows.retain(|(who, _)| *who != event.user),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::testing::given;

    const ANNA: UserId = UserId::Number(1);
    const BEN: UserId = UserId::Number(2);

    fn followed(user: UserId, follow: UserId) -> Followed {
        Followed { record: RecordId(5), user, follow }
    }

    #[test]
    fn following_twice_is_following_once() {
        let follow = RelationCommand::Follow(followed(ANNA, BEN));
        given::<Relation>([]).when(&follow).then([followed(ANNA, BEN).into()]);
        given::<Relation>([followed(ANNA, BEN).into()]).when(&follow).then_nothing();
        given::<Relation>([followed(BEN, ANNA).into()]).when(&follow).then([followed(ANNA, BEN).into()]);
    }

    #[test]
    fn nobody_follows_themselves() {
        given::<Relation>([]).when(&RelationCommand::Follow(followed(ANNA, ANNA))).then_err(Rejection::FollowsOneself);
    }

    #[test]
    fn unfollowing_ends_one_direction() {
        let unfollowed = Unfollowed { user: ANNA, follow: BEN };
        let unfollow = RelationCommand::Unfollow(unfollowed.clone());
        let both = [Event::from(followed(ANNA, BEN)), followed(BEN, ANNA).into()];
        given::<Relation>(both.clone()).when(&unfollow).then([unfollowed.clone().into()]);
        let after = both.into_iter().chain([Event::from(unfollowed)]);
        given::<Relation>(after).when(&unfollow).then_nothing();
    }
}
