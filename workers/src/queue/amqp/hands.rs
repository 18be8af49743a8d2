//! What was delivered and is not settled yet.

use std::collections::HashMap;

use dface_domain::jobs::QueueError;
use lapin::{message::Delivery, options::BasicAckOptions};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// A message and the connection that it came by, which alone can settle it.
pub(super) struct Came {
    pub delivery: Delivery,
    pub broken: CancellationToken,
}

impl Came {
    /// Whether it can still be settled; if not, it comes again.
    pub(super) fn stands(&self) -> bool {
        self.delivery.acker.usable() && !self.broken.is_cancelled()
    }

    /// Tells the broker that it is over.
    pub(super) async fn settle(&self) -> Result<(), QueueError> {
        let told = self.broken.run_until_cancelled(self.delivery.acker.ack(BasicAckOptions::default()));
        match told.await {
            Some(Ok(true)) => Ok(()),
            Some(Err(error)) => Err(QueueError::Unavailable(error.to_string())),
            Some(Ok(false)) | None => Err(lost()),
        }
    }
}

/// Deliveries by their receipts; no more than the broker gives ahead, for those of lost connections are let go.
#[derive(Default)]
pub(super) struct Hands {
    held: Mutex<(u64, HashMap<u64, Came>)>,
}

impl Hands {
    pub(super) fn hold(&self, mut came: Came) -> u64 {
        came.delivery.data = Vec::new();
        let mut held = self.held.lock();
        held.1.retain(|_, came| came.stands());
        held.0 += 1;
        let receipt = held.0;
        held.1.insert(receipt, came);
        receipt
    }

    /// Tells the broker that it is over.
    pub(super) async fn settle(&self, receipt: u64) -> Result<(), QueueError> {
        let came = self.held.lock().1.remove(&receipt);
        match came {
            Some(came) => came.settle().await,
            None => Err(lost()),
        }
    }
}

fn lost() -> QueueError {
    QueueError::Unavailable("the connection that it came by was lost; it comes again".to_owned())
}
