//! Since when people are away, and what concerned them alone meanwhile: the same live and rebuilt.

use dface_domain::{
    envelope::LogPosition,
    events::{FocusChanged, LocationRequested, PersonErased, TalkReceipted},
    ids::{GroupId, MessageId, ObjectId, UserId},
    reports::Actor,
    stream::StreamId,
};
use dface_projections::{
    away::{Away, AwayView, What},
    projector::Served,
};

use super::world::World;

const ANNA: UserId = UserId::Number(7);
const BEN: UserId = UserId::Number(8);
const CIRCLE: GroupId = GroupId(3);

/// What is kept for one person.
const MOST: u8 = 100;

struct Told {
    world: World,
    focus: u64,
}

impl Told {
    fn new() -> Self {
        Self { world: World::new(), focus: 0 }
    }

    /// Anna opens the app, or closes it; answers where that stands.
    fn focus(&mut self, on: bool) -> LogPosition {
        self.world.append(&StreamId::focus(ANNA), self.focus, FocusChanged { user: ANNA, on }.into());
        self.focus += 1;
        self.world.head()
    }

    /// Anna is asked where she is.
    fn asked(&self, number: u8) {
        let event = LocationRequested { message: message(number), group: CIRCLE, by: BEN, user: ANNA };
        self.world.append(&StreamId::ask(message(number)), 0, event.into());
    }

    /// Somebody's message was received.
    fn receipted(&self, number: u8, to: Actor) {
        let by = Actor::User(BEN);
        let event = TalkReceipted { message: message(number), group: CIRCLE, by, to, received: true };
        self.world.append(&StreamId::receipt(message(number), by), 0, event.into());
    }

    /// Since when she is away and what she did not see, followed from where it was looked at last, and rebuilt.
    fn away(&self) -> (LogPosition, Vec<MessageId>) {
        let rebuilt = format!("rebuilt-{}", self.world.head());
        let seen = ["live", &rebuilt].map(|name| {
            let mut projector = self.world.projector(name);
            let opening = projector.add::<Away>();
            let served: Served<AwayView> = projector.take(opening).unwrap();
            self.world.settle(&projector);
            let view = served.view();
            let of = |what| match what {
                What::Asked(event) => event.message,
                What::Receipted(event) => event.message,
            };
            let since = view.since(ANNA).unwrap();
            let own = view.own(ANNA).unwrap().into_iter().map(|(_, own)| of(own.what)).collect();
            projector.stop();
            (since, own)
        });
        let [live, rebuilt] = seen;
        assert_eq!(live, rebuilt);
        live
    }
}

fn message(number: u8) -> MessageId {
    MessageId(ObjectId([number; 12]))
}

#[test]
fn what_was_not_seen_begins_where_the_app_was_closed() {
    let mut told = Told::new();
    assert_eq!(told.away(), (LogPosition(0), vec![]), "who never opened it missed all");
    told.asked(1);
    told.focus(true);
    told.asked(2);
    let closed = told.focus(false);
    told.asked(3);
    told.receipted(4, Actor::User(ANNA));
    told.receipted(5, Actor::User(BEN));
    assert_eq!(told.away(), (closed, vec![message(3), message(4)]));
    told.focus(true);
    assert_eq!(told.away(), (closed, vec![message(3), message(4)]), "it is told when it is opened");
}

#[test]
fn a_server_that_ended_while_the_app_was_open_counts_from_its_opening() {
    let mut told = Told::new();
    told.focus(true);
    told.focus(false);
    let opened = told.focus(true);
    told.asked(1);
    told.focus(true);
    assert_eq!(told.away(), (opened, vec![message(1)]));
}

#[test]
fn the_oldest_goes_where_there_is_too_much_and_all_goes_with_the_account() {
    let told = Told::new();
    (0..=MOST).for_each(|number| told.asked(number));
    assert_eq!(told.away().1, (1..=MOST).map(message).collect::<Vec<_>>());
    told.world.append(&StreamId::user(ANNA), 0, PersonErased { user: ANNA }.into());
    assert_eq!(told.away(), (LogPosition(0), vec![]));
}
