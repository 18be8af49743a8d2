//! The connection to one of Apple's servers: made when it is needed, by one of those who wait for it, and shared by all until it ends.

use std::{
    error::Error as _,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::{net::TcpStream, sync::OnceCell, time::timeout};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use super::BadApns;

/// Between two signs that are asked of a connection; Apple closes those that are asked more often than each minute or so for nothing.
const PINGS: Duration = Duration::from_secs(60);

/// Bytes that Apple may send ahead on one stream: its answers are short.
const WINDOW: u32 = 1 << 16;

/// The connection ended, or there is none: nothing is known of the push.
#[derive(Debug, Clone)]
pub(super) struct Lost(pub String);

type Sender = SendRequest<Full<Bytes>>;

/// One of Apple's servers.
pub(super) struct Host {
    base: String,
    name: ServerName<'static>,
    address: (String, u16),
    tls: TlsConnector,
    line: Mutex<Arc<Line>>,
}

impl Host {
    pub fn new(base: &str, tls: Arc<ClientConfig>) -> Result<Self, BadApns> {
        let bad = || BadApns(format!("{base} is no address (https://host:port)"));
        let base = base.trim_end_matches('/');
        let uri: Uri = base.parse().map_err(|_| bad())?;
        let host = uri.host().filter(|_| uri.scheme_str() == Some("https") && uri.path() == "/").ok_or_else(bad)?;
        let host = host.trim_matches(['[', ']']);
        Ok(Self {
            base: base.to_owned(),
            name: ServerName::try_from(host.to_owned()).map_err(|_| bad())?,
            address: (host.to_owned(), uri.port_u16().unwrap_or(443)),
            tls: TlsConnector::from(tls),
            line: Mutex::new(Arc::new(Line::new())),
        })
    }

    /// What a request's URL begins with.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The connection that is used now; a new one where that is over.
    pub fn line(&self) -> Arc<Line> {
        let mut line = self.line.lock();
        if line.is_over() {
            *line = Arc::new(Line::new());
        }
        Arc::clone(&line)
    }

    /// Nobody begins anything on that one any more; what runs on it goes on.
    pub fn end(&self, over: &Arc<Line>) {
        let mut line = self.line.lock();
        if Arc::ptr_eq(&line, over) {
            *line = Arc::new(Line::new());
        }
    }

    async fn connect(&self) -> Result<Sender, Lost> {
        let (host, port) = (self.address.0.as_str(), self.address.1);
        let tcp = TcpStream::connect((host, port)).await;
        let tcp = tcp.map_err(|error| Lost(format!("no connection to Apple: {}", error.kind())))?;
        let _ = tcp.set_nodelay(true);
        let tls = self.tls.connect(self.name.clone(), tcp).await;
        let tls = tls.map_err(|error| Lost(format!("no TLS with Apple: {error}")))?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PINGS)
            .initial_stream_window_size(WINDOW)
            .handshake(TokioIo::new(tls))
            .await
            .map_err(|error| Lost(format!("no HTTP/2 with Apple: {}", told(&error))))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = told(&error), "a connection to Apple ended");
            }
        });
        Ok(sender)
    }
}

/// One connection, from before it is made until it is over.
pub(super) struct Line {
    sender: OnceCell<Result<Sender, Lost>>,
    answered: Mutex<Instant>,
}

impl Line {
    fn new() -> Self {
        Self { sender: OnceCell::new(), answered: Mutex::new(Instant::now()) }
    }

    fn is_over(&self) -> bool {
        match self.sender.get() {
            Some(Ok(sender)) => sender.is_closed(),
            Some(Err(_)) => true,
            None => false,
        }
    }

    /// Something came back on it.
    pub fn answered(&self) {
        *self.answered.lock() = Instant::now();
    }

    /// Whether nothing came back on it for so long.
    pub fn is_silent_for(&self, time: Duration) -> bool {
        self.answered.lock().elapsed() >= time
    }

    /// Sends a request, over a connection that is made where there is none yet. All who wait for it share what comes of that.
    pub async fn send(
        &self,
        host: &Host,
        request: Request<Full<Bytes>>,
        patience: Duration,
    ) -> Result<Response<Incoming>, Lost> {
        let connect = || async {
            match timeout(patience, host.connect()).await {
                Ok(connected) => connected,
                Err(_) => Err(Lost("no connection to Apple in time".to_owned())),
            }
        };
        let mut sender = self.sender.get_or_init(connect).await.clone()?;
        sender.send_request(request).await.map_err(|error| Lost(told(&error)))
    }
}

/// What went wrong, in words of HTTP/2 that hold nothing of the request.
pub(super) fn told(error: &hyper::Error) -> String {
    let what = if error.is_timeout() {
        "the connection to Apple gave no sign"
    } else if error.is_canceled() {
        "the connection to Apple ended before the push was sent"
    } else {
        "the connection to Apple ended"
    };
    error.source().map_or_else(|| what.to_owned(), |why| format!("{what}: {why}"))
}
