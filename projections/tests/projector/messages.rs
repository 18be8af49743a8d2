//! Archives and inboxes: pages joined are the whole, an inbox is what was sent and not taken, and all of it is the same after a rebuild, also
//! when people left.

use std::collections::BTreeMap;

use dface_commands::messages::Said;
use dface_domain::{
    envelope::LogPosition,
    events::Gender,
    ids::{MessageId, ShopId, UserId},
    messages::{Conversation, MessageKind, MessageState, Party, Stanza},
    time::Timestamp,
};
use dface_projections::messages::{Archive, Inboxed, MessagesView, Range};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    rebuild::config,
    world::{BEGIN, Views, World},
};

#[derive(Debug, Clone)]
enum Step {
    Say { from: usize, to: usize },
    Receipt { which: usize, displayed: bool },
    Take { owner: usize, which: usize },
    TakeUnknown { owner: usize },
    Erase { user: usize },
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        14 => (0..5usize, 0..6usize).prop_map(|(from, to)| Step::Say { from, to }),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(which, displayed)| Step::Receipt { which, displayed }),
        3 => (0..5usize, any::<usize>()).prop_map(|(owner, which)| Step::Take { owner, which }),
        1 => (0..5usize).prop_map(|owner| Step::TakeUnknown { owner }),
        1 => (0..4usize).prop_map(|user| Step::Erase { user }),
        1 => Just(Step::Settle),
    ];
    prop::collection::vec(one, 10..70)
}

/// What waits, as it should be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Item {
    Message(MessageId),
    Receipt(MessageId, Party),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Spoken {
    id: MessageId,
    from: Party,
    to: Party,
    state: MessageState,
}

struct Run {
    world: World,
    users: Vec<UserId>,
    shop: ShopId,
    said: Vec<Spoken>,
    inboxes: BTreeMap<Party, Vec<Item>>,
    left: Vec<Party>,
    minute: i64,
}

fn stanza() -> Stanza {
    Stanza { resource: "phone".to_owned(), xml: "<message xmlns=\"jabber:client\"></message>".to_owned() }
}

impl Run {
    fn new() -> Self {
        let world = World::new();
        let users = (0..4).map(|n| world.person(&format!("person {n}"), Gender::Female)).collect();
        let shop = world.shop("shop", 30.0, 120.0);
        Self { world, users, shop, said: vec![], inboxes: BTreeMap::new(), left: vec![], minute: 0 }
    }

    /// People, the shop, and its room.
    fn party(&self, n: usize) -> Party {
        match n {
            4 => Party::Shop(self.shop),
            5 => Party::Room(self.shop),
            _ => Party::User(self.users[n]),
        }
    }

    fn take(&mut self, step: &Step, views: &Views) {
        let context = self.world.context();
        match *step {
            Step::Say { from, to } => self.say(self.party(from), self.party(to)),
            Step::Receipt { which, displayed } if !self.said.is_empty() => {
                let which = which % self.said.len();
                self.receipt(which, if displayed { MessageState::Displayed } else { MessageState::Delivered });
            }
            Step::Take { owner, which } => {
                let owner = self.party(owner);
                let waiting = views.messages.view().inbox(owner, None, 1_000).unwrap();
                if waiting.is_empty() {
                    return;
                }
                let n = which % waiting.len();
                let event = event_of(&waiting[n]);
                self.world.runtime.block_on(self.world.commands.take_inbox(owner, event, &context)).unwrap();
                let waits = self.inboxes.entry(owner).or_default();
                // The world was settled before. A message may wait twice: it was delivered, and it was displayed.
                assert_eq!(waiting.iter().map(item_of).collect::<Vec<_>>(), *waits);
                waits.drain(..=n);
            }
            Step::TakeUnknown { owner } => {
                let taken = self.world.commands.take_inbox(self.party(owner), Uuid::from_u128(7), &context);
                self.world.runtime.block_on(taken).unwrap();
            }
            Step::Erase { user } => self.erase(user),
            Step::Settle | Step::Receipt { .. } => {}
        }
    }

