//! Signals: what the nodes of one installation tell each other of things that are kept nowhere: who is in a room, who is writing (ARCHITECTURE.md, "Between nodes").

use crate::{jobs::QueueHealth, ports::PortFuture};

/// What a node hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The way to the others is there, or there again: what they told before is not heard.
    Connected,
    /// What another node told.
    Message(Vec<u8>),
}

/// A message was not told: the way to the others is not there. It is not tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotTold(pub String);

/// A way to all other nodes, for small messages that matter now or never.
///
/// Promises: what one node tells, each other that is connected hears in the order in which it was told, and it does not hear it itself. Nothing outlives a
/// lost connection or a node; of what a node is too slow to hear the oldest is lost. So whoever needs to know everything counts, and asks anew.
pub trait Signals: Send + Sync {
    /// Hands a message on.
    fn tell(&self, message: Vec<u8>) -> PortFuture<'_, Result<(), NotTold>>;

    /// What comes next. For one listener.
    fn hear(&self) -> PortFuture<'_, Heard>;

    /// How the way does.
    fn health(&self) -> QueueHealth;
}
