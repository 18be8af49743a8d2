//! Telling the other nodes. Nobody waits for it: what finds no room is dropped, and the gap in the numbers lets the others ask for the whole.

use std::sync::Arc;

use dface_domain::signals::Signals;
use metrics::counter;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::wire::{Sealer, Signal};
use crate::metrics as names;

type Numbered = (u64, Signal);

/// Tells the other nodes, where there are any.
#[derive(Clone, Default)]
pub struct Teller(Option<Arc<Mouth>>);

struct Mouth {
    node: Uuid,
    /// How many were told. Held while one is put, so that numbers rise in order.
    told: Mutex<u64>,
    out: mpsc::Sender<Numbered>,
}

/// Room for one signal.
pub struct Place<'a> {
    mouth: &'a Mouth,
    permit: mpsc::Permit<'a, Numbered>,
}

impl Teller {
    /// Of a node of several, and what it tells.
    pub(super) fn new(node: Uuid, waiting: usize) -> (Self, mpsc::Receiver<Numbered>) {
        let (out, told) = mpsc::channel(waiting);
        (Self(Some(Arc::new(Mouth { node, told: Mutex::new(0), out }))), told)
    }

    /// This node; nil where it is alone.
    #[must_use]
    pub fn node(&self) -> Uuid {
        self.0.as_ref().map_or_else(Uuid::nil, |mouth| mouth.node)
    }

    /// Tells the others, if there is room. Safe while a lock is held: whoever changes something tells it before anybody else can change it again.
    pub fn tell(&self, signal: impl FnOnce() -> Signal) {
        let Some(mouth) = &self.0 else { return };
        let mut told = mouth.told.lock();
        *told += 1;
        if mouth.out.try_send((*told, signal())).is_err() {
            counter!(names::SIGNALS_DROPPED_TOTAL, "why" => "full").increment(1);
        }
    }

    /// Waits for room; none where nobody is to be told any more.
    pub(super) async fn place(&self) -> Option<Place<'_>> {
        let mouth = self.0.as_ref()?;
        let permit = mouth.out.reserve().await.ok()?;
        Some(Place { mouth, permit })
    }
}

impl Place<'_> {
    /// Tells the others.
    pub fn tell(self, signal: Signal) {
        let mut told = self.mouth.told.lock();
        *told += 1;
        self.permit.send((*told, signal));
    }
}

/// Hands on what is told, until it is told that this node leaves.
pub(super) async fn hand_on(way: Arc<dyn Signals>, sealer: Sealer, mut told: mpsc::Receiver<Numbered>) {
    while let Some((number, signal)) = told.recv().await {
        let Some(bytes) = sealer.seal(number, &signal) else {
            counter!(names::SIGNALS_DROPPED_TOTAL, "why" => "form").increment(1);
            continue;
        };
        match way.tell(bytes).await {
            Ok(()) => counter!(names::SIGNALS_TOLD_TOTAL).increment(1),
            Err(_) => counter!(names::SIGNALS_DROPPED_TOTAL, "why" => "away").increment(1),
        }
        if signal == Signal::Leaving {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_finds_no_room_leaves_a_gap_in_the_numbers() {
        let (teller, mut told) = Teller::new(Uuid::from_u128(1), 2);
        for _ in 0..4 {
            teller.tell(|| Signal::Here);
        }
        assert_eq!(told.recv().await, Some((1, Signal::Here)));
        teller.place().await.unwrap().tell(Signal::Done);
        assert_eq!((told.recv().await, told.recv().await), (Some((2, Signal::Here)), Some((5, Signal::Done))));
    }

    #[test]
    fn who_is_alone_tells_nobody_and_makes_nothing() {
        Teller::default().tell(|| unreachable!("nobody hears it"));
        assert!(Teller::default().node().is_nil());
    }
}
