//! A watch that tells until it is answered.

use std::{sync::atomic::Ordering, time::Duration};

use dface_tests::family::{Watch, events};

use super::Shared;

/// Events in one message.
const AT_ONCE: usize = 10;

/// Tells so many events, each at least once and until it is answered.
pub fn tell(watch: &Watch, count: usize, shared: &Shared) {
    let numbers: Vec<usize> = (0..count).collect();
    for chunk in numbers.chunks(AT_ONCE) {
        let told = events(chunk);
        while !shared.over.load(Ordering::SeqCst) {
            match watch.telling(&shared.http, &told).send() {
                Ok(answer) if answer.status().is_success() => break,
                Ok(answer) if answer.status().as_u16() < 500 => {
                    panic!("{}: {}", answer.status(), answer.text().unwrap_or_default())
                }
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        shared.progress.fetch_add(chunk.len(), Ordering::SeqCst);
    }
    shared.told.fetch_add(1, Ordering::SeqCst);
}
