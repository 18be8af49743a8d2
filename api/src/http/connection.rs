//! One connection: TLS, HTTP/1.1 or HTTP/2, the watchdog, and the end.

use std::{
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use http_body::{Body, Frame, SizeHint};
use hyper::{body::Incoming, service::Service};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{net::TcpStream, sync::OwnedSemaphorePermit};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use warp::{Filter, Rejection, reply::Response};

use super::{
    io::{Io, Socket},
    request::Peer,
    server::Limits,
    tls::Tls,
    watch::{Running, Verdict, Watch},
};

/// What all connections of a listener share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) tls: Option<Tls>,
    pub(super) stop: CancellationToken,
    http: auto::Builder<TokioExecutor>,
}

impl Shared {
    pub(super) fn new(limits: Limits, tls: Option<Tls>, stop: CancellationToken) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        // No timers of hyper's: the watchdog has one for all limits of a connection.
        http.http1()
            .max_buf_size(limits.head_bytes.max(8 * 1024))
            .max_headers(limits.headers)
            .header_read_timeout(None);
        http.http2()
            .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
            .max_concurrent_streams(limits.streams);
        Self { limits, tls, stop, http }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<F>(
    shared: Arc<Shared>,
    stream: TcpStream,
    address: SocketAddr,
    permit: OwnedSemaphorePermit,
    filter: impl FnOnce(Arc<Peer>) -> F,
) where
    F: Filter<Extract = (Response,), Error = Rejection> + Clone + Send + Sync + 'static,
{
    // Without it small answers wait for the client's acknowledgement; where it cannot be set they just do.
    let _ = stream.set_nodelay(true);
    let socket: Box<dyn Socket> = match &shared.tls {
        None => Box::new(stream),
        Some(tls) => {
            let handshake = TlsAcceptor::from(tls.load_full()).accept(stream);
            match tokio::time::timeout(shared.limits.head_time, handshake).await {
                Ok(Ok(stream)) => Box::new(stream),
                Ok(Err(error)) => return tracing::debug!(%address, %error, "TLS handshake failed"),
                Err(_) => return tracing::debug!(%address, "TLS handshake took too long"),
            }
        }
    };
    let watch = Arc::new(Watch::new());
    let peer = Peer { address, tls: shared.tls.is_some(), stopping: shared.stop.clone() };
    let warp = TowerToHyperService::new(warp::service(filter(Arc::new(peer))));
    let watched = Arc::clone(&watch);
    let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
        let running = watched.request(request.version() == http::Version::HTTP_2);
        let answering = warp.call(request);
        async move { Ok::<_, std::convert::Infallible>(answering.await?.map(|body| Counted { body, running })) }
    });
    let io = TokioIo::new(Io::new(socket, Arc::clone(&watch), permit));
    let connection = shared.http.serve_connection_with_upgrades(io, service);
    let mut connection = pin!(connection);
    let mut look = pin!(tokio::time::sleep(Watch::next_look(&shared.limits, false)));
    let mut stop = pin!(shared.stop.cancelled());
    let mut stopping = None;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%address, %error, "connection ended");
                }
                return;
            }
            () = stop.as_mut(), if stopping.is_none() => {
                stopping = Some(Instant::now());
                connection.as_mut().graceful_shutdown();
                look.as_mut().reset(tokio::time::Instant::now() + Watch::next_look(&shared.limits, true));
            }
            () = look.as_mut() => {
                let limits = &shared.limits;
                let verdict = stopping.map_or_else(|| watch.verdict(limits), |since| watch.verdict_stopping(since, limits));
                match verdict {
                    Verdict::Wait => {}
                    Verdict::Close => connection.as_mut().graceful_shutdown(),
                    Verdict::Drop(why) => return tracing::debug!(%address, why, "connection closed"),
                }
                let next = Watch::next_look(limits, stopping.is_some());
                look.as_mut().reset(tokio::time::Instant::now() + next);
            }
        }
    }
}

/// An answer's body that tells the watchdog of its pieces and of its end.
struct Counted<B> {
    body: B,
    running: Running,
}

impl<B: Body + Unpin> Body for Counted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_ready() {
            self.running.moved();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
