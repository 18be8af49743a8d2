//! What circles are told: reports that come in any order and again and again make the same lists, and what is left after an account's end or an
//! unbinding is the same in rows that followed live and in those of a rebuild.

use dface_commands::{
    Context,
    reports::Bond,
    watches::{Binding, WatchRef},
};
use dface_domain::{
    envelope::LogPosition,
    events::Gender,
    geo::Position,
    ids::{GroupId, Imei, MessageId, UserId},
    reports::{Actor, Alarm, LocateKind, Reported, TalkContent, WatchEvent, WatchFix, WatchReport},
    time::Timestamp,
    watches::WatchDetails,
};
use dface_projections::{
    families::{Families, FamiliesView, Stretch},
    projector::Served,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    rebuild::config,
    world::{BEGIN, World},
};

/// All that readers can tell of the watch and its circle.
#[derive(Debug, PartialEq)]
struct Seen {
    track: Vec<(Timestamp, MessageId)>,
    last: Option<MessageId>,
    told: Vec<MessageId>,
    talks: Vec<MessageId>,
    waiting: Vec<MessageId>,
}

struct Circle {
    world: World,
    anna: UserId,
    group: GroupId,
    imei: Imei,
    bond: Bond,
    requests: u128,
}

impl Circle {
    fn new() -> Self {
        let world = World::new();
        let anna = world.person("anna", Gender::Female);
        let imei = Imei::new(861_234_560_000_017).unwrap();
        let run = &world.runtime;
        let (group, _) = run.block_on(world.commands.create_circle(anna, "家", &world.context())).unwrap();
        run.block_on(world.commands.import_watch(imei, "key", None, &world.context())).unwrap();
        let mut circle =
            Self { world, anna, group, imei, bond: Bond { imei, group, binding: 0, fall: true }, requests: 0 };
        circle.bind();
        circle
    }

    fn context(&mut self) -> Context {
        self.requests += 1;
        Context::new(Uuid::from_u128(self.requests))
    }

    fn bind(&mut self) {
        let context = self.context();
        let (commands, run) = (&self.world.commands, &self.world.runtime);
        let binding = Binding { imei: self.imei, group: self.group, by: self.anna, code: Some("key"), open: false };
        let number = run.block_on(commands.may_bind(&binding, &context)).unwrap();
        let nothing = String::new;
        let details = WatchDetails {
            mac: nothing(),
            dev_name: nothing(),
            phone: nothing(),
            fast_call_phone: nothing(),
            image: None,
        };
        run.block_on(commands.bind_watch(&binding, number, nothing(), &details, &context)).unwrap();
        self.bond.binding = number;
    }

    fn unbind(&mut self) {
        let context = self.context();
        let watch = WatchRef { imei: self.imei, group: self.group, by: self.anna };
        self.world.runtime.block_on(self.world.commands.unbind_watch(watch, &context)).unwrap();
    }

    fn report(&self, event: &WatchEvent) {
        let Reported::Told(report) = &event.what else { panic!("{event:?}") };
        let (commands, context) = (&self.world.commands, self.world.context());
        self.world.runtime.block_on(commands.report(&self.bond, event, report, 600, &context)).unwrap();
    }

    fn say(&mut self, user: UserId) -> MessageId {
        let (context, words) = (self.context(), TalkContent::Text("x".to_owned()));
        let said = self.world.commands.send_talk(user, self.group, &words, &context);
        self.world.runtime.block_on(said).unwrap().message
    }

    /// What a read model of that name shows once it is at the head of the log.
    fn seen(&self, name: &str) -> Seen {
        let mut projector = self.world.projector(name);
        let opening = projector.add::<Families>();
        let families: Served<FamiliesView> = projector.take(opening).unwrap();
        self.world.settle(&projector);
        let view = families.view();
        let all = Stretch { from: Timestamp(0), until: Timestamp(i64::MAX), after: None, since: LogPosition(0) };
        let track = view.track(self.imei, all, 0, usize::MAX).unwrap();
        let told = view.after(self.group, LogPosition(0), usize::MAX).unwrap();
        let talks = view.talks(self.group, LogPosition(0)..LogPosition(u64::MAX), 0, usize::MAX).unwrap();
        let seen = Seen {
            track: track.into_iter().map(|entry| (entry.at, entry.message)).collect(),
            last: view.last_fix(Actor::Watch(self.imei)).unwrap().map(|entry| entry.message),
            told: told.into_iter().map(|entry| entry.message).collect(),
            talks: talks.into_iter().map(|entry| entry.message).collect(),
            waiting: view.downs(self.imei).unwrap().into_iter().map(|entry| entry.message).collect(),
        };
        projector.stop();
        seen
    }
}

/// Reports with ids and times of their own.
fn reports(count: usize) -> Vec<WatchEvent> {
    let one = |n: usize| {
        let what = if n.is_multiple_of(3) {
            WatchReport::Alarm(Alarm::Sleep)
        } else {
            let position = Position::new(f64::from(u32::try_from(n).unwrap()), 0.0).unwrap();
            WatchReport::Locate { kind: LocateKind::Gps, locus: false, fix: WatchFix { position, radius: 0 } }
        };
        let clock = Some(BEGIN.plus_seconds(10 * i64::try_from(n).unwrap()));
        WatchEvent { id: n.to_string(), clock, what: Reported::Told(what) }
    };
    (0..count).map(one).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn reports_in_any_order_and_again_make_the_same_lists(
        order in prop::collection::vec(0..9usize, 9..30).prop_map(|mut order| {
            order.extend(0..9);
            order
        }).prop_shuffle()
    ) {
        let reports = reports(9);
        let (once, many) = (Circle::new(), Circle::new());
        reports.iter().for_each(|event| once.report(event));
        order.iter().for_each(|n| many.report(&reports[*n]));
        let (mut once, mut many) = (once.seen("once"), many.seen("many"));
        prop_assert_eq!(once.track.len(), 6);
        prop_assert_eq!(once.last, once.track.last().map(|(_, message)| *message));
        once.told.sort_unstable();
        many.told.sort_unstable();
        // Circles are made at other moments, so what binding is known by may differ; what was reported is known by the same.
        prop_assert_eq!(once, many);
    }
}

#[test]
fn what_is_left_is_the_same_for_whoever_followed_and_for_a_rebuild() {
    let mut circle = Circle::new();
    let ben = circle.world.person("ben", Gender::Male);
    let stays = circle.say(circle.anna);
    let goes = circle.say(ben);
    reports(6).iter().for_each(|event| circle.report(event));
    let before = circle.seen("live");
    assert_eq!(before.talks, [goes, stays]);
    assert_eq!((before.track.len(), before.waiting.as_slice()), (4, [stays, goes].as_slice()));
    let context = circle.world.context();
    circle.world.runtime.block_on(circle.world.commands.erase(ben, &context)).unwrap();
    circle.unbind();
    let live = circle.seen("live");
    assert_eq!((live.talks.as_slice(), live.track.len(), live.last), ([stays].as_slice(), 0, None));
    assert_eq!(live.waiting.len(), 1, "it is told that it was unbound, and nothing else any more");
    assert_eq!(live, circle.seen("rebuilt"));
    circle.bind();
    let live = circle.seen("live");
    assert!(live.waiting.is_empty(), "the next family tells it nothing of the last");
    assert_eq!(live, circle.seen("rebuilt again"));
}
