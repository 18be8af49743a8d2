//! Takes connections, as many as allowed, and gives each its task.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use metrics::{counter, gauge};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{super::hub::Hub, bound, error::StreamError, negotiation, resumption::Resumption, wire::Wire};
use crate::{
    app::App,
    http::{server::usable, tls::Tls},
    metrics as names,
    settings::Chat,
};

/// What all streams of this node share.
pub struct Door<H> {
    pub(super) app: Arc<App>,
    pub(super) hub: Arc<H>,
    pub(super) tls: Option<Tls>,
    pub(super) stop: CancellationToken,
    pub(super) resumption: Resumption,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    tasks: TaskTracker,
}

/// Room for a connection, for as long as it is open.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        gauge!(names::CHAT_CONNECTIONS).decrement(1.0);
    }
}

/// Refused connections that are still being told so.
const REFUSALS: usize = 64;

impl<H: Hub> Door<H> {
    /// A door that leads to `hub`; with TLS streams may become private. Cancelling `stop` ends all streams.
    #[must_use]
    pub fn new(app: Arc<App>, hub: Arc<H>, tls: Option<Tls>, stop: CancellationToken) -> Arc<Self> {
        let settings = &app.node.settings;
        let places = Arc::new(Semaphore::new(settings.limits.connections));
        let resumption = Resumption::new(settings.chat.resumable);
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        Arc::new(Self { app, hub, tls, stop, resumption, places, refusals, tasks: TaskTracker::new() })
    }

    pub(super) fn chat(&self) -> &Chat {
        &self.app.node.settings.chat
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.chat().write_s)
    }

    /// Takes connections from `listener` until the stop, then waits until all streams are over, those over WebSocket too.
    pub async fn listen(self: Arc<Self>, listener: TcpListener) {
        let stop = self.stop.clone();
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            if let Some((stream, address)) = usable(accepted).await {
                self.take(stream, address);
            }
        }
        drop(listener);
        self.tasks.close();
        let grace = Duration::from_secs(self.app.node.settings.limits.stop_s);
        let _ = tokio::time::timeout(grace, self.tasks.wait()).await;
    }

    fn take(self: &Arc<Self>, stream: TcpStream, address: SocketAddr) {
        // Without it small stanzas wait for the client's acknowledgement; where it cannot be set they just do.
        let _ = stream.set_nodelay(true);
        let wire = Wire::tcp(stream, address.ip(), self.patience());
        if let Some(place) = self.place() {
            let door = Arc::clone(self);
            self.spawn(async move { door.talk(wire, place).await });
        } else {
            counter!(names::CHAT_CONNECTIONS_REFUSED_TOTAL).increment(1);
            if let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() {
                let door = Arc::clone(self);
                self.spawn(async move {
                    negotiation::refuse(&door, wire, false, StreamError::ResourceConstraint).await;
                    drop(permit);
                });
            }
        }
    }

    /// Room for one more connection.
    pub(super) fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        gauge!(names::CHAT_CONNECTIONS).increment(1.0);
        Some(Place { _permit: permit })
    }

    /// Runs a task that the stop waits for.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Serves a connection to its end, and the stream that is bound on it to its own or to another connection.
    pub(super) async fn talk(self: &Arc<Self>, wire: Wire, place: Place) {
        // What negotiating takes is given back when it is over; most of a stream's life comes after it.
        let negotiated = Box::pin(negotiation::run(self, wire)).await;
        if let Some((wire, live, begin)) = negotiated {
            bound::run(self, wire, live, begin, place).await;
        }
    }
}
