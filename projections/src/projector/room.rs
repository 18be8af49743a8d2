//! Whether the disk has room for rows. Without it the read models wait and go on serving what they have: a database
//! that meets a full disk in the middle of a write refuses all later ones.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Between two looks at the disk.
const EVERY: Duration = Duration::from_millis(200);

pub(super) struct Room {
    dir: PathBuf,
    keep: u64,
    seen: Mutex<Option<(Instant, bool)>>,
}

impl Room {
    /// At least `keep` bytes stay free where `dir` is.
    pub(super) fn new(dir: PathBuf, keep: u64) -> Self {
        Self { dir, keep, seen: Mutex::new(None) }
    }

    /// Whether there is room now, or was just now. Where the disk cannot be asked, writing tells.
    pub(super) fn is_there(&self) -> bool {
        let mut seen = self.seen.lock();
        match *seen {
            Some((at, there)) if at.elapsed() < EVERY => there,
            _ => {
                let free = rustix::fs::statvfs(&self.dir).map(|stats| stats.f_bavail.saturating_mul(stats.f_frsize));
                let there = free.map_or(true, |free| free > self.keep);
                *seen = Some((Instant::now(), there));
                there
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_a_little_and_not_for_everything() {
        assert!(Room::new(std::env::temp_dir(), 1).is_there());
        assert!(!Room::new(std::env::temp_dir(), u64::MAX - 1).is_there());
    }
}
