//! Closed loops: so many messages are on their way at any time, and another is sent when one has reached all its readers.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use tokio::{net::tcp::OwnedWriteHalf, time::timeout_at};

use super::stream::{Account, ROOM_DOMAIN, Reading, Stream, message};
use crate::{Failed, stats};

/// Messages of the room that are on their way.
const ROOM_WINDOW: usize = 32;
/// Messages of each pair that are on their way.
const PAIR_WINDOW: usize = 4;
/// Messages numbered at most: seven digits.
const MOST: usize = 9_999_999;

/// What a load came to.
pub struct Measured {
    /// Copies that reached a reader.
    pub count: u64,
    pub time: Duration,
    /// How long each took.
    pub waits: Vec<Duration>,
}

impl Measured {
    pub fn rate(&self) -> f64 {
        stats::rate(self.count, self.time)
    }
}

/// A message on its way.
struct Sent {
    at: Instant,
    /// Readers who do not have it yet.
    missing: usize,
    /// By which stream.
    sender: usize,
}

struct Load {
    writing: Vec<OwnedWriteHalf>,
    /// To whom each stream sends.
    to: Vec<String>,
    kind: &'static str,
    /// Who gets each message.
    readers: usize,
    /// Whose turn it is after stream `n`: `n + step`.
    step: usize,
    sent: Vec<Sent>,
    counts_from: Instant,
    waits: Vec<Duration>,
}

impl Load {
    fn send(&mut self, sender: usize) -> Result<(), Failed> {
        let number = self.sent.len();
        if number > MOST {
            return Err("too many messages".into());
        }
        self.sent.push(Sent { at: Instant::now(), missing: self.readers, sender });
        let (Some(to), Some(socket)) = (self.to.get(sender), self.writing.get(sender)) else {
            return Err("no such sender".into());
        };
        let bytes = message(to, self.kind, number);
        if socket.try_write(&bytes)? == bytes.len() { Ok(()) } else { Err("the server does not read".into()) }
    }

    /// A reader has it; where that was the last one, the next is sent.
    fn heard(&mut self, number: usize, now: Instant) -> Result<(), Failed> {
        let sent = self.sent.get_mut(number).ok_or("a message came that nobody sent")?;
        sent.missing = sent.missing.checked_sub(1).ok_or("a message came once too often")?;
        if now >= self.counts_from {
            self.waits.push(now - sent.at);
        }
        let (missing, sender) = (sent.missing, sent.sender);
        if missing == 0 { self.send((sender + self.step) % self.to.len()) } else { Ok(()) }
    }
}

/// All in one room, each sending in turn.
pub async fn room(mut streams: Vec<Stream>, room: &str, time: Duration) -> Result<Measured, Failed> {
    let room = format!("{room}@{ROOM_DOMAIN}");
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.join(&room, &format!("n{number}")).await?;
    }
    let (readers, to) = (streams.len(), vec![room; streams.len()]);
    run(streams, to, ("groupchat", readers), (ROOM_WINDOW, ROOM_WINDOW), time).await
}

/// Each of the first half to one of the second half.
pub async fn pairs(streams: Vec<Stream>, accounts: &[Account], time: Duration) -> Result<Measured, Failed> {
    let pairs = streams.len() / 2;
    let to = accounts.iter().skip(pairs).take(pairs).map(Account::jid).collect();
    run(streams, to, ("chat", 1), (pairs * PAIR_WINDOW, 0), time).await
}

async fn run(
    streams: Vec<Stream>,
    to: Vec<String>,
    (kind, readers): (&'static str, usize),
    (window, step): (usize, usize),
    time: Duration,
) -> Result<Measured, Failed> {
    // What the first tenth of the time brings does not count.
    let counts_from = Instant::now() + time / 10;
    let (reading, writing): (Vec<Reading>, Vec<OwnedWriteHalf>) =
        streams.into_iter().map(|stream| (stream.reading, stream.writing)).unzip();
    let senders = to.len();
    let load = Load { writing, to, kind, readers, step, sent: Vec::new(), counts_from, waits: Vec::new() };
    let (load, buffer) = (RefCell::new(load), RefCell::new(vec![0; 1 << 16]));
    for turn in 0..window {
        load.borrow_mut().send(turn % senders)?;
    }
    let readers = try_join_all(reading.into_iter().map(|reading| read(reading, &load, &buffer)));
    if let Ok(Err(failed)) = timeout_at((counts_from + time).into(), readers).await {
        return Err(failed);
    }
    let waits = load.into_inner().waits;
    Ok(Measured { count: waits.len() as u64, time, waits })
}

/// Reads one stream until its connection ends.
async fn read(mut reading: Reading, load: &RefCell<Load>, buffer: &RefCell<Vec<u8>>) -> Result<Vec<()>, Failed> {
    loop {
        reading.readable().await?;
        let (now, mut failed) = (Instant::now(), None);
        let mut load = load.borrow_mut();
        reading.read(&mut buffer.borrow_mut(), |number| {
            failed = load.heard(number, now).err().or(failed.take());
        })?;
        if let Some(failed) = failed {
            return Err(failed);
        }
    }
}