    fn say(&mut self, from: Party, to: Party) {
        if self.left.contains(&from) || self.left.contains(&to) {
            return;
        }
        self.minute += 1;
        let kind = MessageKind::Text;
        let said = Said { from, to, kind, body: "words".to_owned(), id: None, stanza: stanza() };
        let context = self.world.context().at(BEGIN.plus_seconds(3_600 * self.minute));
        let id = self.world.runtime.block_on(self.world.commands.say(said, &context)).unwrap().message;
        self.said.push(Spoken { id, from, to, state: MessageState::Sent });
        if !matches!(to, Party::Room(_)) {
            self.inboxes.entry(to).or_default().push(Item::Message(id));
        }
    }

    fn receipt(&mut self, which: usize, state: MessageState) {
        let Spoken { id, from, to, state: before } = self.said[which];
        if self.left.contains(&to) {
            return;
        }
        let (context, stanza) = (self.world.context(), stanza());
        let done = self.world.commands.receipt((from, to), id, state, &stanza, &context);
        self.world.runtime.block_on(done).unwrap();
        if state > before && !matches!(to, Party::Room(_)) {
            self.said[which].state = state;
            self.inboxes.entry(from).or_default().push(Item::Receipt(id, to));
        }
    }

    fn erase(&mut self, user: usize) {
        let party = self.party(user);
        if self.left.contains(&party) {
            return;
        }
        self.world.runtime.block_on(self.world.commands.erase(self.users[user], &self.world.context())).unwrap();
        self.left.push(party);
        let is_gone = |one: &Spoken| one.from == party || (one.from == Party::Shop(self.shop) && one.to == party);
        let gone: Vec<MessageId> = self.said.iter().filter(|one| is_gone(one)).map(|one| one.id).collect();
        self.said.retain(|one| !gone.contains(&one.id));
        self.inboxes.remove(&party);
        for waits in self.inboxes.values_mut() {
            waits.retain(|item| match item {
                Item::Message(id) => !gone.contains(id),
                Item::Receipt(_, giver) => *giver != party,
            });
        }
    }

    /// That the view shows what it should.
    fn check(&self, view: &MessagesView) {
        for n in 0..5 {
            let owner = self.party(n);
            let waiting: Vec<Item> = view.inbox(owner, None, 1_000).unwrap().iter().map(item_of).collect();
            let expected = self.inboxes.get(&owner).cloned().unwrap_or_default();
            assert_eq!(waiting, expected, "the inbox of {owner}");
            let messages = expected.iter().filter(|item| matches!(item, Item::Message(_))).count();
            assert_eq!(view.unread(owner).unwrap(), messages as u64);
            let is_own = |one: &&Spoken| !matches!(one.to, Party::Room(_)) && (one.from == owner || one.to == owner);
            let own = self.said.iter().filter(is_own).filter(|_| !self.left.contains(&owner));
            check_pages(view, Archive::Of(owner), None, &own.copied().collect::<Vec<_>>());
            for m in 0..5 {
                let other = self.party(m);
                let between: Vec<Spoken> =
                    self.said.iter().filter(|one| is_between(one, owner, other)).copied().collect();
                check_pages(view, Archive::Conversation(Conversation::of(owner, other)), None, &between);
                if !self.left.contains(&owner) {
                    check_pages(view, Archive::Of(owner), Some(other), &between);
                }
            }
        }
        let room: Vec<Spoken> = self.said.iter().filter(|one| matches!(one.to, Party::Room(_))).copied().collect();
        check_pages(view, Archive::Conversation(Conversation::Room(self.shop)), None, &room);
    }
}

fn is_between(one: &Spoken, a: Party, b: Party) -> bool {
    (one.from, one.to) == (a, b) || (one.from, one.to) == (b, a)
}

fn event_of(waiting: &Inboxed) -> Uuid {
    match waiting {
        Inboxed::Message(entry) => entry.event,
        Inboxed::Receipt { event, .. } => *event,
    }
}

fn item_of(waiting: &Inboxed) -> Item {
    match waiting {
        Inboxed::Message(entry) => Item::Message(entry.message),
        Inboxed::Receipt { message, from, .. } => Item::Receipt(*message, *from),
    }
}

