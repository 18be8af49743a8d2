//! kill -9 at random moments under load: what was acknowledged is there, once, and the read models agree with a
//! rebuild from nothing. `CRASH_ROUNDS` says how often (5 by default, `make crash` 200).

use std::{
    collections::{BTreeMap, HashSet},
    env,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Phone, Server, Setup};
use reqwest::Method;
use serde_json::json;

const CLIENTS: usize = 64;
const PEOPLE: usize = 8;
/// Each client has so many shops of its own, so that it makes as many check-ins a minute and then repeats them.
const SHOPS: usize = 8;
const HERE: (f64, f64) = (30.286_91, 120.127_63);

fn rounds() -> u64 {
    env::var("CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

/// Chance that is told where a round fails is of no use here: the moment of the kill cannot be repeated.
fn chance(below: u64) -> u64 {
    RandomState::new().hash_one("crash") % below
}

/// What clients know at the moment of a kill.
#[derive(Default)]
struct Known {
    /// Acknowledged check-ins of each person.
    acknowledged: BTreeMap<u64, HashSet<String>>,
    /// Requests with a key whose answer never came: who, key, shop.
    open: Vec<(usize, String, u64)>,
}

struct Load {
    phones: Vec<Phone>,
    shops: Vec<u64>,
    known: Mutex<Known>,
    acknowledged: AtomicU64,
}

impl Load {
    fn prepare(server: &mut Server) -> Self {
        let operator = server.operator();
        let shops = (0..CLIENTS * SHOPS).map(|n| operator.add_shop(&format!("shop {n}"), HERE)).collect();
        let people = (0..PEOPLE).map(|n| server.person(&format!("person {n}"), u8::try_from(n % 3).expect("small")));
        Self { phones: people.collect(), shops, known: Mutex::default(), acknowledged: AtomicU64::new(0) }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Client `number` checks in until `killed`, every other time with a key.
    fn write(&self, number: usize, round: u64, killed: &AtomicBool) {
        let person = number % PEOPLE;
        let phone = &self.phones[person];
        for turn in 0.. {
            let shop = self.shops[number * SHOPS + turn % SHOPS];
            let key = (turn % 2 == 0).then(|| format!("{round}-{number}-{turn}"));
            let mut request = phone.checking_in(shop, HERE);
            if let Some(key) = &key {
                request = request.header("idempotency-key", key);
            }
            match Answer::try_to(request) {
                Ok(answer) => {
                    let id = answer.ok()["id"].as_str().expect("a string").to_owned();
                    self.known().acknowledged.entry(phone.user).or_default().insert(id);
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                Err(broken) => {
                    assert!(killed.load(Ordering::Acquire), "a connection broke before the kill: {broken}");
                    self.known().open.extend(key.map(|key| (person, key, shop)));
                    return;
                }
            }
        }
    }

    /// Lets all clients write, kills the server in the middle of it.
    fn kill_under_load(&self, server: &mut Server, round: u64) {
        let killed = AtomicBool::new(false);
        let before = self.acknowledged.load(Ordering::Relaxed);
        thread::scope(|scope| {
            for number in 0..CLIENTS {
                let killed = &killed;
                scope.spawn(move || self.write(number, round, killed));
            }
            // Some have written, others are in the middle of it.
            let begun = Instant::now();
            while self.acknowledged.load(Ordering::Relaxed) < before + CLIENTS as u64 {
                assert!(begun.elapsed() < Duration::from_secs(30), "nothing gets written");
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(chance(800_000)));
            killed.store(true, Ordering::Release);
            server.kill();
        });
    }

    /// Repeats what was not answered, and checks that all is there, once.
    fn check(&self) {
        let open = std::mem::take(&mut self.known().open);
        for (person, key, shop) in open {
            let phone = &self.phones[person];
            let ask = || Answer::to(phone.checking_in(shop, HERE).header("idempotency-key", &key));
            let (first, again) = (ask(), ask());
            assert_eq!(first.ok(), again.ok(), "a repeat answers as the first did");
            let id = first.ok()["id"].as_str().expect("a string").to_owned();
            self.known().acknowledged.entry(phone.user).or_default().insert(id);
        }
        for phone in &self.phones {
            let listed = phone.check_ins();
            let ids: HashSet<String> =
                listed.iter().map(|one| one["id"].as_str().expect("a string").to_owned()).collect();
            assert_eq!(ids.len(), listed.len(), "a check-in is there twice");
            let visits: HashSet<(u64, String)> = listed
                .iter()
                .map(|one| {
                    let minute = one["time"].as_str().and_then(|time| time.get(..16)).expect("RFC 3339").to_owned();
                    (one["shop_id"].as_u64().expect("a number"), minute)
                })
                .collect();
            assert_eq!(visits.len(), listed.len(), "one shop and minute is there twice under two ids");
            let known = self.known();
            let lost: Vec<&String> =
                known.acknowledged.get(&phone.user).into_iter().flatten().filter(|id| !ids.contains(*id)).collect();
            assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        }
    }
}

#[test]
fn crash_under_64_writers_loses_nothing_and_doubles_nothing() {
    let mut server = Setup::default().set("STORE_TUNING__SEGMENT_BYTES", 1 << 20).start();
    let load = Load::prepare(&mut server);
    for round in 1..=rounds() {
        load.kill_under_load(&mut server, round);
        server.start_again();
        load.check();
        server.operator().compare_all();
    }
    eprintln!("{} kills, {} acknowledged check-ins, none lost", rounds(), load.acknowledged.load(Ordering::Relaxed));
}

#[test]
fn crash_during_a_rebuild_leaves_the_old_generation_serving() {
    let mut server = Server::start();
    let load = Load::prepare(&mut server);
    for (number, shop) in load.shops.iter().enumerate() {
        load.phones[number % PEOPLE].check_in(*shop, HERE);
    }
    let models = server.operator().models();
    for round in 0..3 {
        for name in &models {
            server.operator().post(&format!("/admin/projections/{name}/rebuild"), &json!({})).ok();
        }
        thread::sleep(Duration::from_millis(chance(40) * round));
        server.kill();
        server.start_again();
        for phone in &load.phones {
            assert_eq!(phone.check_ins().len(), load.shops.len() / PEOPLE);
        }
        server.operator().compare_all();
    }
}

impl Load {
    /// Asks for what was acknowledged before, by who was told so, until `killed`. What is listed is all of it, once.
    fn read(&self, number: usize, killed: &AtomicBool) {
        let phone = &self.phones[number % PEOPLE];
        loop {
            let before = self.known().acknowledged.get(&phone.user).cloned().unwrap_or_default();
            let mut listed = Vec::new();
            for page in 1.. {
                let path = format!("/checkins.json?page={page}&pcount=100");
                let answer = match Answer::try_to(phone.request(Method::GET, &path)) {
                    Ok(answer) => answer.ok(),
                    Err(broken) => {
                        assert!(killed.load(Ordering::Acquire), "a connection broke before the kill: {broken}");
                        return;
                    }
                };
                let page = answer.as_array().expect("a list").clone();
                let last = page.len() < 100;
                listed.extend(page);
                if last {
                    break;
                }
            }
            // New ones come first and move the pages: one may be seen twice between two of them, none is missing.
            let ids: HashSet<&str> = listed.iter().filter_map(|one| one["id"].as_str()).collect();
            let missing: Vec<_> = before.iter().filter(|id| !ids.contains(id.as_str())).collect();
            assert!(missing.is_empty(), "acknowledged and not listed while read models were made anew: {missing:?}");
        }
    }

    /// Lets half of the clients write and half read while all read models are made anew again and again; kills the server in the middle.
    fn kill_while_rebuilding(&self, server: &mut Server, models: &[String], round: u64) {
        let (killed, begun) = (AtomicBool::new(false), AtomicU64::new(0));
        let operator = server.operator();
        thread::scope(|scope| {
            for number in 0..CLIENTS {
                let killed = &killed;
                let write = number % 2 == 0;
                scope.spawn(
                    move || if write { self.write(number, round, killed) } else { self.read(number / 2, killed) },
                );
            }
            for name in models {
                let (killed, begun, operator) = (&killed, &begun, &operator);
                let path = format!("/admin/projections/{name}/rebuild");
                scope.spawn(move || {
                    while Answer::try_to(operator.door().request(Method::POST, &path)).is_ok() {
                        begun.fetch_add(1, Ordering::Relaxed);
                        thread::sleep(Duration::from_millis(50));
                    }
                    assert!(killed.load(Ordering::Acquire), "a connection broke before the kill");
                });
            }
            let patience = Instant::now();
            while begun.load(Ordering::Relaxed) < 2 * models.len() as u64 {
                assert!(patience.elapsed() < Duration::from_secs(60), "the rebuilds do not begin");
                thread::sleep(Duration::from_millis(1));
            }
            thread::sleep(Duration::from_micros(chance(800_000)));
            killed.store(true, Ordering::Release);
            server.kill();
        });
    }
}

/// So many kills by default, where the others have five: each has every read model compared.
fn rebuilding_rounds() -> u64 {
    env::var("CRASH_ROUNDS").map_or(3, |_| rounds().min(20))
}

#[test]
fn crash_while_every_read_model_is_made_anew_under_64_clients_loses_nothing_and_answers_nothing_wrong() {
    let mut server =
        Setup::default().set("PROJECTIONS__REBUILD_BATCH", 64).set("PROJECTIONS__REBUILD_MEMORY", 1 << 16).start();
    let load = Load::prepare(&mut server);
    let models = server.operator().models();
    for round in 1..=rebuilding_rounds() {
        load.kill_while_rebuilding(&mut server, &models, round);
        server.start_again();
        load.check();
        server.operator().compare_all();
    }
}

#[test]
fn crash_during_the_start_is_no_harm() {
    let mut server = Server::start();
    let load = Load::prepare(&mut server);
    load.kill_under_load(&mut server, 1);
    for _ in 0..rounds() {
        server.start_unready();
        thread::sleep(Duration::from_millis(chance(400)));
        server.kill();
    }
    server.start_again();
    load.check();
    server.operator().compare_all();
}

#[test]
fn crash_during_the_first_start_leaves_a_directory_that_starts() {
    let mut server = Server::start();
    for wait in 0..rounds().max(5) {
        server.stop();
        std::fs::remove_dir_all(server.dir()).expect("it is the test's own");
        server.start_unready();
        thread::sleep(Duration::from_millis(wait * 20 + chance(20)));
        server.kill();
        server.start_again();
        let operator = server.operator();
        operator.add_shop("cafe", HERE);
        operator.compare_all();
        assert_eq!(Answer::to(server.request(Method::GET, "/readyz")).ok()["ready"], true);
    }
}
