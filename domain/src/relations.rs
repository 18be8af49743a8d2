//! What two people are to each other: one stream for the pair, so that every rule on both needs no other.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Blocked, Event, Followed, ReportClosed, Unblocked, Unfollowed},
    ids::{RecordId, UserId},
    rejection::Rejection,
};

/// A pair of people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    follows: Vec<(UserId, RecordId)>,
    blocks: Vec<Block>,
    reports: Vec<RecordId>,
}

/// One of the two blocks the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Who blocks.
    pub by: UserId,
    /// The record that §26 answers.
    pub record: RecordId,
    /// Whether it was reported.
    pub report: bool,
}

impl Relation {
    /// The record of `user` following the other one.
    #[must_use]
    pub fn follow_of(&self, user: UserId) -> Option<RecordId> {
        self.follows.iter().find(|(who, _)| *who == user).map(|(_, record)| *record)
    }

    /// How `user` blocks the other one.
    #[must_use]
    pub fn block_of(&self, user: UserId) -> Option<Block> {
        self.blocks.iter().find(|block| block.by == user).copied()
    }

    fn block(&self, event: &Blocked) -> Vec<Event> {
        let again = self.block_of(event.user);
        if again.is_some_and(|block| block.report || !event.report) {
            return vec![];
        }
        // A block that is there already may still be reported; its record stays.
        let event = Blocked { record: again.map_or(event.record, |block| block.record), ..event.clone() };
        let (user, block) = (event.user, event.block);
        let ended = [(user, block), (block, user)]
            .into_iter()
            .filter(|(who, _)| self.follow_of(*who).is_some())
            .map(|(user, follow)| Unfollowed { user, follow }.into());
        ended.chain([event.into()]).collect()
    }
}

/// What can be asked of a pair.
#[derive(Debug, Clone)]
pub enum RelationCommand {
    /// One follows the other (§21).
    Follow(Followed),
    /// One follows the other no more (§22).
    Unfollow(Unfollowed),
    /// One blocks the other (§26).
    Block(Blocked),
    /// One blocks the other no more (§27).
    Unblock(Unblocked),
    /// An operator has dealt with a report.
    CloseReport(ReportClosed),
}

impl Aggregate for Relation {
    type Command = RelationCommand;

    fn decide(&self, command: &RelationCommand) -> Result<Vec<Event>, Rejection> {
        match command {
            RelationCommand::Follow(event) if event.user == event.follow => Err(Rejection::FollowsOneself),
            RelationCommand::Follow(_) if !self.blocks.is_empty() => Err(Rejection::BlockedPair),
            RelationCommand::Follow(event) if self.follow_of(event.user).is_some() => Ok(vec![]),
            RelationCommand::Follow(event) => Ok(vec![event.clone().into()]),
            RelationCommand::Unfollow(event) if self.follow_of(event.user).is_none() => Ok(vec![]),
            RelationCommand::Unfollow(event) => Ok(vec![event.clone().into()]),
            RelationCommand::Block(event) if event.user == event.block => Err(Rejection::BlocksOneself),
            RelationCommand::Block(event) => Ok(self.block(event)),
            RelationCommand::Unblock(event) if self.block_of(event.user).is_none() => Ok(vec![]),
            RelationCommand::Unblock(event) => Ok(vec![event.clone().into()]),
            RelationCommand::CloseReport(event) if self.reports.contains(&event.record) => {
                Ok(vec![event.clone().into()])
            }
            RelationCommand::CloseReport(event) => Err(Rejection::ReportUnknown(event.record)),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Followed(event) => self.follows.push((event.user, event.record)),
            Event::Unfollowed(event) => self.follows.retain(|(who, _)| *who != event.user),
            Event::Blocked(event) => {
                self.blocks.retain(|block| block.by != event.user);
                self.blocks.push(Block { by: event.user, record: event.record, report: event.report });
                if event.report && !self.reports.contains(&event.record) {
                    self.reports.push(event.record);
                }
            }
            Event::Unblocked(event) => self.blocks.retain(|block| block.by != event.user),
            Event::ReportClosed(event) => self.reports.retain(|record| *record != event.record),
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

    fn blocked(report: bool) -> Blocked {
        Blocked { record: RecordId(9), user: ANNA, block: BEN, report }
    }

    #[test]
    fn following_twice_is_following_once() {
        let follow = RelationCommand::Follow(followed(ANNA, BEN));
        given::<Relation>([]).when(&follow).then([followed(ANNA, BEN).into()]);
        given::<Relation>([followed(ANNA, BEN).into()]).when(&follow).then_nothing();
        given::<Relation>([followed(BEN, ANNA).into()]).when(&follow).then([followed(ANNA, BEN).into()]);
    }

    #[test]
    fn nobody_follows_or_blocks_themselves() {
        let none = given::<Relation>([]);
        none.when(&RelationCommand::Follow(followed(ANNA, ANNA))).then_err(Rejection::FollowsOneself);
        let oneself = Blocked { block: ANNA, ..blocked(false) };
        none.when(&RelationCommand::Block(oneself)).then_err(Rejection::BlocksOneself);
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

    #[test]
    fn a_block_ends_the_follows_and_forbids_new_ones() {
        let both = [Event::from(followed(ANNA, BEN)), followed(BEN, ANNA).into()];
        given::<Relation>(both).when(&RelationCommand::Block(blocked(false))).then([
            Unfollowed { user: ANNA, follow: BEN }.into(),
            Unfollowed { user: BEN, follow: ANNA }.into(),
            blocked(false).into(),
        ]);
        let after = given::<Relation>([blocked(false).into()]);
        for (user, follow) in [(ANNA, BEN), (BEN, ANNA)] {
            after.when(&RelationCommand::Follow(followed(user, follow))).then_err(Rejection::BlockedPair);
        }
    }

    #[test]
    fn a_block_is_made_once_reported_later_and_ended_by_whoever_made_it() {
        let after = given::<Relation>([blocked(false).into()]);
        after.when(&RelationCommand::Block(Blocked { record: RecordId(10), ..blocked(false) })).then_nothing();
        let reported = Blocked { record: RecordId(10), ..blocked(true) };
        after.when(&RelationCommand::Block(reported)).then([blocked(true).into()]);
        after.when(&RelationCommand::Unblock(Unblocked { user: BEN, block: ANNA })).then_nothing();
        let unblocked = Unblocked { user: ANNA, block: BEN };
        after.when(&RelationCommand::Unblock(unblocked.clone())).then([unblocked.into()]);
    }

    #[test]
    fn a_report_is_closed_once_and_outlives_the_block() {
        let closed = ReportClosed { record: RecordId(9), user: ANNA, block: BEN };
        let close = RelationCommand::CloseReport(closed.clone());
        given::<Relation>([blocked(false).into()]).when(&close).then_err(Rejection::ReportUnknown(RecordId(9)));
        let unblocked = Event::from(Unblocked { user: ANNA, block: BEN });
        let after = [Event::from(blocked(true)), unblocked];
        given::<Relation>(after.clone()).when(&close).then([closed.clone().into()]);
        let closed_already = after.into_iter().chain([Event::from(closed)]);
        given::<Relation>(closed_already).when(&close).then_err(Rejection::ReportUnknown(RecordId(9)));
    }
}
