//! The bound streams of this node, by whose they are.

use std::{collections::HashMap, sync::Arc};

use dface_domain::messages::Party;
use parking_lot::RwLock;

use super::session::Session;

/// Everybody's streams.
#[derive(Default)]
pub struct Sessions {
    owners: RwLock<HashMap<Party, Vec<Arc<Session>>>>,
}

impl Sessions {
    /// Enters a stream. The one that had its resource until now is given back, entered no more.
    pub fn enter(&self, session: &Arc<Session>) -> Option<Arc<Session>> {
        let mut owners = self.owners.write();
        let of_owner = owners.entry(session.owner).or_default();
        let older = of_owner.iter().position(|one| one.resource == session.resource);
        let older = older.map(|at| of_owner.swap_remove(at));
        of_owner.push(Arc::clone(session));
        older
    }

    /// Takes a stream out. Whether it was entered.
    pub fn leave(&self, session: &Session) -> bool {
        let mut owners = self.owners.write();
        let Some(of_owner) = owners.get_mut(&session.owner) else { return false };
        let Some(at) = of_owner.iter().position(|one| one.id == session.id) else { return false };
        of_owner.swap_remove(at);
        if of_owner.is_empty() {
            owners.remove(&session.owner);
        }
        true
    }

    /// All streams of somebody.
    #[must_use]
    pub fn of(&self, owner: Party) -> Vec<Arc<Session>> {
        self.owners.read().get(&owner).cloned().unwrap_or_default()
    }

    /// Calls `each` for all streams of somebody. Nobody signs in or out meanwhile, so it must be quick.
    pub fn each(&self, owner: Party, each: impl FnMut(&Arc<Session>)) {
        if let Some(of_owner) = self.owners.read().get(&owner) {
            of_owner.iter().for_each(each);
        }
    }

    /// Whether one of somebody's streams is like that.
    pub fn any(&self, owner: Party, is: impl FnMut(&Arc<Session>) -> bool) -> bool {
        self.owners.read().get(&owner).is_some_and(|of_owner| of_owner.iter().any(is))
    }

    /// All streams.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Session>> {
        self.owners.read().values().flatten().cloned().collect()
    }
}
