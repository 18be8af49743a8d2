//! The connection under a stream: TCP, TLS or WebSocket. It holds no buffer while nothing is read or written.

use std::{
    io,
    mem::MaybeUninit,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures::{Sink, Stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error as WebError, Message, Utf8Bytes},
};

use super::{
    error::StreamError,
    framer::{Caps, Framer, Framing, Input},
    names::{CLIENT, FRAMING, STREAM},
};

/// Bytes that are read at once.
const CHUNK: usize = 8 * 1024;

/// A WebSocket that was taken out of HTTP.
pub(super) type Web = WebSocketStream<TokioIo<Upgraded>>;

enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Web(Box<Web>),
    Gone,
}

/// Why nothing more can be read.
#[derive(Debug)]
pub(super) enum Broken {
    /// The client did what ends the stream.
    Stream(StreamError),
    /// The connection is gone.
    Connection,
}

impl From<StreamError> for Broken {
    fn from(error: StreamError) -> Self {
        Self::Stream(error)
    }
}

/// A connection with its framer.
pub(super) struct Wire {
    io: Io,
    framer: Box<Framer>,
    /// Read, and not looked at yet.
    unread: Bytes,
    frame: Option<Utf8Bytes>,
    /// To be written.
    unwritten: Vec<Bytes>,
    /// When something came last, be it whitespace.
    heard: Instant,
    /// From where.
    pub(super) peer: IpAddr,
    /// Nobody on the way can read along.
    pub(super) private: bool,
    patience: Duration,
}

impl Wire {
    /// Over TCP; `patience` is how long a client may take to read.
    pub(super) fn tcp(stream: TcpStream, peer: IpAddr, patience: Duration) -> Self {
        Self::new(Io::Plain(stream), Framing::Stream, peer, false, patience)
    }

    /// Over WebSocket.
    pub(super) fn web(socket: Web, peer: IpAddr, private: bool, patience: Duration) -> Self {
        Self::new(Io::Web(Box::new(socket)), Framing::Whole, peer, private, patience)
    }

    fn new(io: Io, framing: Framing, peer: IpAddr, private: bool, patience: Duration) -> Self {
        let framer = Box::new(Framer::new(framing, Caps::STRANGER));
        let (unread, unwritten, heard) = (Bytes::new(), Vec::new(), Instant::now());
        Self { io, framer, unread, frame: None, unwritten, heard, peer, private, patience }
    }

    /// Whether it can be made private by STARTTLS.
    pub(super) const fn is_plain_tcp(&self) -> bool {
        matches!(self.io, Io::Plain(_))
    }

    /// Since when nothing came.
    pub(super) const fn heard(&self) -> Instant {
        self.heard
    }

    /// A new stream begins on the same connection.
    pub(super) fn restart(&mut self) {
        self.framer.restart();
    }

    /// What elements may cost from the next stream on.
    pub(super) fn allow(&mut self, caps: Caps) {
        self.framer.allow(caps);
    }

    /// What comes next. Nothing is lost when it is dropped.
    pub(super) async fn read(&mut self) -> Result<Input, Broken> {
        loop {
            if let Some(frame) = self.frame.take()
                && let Some(input) = self.framer.whole(&frame)?
            {
                self.framer.rest();
                return Ok(input);
            }
            if !self.unread.is_empty()
                && let Some(input) = self.parse()?
            {
                return Ok(input);
            }
            std::future::poll_fn(|cx| self.poll_fill(cx)).await?;
        }
    }

    /// What the bytes hold that were read.
    fn parse(&mut self) -> Result<Option<Input>, StreamError> {
        let mut unread: &[u8] = &self.unread;
        let next = self.framer.next(&mut unread);
        let read = self.unread.len() - unread.len();
        drop(self.unread.split_to(read));
        if self.unread.is_empty() {
            self.unread = Bytes::new();
            self.framer.rest();
        }
        next
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let gone = |_: io::Error| Broken::Connection;
        // Lives for this call alone, so that a stream that waits holds none.
        let mut space = [const { MaybeUninit::uninit() }; CHUNK];
        let mut buffer = ReadBuf::uninit(&mut space);
        match &mut self.io {
            Io::Plain(stream) => ready!(Pin::new(stream).poll_read(cx, &mut buffer)).map_err(gone)?,
            Io::Tls(stream) => ready!(Pin::new(stream).poll_read(cx, &mut buffer)).map_err(gone)?,
            Io::Web(socket) => {
                return Self::poll_frame(socket, cx).map_ok(|frame| {
                    self.frame = frame;
                    self.heard = Instant::now();
                });
            }
            Io::Gone => return Poll::Ready(Err(Broken::Connection)),
        }
        if buffer.filled().is_empty() {
            return Poll::Ready(Err(Broken::Connection));
        }
        self.unread = Bytes::copy_from_slice(buffer.filled());
        self.heard = Instant::now();
        Poll::Ready(Ok(()))
    }

