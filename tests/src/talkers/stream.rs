//! A connection to the server as one client has it. Whatever breaks ends it.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use minidom::Element;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::xmpp::{BIND, CLIENT, Incoming, Reader, SASL, SM, STREAM};

/// One that says nothing for so long is cut off.
const PATIENCE: Duration = Duration::from_secs(20);

/// The connection is gone.
#[derive(Debug)]
pub struct Broken;

pub struct Stream {
    socket: TcpStream,
    reader: Reader,
    bytes: Vec<u8>,
}

impl Stream {
    /// Connects and signs in. Nothing is bound.
    pub async fn open(at: SocketAddr, name: &str, password: &str) -> Result<Self, Broken> {
        let socket = TcpStream::connect(at).await.map_err(|_| Broken)?;
        let mut stream = Self { socket, reader: Reader::default(), bytes: Vec::with_capacity(16 * 1024) };
        stream.begin().await?;
        let message = STANDARD.encode(format!("\0{name}\0{password}"));
        stream.send(&format!("<auth xmlns='{SASL}' mechanism='PLAIN'>{message}</auth>")).await?;
        let answer = stream.next().await?;
        assert!(answer.is("success", SASL), "{}", String::from(&answer));
        stream.begin().await?;
        Ok(stream)
    }

    async fn begin(&mut self) -> Result<(), Broken> {
        self.reader = Reader::default();
        let header = format!("<stream:stream to='dface.cn' version='1.0' xmlns='{CLIENT}' xmlns:stream='{STREAM}'>");
        self.send(&header).await?;
        self.next().await.map(|_features| ())
    }

    /// Binds a resource and enables XEP-0198; the id to resume by.
    pub async fn bind(&mut self) -> Result<String, Broken> {
        let bind = format!("<iq type='set' id='bind'><bind xmlns='{BIND}'><resource>r</resource></bind></iq>");
        self.send(&bind).await?;
        self.next().await?;
        self.send(&format!("<enable xmlns='{SM}' resume='true'/>")).await?;
        let enabled = self.next().await?;
        enabled.attr("id").map(str::to_owned).ok_or(Broken)
    }

    /// Tries to resume; the server's count, or what it says instead.
    pub async fn resume(&mut self, id: &str, handled: u32) -> Result<Result<u32, Element>, Broken> {
        self.send(&format!("<resume xmlns='{SM}' previd='{id}' h='{handled}'/>")).await?;
        let answer = self.next().await?;
        Ok(if answer.is("resumed", SM) { Ok(count(&answer)) } else { Err(answer) })
    }

    pub async fn send(&mut self, text: &str) -> Result<(), Broken> {
        self.socket.write_all(text.as_bytes()).await.map_err(|_| Broken)
    }

    /// The next element; safe to drop and call again.
    pub async fn next(&mut self) -> Result<Element, Broken> {
        loop {
            match self.reader.next() {
                Some(Incoming::Open(_)) => continue,
                Some(Incoming::Element(element)) if element.is("error", STREAM) => return Err(Broken),
                Some(Incoming::Element(element)) => return Ok(element),
                Some(Incoming::Close) => return Err(Broken),
                None => {}
            }
            self.bytes.clear();
            match timeout(PATIENCE, self.socket.read_buf(&mut self.bytes)).await {
                Ok(Ok(read)) if read > 0 => self.reader.feed(&self.bytes),
                _ => return Err(Broken),
            }
        }
    }

    /// Ends it properly.
    pub async fn close(mut self) {
        if self.send("</stream:stream>").await.is_ok() {
            while self.next().await.is_ok() {}
        }
    }
}

/// The count of an acknowledgement.
pub fn count(element: &Element) -> u32 {
    element.attr("h").and_then(|h| h.parse().ok()).expect("an acknowledgement has a count")
}
