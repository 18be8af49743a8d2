use super::*;
use crate::{
    aggregate::testing::given,
    ids::ObjectId,
    sealed::{Sealed, Subject},
};

const GROUP: GroupId = GroupId(7);
const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
const ANNA: UserId = UserId::Number(1);
const BEN: UserId = UserId::Number(2);
const CARL: UserId = UserId::Number(3);

fn message() -> MessageId {
    MessageId(ObjectId([9; 12]))
}

fn created() -> Event {
    let name = Sealed::from_bytes(Subject::User(ANNA), vec![1]);
    CircleCreated { group: GROUP, user: ANNA, name }.into()
}

fn invited(by: UserId, code: u8) -> CircleInvited {
    CircleInvited { group: GROUP, by, code: [code; 16], until: NOW.plus_seconds(CODE_S) }
}

fn joined(user: UserId, code: u8) -> CircleJoined {
    CircleJoined { group: GROUP, user, code: [code; 16], message: message() }
}

fn left(user: UserId, operator: UserId) -> CircleLeft {
    CircleLeft { group: GROUP, user, operator, message: message() }
}

fn guardian(user: UserId, on: bool, by: UserId) -> GuardianChanged {
    GuardianChanged { group: GROUP, user, on, by }
}

/// Anna made it; the others came by codes of hers.
fn of(others: &[UserId]) -> Vec<Event> {
    let mut history = vec![created()];
    for (other, code) in others.iter().zip(50..) {
        history.extend([invited(ANNA, code).into(), joined(*other, code).into()]);
    }
    history
}

fn with(others: &[UserId], more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    of(others).into_iter().chain(more).collect()
}

fn invite(by: UserId, code: u8) -> CircleCommand {
    CircleCommand::Invite { invited: invited(by, code), now: NOW, most: 2 }
}

fn join_at(user: UserId, code: u8, now: Timestamp) -> CircleCommand {
    CircleCommand::Join { joined: joined(user, code), now, most: 3 }
}

fn join(user: UserId, code: u8) -> CircleCommand {
    join_at(user, code, NOW)
}

fn leave(user: UserId, operator: UserId) -> CircleCommand {
    CircleCommand::Leave(left(user, operator))
}

fn let_go(user: UserId) -> CircleCommand {
    CircleCommand::LetGo { user, message: message() }
}

#[test]
fn guardians_alone_invite_and_a_circle_has_so_many_open_codes() {
    given::<Circle>(of(&[])).when(&invite(ANNA, 1)).then([invited(ANNA, 1).into()]);
    given::<Circle>(of(&[BEN])).when(&invite(BEN, 1)).then_err(Rejection::NotGuardian);
    given::<Circle>(of(&[])).when(&invite(CARL, 1)).then_err(Rejection::CircleUnknown(GROUP));
    given::<Circle>([]).when(&invite(CARL, 1)).then_err(Rejection::CircleUnknown(GROUP));
    let two = with(&[], [invited(ANNA, 1).into(), invited(ANNA, 2).into()]);
    given::<Circle>(two.clone()).when(&invite(ANNA, 2)).then_nothing();
    given::<Circle>(two.clone()).when(&invite(ANNA, 3)).then_err(Rejection::TooManyCodes(2));
    let tomorrow = NOW.plus_seconds(CODE_S);
    let late = CircleCommand::Invite { invited: invited(ANNA, 3), now: tomorrow, most: 2 };
    given::<Circle>(two).when(&late).then([invited(ANNA, 3).into()]);
}

#[test]
fn a_code_lets_one_in_once_and_for_a_day() {
    let open = with(&[], [invited(ANNA, 1).into()]);
    given::<Circle>(open.clone()).when(&join(BEN, 1)).then([joined(BEN, 1).into()]);
    given::<Circle>(open.clone()).when(&join(BEN, 2)).then_err(Rejection::CodeUnknown);
    let last = NOW.plus_seconds(CODE_S - 1);
    given::<Circle>(open.clone()).when(&join_at(BEN, 1, last)).then([joined(BEN, 1).into()]);
    given::<Circle>(open.clone()).when(&join_at(BEN, 1, NOW.plus_seconds(CODE_S))).then_err(Rejection::CodeUnknown);
    let used = open.into_iter().chain([joined(BEN, 1).into()]).collect::<Vec<_>>();
    given::<Circle>(used.clone()).when(&join(CARL, 1)).then_err(Rejection::CodeUnknown);
    given::<Circle>(used).when(&join(BEN, 1)).then_nothing();
}

#[test]
fn whoever_is_in_uses_no_code_up_and_a_full_circle_lets_nobody_in() {
    let open = |others: &[UserId]| with(others, [invited(ANNA, 1).into()]);
    given::<Circle>(open(&[BEN])).when(&join(BEN, 1)).then_nothing();
    given::<Circle>(open(&[BEN, CARL])).when(&join(UserId::Number(4), 1)).then_err(Rejection::CircleFull(3));
}

