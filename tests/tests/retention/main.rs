//! Retention: a family's log stops growing, what is left is read right and rebuilt right, and a kill in the middle of a sweep loses nothing.
//! `CRASH_ROUNDS` says how often it is killed (3 by default, `make crash` more).

mod past;

use std::{
    env,
    hash::{BuildHasher, RandomState},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use dface_domain::{retention::Retained, time::Timestamp};
use dface_tests::{Phone, Server, Setup};
use serde_json::Value;
use tempfile::TempDir;

use self::past::{DAY_S, IMEI, Past, SEGMENT};

/// Nothing that a test waits for takes longer.
const LONGEST: Duration = Duration::from_secs(120);

fn directory() -> (TempDir, std::path::PathBuf) {
    let own = tempfile::tempdir().expect("a directory");
    let data = own.path().join("data");
    (own, data)
}

fn started(data: &Path, kept: i64, bytes_per_second: u64) -> Server {
    Setup::default()
        .on(data)
        .set("RETENTION__POSITIONS", kept)
        .set("STORE_TUNING__SEGMENT_BYTES", SEGMENT)
        .set("RETENTION__EVERY_S", 1)
        .set("RETENTION__BYTES_PER_SECOND", bytes_per_second)
        .start()
}

/// What `/admin/status` says of retention, once it is as it should be.
fn swept(server: &Server, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let status = server.operator().get("/admin/status").ok();
        if is_so(&status["retention"]) {
            return status;
        }
        assert!(begun.elapsed() < LONGEST, "it does not become so: {}", status["retention"]);
        thread::sleep(Duration::from_millis(50));
    }
}

fn ago(seconds: i64) -> Timestamp {
    let now = dface_domain::ports::Clock::now(&dface_commands::system::SystemClock);
    now.plus_seconds(-seconds)
}

/// Positions that are shown of an hour that began so many seconds ago.
fn shown(phone: &Phone, seconds: i64) -> usize {
    let (from, to) = (ago(seconds).to_string(), ago(seconds - 3_600).to_string());
    let track = phone.get("/watches/track", &[("imei", &IMEI), ("from", &from), ("to", &to), ("pcount", &100)]);
    track.ok().as_array().expect("a list").len()
}

fn of(category: &str, retention: &Value) -> Value {
    let all = retention["categories"].as_array().expect("a list");
    all.iter().find(|one| one["name"] == category).expect("it has a retention").clone()
}

/// What is left is what was told in the last days.
fn is_right(server: &mut Server, kept: i64) -> Phone {
    let anna = server.sign_in("anna");
    for days in [1, kept / 2, kept - 1] {
        let count = shown(&anna, days * DAY_S);
        assert!((59..=61).contains(&count), "{count} positions in an hour {days} days ago");
    }
    assert_eq!(shown(&anna, (kept + 1) * DAY_S), 0, "a position is shown that is older than the retention");
    anna
}

