//! An open loop: events leave at their times, whatever became of those before.

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use dface_tests::apns::StandIn;
use futures::future::{select, try_join_all};
use tokio::{
    io::AsyncWriteExt as _,
    net::tcp::OwnedWriteHalf,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{
    client::{Client, publish},
    servers::Running,
};
use crate::{Failed, stats};

/// After the last event of a rate, for what is still on its way.
const LATE: Duration = Duration::from_secs(2);
/// Between two looks at what is due.
const TICK: Duration = Duration::from_millis(5);

/// The longest after the last event until all pushes are taken.
const PUSHING: Duration = Duration::from_secs(60);

/// What one rate came to.
pub struct Paced {
    pub waits: Vec<Duration>,
    /// From the last event until the last push was taken, where there are pushes.
    pub pushed_after: Option<Duration>,
    time: Duration,
}

impl Paced {
    /// Copies that reached a phone each second.
    pub fn rate(&self) -> f64 {
        stats::rate(self.waits.len() as u64, self.time)
    }
}

#[derive(Default)]
struct Told {
    /// When each event left.
    left: Vec<Instant>,
    waits: Vec<Duration>,
}

/// Each rate in turn, for so long.
pub async fn run(
    phones: Vec<Client>,
    watches: Vec<Client>,
    running: &Running,
    (rates, copies): (&[u32], usize),
    time: Duration,
) -> Result<Vec<Paced>, Failed> {
    let told = RefCell::new(Told::default());
    let (reading, mut writing): (Vec<_>, Vec<OwnedWriteHalf>) = watches.into_iter().map(Client::halves).unzip();
    let read = try_join_all(phones.into_iter().map(|phone| listen(phone, running, &told)));
    let drained = try_join_all(reading.into_iter().map(Client::drained));
    let listening = std::pin::pin!(async { tokio::try_join!(read, drained).map(|_| ()) });
    let sending = std::pin::pin!(async {
        let mut all = Vec::new();
        for rate in rates {
            let begun = told.borrow().left.len();
            let before = match &running.apple {
                Some(apple) => settled(apple).await,
                None => 0,
            };
            send(&mut writing, running, *rate, time, &told).await?;
            let last = Instant::now();
            let count = told.borrow().left.len() - begun;
            let pushed_after = match &running.apple {
                Some(apple) => Some(all_taken(apple, before + count, last).await?),
                None => None,
            };
            sleep(LATE).await;
            let mut told = told.borrow_mut();
            let (waits, sent) = (std::mem::take(&mut told.waits), told.left.len() - begun);
            if waits.len() < sent * copies {
                return Err(format!("{rate}/s: {} of {} copies came", waits.len(), sent * copies).into());
            }
            all.push(Paced { waits, pushed_after, time });
        }
        Ok::<_, Failed>(all)
    });
    match select(listening, sending).await {
        futures::future::Either::Left((ended, _)) => {
            Err(ended.err().unwrap_or_else(|| "a connection was closed".into()))
        }
        futures::future::Either::Right((sent, _)) => sent,
    }
}

/// How many pushes it took, once no more come of what was before.
async fn settled(apple: &StandIn) -> usize {
    apple.forget();
    loop {
        let before = apple.accepted();
        sleep(LATE).await;
        if apple.accepted() == before {
            return before;
        }
    }
}

async fn all_taken(apple: &StandIn, count: usize, last: Instant) -> Result<Duration, Failed> {
    while apple.accepted() < count {
        if last.elapsed() > PUSHING {
            return Err(format!("{} of {count} pushes came", apple.accepted()).into());
        }
        sleep(TICK).await;
    }
    Ok(last.elapsed())
}

async fn listen(mut phone: Client, running: &Running, told: &RefCell<Told>) -> Result<(), Failed> {
    loop {
        let message = phone.message().await?;
        let now = Instant::now();
        let Some(number) = running.number(&message.payload) else { continue };
        let mut told = told.borrow_mut();
        if let Some(left) = told.left.get(number).copied() {
            told.waits.push(now - left);
        }
    }
}

async fn send(
    watches: &mut [OwnedWriteHalf],
    running: &Running,
    rate: u32,
    time: Duration,
    told: &RefCell<Told>,
) -> Result<(), Failed> {
    let (begun, mut sent) = (Instant::now(), 0_u32);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let passed = begun.elapsed().min(time);
        let due = (u128::from(rate) * passed.as_micros() / 1_000_000).min(u128::from(u32::MAX));
        while u128::from(sent) < due {
            let number = told.borrow().left.len();
            let at = number % watches.len();
            let (topic, payload) = running.event(at, number);
            let pkid = u16::try_from(number / watches.len() % 65_000).unwrap_or(0) + 1;
            let bytes = publish(&topic, pkid, payload)?;
            told.borrow_mut().left.push(Instant::now());
            watches.get_mut(at).ok_or("no such watch")?.write_all(&bytes).await?;
            sent += 1;
        }
        if passed >= time {
            return Ok(());
        }
    }
}
