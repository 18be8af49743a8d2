//! Generations that are made side by side go along the log together: who is far ahead waits, so that each stretch is
//! read and decoded once for all of them. To decode it again costs more than most models do with it.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio_util::sync::CancellationToken;

/// Those under way.
#[derive(Default)]
pub(super) struct Convoy {
    places: Mutex<Places>,
    moved: Condvar,
}

#[derive(Default)]
struct Places {
    next: u64,
    /// The number of each, and how many stretches it has read.
    of: Vec<(u64, u64)>,
}

/// One of those under way; it leaves when this goes.
pub(super) struct Member<'a> {
    convoy: &'a Convoy,
    number: u64,
}

/// How long a member sleeps at most before it looks whether all is to stop.
const NAP: Duration = Duration::from_millis(100);

impl Convoy {
    /// Takes one in that begins with the log.
    pub(super) fn join(&self) -> Member<'_> {
        let mut places = self.places.lock();
        let number = places.next;
        places.next += 1;
        places.of.push((number, 0));
        Member { convoy: self, number }
    }
}

impl Member<'_> {
    /// Tells that this one has read so many stretches, and waits while another is more than `ahead` behind. One that is
    /// twice as far behind began later, and finds nothing of what this one reads: it is not waited for. (Positions would not do: they are
    /// bytes where the log is elsewhere.)
    pub(super) fn read(&self, stretches: u64, ahead: u64, stop: &CancellationToken) {
        let mut places = self.convoy.places.lock();
        if let Some(own) = places.of.iter_mut().find(|(number, _)| *number == self.number) {
            own.1 = stretches;
        }
        self.convoy.moved.notify_all();
        let waits_for = |other: u64| {
            let behind = stretches.saturating_sub(other);
            behind > ahead && behind <= ahead.saturating_mul(2)
        };
        while places.of.iter().any(|(_, other)| waits_for(*other)) && !stop.is_cancelled() {
            self.convoy.moved.wait_for(&mut places, NAP);
        }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.convoy.places.lock().of.retain(|(number, _)| *number != self.number);
        self.convoy.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn nobody_runs_away_and_everybody_arrives() {
        let (convoy, stop) = (Convoy::default(), CancellationToken::new());
        let slow = AtomicU64::new(0);
        let members = [convoy.join(), convoy.join(), convoy.join()];
        std::thread::scope(|scope| {
            for (pace, member) in members.into_iter().enumerate() {
                let (slow, stop) = (&slow, &stop);
                scope.spawn(move || {
                    for position in 1..=200u64 {
                        if pace == 0 {
                            std::thread::sleep(Duration::from_micros(200));
                            slow.store(position, Ordering::SeqCst);
                        }
                        member.read(position, 10, stop);
                        assert!(position <= slow.load(Ordering::SeqCst) + 11, "{pace} ran away");
                    }
                });
            }
        });
        assert!(convoy.places.lock().of.is_empty());
    }

    #[test]
    fn who_began_later_or_stopped_is_not_waited_for() {
        let (convoy, stop) = (Convoy::default(), CancellationToken::new());
        let early = convoy.join();
        early.read(100, 10, &stop);
        let late = convoy.join();
        early.read(110, 10, &stop);
        late.read(95, 10, &stop);
        stop.cancel();
        early.read(112, 10, &stop);
        drop(late);
        early.read(114, 10, &CancellationToken::new());
    }
}