/// Days of a family's life, with a sweep each day: the log stops growing.
fn family_for(days: i64, kept: i64) {
    let (_own, data) = directory();
    let mut past = Past::begin(&data, days);
    let mut sizes = Vec::new();
    for _ in 0..days {
        past.day();
        past.sweep(&[(Retained::Positions, kept), (Retained::Focus, 7)]);
        sizes.push(past.bytes());
    }
    let told = past.told();
    past.end();
    // From there on there is what is kept, and what waits in segments that are not full of what is over; a talk and a fact of each day stay.
    let (full, last) = (sizes[usize::try_from(kept + 8).expect("small")], sizes[sizes.len() - 1]);
    let stays = u64::try_from(days).expect("it is not negative") * 2_000;
    assert!(last <= full + 2 * SEGMENT + stays, "the log grows: {sizes:?}");

    let mut server = started(&data, kept, 1 << 30);
    let status = swept(&server, |retention| retention["at"].is_string());
    assert_eq!(status["retention"]["error"], Value::Null, "{status}");
    let positions = of("positions", &status["retention"]);
    assert!(positions["before"].is_string() && positions["low_water"].as_u64() > Some(1), "{positions}");
    let (head, events) = (status["head"].as_u64().expect("a number"), status["events"].as_u64().expect("a number"));
    let gone = i64::try_from(head - events).expect("it is small");
    assert!(gone > told - (kept + 10) * 1_440, "{gone} of {told} are gone: {status}");
    let anna = is_right(&mut server, kept);
    let circle = anna.get("/groups", &[]).ok();
    let group = circle[0]["id"].as_u64().expect("a circle's id");
    let last = anna.get("/groups/show", &[("id", &group)]).ok()["watches"][0]["position"].clone();
    assert!(last["lat"].is_f64(), "the last position is there: {last}");
    server.operator().compare_all();
    let stats = server.operator().get("/admin/stats").ok();
    let located = stats["types"].as_array().expect("a list").iter().find(|one| one["type"] == "WatchLocated");
    let left = located.and_then(|located| located["events"].as_i64()).expect("there are some");
    assert!((kept * 1_440..(kept + 10) * 1_440).contains(&left), "{left} positions are in the log");
    server.stop();
    let verified = dface_tests::dface(&data, &[], &["doctor", "--verify"]).ended(0);
    assert!(verified.stdout.contains("are gone"), "{}", verified.stdout);
}

#[test]
fn a_family_s_log_stops_growing_and_what_is_left_is_read_and_rebuilt_right() {
    family_for(30, 10);
}

#[test]
#[ignore = "takes minutes: `make crash`"]
fn a_year_of_a_family_s_positions_stops_growing() {
    family_for(365, 30);
}

/// Chance that is told where a round fails is of no use here: the moment of the kill cannot be repeated.
fn chance(below: u64) -> u64 {
    RandomState::new().hash_one("retention") % below
}

#[test]
fn a_kill_in_the_middle_of_a_sweep_loses_nothing_that_stays() {
    let rounds =
        env::var("CRASH_ROUNDS").ok().and_then(|text| text.parse::<u64>().ok()).map_or(3, |rounds| rounds.min(20));
    let (_own, data) = directory();
    let (days, kept) = (20, 8);
    let mut past = Past::begin(&data, days);
    (0..days).for_each(|_| past.day());
    let told = past.told();
    past.end();
    let mut server = started(&data, kept, 2 << 20);
    for _ in 0..rounds {
        thread::sleep(Duration::from_millis(900 + chance(2_500)));
        server.kill();
        server.start_again();
        let _ = is_right(&mut server, kept);
    }
    server.stop();
    server.set("RETENTION__BYTES_PER_SECOND", &(1_u64 << 30).to_string());
    server.start_again();
    let status = swept(&server, |retention| {
        let position = of("positions", retention)["low_water"].as_i64();
        retention["error"].is_null() && position.is_some_and(|position| position > told - (kept + 8) * 1_440)
    });
    let (head, events) = (status["head"].as_u64().expect("a number"), status["events"].as_u64().expect("a number"));
    assert!(head - events > 4_000, "{status}");
    let _ = is_right(&mut server, kept);
    server.operator().compare_all();
    server.stop();
    dface_tests::dface(&data, &[], &["doctor", "--verify"]).ended(0);
    let replayed = dface_tests::dface(&data, &[], &["replay", "--type", "TalkSent"]).ended(0).stdout;
    assert_eq!(i64::try_from(replayed.lines().count()), Ok(days), "what stays for ever is there: a talk of each day");
}

#[test]
fn a_retention_of_nothing_lets_nothing_go() {
    let (_own, data) = directory();
    let mut past = Past::begin(&data, 5);
    (0..5).for_each(|_| past.day());
    past.end();
    let server = Setup::default()
        .on(&data)
        .set("STORE_TUNING__SEGMENT_BYTES", SEGMENT)
        .set("RETENTION__EVERY_S", 1)
        .set("RETENTION__POSITIONS", 0)
        .start();
    let status = swept(&server, |retention| retention["at"].is_string());
    assert_eq!(of("positions", &status["retention"])["days"], Value::Null);
    assert_eq!((&status["events"], &status["retention"]["events"]), (&status["head"], &Value::from(0)));
}
