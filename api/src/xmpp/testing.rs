//! A chat over a node of its own, and clients whose outbox is read as elements.

use std::{sync::Arc, time::Duration};

use dface_commands::{people::NewAccount, system::SystemClock};
use dface_domain::{
    events::{Gender, ShopDetails},
    geo::Position,
    ids::{ShopId, UserId},
    messages::Party,
    ports::EventStore as _,
    shops::kind::ShopKind,
};
use dface_workers::signals::local::{Hub, LocalSignals};
use minidom::Element;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{
    chat::Chat,
    delivery,
    hub::Hub as _,
    outbox::{Next, Outbox, Outgoing, Waiting},
    session::Session,
    signals::Way,
};
use crate::{
    leases::Leases,
    node::Node,
    settings::{Rooms, Settings},
};

/// Longer than anything takes; reached where something never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A chat, with people and shops.
pub struct Stage {
    /// The chat.
    pub chat: Arc<Chat>,
    _stop: DropGuard,
    _dir: Arc<TempDir>,
}

impl Stage {
    /// An empty one.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// One with other limits of rooms.
    pub async fn limited(limit: impl FnOnce(&mut Rooms)) -> Self {
        Self::with(|settings| limit(&mut settings.chat.rooms)).await
    }

    /// One with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(None, &[("data", dir.path().display().to_string())]).unwrap();
        settings.store_tuning.segment_bytes = 1 << 20;
        (settings.limits.message_burst, settings.limits.stanza_burst) = (100_000, 100_000);
        change(&mut settings);
        Self::over(Arc::new(Node::open(settings).await.unwrap()), Arc::new(dir))
    }

    fn over(node: Arc<Node>, dir: Arc<TempDir>) -> Self {
        Self::with_chat(Chat::new(node), dir)
    }

    fn with_chat(chat: Arc<Chat>, dir: Arc<TempDir>) -> Self {
        let stop = CancellationToken::new();
        tokio::spawn(delivery::run(Arc::clone(&chat), stop.clone()));
        Self { chat, _stop: stop.drop_guard(), _dir: dir }
    }

    /// Two nodes with the same log, each with its own streams.
    pub async fn two(change: impl FnOnce(&mut Settings)) -> (Self, Self) {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(None, &[("data", dir.path().display().to_string())]).unwrap();
        settings.store_tuning.segment_bytes = 1 << 20;
        change(&mut settings);
        let mut node = Node::open(settings).await.unwrap();
        node.leases = Leases::with_all(node.leases.identity().clone());
        let (node, dir) = (Arc::new(node), Arc::new(dir));
        (Self::over(Arc::clone(&node), Arc::clone(&dir)), Self::over(node, dir))
    }

    /// So many nodes with the same log that reach each other, each with its own streams; and their ways, to be cut.
    pub async fn linked<const N: usize>(change: impl FnOnce(&mut Settings)) -> [(Self, Arc<LocalSignals>); N] {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::load(None, &[("data", dir.path().display().to_string())]).unwrap();
        settings.store_tuning.segment_bytes = 1 << 20;
        change(&mut settings);
        let mut node = Node::open(settings).await.unwrap();
        node.leases = Leases::with_all(node.leases.identity().clone());
        let (node, dir, hub) = (Arc::new(node), Arc::new(dir), Hub::new(1_000, Arc::new(SystemClock)));
        let mut ids = (1..).map(Uuid::from_u128);
        [(); N].map(|()| {
            let (way, id) = (hub.join(), ids.next().expect("there are enough"));
            let to_others = Way { node: id, signals: Arc::clone(&way) as _ };
            let chat = Chat::among(Arc::clone(&node), Some(to_others));
            (Self::with_chat(chat, Arc::clone(&dir)), way)
        })
    }

    /// Somebody of that name.
    pub async fn person(&self, name: &str) -> UserId {
        let new = NewAccount { name: name.to_owned(), password: None, gender: Gender::default(), source: None };
        let (user, _) = self.chat.node.commands.register(new, &self.chat.context()).await.unwrap();
        self.settled().await;
        user
    }

    /// A shop of that name.
    pub async fn shop(&self, name: &str) -> ShopId {
        let position = Position::new(30.28, 120.11).unwrap();
        let (address, phone) = (String::new(), String::new());
        let kind = ShopKind::from_category("bar");
        let details = ShopDetails { name: name.to_owned(), address, phone, kind, position, map: position.to_map() };
        let (shop, _) = self.chat.node.commands.add_shop(details, &self.chat.context()).await.unwrap();
        self.settled().await;
        shop
    }

    /// Waits until all that was said so far is delivered and shown.
    pub async fn settled(&self) {
        let head = self.chat.node.store.head();
        tokio::time::timeout(PATIENCE, self.chat.delivery.reached(head)).await.expect("it is delivered");
        assert!(self.chat.node.projector.wait_for(head, PATIENCE).await);
    }

    /// A bound stream that said no presence yet.
    pub async fn bound(&self, owner: impl Into<Party>, resource: &str) -> Client {
        let outbox = Arc::new(Outbox::new(1 << 20));
        let session = Arc::new(Session::new(owner.into(), resource, "dface.cn", outbox));
        self.chat.bound(&session).await;
        Client { session, chat: Arc::clone(&self.chat), noted: Mutex::default() }
    }

    /// A stream that is available, its own presence read.
    pub async fn client(&self, owner: impl Into<Party>, resource: &str) -> Client {
        let client = self.bound(owner, resource).await;
        client.send("<presence/>").await;
        client.expect(|e| e.name() == "presence" && e.attr("from") == Some(&client.session.full())).await;
        client
    }
}

