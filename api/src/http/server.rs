//! The accept loop of a listener: limits on what connections may cost, and a stop that lets requests finish.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use metrics::{counter, gauge};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use warp::{Filter, Rejection, reply::Response};

use super::{
    connection::{self, Shared},
    request::Peer,
    tls::Tls,
};
use crate::metrics as names;

/// What a connection may cost. Times are checked by one timer for each connection, so that they may be exceeded by
/// half of the shortest of `head_time`, `idle` and `write`.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once. One more is told 503 `busy` and closed (with TLS: closed).
    pub connections: usize,
    /// For a request's head, and for a TLS handshake.
    pub head_time: Duration,
    /// Largest head of a request, bytes; 8 KiB at least. Beyond: 413 `head_too_large`.
    pub head_bytes: usize,
    /// Most header lines of a request.
    pub headers: usize,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// For a client that takes nothing of what is ready for it.
    pub write: Duration,
    /// For an answer of which no piece is made. Above every route's time limit.
    pub stall: Duration,
    /// Requests at once on one HTTP/2 connection.
    pub streams: u32,
    /// For what runs when the server stops.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head_time: Duration::from_secs(10),
            head_bytes: 32 * 1024,
            headers: 100,
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
            stall: Duration::from_secs(180),
            streams: 128,
            grace: Duration::from_secs(10),
        }
    }
}

/// Refused connections that are still being told so.
const REFUSALS: usize = 64;

/// Serves `listener` until `stop`, then lets what runs finish within the grace time. `filter` makes the warp filter
/// of each connection ([`super::Router::filter`], perhaps with others before it).
///
/// A task of its own: on cancel of `stop` it ends by itself; errors of accepting are logged and waited out.
pub async fn serve<F, M>(listener: TcpListener, limits: Limits, tls: Option<Tls>, stop: CancellationToken, filter: M)
where
    M: Fn(Arc<Peer>) -> F + Clone + Send + 'static,
    F: Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let grace = limits.grace;
    let shared = Arc::new(Shared::new(limits, tls, stop.clone()));
    let tasks = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Some((stream, address)) = usable(accepted).await else { continue };
        let Ok(permit) = Arc::clone(&places).try_acquire_owned() else {
            counter!(names::HTTP_CONNECTIONS_REFUSED_TOTAL).increment(1);
            if let (None, Ok(permit)) = (&shared.tls, Arc::clone(&refusals).try_acquire_owned()) {
                tasks.spawn(async move {
                    refuse(stream).await;
                    drop(permit);
                });
            }
            continue;
        };
        let (shared, filter) = (Arc::clone(&shared), filter.clone());
        tasks.spawn(async move {
            gauge!(names::HTTP_CONNECTIONS).increment(1.0);
            connection::serve(shared, stream, address, permit, filter).await;
            gauge!(names::HTTP_CONNECTIONS).decrement(1.0);
        });
    }
    drop(listener);
    tasks.close();
    // Connections end themselves at the grace time; the second more is for their tasks to be scheduled.
    let _ = tokio::time::timeout(grace + Duration::from_secs(1), tasks.wait()).await;
}

/// An accepted connection; none, after a pause, where the system could not give one (no file descriptors left).
pub(crate) async fn usable(accepted: io::Result<(TcpStream, SocketAddr)>) -> Option<(TcpStream, SocketAddr)> {
    match accepted {
        Ok(accepted) => Some(accepted),
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => None,
        Err(error) => {
            tracing::warn!(%error, "no connection can be accepted for now");
            tokio::time::sleep(Duration::from_millis(200)).await;
            None
        }
    }
}

/// Tells a client that there are too many, and lets it read that.
async fn refuse(mut stream: TcpStream) {
    const BODY: &str = r#"{"error":"too many connections at once","code":"busy"}"#;
    let text = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    let telling = async {
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with unread bytes would take the answer back.
        let mut space = [0; 4096];
        while stream.read(&mut space).await? > 0 {}
        io::Result::Ok(())
    };
    // Whoever does not listen is left.
    let _ = tokio::time::timeout(Duration::from_secs(1), telling).await;
}
