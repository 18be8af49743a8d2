//! A client that costs little: plain TCP, SASL PLAIN, and no parser but a search for what the bench itself put into bodies.

use std::{io, net::SocketAddr, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use memchr::memmem;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use crate::Failed;

pub const DOMAIN: &str = "dface.cn";
/// The room that all talk in.
pub const ROOM_DOMAIN: &str = "c.dface.cn";

/// What stands before a message's number in its body.
const MARK: &[u8] = b"<body>m";
const DIGITS: usize = 7;
/// One that waits longer waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who signs in.
#[derive(Debug, Clone)]
pub struct Account {
    pub name: String,
    pub password: String,
}

impl Account {
    pub fn jid(&self) -> String {
        format!("{}@{DOMAIN}", self.name)
    }
}

/// A stream that is bound and available.
pub struct Stream {
    pub reading: Reading,
    pub writing: OwnedWriteHalf,
}

impl Stream {
    pub async fn open(at: SocketAddr, account: &Account) -> Result<Self, Failed> {
        let socket = TcpStream::connect(at).await?;
        socket.set_nodelay(true)?;
        let (reading, writing) = socket.into_split();
        let mut stream = Self { reading: Reading { socket: reading, rest: Vec::new() }, writing };
        let header = format!(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{DOMAIN}' version='1.0'>"
        );
        stream.ask(&header, "</stream:features>").await?;
        let plain = BASE64_STANDARD.encode(format!("\0{}\0{}", account.name, account.password));
        let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
        stream.ask(&auth, "<success").await?;
        stream.ask(&header, "</stream:features>").await?;
        let bind = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>b</resource></bind></iq>";
        stream.ask(bind, "</iq>").await?;
        // An answer to the ping means that the presence before it was handled.
        stream.ask("<presence/><iq type='get' id='pinged'><ping xmlns='urn:xmpp:ping'/></iq>", "pinged").await?;
        Ok(stream)
    }

    /// Sends, and reads until an answer has `wanted` in it. For the time before the measuring.
    pub async fn ask(&mut self, bytes: &str, wanted: &str) -> Result<(), Failed> {
        self.writing.write_all(bytes.as_bytes()).await?;
        let mut read = Vec::new();
        let waiting = async {
            while memmem::find(&read, wanted.as_bytes()).is_none() {
                if self.reading.socket.read_buf(&mut read).await? == 0 {
                    return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
                }
            }
            Ok(())
        };
        let waited = timeout(PATIENCE, waiting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        waited.map_err(|error| format!("no {wanted:?} but {:?}: {error}", String::from_utf8_lossy(&read)).into())
    }

    /// Joins a room.
    pub async fn join(&mut self, room: &str, nick: &str) -> Result<(), Failed> {
        let join = format!(
            "<presence to='{room}/{nick}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
        );
        // The subject comes last.
        self.ask(&join, "<subject").await
    }
}

/// What comes on a stream.
pub struct Reading {
    socket: OwnedReadHalf,
    /// The end of what was read, where a mark may have begun.
    rest: Vec<u8>,
}

impl Reading {
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Reads what is there; `heard` is given the number of each message in it.
    pub fn read(&mut self, buffer: &mut [u8], mut heard: impl FnMut(usize)) -> io::Result<()> {
        let kept = self.rest.len();
        let (begin, free) = buffer.split_at_mut(kept);
        begin.copy_from_slice(&self.rest);
        let count = match self.socket.try_read(free) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let read = buffer.get(..kept + count).unwrap_or_default();
        let used = numbers(read, &mut heard);
        self.rest.clear();
        self.rest.extend_from_slice(read.get(used..).unwrap_or_default());
        Ok(())
    }
}

/// Finds all whole marks, and where to go on when more has come.
fn numbers(bytes: &[u8], heard: &mut impl FnMut(usize)) -> usize {
    let mut at = 0;
    for mark in memmem::find_iter(bytes, MARK) {
        let begin = mark + MARK.len();
        let Some(digits) = bytes.get(begin..begin + DIGITS) else { return mark };
        heard(digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit.wrapping_sub(b'0'))));
        at = begin + DIGITS;
    }
    // A mark may have begun in the last bytes.
    let last = bytes.len().saturating_sub(MARK.len() - 1).max(at);
    memchr::memchr(b'<', bytes.get(last..).unwrap_or_default()).map_or(bytes.len(), |offset| last + offset)
}

/// A message whose body begins with its number, about as long as what people write.
pub fn message(to: &str, kind: &str, number: usize) -> Vec<u8> {
    format!(
        "<message to='{to}' type='{kind}' id='message-{number:07}'><body>m{number:07} see you at eight, by the window?</body></message>"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_wherever_the_bytes_are_cut() {
        let whole = [message("a", "chat", 7), b"<body>no</body>".to_vec(), message("a", "chat", 1_234_567)].concat();
        for cut in 0..whole.len() {
            let mut heard = Vec::new();
            let used = numbers(&whole[..cut], &mut |number| heard.push(number));
            numbers(&whole[used..], &mut |number| heard.push(number));
            assert_eq!(heard, [7, 1_234_567], "cut at {cut}");
        }
    }
}
