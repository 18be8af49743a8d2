//! No loss, no repeat: watches tell while the server is killed with -9 and connections are cut. Each event is sent until it is answered; then
//! every member has it by MQTT, and every member with a device by APNs: a repeat only as the same message or with the same `apns-id`.
//! `CRASH_ROUNDS` makes it long: 20,000 events (`make crash`).

mod phone;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use dface_tests::{
    Server, Setup,
    apns::Apple,
    client::Door,
    clients::Cuts,
    family::{self, Family, event_of},
};
use tokio::runtime;

use self::phone::Heard;

/// The longest that nothing may come to anybody: starting again takes some of it, and so does what Apple is asked again.
const SILENCE: Duration = Duration::from_secs(60);

/// How much there is to do.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// Circles, each with a watch.
    circles: usize,
    /// Events of each watch.
    each: usize,
    /// Kills of the server.
    kills: usize,
}

impl Size {
    fn wanted() -> Self {
        if env::var_os("CRASH_ROUNDS").is_some() {
            Self { circles: 50, each: 400, kills: 12 }
        } else {
            Self { circles: 5, each: 60, kills: 2 }
        }
    }

    /// Events that reach devices and phones, all circles together.
    const fn events(self) -> usize {
        self.circles * self.each
    }
}

/// What all share.
struct Shared {
    /// The server's HTTP, wherever it is.
    http: Door,
    /// Events that were answered, and messages that came.
    progress: AtomicUsize,
    /// Watches that have told all.
    told: AtomicUsize,
    /// The test is over.
    over: AtomicBool,
}

#[test]
fn crash_and_cuts_lose_nothing_that_a_watch_told_and_repeat_none_as_another() {
    let size = Size::wanted();
    let apple = Apple::start();
    let setup = apple.used(Setup::default()).set("JOBS__FIRST_PAUSE_S", 1).set("MQTT__QUEUED", 100_000);
    let mut server = setup.start();
    let families: Vec<Family> = (0..size.circles).map(|number| Family::made(&mut server, number)).collect();
    let road = Cuts::before(server.mqtt());
    let shared = Arc::new(Shared {
        http: server.public().clone(),
        progress: AtomicUsize::new(0),
        told: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    });
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let phones: Vec<Arc<Heard>> = runtime.block_on(phone::all(&families, road.at(), &shared));
    let watches: Vec<_> = families
        .iter()
        .map(|family| {
            let (watch, shared) = (family.watch.clone(), Arc::clone(&shared));
            std::thread::spawn(move || watch::tell(&watch, size.each, &shared))
        })
        .collect();
    trouble(&mut server, &road, &shared, size, &phones, &apple);
    shared.over.store(true, Ordering::SeqCst);
    for watch in watches {
        watch.join().expect("a watch told all");
    }
    by_apns(&apple, size, &families);
}

/// Cuts and kills until all has come.
fn trouble(server: &mut Server, road: &Cuts, shared: &Shared, size: Size, phones: &[Arc<Heard>], apple: &Apple) {
    let mut kills = 0;
    let (mut last, mut since) = (0, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let progress = shared.progress.load(Ordering::SeqCst) + apple.production.accepted();
        if progress != last {
            (last, since) = (progress, Instant::now());
        }
        let missing = phones.iter().filter(|heard| heard.count() < size.each).count();
        let pushed = distinct(apple) >= size.events() * family::DEVICES;
        if missing == 0 && pushed && shared.told.load(Ordering::SeqCst) == size.circles {
            return;
        }
        let pushes = format!("{} of {} pushes", distinct(apple), size.events() * family::DEVICES);
        assert!(
            since.elapsed() < SILENCE,
            "{missing} phones miss something of {} (they have {:?}), {pushes} came, and nothing more; {}",
            size.each,
            phones.iter().map(|heard| heard.count()).collect::<Vec<_>>(),
            server.log().end()
        );
        if kills < size.kills && progress > (kills + 1) * size.events() * (1 + family::MEMBERS) / (size.kills + 1) {
            kills += 1;
            road.close();
            server.kill();
            server.start_again();
            road.leads_to(server.mqtt());
        }
    }
}

/// Pushes of what the watches told that Apple took: device, event, `apns-id`. Others tell who joined and which watch came.
fn taken(apple: &Apple) -> impl Iterator<Item = (String, String, String)> {
    let accepted = apple.production.requests().into_iter().filter(dface_tests::apns::Request::is_accepted);
    accepted.filter_map(|one| Some((one.token, event_of(&one.payload["data"])?, one.id)))
}

/// How many are different ones.
fn distinct(apple: &Apple) -> usize {
    taken(apple).map(|(_, _, id)| id).collect::<BTreeSet<_>>().len()
}

/// Each device was told of each event, under one `apns-id`.
fn by_apns(apple: &Apple, size: Size, families: &[Family]) {
    let mut told: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (token, event, id) in taken(apple) {
        told.entry((token, event)).or_default().insert(id);
    }
    for ((token, event), ids) in &told {
        assert_eq!(ids.len(), 1, "the event {event} went to the device {token} as {ids:?}");
    }
    for device in families.iter().flat_map(|family| &family.devices) {
        let events = told.keys().filter(|(token, _)| token == device).count();
        assert_eq!(events, size.each, "the device {device}");
    }
    assert_eq!(apple.sandbox.asked(), 0, "no device is of the sandbox");
}