/// Pages joined, forwards and backwards, are the whole; times bound it like positions.
fn check_pages(view: &MessagesView, of: Archive, with: Option<Party>, expected: &[Spoken]) {
    let whole = view.oldest(of, Range::default(), with, 1_000).unwrap();
    let shown: Vec<Spoken> = whole
        .iter()
        .map(|entry| Spoken { id: entry.message, from: entry.from, to: entry.to, state: entry.state })
        .collect();
    assert_eq!(shown, expected, "{of:?} with {with:?}");
    let (mut forwards, mut after) = (vec![], None);
    loop {
        let page = view.oldest(of, Range { after, ..Range::default() }, with, 3).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.position);
        forwards.extend(page);
    }
    assert_eq!(forwards, whole);
    let (mut backwards, mut before): (Vec<_>, Option<LogPosition>) = (vec![], None);
    loop {
        let page = view.newest(of, Range { before, ..Range::default() }, with, 3).unwrap();
        let Some(first) = page.first() else { break };
        before = Some(first.position);
        backwards.splice(0..0, page);
    }
    assert_eq!(backwards, whole);
    let Some((first, middle)) = whole.first().zip(whole.get(whole.len() / 2)) else { return };
    let within = |from: Timestamp, until: Timestamp| {
        let range = Range { from: Some(from), until: Some(until), ..Range::default() };
        view.newest(of, range, with, 1_000).unwrap()
    };
    assert_eq!(within(first.at, middle.at), whole[..=whole.len() / 2]);
    assert_eq!(within(middle.at, Timestamp(i64::MAX)), whole[whole.len() / 2..]);
    assert!(within(Timestamp(i64::MIN), first.at.plus_seconds(-1)).is_empty());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn prop_archives_and_inboxes_are_what_was_said_and_not_taken(steps in steps()) {
        let mut run = Run::new();
        let (projector, views) = run.world.models("read");
        for step in &steps {
            if matches!(step, Step::Settle | Step::Take { .. }) {
                run.world.settle(&projector);
            }
            run.take(step, &views);
        }
        run.world.settle(&projector);
        run.check(&views.messages.view());
        let difference = projector.compare("messages").unwrap();
        prop_assert!(difference.is_none(), "{difference:?}");
        projector.stop();
        drop((projector, views));
        for name in ["read", "from-nothing"] {
            let (projector, views) = run.world.models(name);
            run.world.settle(&projector);
            run.check(&views.messages.view());
            projector.stop();
        }
    }
}

#[test]
fn a_token_is_of_who_bound_it_last_and_a_person_has_one() {
    let world = World::new();
    let (anna, ben) = (world.person("anna", Gender::Female), world.person("ben", Gender::Male));
    let (projector, views) = world.models("read");
    let (first, second) = ("a".repeat(64), "b".repeat(64));
    let bind = |user, environment, token: &str| {
        world.runtime.block_on(world.commands.bind_push_token(user, environment, token, &world.context())).unwrap();
    };
    let unbind = |user, token: &str| {
        world.runtime.block_on(world.commands.unbind_push_token(user, token, &world.context())).unwrap();
    };
    let token_of = |user| {
        world.settle(&projector);
        let bound = views.push_tokens.view().of(user).unwrap();
        bound.map(|bound| (bound.environment, world.parts.keys.open(&bound.token).unwrap()))
    };
    bind(anna, 1, &first);
    bind(anna, 2, &second.to_uppercase());
    assert_eq!(token_of(anna), Some((2, second.clone())), "one user, one token");
    // Hers no more, though nobody took it from her.
    unbind(anna, &first);
    assert_eq!(token_of(anna), Some((2, second.clone())));
    bind(ben, 1, &second);
    assert_eq!((token_of(anna), token_of(ben)), (None, Some((1, second.clone()))));
    assert!(views.push_tokens.view().is_bound(ben, 1, &world.commands.push_token_stream(&second)).unwrap());
    assert!(!views.push_tokens.view().is_bound(ben, 2, &world.commands.push_token_stream(&second)).unwrap());
    unbind(anna, &second);
    assert_eq!(token_of(ben), Some((1, second)), "another's is left as it is");
    world.runtime.block_on(world.commands.erase(ben, &world.context())).unwrap();
    assert_eq!(token_of(ben), None);
    assert!(projector.compare("push_tokens").unwrap().is_none());
    projector.stop();
}
