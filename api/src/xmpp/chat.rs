//! The hub: everybody's streams on this node, what their stanzas mean, and what the log brings for them.

use std::sync::{Arc, Weak};

use dface_commands::Context;
use dface_domain::ports::EventStore as _;
use minidom::Element;

use super::{
    address::Names,
    delivery::Delivery,
    hub::Hub,
    outbox::{End, Waiting},
    session::Session,
    sessions::Sessions,
    stanzas::{self, presence, rooms::Rooms, services},
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
    itself: Weak<Self>,
}

impl Chat {
    /// A chat without anybody.
    #[must_use]
    pub fn new(node: Arc<Node>, names: Names) -> Arc<Self> {
        let from = node.store.head();
        Arc::new_cyclic(|itself| Self {
            delivery: Delivery::new(from),
            rooms: Rooms::new(&names.rooms, node.settings.chat.rooms.clone(), from),
            node,
            names,
            sessions: Sessions::default(),
            itself: Weak::clone(itself),
        })
    }

    /// Itself, for tasks that outlive a borrow.
    #[must_use]
    pub fn shared(&self) -> Option<Arc<Self>> {
        self.itself.upgrade()
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
        if let Some(older) = self.sessions.enter(session) {
            older.outbox.end(End::Conflict);
        }
    }

    async fn stanza(&self, session: &Arc<Session>, stanza: Element) {
        stanzas::handle(self, session, stanza).await;
    }

    fn taken(&self, session: &Arc<Session>, last: Waiting) {
        session.state.taken(last.position);
    }

    fn cut(&self, session: &Arc<Session>, _unacknowledged: Vec<Waiting>) {
        session.state.set_cut(true);
    }

    fn resumed(&self, session: &Arc<Session>) {
        session.state.set_cut(false);
    }

    async fn over(&self, session: &Arc<Session>, _unacknowledged: Vec<Waiting>) {
        self.rooms.over(session);
        presence::unavailable(self, session);
        session.state.quiet();
        self.sessions.leave(session);
    }
}
