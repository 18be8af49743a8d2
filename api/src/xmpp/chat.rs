//! The hub: everybody's streams on this node, what their stanzas mean, and what the log brings for them.

use std::sync::{Arc, Weak};

use dface_commands::Context;
use dface_domain::ports::EventStore as _;
use minidom::Element;

use super::{
    address::Names,
    delivery::{self, Delivery, Marks},
    hub::Hub,
    outbox::{End, Waiting},
    session::Session,
    sessions::Sessions,
    signals::{Others, Signal, Way},
    stanzas::{self, limits::Limits, presence, receipts::Recent, rooms::Rooms, services},
};
use crate::node::Node;

/// The chat of this node.
pub struct Chat {
    /// The node behind it.
    pub node: Arc<Node>,
    /// The domains.
    pub names: Names,
    /// Everybody's streams.
    pub sessions: Sessions,
    /// The rooms' occupants.
    pub rooms: Rooms,
    /// Where the log is followed to.
    pub delivery: Delivery,
    /// What clients took.
    pub marks: Marks,
    /// How much may be said.
    pub limits: Limits,
    /// Which message clients mean by their ids.
    pub recent: Recent,
    /// The other nodes.
    pub others: Others,
    itself: Weak<Self>,
}

impl Chat {
    /// A chat without anybody.
    #[must_use]
    pub fn new(node: Arc<Node>) -> Arc<Self> {
        Self::among(node, None)
    }

    /// The same, of a node among others that it can reach.
    #[must_use]
    pub fn among(node: Arc<Node>, way: Option<Way>) -> Arc<Self> {
        let others = Others::new(&node, way);
        let settings = &node.settings.chat;
        let names = Names { domain: settings.domain.as_str().into(), rooms: settings.rooms_domain.as_str().into() };
        let from = node.store.head();
        Arc::new_cyclic(|itself| Self {
            delivery: Delivery::new(from),
            rooms: Rooms::new(&names.rooms, node.settings.chat.rooms.clone(), from, others.teller.clone()),
            marks: Marks::default(),
            limits: Limits::new(&node.settings.limits),
            recent: Recent::default(),
            others,
            node,
            names,
            sessions: Sessions::default(),
            itself: Weak::clone(itself),
        })
    }

    /// Itself, for tasks that outlive a borrow.
    #[must_use]
    pub fn itself(&self) -> Weak<Self> {
        Weak::clone(&self.itself)
    }

    /// The context of what a stanza leads to.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::new(self.node.commands.fresh_id())
    }
}

impl Hub for Chat {
    fn features(&self) -> String {
        services::caps()
    }

    async fn bound(&self, session: &Arc<Session>) {
        session.state.bind(self.delivery.looked());
        if let Some(older) = self.sessions.enter(session) {
            older.outbox.end(End::Conflict);
            // Else what it acknowledged would come once more.
            self.marks.note_of(self, &older).await;
        }
        let (owner, resource) = (session.owner, &session.resource);
        self.others.teller.tell(|| Signal::Bound { owner, resource: resource.to_string() });
        delivery::arrive_later(self, session);
    }

    async fn stanza(&self, session: &Arc<Session>, stanza: Element) {
        stanzas::handle(self, session, stanza).await;
    }

    fn taken(&self, session: &Arc<Session>, last: Waiting) {
        session.state.taken(last);
        self.marks.take(session.owner, last);
    }

    fn cut(&self, session: &Arc<Session>, unacknowledged: Vec<Waiting>) {
        session.state.set_cut(true);
        let (chat, session) = (self.itself(), Arc::clone(session));
        tokio::spawn(async move {
            if let Some(chat) = chat.upgrade() {
                delivery::left_behind(&chat, &session, &unacknowledged).await;
            }
        });
    }

    fn resumed(&self, session: &Arc<Session>) {
        session.state.set_cut(false);
    }

    async fn over(&self, session: &Arc<Session>, unacknowledged: Vec<Waiting>) {
        session.outbox.end(End::Shutdown);
        self.rooms.over(session);
        presence::unavailable(self, session);
        self.marks.note_of(self, session).await;
        let heard = session.state.unheard_since().is_none();
        session.state.quiet();
        if !unacknowledged.is_empty() || !heard {
            delivery::left_behind(self, session, &unacknowledged).await;
        }
        self.sessions.leave(session);
        if !self.sessions.any(session.owner, |_| true) {
            self.others.elsewhere.forget(session.owner);
        }
    }
}
