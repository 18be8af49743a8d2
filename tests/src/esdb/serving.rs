//! Connections of the stand-in's nodes.

use std::{net::TcpListener, sync::Arc, time::Duration};

use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, runtime, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    Cluster,
    calls::{append, features, gossip},
    grpc::{Body, Gone, Status, code, refused},
    reading::read,
};

/// Serves until its end.
pub fn serve(cluster: &Arc<Cluster>, listeners: Vec<TcpListener>, end: &CancellationToken) {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for (node, listener) in listeners.into_iter().enumerate() {
            listener.set_nonblocking(true).expect("a socket of our own");
            let listener = tokio::net::TcpListener::from_std(listener).expect("it listens");
            let cluster = Arc::clone(cluster);
            tokio::spawn(async move {
                while let Ok((tcp, _)) = listener.accept().await {
                    let _ = tcp.set_nodelay(true);
                    let state = cluster.state();
                    if !state.away[node] {
                        tokio::spawn(connection(Arc::clone(&cluster), node, tcp, state.connections[node].clone()));
                    }
                }
            });
        }
        end.cancelled().await;
    });
    runtime.shutdown_background();
}

async fn connection(cluster: Arc<Cluster>, node: usize, tcp: TcpStream, end: CancellationToken) {
    let answering = Arc::clone(&cluster);
    let service = service_fn(move |request| answer(Arc::clone(&answering), node, request));
    let builder = http2::Builder::new(TokioExecutor::new());
    let serving = async {
        match cluster.guard.tls.clone() {
            None => builder.serve_connection(TokioIo::new(tcp), service).await,
            Some(acceptor) => match acceptor.accept(tcp).await {
                Ok(tls) => builder.serve_connection(TokioIo::new(tls), service).await,
                Err(_) => Ok(()),
            },
        }
    };
    tokio::select! {
        () = end.cancelled() => {}
        _ = serving => {}
    }
}

async fn answer(cluster: Arc<Cluster>, node: usize, request: Request<Incoming>) -> Result<Response<Body>, Gone> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Gone)?.to_bytes();
    let _counted = Counted::new(&cluster);
    let delay = cluster.state().delay;
    if let Some(allowed) = timeout(&head.headers).filter(|allowed| *allowed < delay) {
        sleep(allowed).await;
        return Ok(refused(&Status::new(code::DEADLINE_EXCEEDED, "Deadline Exceeded")));
    }
    sleep(delay).await;
    // Who is in the cluster and what it can do is told to anybody: so the documents.
    let called = head.headers.get("authorization").and_then(|value| value.to_str().ok());
    let known = cluster.guard.authorization.is_none() || cluster.guard.authorization.as_deref() == called;
    if !known && head.uri.path().starts_with("/event_store.client.streams.") {
        return Ok(refused(&Status::new(code::UNAUTHENTICATED, "Unauthenticated")));
    }
    let must_lead = head.headers.get("requires-leader").is_some_and(|value| value == "true");
    let done = match head.uri.path() {
        "/event_store.client.gossip.Gossip/Read" => Ok(gossip(&cluster)),
        "/event_store.client.server_features.ServerFeatures/GetSupportedMethods" => Ok(features()),
        "/event_store.client.streams.Streams/Append" => match leads(&cluster, node, must_lead) {
            Ok(()) => append(&cluster, body)?,
            Err(status) => Err(status),
        },
        "/event_store.client.streams.Streams/Read" => match leads(&cluster, node, must_lead) {
            Ok(()) => read(&cluster, node, must_lead, body),
            Err(status) => Err(status),
        },
        _ => Err(Status::new(code::UNIMPLEMENTED, "the stand-in does not know this call")),
    };
    Ok(done.unwrap_or_else(|status| refused(&status)))
}

/// Counts a call for as long as it is looked at.
struct Counted(Arc<Cluster>);

impl Counted {
    fn new(cluster: &Arc<Cluster>) -> Self {
        let mut state = cluster.state();
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        Self(Arc::clone(cluster))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.state().at_once -= 1;
    }
}

/// Whether this node may answer. Followers answer what does not require the leader; they have all that the leader has here, where a real one
/// may be a moment behind.
pub fn leads(cluster: &Cluster, node: usize, must_lead: bool) -> Result<(), Status> {
    let leader = cluster.state().leader;
    match leader {
        _ if !must_lead => Ok(()),
        Some(leader) if leader == node => Ok(()),
        Some(leader) => Err(Status::new(code::NOT_FOUND, "Leader info available")
            .with("exception", "not-leader")
            .with("leader-endpoint-host", "127.0.0.1")
            .with("leader-endpoint-port", cluster.ports[leader])),
        None => Err(Status::new(code::UNAVAILABLE, "Server Is Not Ready")),
    }
}

/// What the header `grpc-timeout` allows.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}
