//! No loss, no repeat: clients talk in a room and with each other while their connections are cut, by themselves, by the road
//! between, and by kill -9 of the server. Each message is sent until it is acknowledged; then every reader has it, in the room's order,
//! and the archive has it once. `CRASH_ROUNDS` makes it long: 200 clients, 20,000 messages (`make crash`).

mod check;
mod client;
mod heard;
mod stream;

use std::{
    env,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use dface_tests::{Server, Setup, clients::Cuts};
use tokio::{runtime, task::JoinSet, time::sleep};

use self::{client::Client, heard::Heard};

const HERE: (f64, f64) = (30.286_91, 120.127_63);
/// The longest that nothing may come to anybody: starting again takes some of it.
const SILENCE: Duration = Duration::from_secs(90);
/// So many of the short run are for one client.
const MESSAGES_EACH: usize = 30;

/// How much there is to do.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many talk.
    pub clients: usize,
    /// Messages of each client: every other one to the room, the others to the next client.
    pub each: usize,
    /// Kills of the server.
    pub kills: usize,
}

impl Size {
    fn wanted() -> Self {
        if env::var_os("CRASH_ROUNDS").is_some() {
            Self { clients: 200, each: 100, kills: 12 }
        } else {
            Self { clients: 20, each: MESSAGES_EACH, kills: 2 }
        }
    }

    /// Messages of the room.
    pub const fn in_room(self) -> usize {
        self.clients * self.each.div_ceil(2)
    }

    /// Messages to one client.
    pub const fn to_each(self) -> usize {
        self.each / 2
    }
}

/// What all clients share.
pub struct Shared {
    /// How much there is to do.
    pub size: Size,
    /// Who joined: nobody talks before all have.
    pub joined: AtomicUsize,
    /// Who has said and heard all.
    pub complete: AtomicUsize,
    /// Messages heard and acknowledgements got, by all.
    pub progress: AtomicUsize,
    /// Everything came to everybody, or the test gave up.
    pub over: AtomicBool,
}

/// Chance that need not be repeated: neither can the moments of the kills.
pub fn chance(below: usize) -> usize {
    usize::try_from(RandomState::new().hash_one("chat") % below as u64).expect("it is less than a usize")
}

#[test]
fn crash_and_cuts_lose_no_acknowledged_message_and_repeat_none() {
    let size = Size::wanted();
    let setup = Setup::default().set("LIMITS__MESSAGES_PER_SECOND", 100_000).set("LIMITS__MESSAGE_BURST", 100_000);
    let mut server = setup.start();
    let shop = server.operator().add_shop("川味观", HERE);
    let room = format!("{shop}@c.dface.cn");
    let people: Vec<(String, String)> = (0..size.clients)
        .map(|number| {
            let phone = server.person(&format!("person {number}"), 1);
            (phone.user.to_string(), phone.chat_password)
        })
        .collect();
    let road = Cuts::before(server.xmpp());
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
        let client = Client::new(number, &people, &room, road.at(), &shared);
        clients.spawn_on(client.run(), runtime.handle());
    }
    trouble(&mut server, &road, &shared);
    let mut heard: Vec<Heard> = runtime.block_on(clients.join_all());
    heard.sort_by_key(|heard| heard.number);
    check::all(&runtime, road.at(), &people, &room, size, &heard);
}

/// Cuts and kills until all is said and heard.
fn trouble(server: &mut Server, road: &Cuts, shared: &Shared) {
    let size = shared.size;
    // What comes in all, without repeats: the kills are spread over it.
    let all = size.clients * (size.in_room() + size.to_each() + size.each);
    let mut kills = 0;
    let (mut last, mut since) = (0, Instant::now());
    while shared.complete.load(Ordering::SeqCst) < size.clients {
        std::thread::sleep(Duration::from_millis(10));
        let progress = shared.progress.load(Ordering::SeqCst);
        if progress != last {
            (last, since) = (progress, Instant::now());
        }
        if since.elapsed() > SILENCE {
            shared.over.store(true, Ordering::SeqCst);
            panic!("{progress} of {all} came, and nothing more; {}", server.log().end());
        }
        if kills < size.kills && progress > (kills + 1) * all / (size.kills + 1) {
            kills += 1;
            road.close();
            server.kill();
            server.start_again();
            road.leads_to(server.xmpp());
        } else if chance(100) == 0 {
            road.cut_some(|_| chance(3) == 0);
        }
    }
    assert_eq!(kills, size.kills, "it was killed in the middle");
    shared.over.store(true, Ordering::SeqCst);
}

/// Waits a little, unlike others.
pub async fn pause() {
    sleep(Duration::from_millis(chance(80) as u64)).await;
}