    fn poll_frame(socket: &mut Web, cx: &mut Context<'_>) -> Poll<Result<Option<Utf8Bytes>, Broken>> {
        Poll::Ready(match ready!(Pin::new(socket).poll_next(cx)) {
            Some(Ok(Message::Text(text))) => Ok(Some(text)),
            Some(Ok(Message::Binary(_))) => Err(StreamError::BadFormat.into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Err(WebError::Capacity(_))) => Err(StreamError::TooLarge.into()),
            Some(Err(WebError::Utf8(_))) => Err(StreamError::UnsupportedEncoding.into()),
            Some(Ok(Message::Close(_) | Message::Frame(_)) | Err(_)) | None => Err(Broken::Connection),
        })
    }

    /// Takes something to be written with the next flush; over WebSocket it must be one element.
    pub(super) fn put(&mut self, element: impl Into<Bytes>) {
        self.unwritten.push(element.into());
    }

    /// Like `put`, in two parts.
    pub(super) fn put_both(&mut self, head: &Bytes, tail: &Bytes) {
        match &self.io {
            Io::Web(_) if !tail.is_empty() => self.unwritten.push([head.as_ref(), tail.as_ref()].concat().into()),
            _ => self.unwritten.extend([head.clone(), tail.clone()].into_iter().filter(|part| !part.is_empty())),
        }
    }

    /// Writes what was put.
    pub(super) async fn flush(&mut self) -> Result<(), Broken> {
        let unwritten = std::mem::take(&mut self.unwritten);
        if unwritten.is_empty() {
            return Ok(());
        }
        let io = &mut self.io;
        let writing = async move {
            match io {
                Io::Plain(stream) => write(stream, unwritten).await.is_ok(),
                Io::Tls(stream) => write(stream.as_mut(), unwritten).await.is_ok(),
                Io::Web(socket) => write_frames(socket, unwritten).await.is_ok(),
                Io::Gone => false,
            }
        };
        if timeout(self.patience, writing).await.unwrap_or(false) {
            return Ok(());
        }
        self.io = Io::Gone;
        Err(Broken::Connection)
    }

    /// Begins our side of the stream.
    pub(super) fn put_header(&mut self, domain: &str, id: &str) {
        self.put(match &self.io {
            Io::Web(_) => {
                format!("<open xmlns='{FRAMING}' from='{domain}' id='{id}' version='1.0' xml:lang='en'/>")
            }
            _ => format!(
                "<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}' from='{domain}' id='{id}' \
                 version='1.0' xml:lang='en'>"
            ),
        });
    }

    /// Ends our side of the stream, and the connection.
    pub(super) async fn close(mut self) {
        self.put(match &self.io {
            Io::Web(_) => format!("<close xmlns='{FRAMING}'/>"),
            _ => "</stream:stream>".to_owned(),
        });
        if self.flush().await.is_err() {
            return;
        }
        let ending = async {
            match &mut self.io {
                Io::Plain(stream) => linger(stream).await,
                Io::Tls(stream) => linger(stream.as_mut()).await,
                Io::Web(socket) => drop(socket.close(None).await),
                Io::Gone => {}
            }
        };
        // Whoever does not listen is left.
        let _ = timeout(LINGER, ending).await;
    }

    /// Speaks TLS from now on. What came before in the same breath was not said privately, and is dropped.
    pub(super) async fn start_tls(&mut self, config: Arc<ServerConfig>) -> Result<(), Broken> {
        let Io::Plain(stream) = std::mem::replace(&mut self.io, Io::Gone) else { return Err(Broken::Connection) };
        self.unread = Bytes::new();
        let stream = TlsAcceptor::from(config).accept(stream).await.map_err(|error| {
            tracing::debug!(%error, "TLS handshake failed");
            Broken::Connection
        })?;
        (self.io, self.private) = (Io::Tls(Box::new(stream)), true);
        self.restart();
        Ok(())
    }
}

/// How long, and how much, is still read after an error, so that the client gets to read it: closing with unread bytes would take it back.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 4 * 1024 * 1024;

async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut left = LINGER_BYTES;
    while left > 0 {
        let read = std::future::poll_fn(|cx| {
            let mut space = [const { MaybeUninit::uninit() }; CHUNK];
            let mut buffer = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
            Poll::Ready(io::Result::Ok(buffer.filled().len()))
        });
        match read.await {
            Ok(0) | Err(_) => return,
            Ok(read) => left = left.saturating_sub(read),
        }
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, parts: Vec<Bytes>) -> io::Result<()> {
    match parts.as_slice() {
        [one] => stream.write_all(one).await?,
        // One packet, and one TLS record, for as much as fits.
        more => stream.write_all(&more.concat()).await?,
    }
    stream.flush().await
}

async fn write_frames(socket: &mut Web, parts: Vec<Bytes>) -> Result<(), WebError> {
    for part in parts {
        let text = Utf8Bytes::try_from(part).map_err(|error| WebError::Utf8(error.to_string()))?;
        std::future::poll_fn(|cx| Pin::new(&mut *socket).poll_ready(cx)).await?;
        Pin::new(&mut *socket).start_send(Message::Text(text))?;
    }
    std::future::poll_fn(|cx| Pin::new(&mut *socket).poll_flush(cx)).await
}
