//! A node that starts anew over a long log: it makes its read models in bounded memory, and asks for keys many at once.

use std::{fs, path::Path, sync::Arc};

use dface_commands::{
    keys::{SharedKeys, SharedParts},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    events::{CheckedIn, Fix, Gender, Provider, ShopAdded, ShopDetails, UserRegistered},
    geo::Position,
    ids::{CheckinId, ObjectId, ShopId, UserId},
    ports::Keys,
    sealed::Subject,
    shops::kind::ShopKind,
    stream::StreamId,
    time::Timestamp,
};
use dface_tests::{Server, esdb::Fact};
use dface_workers::records;

use super::{HERE, World};

const SHOPS: u64 = 200;
const PEOPLE: u64 = 200;

/// Check-ins of the short log, and how many times as many the long one has.
const CHECK_INS: u64 = 2_500;
const TIMES: u64 = 20;

/// What the long log may cost more in memory: 25 MiB were seen. Held as a whole it would take more than twice as much.
const MORE_BYTES: u64 = 48 << 20;

/// When the first check-in was.
const BEGIN: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn keys(world: &World) -> Arc<dyn Keys> {
    let runtime = tokio::runtime::Handle::current();
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let records = records::in_directory(&world.dir.path().join("keys")).unwrap();
    Arc::new(SharedKeys::new(SharedParts { records, runtime, clock, entropy, at_once: 16, remembered: 10_000 }))
}

fn place() -> Position {
    Position::new(HERE.0, HERE.1).unwrap()
}

fn shop(number: u64) -> Fact {
    let (shop, position) = (ShopId(number), place());
    let (name, text) = (format!("shop {number}"), String::new());
    let details = ShopDetails {
        name,
        address: text.clone(),
        phone: text,
        kind: ShopKind::Cafe,
        position,
        map: position.to_map(),
    };
    Fact { stream: StreamId::shop(shop), at: BEGIN, event: ShopAdded { shop, details, source: None }.into() }
}

fn person(keys: &Arc<dyn Keys>, number: u64) -> Fact {
    let user = UserId::Number(number);
    let name = keys.seal(Subject::User(user), &format!("person {number}")).unwrap();
    let event = UserRegistered { user, provider: Provider::Local, name, gender: Gender::Unset, source: None };
    Fact { stream: StreamId::user(user), at: BEGIN, event: event.into() }
}

fn check_in(keys: &Arc<dyn Keys>, number: u64) -> Fact {
    let (user, shop) = (UserId::Number(number % PEOPLE + 1), ShopId(number % SHOPS + 1));
    let at = BEGIN.plus_seconds(number.cast_signed() * 60);
    let seconds = u32::try_from(at.seconds()).unwrap();
    let checkin = CheckinId(ObjectId::from_parts(seconds, number.to_be_bytes()));
    let about = Subject::User(user);
    let fix = Fix { position: place(), accuracy: 100, altitude: None, altacc: None };
    let bssid = Some(keys.seal(about, &format!("00:1d:7e:aa:bb:{:02x}", number % 4)).unwrap());
    let fix = keys.seal(about, &fix).unwrap();
    let event = CheckedIn { checkin, user, shop, od: 0, far: false, fix, bssid };
    Fact { stream: StreamId::checkin(checkin), at, event: event.into() }
}

/// Puts shops, people, and check-ins with these numbers into the log.
fn fill(world: &World, check_ins: std::ops::Range<u64>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _within = runtime.enter();
    let keys = keys(world);
    if check_ins.start == 0 {
        let people: Vec<_> = (1..=PEOPLE).map(|number| Subject::User(UserId::Number(number))).collect();
        keys.ensure(&people).unwrap();
        let before = (1..=SHOPS).map(shop).chain((1..=PEOPLE).map(|number| person(&keys, number)));
        world.store.fill(before.map(Ok::<_, dface_domain::events::CodecError>)).unwrap();
    }
    world
        .store
        .fill(check_ins.map(|number| Ok::<_, dface_domain::events::CodecError>(check_in(&keys, number))))
        .unwrap();
}

/// A node with an empty directory and little room for what waits.
fn anew(world: &World) -> Server {
    let (memory, cache) = (1 << 20, 1 << 20);
    world
        .node()
        .set("PROJECTIONS__REBUILD_MEMORY", memory)
        .set("PROJECTIONS__REBUILD_BATCH", 512)
        .set("PROJECTIONS__CACHE", cache)
        .set("STORE_TUNING__TAIL_BYTES", 1 << 20)
        .set("STORE_TUNING__PAGE_EVENTS", 512)
        .start()
}

/// The most memory that a process has held.
fn most_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux tells it");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn a_node_that_starts_anew_reads_a_long_log_in_bounded_memory_and_has_all_of_it() {
    let world = World::new();
    fill(&world, 0..CHECK_INS);
    let short = most_memory(anew(&world).pid());
    fill(&world, CHECK_INS..CHECK_INS * TIMES);
    let node = anew(&world);
    let long = most_memory(node.pid());
    assert!(long < short + MORE_BYTES, "{} KiB after {} KiB", long >> 10, short >> 10);
    for model in node.operator().get("/admin/projections").ok().as_array().unwrap() {
        // Nodes write of themselves all the time.
        let near = model["lag"].as_u64().is_some_and(|lag| lag < CHECK_INS);
        assert!(model["state"] == "live" && near, "{model}");
    }
}
