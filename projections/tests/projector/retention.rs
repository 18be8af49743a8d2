//! Retention: what is left when events have gone is what a rebuild of the log without them makes, whatever happened in which order.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use dface_domain::{
    envelope::{LogPosition, NewEvent},
    events::{
        Event, EventsExpired, FocusChanged, LocationRequested, PersonErased, SmsReceived, TalkReceipted, TalkSent,
        UserLocated, WatchBound, WatchLocated, WatchUnbound,
    },
    format::Format,
    ids::{GroupId, Imei, MessageId, ObjectId, UserId},
    ports::{Clock, EventStore as _, Expected},
    reports::{Actor, LocateKind, TalkKind},
    retention::Retained,
    sealed::{Sealed, Subject},
    stream::{Category, StreamId},
    time::Timestamp,
};
use dface_projections::{
    away::{Away, AwayView},
    families::{Families, FamiliesView, Stretch},
    projector::{Projector, Served},
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    rebuild::config,
    world::{BEGIN, World},
};

const ANNA: UserId = UserId::Number(7);
const BEN: UserId = UserId::Number(8);
const GROUP: GroupId = GroupId(3);
const OTHER: GroupId = GroupId(4);

/// Segments as small as that hold some tens of events.
const SEGMENT: u64 = 8 << 10;

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct Family {
    world: World,
    clock: Arc<Set>,
    projector: Projector,
    families: Served<FamiliesView>,
    away: Served<AwayView>,
    numbers: u64,
    talks: Vec<(MessageId, Actor)>,
    over: BTreeMap<Retained, Timestamp>,
}

/// Something that happens in a family.
#[derive(Debug, Clone)]
enum Step {
    /// The watch tells where it is, so many minutes late.
    Located(u8),
    /// A member tells where they are, to one circle or both.
    Seen(bool, bool),
    /// The watch gets an SMS.
    Sms,
    /// Somebody says something.
    Talk(bool),
    /// Somebody tells of a talk that they have it, or not.
    Receipt(u8, bool, bool),
    /// The app is opened or closed.
    Focus(bool, bool),
    /// A member is asked where they are.
    Asked,
    /// The watch leaves the circle and comes back.
    Again,
    /// Minutes go by.
    Pass(u8),
    /// What is older than so many minutes goes.
    Expire(usize, u8),
    /// An account ends.
    Left,
}

fn watch() -> Imei {
    Imei::new(861_234_560_000_017).unwrap()
}

fn sealed<T>(about: UserId) -> Sealed<T> {
    Sealed::from_bytes(Subject::User(about), vec![7; 60])
}

impl Family {
    fn new() -> Self {
        let clock = Arc::new(Set(AtomicI64::new(BEGIN.0)));
        let world = World::with(Arc::clone(&clock) as Arc<dyn Clock>, SEGMENT);
        let mut projector = world.projector("live");
        let (families, away) = (projector.add::<Families>(), projector.add::<Away>());
        let (families, away) = (projector.take(families).unwrap(), projector.take(away).unwrap());
        let (numbers, talks, over) = (0, vec![], BTreeMap::new());
        let mut family = Self { world, clock, projector, families, away, numbers, talks, over };
        family.bind();
        family
    }

    fn message(&mut self) -> MessageId {
        self.numbers += 1;
        let mut id = [0; 12];
        id[4..].copy_from_slice(&self.numbers.to_be_bytes());
        MessageId(ObjectId(id))
    }

    fn bind(&mut self) {
        let message = self.message();
        let event = WatchBound {
            imei: watch(),
            binding: 1,
            group: GROUP,
            by: ANNA,
            consent: String::new(),
            details: sealed(ANNA),
            key: None,
            message,
        };
        self.append(&StreamId::watch(watch()), event.into(), 0);
    }

