//! Several nodes over one log: real processes, and a stand-in for KurrentDB on loopback.

#![expect(clippy::unwrap_used, reason = "what fails in a test's helper fails the test, with its place")]

mod away;
mod occupants;
mod shared;
mod starting;

use std::{
    thread,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Phone, Server, Setup, esdb::StandIn};
use reqwest::{Method, blocking::RequestBuilder};
use tempfile::TempDir;

/// West Lake.
const HERE: (f64, f64) = (30.2592, 120.1652);

/// The longest that anything takes to reach another node on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all nodes reach: the log, the keys and the objects.
struct World {
    store: StandIn,
    dir: TempDir,
}

impl World {
    fn new() -> Self {
        Self { store: StandIn::cluster(3), dir: tempfile::tempdir().expect("a directory") }
    }

    /// A node that is not started yet, with all that is shared.
    fn node(&self) -> Setup {
        let within = |name: &str| self.dir.path().join(name).display().to_string();
        Setup::default()
            .set("STORE", self.store.url())
            .set("KEYS", format!("shared:{}", within("keys")))
            .set("OBJECTS", within("objects"))
    }
}

/// A request that waits for what `answer` wrote.
fn after(request: RequestBuilder, answer: &Answer) -> RequestBuilder {
    request.header("x-read-after", answer.position())
}

/// Asks again until the answer is as wanted.
#[track_caller]
fn until(wanted: &str, mut ask: impl FnMut() -> Answer, is: impl Fn(&Answer) -> bool) -> Answer {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if is(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "not {wanted} after {PATIENCE:?}: {answer}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn present_at(phone: &Phone, shop: u64) -> RequestBuilder {
    phone.request(Method::GET, &format!("/shop/users?id={shop}"))
}

fn users(answer: &Answer) -> Vec<u64> {
    let list = answer.ok();
    list.as_array().expect("a list").iter().filter_map(|user| user["id"].as_u64()).collect()
}

/// Two nodes.
fn two(world: &World) -> (Server, Server) {
    (world.node().start(), world.node().start())
}
