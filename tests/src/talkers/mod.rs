//! Clients that talk in a room and with each other over bad roads. Each message is sent until it is acknowledged, over whichever road leads
//! to a server; then every reader has it, in the room's order, and the archives have it once.

mod check;
mod client;
mod heard;
mod stream;

use std::{
    hash::{BuildHasher, RandomState},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::{self, Runtime},
    task::JoinSet,
    time::sleep,
};

use self::{client::Client, heard::Heard};
use crate::Phone;

/// How much is said.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many talk.
    pub clients: usize,
    /// Messages of each client: every other one to the room, the others to the next client.
    pub each: usize,
}

impl Size {
    /// Messages of the room.
    #[must_use]
    pub const fn in_room(self) -> usize {
        self.clients * self.each.div_ceil(2)
    }

    /// Messages to one client.
    #[must_use]
    pub const fn to_each(self) -> usize {
        self.each / 2
    }

    /// What comes to all clients, without repeats, and acknowledgements.
    #[must_use]
    pub const fn to_come(self) -> usize {
        self.clients * (self.in_room() + self.to_each() + self.each)
    }
}

/// What all clients share.
struct Shared {
    size: Size,
    /// Who joined: nobody talks before all have.
    joined: AtomicUsize,
    /// Who has said and heard all.
    complete: AtomicUsize,
    /// Messages heard and acknowledgements got, by all.
    progress: AtomicUsize,
    /// Everything came to everybody, or the test gave up.
    over: AtomicBool,
}

/// Who talks, and where.
struct Company {
    /// Names and passwords.
    people: Vec<(String, String)>,
    room: String,
    /// Where servers are; all of them have the same room.
    roads: Vec<SocketAddr>,
}

/// A talk of all clients.
pub struct Talk {
    runtime: Runtime,
    clients: JoinSet<Heard>,
    shared: Arc<Shared>,
    company: Arc<Company>,
}

impl Talk {
    /// Begins it; the clients are spread over the roads.
    ///
    /// # Panics
    /// No runtime can be made.
    #[must_use]
    pub fn begin(size: Size, people: &[Phone], room: &str, roads: Vec<SocketAddr>) -> Self {
        let people = people.iter().map(|phone| (phone.user.to_string(), phone.chat_password.clone())).collect();
        let company = Arc::new(Company { people, room: room.to_owned(), roads });
        let shared = Arc::new(Shared {
            size,
            joined: AtomicUsize::new(0),
            complete: AtomicUsize::new(0),
            progress: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        });
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let mut clients = JoinSet::new();
        for number in 0..size.clients {
            clients.spawn_on(Client::new(number, &company, &shared).run(), runtime.handle());
        }
        Self { runtime, clients, shared, company }
    }

    /// Messages heard and acknowledgements got, by all.
    #[must_use]
    pub fn progress(&self) -> usize {
        self.shared.progress.load(Ordering::SeqCst)
    }

    /// Whether all was said and heard.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.shared.complete.load(Ordering::SeqCst) == self.shared.size.clients
    }

    /// Ends it, and checks what all heard against each other and the archives, as each road's server has them.
    ///
    /// # Panics
    /// Something was lost, came twice, or in another order.
    pub fn end(self) {
        self.shared.over.store(true, Ordering::SeqCst);
        let mut heard: Vec<Heard> = self.runtime.block_on(self.clients.join_all());
        heard.sort_by_key(|heard| heard.number);
        check::all(&self.runtime, &self.company, self.shared.size, &heard);
    }
}

/// Chance that need not be repeated: neither can the moments of kills.
///
/// # Panics
/// `below` is 0.
#[must_use]
pub fn chance(below: usize) -> usize {
    usize::try_from(RandomState::new().hash_one("chat") % below as u64).expect("it is less than a usize")
}

/// Waits a little, unlike others.
async fn pause() {
    sleep(Duration::from_millis(chance(80) as u64)).await;
}
