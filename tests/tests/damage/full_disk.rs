//! A full disk refuses writes while reads go on, and recovers without a restart.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use dface_tests::{Answer, Server, Setup, disk::SmallDisk};
use reqwest::Method;

use super::HERE;

const MIB: u64 = 1 << 20;
/// What the settings below keep free.
const KEPT: u64 = 16 * MIB;
const DISK: u64 = 160 * MIB;

fn server_on(disk: &SmallDisk) -> Server {
    Setup::default()
        .on(&disk.path().join("data"))
        .set("LIMITS__MIN_FREE_BYTES", KEPT)
        .set("LIMITS__EVENT_BYTES", 64 << 10)
        .set("STORE_TUNING__SEGMENT_BYTES", 256 << 10)
        .start()
}

/// Fills the disk until `left` bytes are free.
fn fill(disk: &Path, left: u64) {
    let mut filler = File::create(disk.join("filler")).expect("a file");
    loop {
        let stats = rustix::fs::statvfs(disk).expect("a file system");
        let over = (stats.f_bavail * stats.f_frsize).saturating_sub(left);
        let piece = usize::try_from(over.min(MIB)).expect("small");
        if piece == 0 || filler.write_all(&vec![1; piece]).is_err() {
            return;
        }
    }
}

fn full_and_free_again(left: u64) {
    let Some(disk) = SmallDisk::mount(DISK) else { return };
    let mut server = server_on(&disk);
    // What a full disk makes it say is its business; that it goes on is the test's.
    server.expect_error("No space left");
    let operator = server.operator();
    let shops: Vec<u64> = (0..4_000).step_by(50).map(|n| operator.add_shop(&format!("shop {n}"), HERE)).collect();
    let phone = server.person("anna", 0);
    let mut acknowledged = vec![phone.check_in(shops[0], HERE)];

    fill(disk.path(), left);
    // The segment that is open may still have room.
    let begun = Instant::now();
    let refusal = 'full: loop {
        for shop in &shops[1..] {
            let key = format!("{:?}", begun.elapsed());
            let answer = Answer::to(phone.checking_in(*shop, HERE).header("idempotency-key", key));
            if answer.status != 200 {
                break 'full answer;
            }
            acknowledged.push(answer.ok()["id"].as_str().expect("a string").to_owned());
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the disk is full and everything gets written");
    };
    refusal.refused(503, "storage_full");
    assert!(refusal.headers.contains_key("retry-after"), "{refusal}");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(Answer::to(server.request(Method::GET, path)).status, 200);
    }
    let around = phone.get("/aroundme/shops", &[("lat", &HERE.0), ("lng", &HERE.1), ("accuracy", &65)]);
    assert_eq!(around.ok().as_array().map(Vec::len), Some(50));
    assert!(!phone.get("/checkins", &[]).ok().as_array().expect("a list").is_empty());
    Answer::to(phone.checking_in(shops[0], HERE).header("idempotency-key", "still")).refused(503, "storage_full");

    fs::remove_file(disk.path().join("filler")).expect("the filler");
    let begun = Instant::now();
    loop {
        let answer = Answer::to(phone.checking_in(shops[0], HERE).header("idempotency-key", "again"));
        if answer.status == 200 {
            acknowledged.push(answer.ok()["id"].as_str().expect("a string").to_owned());
            break;
        }
        answer.refused(503, "storage_full");
        assert!(begun.elapsed() < Duration::from_secs(30), "there is room again, and still nothing gets written");
        thread::sleep(Duration::from_millis(100));
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while Answer::to(server.request(Method::GET, "/readyz")).ok()["lag"] != 0 {
        assert!(Instant::now() < deadline, "the read models do not catch up");
        thread::sleep(Duration::from_millis(50));
    }
    let listed: Vec<String> =
        phone.check_ins().iter().map(|one| one["id"].as_str().expect("a string").to_owned()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !listed.contains(id)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    server.operator().compare_all();
    server.stop();
    server.start_again();
    assert_eq!(phone.check_ins().len(), listed.len());
    server.stop();
}

#[test]
fn full_disk_down_to_what_is_kept_free_refuses_writes_and_recovers() {
    full_and_free_again(KEPT - MIB);
}

#[test]
fn full_disk_to_the_last_byte_refuses_writes_and_recovers() {
    full_and_free_again(0);
}
