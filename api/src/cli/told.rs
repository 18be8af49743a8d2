//! What ends a server in peace.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// SIGTERM and SIGINT. Until it listens they end the process at once, which is no harm: a start may be killed.
pub(super) struct Told {
    terminated: Signal,
    interrupted: Signal,
}

impl Told {
    pub(super) fn listen() -> Result<Self, Failure> {
        let of = |kind| signal(kind).map_err(Failure::work);
        Ok(Self { terminated: of(SignalKind::terminate())?, interrupted: of(SignalKind::interrupt())? })
    }

    pub(super) async fn heard(mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }
}
