//! A load generator that costs little: one thread, connections that stay open, requests written beforehand, answers
//! looked at no further than their length and status.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Failed, stats};

/// An answer in the bytes read so far.
pub struct Answer {
    /// Where it ends.
    pub end: usize,
    /// Whether it is what was hoped for.
    pub good: bool,
}

/// How answers are told apart: none while the answer is not whole.
pub type Protocol = fn(&[u8]) -> Option<Answer>;

/// What a load came to.
pub struct Measured {
    pub count: u64,
    pub failed: u64,
    pub time: Duration,
    pub waits: Vec<Duration>,
}

impl Measured {
    pub fn rate(&self) -> f64 {
        stats::rate(self.count, self.time)
    }

    pub fn percentile(&mut self, share: f64) -> Duration {
        stats::percentile(&mut self.waits, share)
    }
}

/// A connection that stays open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    protocol: Protocol,
}

impl Connection {
    pub async fn open(address: SocketAddr, protocol: Protocol) -> Result<Self, Failed> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1 << 16), protocol })
    }

    /// Sends a request and waits for its whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> Result<(&[u8], bool), Failed> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        loop {
            if let Some(Answer { end, good }) = (self.protocol)(&self.buffer) {
                return Ok((self.buffer.get(..end).unwrap_or_default(), good));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed a connection".into());
            }
        }
    }
}

/// Lets so many clients ask at once, each the requests of its own list again and again, until the time is over. What the first tenth
/// of the time brings does not count.
pub fn run(
    address: SocketAddr,
    protocol: Protocol,
    lists: &[Vec<Vec<u8>>],
    time: Duration,
) -> Result<Measured, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let counts_from = Instant::now() + time / 10;
    let clients = lists.iter().map(|list| client(address, protocol, list, counts_from, counts_from + time));
    let measured = runtime.block_on(futures::future::try_join_all(clients))?;
    let mut all = Measured { count: 0, failed: 0, time, waits: Vec::new() };
    for one in measured {
        all.count += one.waits.len() as u64;
        all.failed += one.failed;
        all.waits.extend(one.waits);
    }
    Ok(all)
}

struct One {
    waits: Vec<Duration>,
    failed: u64,
}

async fn client(
    address: SocketAddr,
    protocol: Protocol,
    list: &[Vec<u8>],
    counts_from: Instant,
    until: Instant,
) -> Result<One, Failed> {
    let mut connection = Connection::open(address, protocol).await?;
    let mut one = One { waits: Vec::new(), failed: 0 };
    for request in list.iter().cycle() {
        let asked = Instant::now();
        if asked >= until {
            break;
        }
        let (_, good) = connection.ask(request).await?;
        if asked >= counts_from {
            one.waits.push(asked.elapsed());
            one.failed += u64::from(!good);
        }
    }
    Ok(one)
}

/// HTTP/1.1 with `Content-Length`; good is 200.
pub fn http(bytes: &[u8]) -> Option<Answer> {
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(bytes.get(..head_end)?).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    let end = head_end + length;
    (bytes.len() >= end).then(|| Answer { end, good: head.starts_with("HTTP/1.1 200") })
}

/// Redis' protocol; good is whatever is no error.
pub fn redis(bytes: &[u8]) -> Option<Answer> {
    let end = redis_value(bytes, 0)?;
    Some(Answer { end, good: bytes.first() != Some(&b'-') })
}

fn redis_value(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let line = rest.windows(2).position(|two| two == b"\r\n")?;
    let number = || std::str::from_utf8(rest.get(1..line)?).ok()?.parse::<i64>().ok();
    let after = at + line + 2;
    match rest.first()? {
        b'*' => (0..number()?).try_fold(after, |at, _| redis_value(bytes, at)),
        b'$' => {
            let length = usize::try_from(number()?).ok();
            let end = length.map_or(after, |length| after + length + 2);
            (bytes.len() >= end).then_some(end)
        }
        _ => Some(after),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_it_says() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert!(http(&whole[..whole.len() - 1]).is_none() && http(b"HTTP/1.1 2").is_none());
        assert!(http(whole).is_some_and(|answer| answer.good && answer.end == whole.len()));
        assert!(http(b"HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n").is_some_and(|answer| !answer.good));
    }

    #[test]
    fn redis_lists_nest() {
        let whole = b"*2\r\n*2\r\n$1\r\n7\r\n$3\r\n1.5\r\n$-1\r\n";
        assert!(redis(whole).is_some_and(|answer| answer.end == whole.len()));
        assert!((0..whole.len()).all(|cut| redis(&whole[..cut]).is_none()));
        assert!(redis(b"-ERR no\r\n").is_some_and(|answer| !answer.good));
    }
}
