//! A bound stream, as the hub knows it. It lives on while its connection is cut and may be resumed (XEP-0198).

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use dface_domain::messages::Party;

use super::{outbox::Outbox, stanzas::state::State};

/// A bound stream.
pub struct Session {
    /// Unlike any other of this process.
    pub id: u64,
    /// Whose: a person or a shop.
    pub owner: Party,
    /// The resource that was bound.
    pub resource: Box<str>,
    /// `7@dface.cn`.
    pub bare: Box<str>,
    /// What waits to be written.
    pub outbox: Arc<Outbox>,
    /// What the hub keeps of it.
    pub state: State,
}

impl Session {
    /// A session of `owner`, whose addresses are at `domain`.
    #[must_use]
    pub fn new(owner: Party, resource: &str, domain: &str, outbox: Arc<Outbox>) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let (id, bare) = (IDS.fetch_add(1, Ordering::Relaxed), format!("{owner}@{domain}").into());
        Self { id, owner, resource: resource.into(), bare, outbox, state: State::default() }
    }

    /// `7@dface.cn/phone`.
    #[must_use]
    pub fn full(&self) -> String {
        format!("{}/{}", self.bare, self.resource)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {} of {}", self.id, self.owner)
    }
}