#[test]
fn codes_end_with_their_guardian() {
    let bens = [guardian(BEN, true, ANNA).into(), invited(BEN, 1).into()];
    given::<Circle>(with(&[BEN], bens.clone())).when(&join(CARL, 1)).then([joined(CARL, 1).into()]);
    let removed = bens.clone().into_iter().chain([left(BEN, ANNA).into()]);
    given::<Circle>(with(&[BEN], removed)).when(&join(CARL, 1)).then_err(Rejection::CodeUnknown);
    let demoted = bens.into_iter().chain([guardian(BEN, false, ANNA).into()]);
    given::<Circle>(with(&[BEN], demoted)).when(&join(CARL, 1)).then_err(Rejection::CodeUnknown);
}

#[test]
fn one_leaves_or_is_removed_by_a_guardian_and_twice_is_as_once() {
    let both = given::<Circle>(of(&[BEN, CARL]));
    both.when(&leave(BEN, BEN)).then([left(BEN, BEN).into()]);
    both.when(&leave(BEN, ANNA)).then([left(BEN, ANNA).into()]);
    both.when(&leave(BEN, CARL)).then_err(Rejection::NotGuardian);
    both.when(&leave(UserId::Number(4), ANNA)).then_err(Rejection::MemberUnknown(UserId::Number(4)));
    both.when(&leave(UserId::Number(4), UserId::Number(4))).then_err(Rejection::CircleUnknown(GROUP));
    let gone = given::<Circle>(with(&[BEN], [left(BEN, ANNA).into()]));
    gone.when(&leave(BEN, BEN)).then_nothing();
    gone.when(&leave(BEN, ANNA)).then_nothing();
    gone.when(&leave(ANNA, BEN)).then_err(Rejection::CircleUnknown(GROUP));
}

#[test]
fn a_circle_keeps_a_guardian_and_ends_with_its_last_member() {
    let both = given::<Circle>(of(&[BEN]));
    both.when(&leave(ANNA, ANNA)).then_err(Rejection::LastGuardian);
    both.when(&CircleCommand::SetGuardian(guardian(ANNA, false, ANNA))).then_err(Rejection::LastGuardian);
    let ended = CircleEnded { group: GROUP };
    given::<Circle>(of(&[])).when(&leave(ANNA, ANNA)).then([left(ANNA, ANNA).into(), ended.clone().into()]);
    let over = with(&[], [left(ANNA, ANNA).into(), ended.into()]);
    given::<Circle>(over.clone()).when(&leave(ANNA, ANNA)).then_nothing();
    given::<Circle>(over).when(&invite(ANNA, 1)).then_err(Rejection::CircleUnknown(GROUP));
}

#[test]
fn guardians_make_guardians() {
    let set = |user, on, by| CircleCommand::SetGuardian(guardian(user, on, by));
    let both = given::<Circle>(of(&[BEN]));
    both.when(&set(BEN, true, ANNA)).then([guardian(BEN, true, ANNA).into()]);
    both.when(&set(BEN, false, ANNA)).then_nothing();
    both.when(&set(BEN, true, BEN)).then_err(Rejection::NotGuardian);
    both.when(&set(CARL, true, ANNA)).then_err(Rejection::MemberUnknown(CARL));
    let two = given::<Circle>(with(&[BEN], [guardian(BEN, true, ANNA).into()]));
    two.when(&set(ANNA, false, BEN)).then([guardian(ANNA, false, BEN).into()]);
    two.when(&leave(ANNA, ANNA)).then([left(ANNA, ANNA).into()]);
}

#[test]
fn members_alone_show_where_they_are() {
    let shared = |user, on| LocationSharingChanged { group: GROUP, user, on };
    let one = given::<Circle>(of(&[]));
    one.when(&CircleCommand::Share(shared(ANNA, true))).then([shared(ANNA, true).into()]);
    one.when(&CircleCommand::Share(shared(ANNA, false))).then_nothing();
    one.when(&CircleCommand::Share(shared(BEN, true))).then_err(Rejection::CircleUnknown(GROUP));
}

#[test]
fn the_eldest_member_takes_an_ended_accounts_last_guardians_place() {
    let taken = guardian(BEN, true, BEN);
    given::<Circle>(of(&[BEN, CARL])).when(&let_go(ANNA)).then([taken.into(), left(ANNA, ANNA).into()]);
    given::<Circle>(of(&[BEN, CARL])).when(&let_go(BEN)).then([left(BEN, BEN).into()]);
    given::<Circle>(of(&[BEN])).when(&let_go(CARL)).then_nothing();
    let other = with(&[BEN, CARL], [guardian(CARL, true, ANNA).into()]);
    given::<Circle>(other).when(&let_go(ANNA)).then([left(ANNA, ANNA).into()]);
    let ended = CircleEnded { group: GROUP };
    given::<Circle>(of(&[])).when(&let_go(ANNA)).then([left(ANNA, ANNA).into(), ended.into()]);
    let back = with(&[BEN], [left(BEN, BEN).into(), invited(ANNA, 1).into(), joined(BEN, 1).into()]);
    let back = back.into_iter().chain([invited(ANNA, 2).into(), joined(CARL, 2).into()]);
    given::<Circle>(back).when(&leave(BEN, BEN)).then([left(BEN, BEN).into()]);
}