    /// Appends an event that happened so many minutes ago.
    fn append(&mut self, stream: &StreamId, event: Event, late: u8) {
        let store = self.world.embedded();
        let known = store.read_stream_blocking(stream, 0, usize::MAX).unwrap();
        let expected = known.last().map_or(Expected::NoStream, |last| Expected::Version(last.version));
        self.numbers += 1;
        let occurred_at = self.clock.now().plus_seconds(-60 * i64::from(late));
        let (correlation, causation, format) = (Uuid::nil(), None, Format::default());
        let id = Uuid::from_u128(self.numbers.into());
        let event = NewEvent { id, occurred_at, correlation, causation, event, format };
        self.world.runtime.block_on(store.append(stream, expected, vec![event])).unwrap();
        self.clock.0.fetch_add(1_000_000, Ordering::Relaxed);
    }

    fn expire(&mut self, category: Retained, minutes: u8) {
        let before = self.clock.now().plus_seconds(-60 * i64::from(minutes));
        if self.over.get(&category).is_none_or(|known| *known < before) {
            self.append(&StreamId::new(Category::System, "retention"), EventsExpired { category, before }.into(), 0);
            self.over.insert(category, before);
        }
    }

    fn take(&mut self, step: &Step) {
        let message = self.message();
        let member = |anna| if anna { ANNA } else { BEN };
        match *step {
            Step::Located(late) => {
                let (imei, group, kind) = (watch(), GROUP, LocateKind::Gps);
                let (fix, digest) = (sealed(ANNA), [0; 8]);
                let event = WatchLocated { message, imei, group, kind, locus: true, fix, digest, clock_ahead: false };
                self.append(&StreamId::position(message), event.into(), late);
            }
            Step::Seen(anna, both) => {
                let groups = if both { vec![GROUP, OTHER] } else { vec![OTHER] };
                let event = UserLocated { message, user: member(anna), groups, fix: sealed(ANNA) };
                self.append(&StreamId::position(message), event.into(), 0);
            }
            Step::Sms => {
                let (imei, group, digest) = (watch(), GROUP, [0; 8]);
                let event = SmsReceived { message, imei, group, sms: sealed(ANNA), digest, clock_ahead: false };
                self.append(&StreamId::sms(message), event.into(), 0);
            }
            Step::Talk(of_watch) => {
                let from = if of_watch { Actor::Watch(watch()) } else { Actor::User(ANNA) };
                let (group, kind, content, digest) = (GROUP, TalkKind::Text, sealed(ANNA), [0; 8]);
                let event = TalkSent { message, group, from, kind, content, digest, clock_ahead: false };
                self.append(&StreamId::talk(message), event.into(), 0);
                self.talks.push((message, from));
            }
            Step::Receipt(which, anna, received) => {
                if let Some((message, to)) = self.talks.iter().rev().nth(which.into()).copied() {
                    let by = Actor::User(member(anna));
                    let event = TalkReceipted { message, group: GROUP, by, to, received };
                    self.append(&StreamId::receipt(message, by), event.into(), 0);
                }
            }
            Step::Focus(anna, on) => {
                let user = member(anna);
                self.append(&StreamId::focus(user), FocusChanged { user, on }.into(), 0);
            }
            Step::Asked => {
                let event = LocationRequested { message, group: GROUP, by: BEN, user: ANNA };
                self.append(&StreamId::ask(message), event.into(), 0);
            }
            Step::Again => {
                let (imei, group, by) = (watch(), GROUP, ANNA);
                let event = WatchUnbound { imei, binding: 1, group, by, message };
                self.append(&StreamId::watch(imei), event.into(), 0);
                self.bind();
            }
            Step::Pass(minutes) => {
                self.clock.0.fetch_add(60_000_000 * i64::from(minutes), Ordering::Relaxed);
            }
            Step::Expire(which, minutes) => self.expire(Retained::ALL[which], minutes),
            Step::Left => self.append(&StreamId::user(BEN), PersonErased { user: BEN }.into(), 0),
        }
    }

    fn check(&self) {
        self.world.settle(&self.projector);
        for name in ["families", "away"] {
            let difference = self.projector.compare(name).unwrap();
            assert!(difference.is_none(), "{difference:?}");
        }
    }

