//! The socket under a connection: plain or TLS, telling the watchdog what goes on, and giving hyper's own bare
//! refusals of unreadable heads the form of all our errors.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep},
};
use tokio_rustls::server::TlsStream;

use super::watch::Watch;

/// What is still read after a refused head, so that the client gets to read the refusal: bytes and time.
const LINGER_BYTES: usize = 4 * 1024 * 1024;
const LINGER_TIME: Duration = Duration::from_secs(2);

/// A socket, plain or TLS.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl Socket for TcpStream {}
impl Socket for TlsStream<TcpStream> {}

/// The answer instead of one of hyper's own, and how much of it was sent.
struct Refusal {
    text: &'static [u8],
    sent: usize,
    /// Bytes of hyper's that it stands for.
    instead_of: usize,
}

/// A watched socket.
pub(super) struct Io {
    socket: Box<dyn Socket>,
    watch: Arc<Watch>,
    refusal: Option<Refusal>,
    lingering: Option<(Pin<Box<Sleep>>, usize)>,
    // Goes with the socket, even where an upgrade takes it out of the server's hands.
    _permit: OwnedSemaphorePermit,
}

impl Io {
    pub(super) fn new(socket: Box<dyn Socket>, watch: Arc<Watch>, permit: OwnedSemaphorePermit) -> Self {
        Self { socket, watch, refusal: None, lingering: None, _permit: permit }
    }

    /// Sends our words for hyper's; tells hyper that its own are sent.
    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let Some(refusal) = &mut self.refusal else { return Poll::Ready(Ok(0)) };
        while refusal.sent < refusal.text.len() {
            let sent = ready!(Pin::new(&mut *self.socket).poll_write(cx, &refusal.text[refusal.sent..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            refusal.sent += sent;
        }
        Poll::Ready(Ok(std::mem::take(&mut refusal.instead_of)))
    }

    fn told(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.watch.wrote(!result.is_pending());
        result
    }
}

/// Our words for an answer that hyper made by itself. It makes them only between answers of ours, without a body, and
/// ours all have a request id.
fn instead_of(bytes: &[u8]) -> Option<&'static [u8]> {
    let bare = || {
        bytes.ends_with(b"\r\n\r\n")
            && bytes.windows(17).any(|window| window.eq_ignore_ascii_case(b"content-length: 0"))
            && !bytes.windows(12).any(|window| window.eq_ignore_ascii_case(b"x-request-id"))
    };
    match bytes.get(..12)? {
        b"HTTP/1.1 400" if bare() => Some(
            concat!(
                "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 61\r\n",
                "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
                r#"{"error":"this is not readable as HTTP","code":"bad_request"}"#
            )
            .as_bytes(),
        ),
        b"HTTP/1.1 414" | b"HTTP/1.1 431" if bare() => Some(
            concat!(
                "HTTP/1.1 413 Content Too Large\r\ncontent-type: application/json\r\ncontent-length: 88\r\n",
                "x-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
                r#"{"error":"the request line and headers are larger than allowed","code":"head_too_large"}"#
            )
            .as_bytes(),
        ),
        _ => None,
    }
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut *self.socket).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.watch.read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusal.is_none()
            && self.watch.is_idle()
            && let Some(text) = instead_of(buf)
        {
            self.refusal = Some(Refusal { text, sent: 0, instead_of: buf.len() });
        }
        let result = if self.refusal.is_some() {
            self.poll_refusal(cx)
        } else {
            Pin::new(&mut *self.socket).poll_write(cx, buf)
        };
        self.told(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty());
        if self.refusal.is_some() || (self.watch.is_idle() && first.is_some_and(|buf| instead_of(buf).is_some())) {
            return self.poll_write(cx, first.map_or(&[], |buf| buf));
        }
        let result = Pin::new(&mut *self.socket).poll_write_vectored(cx, bufs);
        self.told(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.socket).poll_flush(cx)
    }

    /// Ends our side; after a refused head it reads on for a moment, because closing a socket with unread bytes
    /// makes the client's system drop the refusal.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut *this.socket).poll_shutdown(cx))?;
            if this.refusal.is_none() {
                return Poll::Ready(Ok(()));
            }
        }
        let (until, left) = this.lingering.get_or_insert_with(|| (Box::pin(sleep(LINGER_TIME)), LINGER_BYTES));
        let mut space = [0; 8 * 1024];
        while *left > 0 && until.as_mut().poll(cx).is_pending() {
            let mut buf = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut *this.socket).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => *left = left.saturating_sub(buf.filled().len()),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_whole() {
        let bare = |status: &str| format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\ndate: x\r\n\r\n");
        for status in ["400 Bad Request", "414 URI Too Long", "431 Request Header Fields Too Large"] {
            let text = std::str::from_utf8(instead_of(bare(status).as_bytes()).expect("replaced")).expect("text");
            let (head, body) = text.split_once("\r\n\r\n").expect("a head");
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{} {head}", body.len());
            let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
            assert!(super::super::error::CODES.iter().any(|(code, _)| body["code"] == *code));
        }
        assert!(instead_of(bare("200 OK").as_bytes()).is_none());
        assert!(instead_of(b"HTTP/1.1 400 Bad Request\r\nx-request-id: a\r\ncontent-length: 0\r\n\r\n").is_none());
    }
}
