//! Bits that flip, writes that were not finished, files that are gone.

use std::{collections::BTreeMap, fs};

use dface_domain::ports::StoreError;

use super::*;
use crate::store::embedded::frame::Header;

/// Where each event's frame stands in a segment file: offset and length by position.
fn frames(path: &Path) -> BTreeMap<u64, (usize, usize)> {
    let bytes = fs::read(path).unwrap();
    let (mut found, mut at) = (BTreeMap::new(), SEGMENT_HEADER);
    while bytes.len() - at >= frame::HEADER {
        let header = Header::parse(&bytes[at..]);
        if header.len == 0 {
            break;
        }
        found.insert(header.position, (at, header.frame_len()));
        at += header.frame_len();
    }
    found
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn copied(from: &Place) -> Place {
    let place = Place::new();
    // The index is made anew: its files are large.
    copy(&from.path().join("log"), &place.path().join("log"));
    place
}

/// Puts the mark file back to an earlier position, as if the process had died before it wrote it.
fn set_mark(place: &Place, position: u64) {
    let path = place.path().join("log/durable");
    mark::Mark::open(&path, [0x5a; 16]).unwrap().settle(position).unwrap();
}

/// Opens and reads everything; the position and message of the damage, wherever it shows.
fn damage(place: &Place) -> Option<(u64, String)> {
    let found = match place.try_open() {
        Ok(store) => {
            let verified = store.verify().err();
            if let Some(StoreError::Corrupt { position, .. }) = &verified {
                // Reading does not skip it either: all that is read is before it.
                let read = store.read_all_blocking(LogPosition(position.0.saturating_sub(2)), 10);
                assert!(read.is_err() || position.0 > 200 || read.unwrap().iter().all(|e| e.position < *position));
            }
            verified
        }
        Err(OpenError::Store(error)) => Some(error),
        Err(error) => panic!("{error}"),
    };
    found.map(|error| match &error {
        StoreError::Corrupt { position, place, .. } => {
            assert!(place.starts_with("segment 0000"), "{error}");
            (position.0, error.to_string())
        }
        _ => panic!("{error}"),
    })
}

fn flip(path: &Path, byte: usize, bit: u8) {
    let mut bytes = fs::read(path).unwrap();
    bytes[byte] ^= 1 << bit;
    fs::write(path, bytes).unwrap();
}

#[test]
fn embedded_names_a_flipped_bit_at_64_places_of_a_segment() {
    let origin = Place::new();
    fill(&origin.open(), 0, 200);
    let places = frames(&origin.segment(1));
    let end = places.values().map(|(at, len)| at + len).max().unwrap();
    assert_eq!(places.len(), 200);
    let header: Vec<_> = (0..8).map(|n| n * 7).collect();
    let spread = (0..44).map(|n| SEGMENT_HEADER + n * (end - SEGMENT_HEADER) / 44);
    let last: Vec<_> = (0..12).map(|n| places[&200].0 + n * places[&200].1 / 12).collect();
    for (n, byte) in header.into_iter().chain(spread).chain(last).enumerate() {
        let place = copied(&origin);
        flip(&place.segment(1), byte, u8::try_from(n % 8).unwrap());
        let wanted = places.iter().find(|(_, (at, len))| (*at..at + len).contains(&byte)).map_or(1, |(p, _)| *p);
        let (position, message) = damage(&place).unwrap_or_else(|| panic!("byte {byte}: not seen"));
        assert_eq!(position, wanted, "byte {byte}: {message}");
    }
}

#[test]
fn embedded_names_flipped_bits_in_older_segments() {
    let origin = Place::new();
    fill(&origin.open(), 0, 1200);
    assert!(origin.open().stats().segments >= 3);
    let places = frames(&origin.segment(1));
    let end = places.values().map(|(at, len)| at + len).max().unwrap();
    let next = places.keys().max().unwrap() + 1;
    for n in 0..40 {
        let byte = n * (64 << 10) / 40 + n;
        let place = copied(&origin);
        flip(&place.segment(1), byte, 3);
        let at = places.iter().find(|(_, (at, len))| (*at..at + len).contains(&byte)).map(|(p, _)| *p);
        let wanted = if byte >= end { next } else { at.unwrap_or(1) };
        let (position, message) = damage(&place).unwrap_or_else(|| panic!("byte {byte}: not seen"));
        assert_eq!(position, wanted, "byte {byte}: {message}");
    }
}

#[test]
fn embedded_cuts_an_unfinished_last_write_at_every_byte() {
    let origin = Place::new();
    fill(&origin.open(), 0, 20);
    let (at, len) = frames(&origin.segment(1))[&20];
    // The process died in this write: the mark says 19, and the tail of the frame never reached the disk.
    for written in 0..len {
        let place = copied(&origin);
        set_mark(&place, 19);
        let mut bytes = fs::read(place.segment(1)).unwrap();
        let whole = bytes[at..at + len].to_vec();
        bytes[at + written..at + len].fill(0);
        let complete = bytes[at..at + len] == whole[..];
        fs::write(place.segment(1), bytes).unwrap();
        let store = place.open();
        assert_eq!(store.stats().events, if complete { 20 } else { 19 }, "{written} bytes written");
        fill(&store, 100, 3);
        drop(store);
        let store = place.open();
        assert_eq!(everything(&store).len(), if complete { 23 } else { 22 });
        store.verify().unwrap();
    }
}

#[test]
fn embedded_names_an_acknowledged_last_record_that_is_torn() {
    let origin = Place::new();
    fill(&origin.open(), 0, 20);
    let (at, len) = frames(&origin.segment(1))[&20];
    for written in 0..len - 1 {
        let place = copied(&origin);
        let mut bytes = fs::read(place.segment(1)).unwrap();
        bytes[at + written] ^= 0x10;
        fs::write(place.segment(1), bytes).unwrap();
        assert_eq!(damage(&place).unwrap().0, 20, "byte {written} of the frame");
    }
}

#[test]
fn embedded_cuts_an_unfinished_batch_as_a_whole() {
    let origin = Place::new();
    let store = origin.open();
    fill(&store, 0, 5);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(store.append(&stream("batch"), Expected::NoStream, contract::events(50..54))).unwrap();
    drop(store);
    let places = frames(&origin.segment(1));
    for position in 6..=9 {
        let place = copied(&origin);
        set_mark(&place, 5);
        let (at, len) = places[&position];
        let mut bytes = fs::read(place.segment(1)).unwrap();
        bytes[at..at + len].fill(0);
        fs::write(place.segment(1), bytes).unwrap();
        let store = place.open();
        assert_eq!(store.stats().events, 5, "{position} of the batch was lost");
        assert!(store.read_stream_blocking(&stream("batch"), 0, 10).unwrap().is_empty());
        fill(&store, 60, 1);
        store.verify().unwrap();
    }
}

#[test]
fn embedded_needs_no_mark_file_to_tell_damage() {
    let origin = Place::new();
    fill(&origin.open(), 0, 30);
    let places = frames(&origin.segment(1));
    for broken in [None, Some(vec![]), Some(vec![0xff; 1024])] {
        let mark = |place: &Place| {
            let path = place.path().join("log/durable");
            broken.as_ref().map_or_else(|| fs::remove_file(&path).unwrap(), |bytes| fs::write(&path, bytes).unwrap());
        };
        let whole = copied(&origin);
        mark(&whole);
        assert_eq!(everything(&whole.open()).len(), 30);
        for position in [1, 15, 29, 30] {
            let place = copied(&origin);
            mark(&place);
            flip(&place.segment(1), places[&position].0 + 50, 1);
            assert_eq!(damage(&place).unwrap().0, position);
        }
    }
}

#[test]
fn embedded_names_files_that_are_gone() {
    let origin = Place::new();
    fill(&origin.open(), 0, 1200);
    let store = origin.open();
    let firsts: Vec<_> = store.inner.log.segments().iter().map(|s| s.first).collect();
    drop(store);
    let last = firsts[firsts.len() - 1];
    for (gone, wanted) in [(firsts[0], 1), (firsts[1], firsts[1]), (last, last)] {
        let place = copied(&origin);
        fs::remove_file(place.segment(gone)).unwrap();
        assert_eq!(damage(&place).unwrap().0, wanted, "without {gone}");
    }
    let place = copied(&origin);
    for first in &firsts {
        fs::remove_file(place.segment(*first)).unwrap();
    }
    let Err(OpenError::Store(error)) = place.try_open() else { panic!("opened") };
    assert!(error.to_string().contains("segments are missing"), "{error}");
    let place = copied(&origin);
    fs::OpenOptions::new().write(true).open(place.segment(last)).unwrap().set_len(4096).unwrap();
    assert_eq!(damage(&place).unwrap().0, last);
}