    /// The log leaves out what it may.
    fn cut(&self) -> u64 {
        let swept = self.world.embedded().expire(&self.over, &mut |_| true).unwrap();
        swept.events
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..30_u8).prop_map(Step::Located),
        3 => any::<(bool, bool)>().prop_map(|(anna, both)| Step::Seen(anna, both)),
        2 => Just(Step::Sms),
        3 => any::<bool>().prop_map(Step::Talk),
        5 => (0..4_u8, any::<bool>(), any::<bool>()).prop_map(|(n, anna, had)| Step::Receipt(n, anna, had)),
        4 => any::<(bool, bool)>().prop_map(|(anna, on)| Step::Focus(anna, on)),
        2 => Just(Step::Asked),
        1 => Just(Step::Again),
        4 => (1..20_u8).prop_map(Step::Pass),
        4 => (0..4_usize, 0..40_u8).prop_map(|(which, minutes)| Step::Expire(which, minutes)),
        1 => Just(Step::Left),
    ];
    proptest::collection::vec(step, 40..160)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_left_is_what_a_rebuild_of_the_log_without_what_has_gone_makes(steps in steps()) {
        let mut family = Family::new();
        let erased = steps.iter().position(|step| matches!(step, Step::Left)).unwrap_or(steps.len());
        for (n, step) in steps.iter().enumerate() {
            // Who has left says and does nothing more.
            if n <= erased || matches!(step, Step::Located(_) | Step::Expire(..) | Step::Pass(_) | Step::Talk(_)) {
                family.take(step);
            }
            if n % 37 == 0 {
                family.cut();
            }
        }
        family.check();
        family.cut();
        family.check();
        // All goes, and the rest of the log says what else there was.
        for category in Retained::ALL {
            family.expire(category, 0);
        }
        family.world.settle(&family.projector);
        family.cut();
        family.check();
    }
}

#[test]
fn a_position_that_is_over_is_in_no_list_and_the_last_one_is_the_newest_that_is_left() {
    let mut family = Family::new();
    family.take(&Step::Located(0));
    family.take(&Step::Pass(60));
    // Told after the other, though it is older by the watch's own clock.
    family.take(&Step::Located(90));
    family.take(&Step::Talk(false));
    family.take(&Step::Receipt(0, true, true));
    family.world.settle(&family.projector);
    let (imei, always) = (watch(), BEGIN.plus_seconds(-1_000_000));
    let stretch = Stretch { from: always, until: BEGIN.plus_seconds(1_000_000), after: None, since: LogPosition(0) };
    let track = |family: &Family| {
        let entries = family.families.view().track(imei, stretch, 0, 10).unwrap();
        entries.into_iter().map(|entry| entry.position.0).collect::<Vec<_>>()
    };
    let last = |family: &Family| {
        let last = family.families.view().last_fix_in(GROUP, Actor::Watch(imei)).unwrap();
        last.map(|entry| entry.position.0)
    };
    assert_eq!((track(&family), last(&family)), (vec![3, 2], Some(2)));
    family.expire(Retained::Positions, 30);
    family.world.settle(&family.projector);
    assert_eq!((track(&family), last(&family)), (vec![3], Some(3)));
    family.expire(Retained::Positions, 0);
    family.world.settle(&family.projector);
    assert_eq!((track(&family), last(&family)), (vec![], None));
    let (talk, _) = family.talks[0];
    assert_eq!(family.families.view().receipts(talk).unwrap(), [(Actor::User(ANNA), true)]);
    assert!(family.families.view().acknowledges(ANNA).unwrap());
    family.expire(Retained::Receipts, 0);
    family.world.settle(&family.projector);
    assert_eq!(family.families.view().receipts(talk).unwrap(), []);
    assert!(!family.families.view().acknowledges(ANNA).unwrap());
    assert!(family.families.view().entry(talk).unwrap().is_some(), "the talk itself stays");
    assert_eq!(family.away.view().since(ANNA).unwrap(), LogPosition(0));
    family.check();
}
