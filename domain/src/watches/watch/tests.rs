use super::*;
use crate::{aggregate::testing::given, ids::ObjectId};

const GROUP: GroupId = GroupId(7);
const ANNA: UserId = UserId::Number(1);

fn imei() -> Imei {
    Imei::new(861_234_560_000_017).unwrap()
}

fn message(n: u8) -> MessageId {
    MessageId(ObjectId([n; 12]))
}

fn details(binding: u16, n: u8) -> Sealed<WatchDetails> {
    Sealed::from_bytes(imei().subject(binding), vec![n])
}

fn imported() -> WatchImported {
    WatchImported { imei: imei(), key: [1; 16], code: [2; 16] }
}

fn bound(binding: u16) -> WatchBound {
    let (imei, group, by, consent) = (imei(), GROUP, ANNA, "1".to_owned());
    WatchBound { imei, binding, group, by, consent, details: details(binding, 1), key: None, message: message(1) }
}

fn unbound(binding: u16) -> WatchUnbound {
    WatchUnbound { imei: imei(), binding, group: GROUP, by: ANNA, message: message(2) }
}

const PROVEN: Proof = Proof { code: Some([2; 16]), open: false };
const NOTHING: Proof = Proof { code: None, open: false };
const OPEN: Proof = Proof { code: None, open: true };

fn bind(binding: u16, proof: Proof) -> WatchCommand {
    let message = message(u8::try_from(binding).unwrap());
    WatchCommand::Bind { bound: WatchBound { key: Some([3; 16]), message, ..bound(binding) }, proof }
}

fn unbind(group: GroupId) -> WatchCommand {
    WatchCommand::Unbind { imei: imei(), group, by: ANNA, message: message(2) }
}

#[test]
fn an_operator_makes_a_watch_known_and_may_correct_it() {
    given::<Watch>([]).when(&WatchCommand::Import(imported())).then([imported().into()]);
    let known = given::<Watch>([imported().into()]);
    known.when(&WatchCommand::Import(imported())).then_nothing();
    let other = WatchImported { key: [4; 16], ..imported() };
    known.when(&WatchCommand::Import(other.clone())).then([other.into()]);
}

#[test]
fn binding_needs_the_code_on_the_watch_and_keeps_the_factorys_key() {
    let known = given::<Watch>([imported().into()]);
    known.when(&bind(1, PROVEN)).then([bound(1).into()]);
    for wrong in [NOTHING, OPEN, Proof { code: Some([9; 16]), open: true }] {
        known.when(&bind(1, wrong)).then_err(Rejection::WrongCode);
    }
    given::<Watch>([]).when(&bind(1, PROVEN)).then_err(Rejection::WrongCode);
}

#[test]
fn an_unknown_watch_is_bound_where_that_is_open_and_gets_a_key() {
    let with_key = WatchBound { key: Some([3; 16]), ..bound(1) };
    given::<Watch>([]).when(&bind(1, NOTHING)).then_err(Rejection::WrongCode);
    given::<Watch>([]).when(&bind(1, OPEN)).then([with_key.into()]);
}

#[test]
fn a_watch_is_in_one_circle_and_the_same_request_again_is_as_once() {
    let there = given::<Watch>([imported().into(), bound(1).into()]);
    there.when(&bind(2, PROVEN)).then_err(Rejection::WatchBound);
    there.when(&bind(2, NOTHING)).then_err(Rejection::WrongCode);
    there.when(&bind(1, PROVEN)).then_nothing();
    let again = given::<Watch>([imported().into(), bound(1).into(), unbound(1).into()]);
    again.when(&bind(1, PROVEN)).then_err(Rejection::WatchBound);
    again.when(&bind(2, PROVEN)).then([WatchBound { message: message(2), ..bound(2) }.into()]);
}

#[test]
fn a_change_is_told_and_no_change_is_not() {
    let set = |group, details, lock, fall| WatchCommand::Set {
        imei: imei(),
        group,
        by: ANNA,
        details,
        lock,
        fall,
        message: message(3),
    };
    let changed = |n, lock, fall| {
        let (imei, group, by, details, message) = (imei(), GROUP, ANNA, details(1, n), message(3));
        WatchChanged { imei, group, by, details, lock, fall, message }
    };
    let there = given::<Watch>([bound(1).into()]);
    there.when(&set(GROUP, None, Some(true), None)).then([changed(1, true, false).into()]);
    there.when(&set(GROUP, Some(details(1, 2)), None, Some(true))).then([changed(2, false, true).into()]);
    there.when(&set(GROUP, None, Some(false), None)).then_nothing();
    there.when(&set(GroupId(8), None, Some(true), None)).then_err(Rejection::WatchUnknown);
    given::<Watch>([]).when(&set(GROUP, None, Some(true), None)).then_err(Rejection::WatchUnknown);
}

#[test]
fn unbinding_twice_is_as_once_and_the_watch_is_released_once() {
    let there = given::<Watch>([bound(1).into()]);
    there.when(&unbind(GROUP)).then([unbound(1).into()]);
    there.when(&unbind(GroupId(8))).then_err(Rejection::WatchUnknown);
    given::<Watch>([imported().into()]).when(&unbind(GROUP)).then_err(Rejection::WatchUnknown);
    let out = given::<Watch>([bound(1).into(), unbound(1).into()]);
    out.when(&unbind(GROUP)).then_nothing();
    let release = |binding| WatchCommand::Release { imei: imei(), binding };
    let released = WatchReleased { imei: imei(), binding: 1 };
    out.when(&release(1)).then([released.clone().into()]);
    out.when(&release(2)).then_nothing();
    let done = given::<Watch>([bound(1).into(), unbound(1).into(), released.into()]);
    done.when(&release(1)).then_nothing();
    done.when(&unbind(GROUP)).then_nothing();
}

#[test]
fn online_and_offline_are_told_once_each() {
    let presence = |online| WatchCommand::Presence { imei: imei(), online, message: message(4) };
    let told = |online| WatchPresenceChanged { message: message(4), imei: imei(), group: GROUP, online };
    let there = given::<Watch>([bound(1).into()]);
    there.when(&presence(false)).then_nothing();
    there.when(&presence(true)).then([told(true).into()]);
    let online = given::<Watch>([bound(1).into(), told(true).into()]);
    online.when(&presence(true)).then_nothing();
    online.when(&presence(false)).then([told(false).into()]);
    given::<Watch>([bound(1).into(), unbound(1).into()]).when(&presence(true)).then_nothing();
}

#[test]
fn a_low_battery_is_told_once_per_discharge() {
    let battery = |percent, n| WatchCommand::Battery(BatteryTold { imei: imei(), percent, message: message(n) });
    let low = |percent, n| BatteryLow { message: message(n), imei: imei(), group: GROUP, percent };
    let charged = BatteryCharged { imei: imei(), group: GROUP, percent: 21 };
    let there = given::<Watch>([bound(1).into()]);
    there.when(&battery(21, 5)).then_nothing();
    there.when(&battery(20, 5)).then([low(20, 5).into()]);
    let told = given::<Watch>([bound(1).into(), low(20, 5).into()]);
    told.when(&battery(10, 6)).then_nothing();
    told.when(&battery(21, 6)).then([charged.clone().into()]);
    let full = given::<Watch>([bound(1).into(), low(20, 5).into(), charged.into()]);
    full.when(&battery(20, 5)).then_nothing();
    full.when(&battery(3, 7)).then([low(3, 7).into()]);
    given::<Watch>([]).when(&battery(3, 7)).then_nothing();
}
