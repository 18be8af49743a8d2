//! What streams tell the rest of the chat: between what speaks the protocol of streams (`stream/`) and what stanzas mean (`stanzas/`).

use std::{future::Future, sync::Arc};

use minidom::Element;

use super::{outbox::Waiting, session::Session};

/// The other side of all streams of this node.
pub trait Hub: Send + Sync + 'static {
    /// What is offered to whoever has signed in beside what streams do themselves, as XML (XEP-0115).
    fn features(&self) -> String {
        String::new()
    }

    /// A stream was bound. An older one of the same resource is ended by the hub with `End::Conflict`.
    fn bound(&self, session: &Arc<Session>) -> impl Future<Output = ()> + Send;

    /// A stanza came (`message`, `presence` or `iq` of `jabber:client`). It is handled when this answers: what it says is durable, so that the
    /// stream may count it as acknowledged (XEP-0198). Answers and errors go to the session's outbox. Stanzas of one stream come one after
    /// the other.
    fn stanza(&self, session: &Arc<Session>, stanza: Element) -> impl Future<Output = ()> + Send;

    /// The client has these: it acknowledged them, or they were written where the stream acknowledges nothing. In order.
    fn taken(&self, session: &Arc<Session>, last: Waiting);

    /// The connection was cut, and may be resumed. These were written or wait to be written and nobody acknowledged them. The outbox is filled
    /// on, and nothing counts as taken until it is resumed or over.
    fn cut(&self, session: &Arc<Session>, unacknowledged: Vec<Waiting>);

    /// A cut stream is there again.
    fn resumed(&self, session: &Arc<Session>);

    /// The stream is over, whatever the reason; what nobody acknowledged stays in the inbox. After it the session gets nothing.
    fn over(&self, session: &Arc<Session>, unacknowledged: Vec<Waiting>) -> impl Future<Output = ()> + Send;
}
