//! An external MQTT broker, a Mosquitto, with two nodes: one of them publishes, and when it is killed the other goes on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use dface_tests::{
    family::{Family, event_of},
    mosquitto::Mosquitto,
    mqtt::{KINDS, MqttClient, Wanted},
};
use serde_json::{Value, json};

use super::{
    fleet::Fleet,
    found,
    load::{Shared, Writers, tells, told_in},
};

/// Messages of the watch before the owner of the broker dies, and in all.
const BEFORE: usize = 10;
const STEPS: usize = 30;

/// What was heard of the watch: event → the ids under which it came, as often as it came.
fn heard(phone: &MqttClient) -> BTreeMap<String, Vec<Value>> {
    let mut heard: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for data in phone.heard() {
        if let Some(event) = event_of(&data) {
            heard.entry(event).or_default().push(data["message_id"].clone());
        }
    }
    heard
}

#[test]
fn an_external_broker_is_told_once_by_one_of_two_nodes_and_by_the_other_when_that_is_killed() {
    let broker = Mosquitto::start();
    let mut fleet = Fleet::of(2, |setup| setup.set("MQTT__BROKER", format!("mqtt://dface@{}", broker.at())));
    let family = Family::made(&mut fleet.nodes[0], 0);
    let member = &family.members[0];
    let mut phone = MqttClient::connect(KINDS[0], &Wanted::new(broker.at(), &member.user, "none").kept());
    phone.listens(&format!("xunqun/group/{}/#", family.group));
    let owner = fleet.owned(0, &["mqtt"], |_| true)["mqtt"];

    let shared = Shared::of(fleet.doors());
    let mut watches = Writers::of(&shared);
    let watch = family.watch.clone();
    watches.begin(move |shared| tells(shared, &watch, STEPS));
    shared.allow(BEFORE);
    found("all is heard", || (heard(&phone).len() == told_in(BEFORE)).then_some(()));
    for (event, ids) in heard(&phone) {
        assert_eq!(ids.len(), 1, "the event {event} came again, and nobody had died: {ids:?}");
    }
    says_that_it_is_open(&fleet, &mut phone, member.user);

    // It dies in the middle of telling.
    shared.allow(STEPS);
    found("half is told", || (shared.answered.load(Ordering::SeqCst) > usize::midpoint(BEFORE, STEPS)).then_some(()));
    fleet.kill(owner);
    watches.join();
    fleet.owned(1 - owner, &["mqtt"], |now| now != owner);
    found("all is heard", || (heard(&phone).len() == told_in(STEPS)).then_some(()));
    // Who has the app open is known to the node that heard it, so this is another member.
    says_that_it_is_open(&fleet, &mut phone, family.members[1].user);
    fleet.start_again(owner);
    let after = fleet.owned(owner, &["mqtt"], |_| true);
    assert_eq!(after["mqtt"], 1 - owner, "who comes back takes nothing away");
    let mut ids = BTreeSet::new();
    for (event, of_event) in heard(&phone) {
        let different: BTreeSet<Option<String>> = of_event.iter().map(|id| id.as_str().map(str::to_owned)).collect();
        assert_eq!(different.len(), 1, "the event {event} came as {different:?}");
        ids.extend(different.into_iter().flatten());
    }
    // Every other event is a position, which the seed gives no id.
    assert_eq!(ids.len(), told_in(STEPS) / 2, "each SMS has an id of its own");
}

/// An app says over the broker that it was opened, and one node notes it.
#[track_caller]
fn says_that_it_is_open(fleet: &Fleet, phone: &mut MqttClient, user: u64) {
    let before = fleet.events("FocusChanged").len();
    // Who begins to listen may not do so yet.
    let changed = found("the app's word is noted", || {
        phone.publish("xunqun/app/status", &json!({"user_id": user.to_string(), "focus": 1}));
        fleet.events("FocusChanged").get(before).cloned()
    });
    assert_eq!((&changed["user"], &changed["on"]), (&json!(user), &json!(true)));
    assert_eq!(fleet.events("FocusChanged").len(), before + 1, "it is noted once");
}
