//! What was delivered and is not settled yet.

use std::collections::HashMap;

use dface_domain::jobs::QueueError;
use lapin::{Acker, options::BasicAckOptions};
use parking_lot::Mutex;

/// Deliveries by their receipts; no more than the broker gives ahead, for those of lost connections are let go.
#[derive(Default)]
pub(super) struct Hands {
    held: Mutex<(u64, HashMap<u64, Acker>)>,
}

impl Hands {
    pub(super) fn hold(&self, acker: Acker) -> u64 {
        let mut held = self.held.lock();
        held.1.retain(|_, acker| acker.usable());
        held.0 += 1;
        let receipt = held.0;
        held.1.insert(receipt, acker);
        receipt
    }

    /// Tells the broker that it is over.
    pub(super) async fn settle(&self, receipt: u64) -> Result<(), QueueError> {
        let acker = self.held.lock().1.remove(&receipt);
        match acker {
            Some(acker) => settle(&acker).await,
            None => Err(lost()),
        }
    }
}

pub(super) async fn settle(acker: &Acker) -> Result<(), QueueError> {
    match acker.ack(BasicAckOptions::default()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(lost()),
        Err(error) => Err(QueueError::Unavailable(error.to_string())),
    }
}

fn lost() -> QueueError {
    QueueError::Unavailable("the connection that it came by was lost; it comes again".to_owned())
}
