//! A torn last record, and bits that flip.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use dface_tests::{Phone, Server, Setup, dface};

use super::HERE;

/// Bytes before the first frame of a segment.
const HEADER: usize = 64;
/// Bits that are flipped, each in a copy of its own.
const PLACES: usize = 64;

/// The segment files, oldest first.
fn segments(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("log")).expect("the log's directory");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut paths: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "seg")).collect();
    paths.sort();
    paths
}

/// Where the last frame ends: each begins with the length of what follows its head.
fn used(bytes: &[u8]) -> usize {
    const FRAME_HEADER: usize = 44;
    let mut at = HEADER;
    loop {
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        if length == 0 {
            return at;
        }
        at += FRAME_HEADER + length as usize;
    }
}

fn flip(path: &Path, byte: usize, bit: usize) {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("a segment");
    let (mut one, at) = ([0], byte as u64);
    file.read_exact_at(&mut one, at).expect("a segment");
    one[0] ^= 1 << bit;
    file.write_all_at(&one, at).expect("a segment");
}

/// They are made anew from the log then, so that all of it is read. A start that is refused may not have made them.
fn without_read_models(data: &Path) {
    let _ = fs::remove_dir_all(data.join("read"));
}

/// A stopped server's directory with a log of a few dozen events, and how many there are.
fn filled() -> (Server, Phone, usize) {
    let mut server = Setup::default().set("STORE_TUNING__SEGMENT_BYTES", 1 << 20).start();
    let operator = server.operator();
    let phone = server.person("anna", 0);
    for n in 0..20 {
        phone.check_in(operator.add_shop(&format!("shop {n}"), HERE), HERE);
    }
    server.stop();
    (server, phone, 20)
}

#[test]
fn a_flipped_bit_at_64_places_is_named_with_segment_and_position_and_never_skipped() {
    let (server, _, _) = filled();
    let segment = segments(server.dir()).remove(0);
    let bytes = fs::read(&segment).expect("a segment");
    let length = used(&bytes) - HEADER;
    for place in 0..PLACES {
        let (byte, bit) = (HEADER + place * length / PLACES, place % 8);
        flip(&segment, byte, bit);
        without_read_models(server.dir());
        let ended = dface(server.dir(), &[], &["rebuild", "all"]);
        assert_eq!(ended.code, Some(1), "byte {byte}, bit {bit}: {} {}", ended.stdout, ended.stderr);
        let told = &ended.stderr;
        assert!(
            told.contains("damaged at position ") && told.contains("segment 0000"),
            "byte {byte}, bit {bit}: {told}"
        );
        assert!(!told.contains("panicked"), "byte {byte}, bit {bit}: {told}");
        flip(&segment, byte, bit);
    }
    dface(server.dir(), &[], &["rebuild", "all"]).ended(0);
}

#[test]
fn a_server_does_not_start_on_damage_that_it_has_to_read() {
    let (server, _, _) = filled();
    let segment = segments(server.dir()).remove(0);
    let bytes = fs::read(&segment).expect("a segment");
    for byte in [3, HEADER + 5, HEADER + used(&bytes) / 2, used(&bytes) - 3] {
        flip(&segment, byte, 1);
        without_read_models(server.dir());
        let args = ["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
        let ended = dface(server.dir(), &[], &args).ended(1);
        assert!(ended.stdout.is_empty(), "it never was ready: {}", ended.stdout);
        ended.says(&["segment 0000"]);
        flip(&segment, byte, 1);
    }
}

#[test]
fn a_torn_last_record_is_cut_and_what_was_acknowledged_stays() {
    let (mut server, phone, count) = filled();
    for torn in [Some(&[0x21, 0, 0, 0, 9][..]), None, Some(&[0xff; 700])] {
        let segment = segments(server.dir()).pop().expect("a segment");
        let mut bytes = fs::read(&segment).expect("a segment");
        let end = used(&bytes);
        // A frame's head and a part of its body, as a process leaves that dies while it writes.
        let torn = torn.map_or_else(|| bytes[end.saturating_sub(150)..end - 60].to_vec(), <[u8]>::to_vec);
        bytes[end..end + torn.len()].copy_from_slice(&torn);
        fs::write(&segment, &bytes).expect("a segment");
        server.start_again();
        assert_eq!(phone.check_ins().len(), count);
        server.operator().compare_all();
        server.stop();
    }
    server.start_again();
    let shop = server.operator().add_shop("the next one", HERE);
    phone.check_in(shop, HERE);
    assert_eq!(phone.check_ins().len(), count + 1);
}

#[test]
fn a_durable_record_that_is_gone_is_damage() {
    let (server, _, _) = filled();
    let segment = segments(server.dir()).pop().expect("a segment");
    let mut bytes = fs::read(&segment).expect("a segment");
    let end = used(&bytes);
    bytes[end - 400..end].fill(0);
    fs::write(&segment, &bytes).expect("a segment");
    dface(server.dir(), &[], &["rebuild", "all"]).ended(1).says(&["segment 0000", "position"]);
    fs::remove_file(&segment).expect("a segment");
    dface(server.dir(), &[], &["rebuild", "all"]).ended(1).says(&["log"]);
}