/// A fake stream.
pub struct Client {
    /// Its stream, as the hub knows it.
    pub session: Arc<Session>,
    chat: Arc<Chat>,
    noted: Mutex<Vec<Waiting>>,
}

/// XML in which `jabber:client` needs not be said.
pub fn xml(text: &str) -> Element {
    let end = text.find([' ', '/', '>']).expect("a name");
    let (name, rest) = text.split_at(end);
    format!("{name} xmlns='jabber:client'{rest}").parse().expect("XML")
}

impl Client {
    /// Sends a stanza; it is handled when this answers.
    pub async fn send(&self, text: &str) {
        tokio::time::timeout(PATIENCE, self.chat.stanza(&self.session, xml(text))).await.expect("it is handled");
    }

    /// The next stanzas, as they came.
    async fn take(&self) -> Vec<Outgoing> {
        match tokio::time::timeout(PATIENCE, self.session.outbox.next(1)).await.expect("something comes") {
            Next::Stanzas(all) => all,
            Next::End(end) => panic!("the stream ends: {end:?}"),
        }
    }

    /// The next stanza.
    pub async fn next(&self) -> Element {
        let all = self.take().await;
        assert_eq!(all.len(), 1);
        self.note(&all[0])
    }

    fn note(&self, stanza: &Outgoing) -> Element {
        self.noted.lock().extend(stanza.waiting);
        let text = [&stanza.head[..], &stanza.tail[..]].concat();
        String::from_utf8(text).expect("UTF-8").parse().expect("an element")
    }

    /// The next stanza of that name.
    pub async fn next_of(&self, name: &str) -> Element {
        self.expect(|element| element.name() == name).await
    }

    /// The next stanza that is like that; those before it are passed over.
    pub async fn expect(&self, is: impl Fn(&Element) -> bool) -> Element {
        loop {
            let next = self.next().await;
            if is(&next) {
                return next;
            }
        }
    }

    /// All that is there by now.
    pub fn all(&self) -> Vec<Element> {
        let mut all = vec![];
        while let Some(Next::Stanzas(some)) = self.session.outbox.take(usize::MAX) {
            all.extend(some.iter().map(|stanza| self.note(stanza)));
        }
        all
    }

    /// Acknowledges all that was read.
    pub fn take_all(&self) {
        if let Some(last) = std::mem::take(&mut *self.noted.lock()).last() {
            self.chat.taken(&self.session, *last);
        }
    }

    /// What was written or waits to be, and that nobody acknowledged.
    pub fn unacknowledged(&self) -> Vec<Waiting> {
        [self.noted.lock().clone(), self.session.outbox.waiting()].concat()
    }

    /// The stream is over, and nobody acknowledged these.
    pub async fn over(&self, unacknowledged: Vec<Waiting>) {
        self.chat.over(&self.session, unacknowledged).await;
    }
}
