//! Chat: dface beside Prosody and ejabberd, under one load of ours: a room of many readers, pairs that talk, and streams
//! that only wait.

mod load;
mod servers;
pub mod stream;

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use tokio::time::sleep;

use self::{
    load::Measured,
    servers::{Kind, Running},
    stream::{Account, Stream},
};
use crate::{
    Failed, Setup,
    report::{Table, ms, short},
    serving::server,
    stats,
};

/// Readers of the room.
const READERS: usize = 200;
/// Pairs that talk.
const PAIRS: usize = 200;
/// Streams that only wait.
const IDLE: usize = 1_000;
/// Sign-ins at once.
const SIGN_INS: usize = 16;
/// Turns that each server takes; they alternate, so that what else the machine does meets all alike.
const ROUNDS: usize = 3;
/// What follows a sign-in or its end is over by then.
const SETTLED: Duration = Duration::from_secs(1);

/// What one server did in one round.
struct Round {
    room: Measured,
    pairs: Measured,
    /// Bytes of each idle stream.
    idle: f64,
}

pub fn run(setup: &Setup) -> Result<Table, Failed> {
    let program = server::build()?;
    // One thread: the load leaves the rest of the machine to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let kinds: &[Kind] = if setup.others { &Kind::ALL } else { &[Kind::Dface] };
    let mut measured: Vec<Vec<Round>> = kinds.iter().map(|_| Vec::new()).collect();
    for number in 0..ROUNDS {
        for (kind, rounds) in kinds.iter().zip(&mut measured) {
            let dir = setup.dir.path().join(format!("chat-{number}"));
            let running = kind.start(&runtime, &program, &dir, IDLE)?;
            rounds.push(runtime.block_on(round(&running, setup.time / 2)).map_err(|error| format!("{kind}: {error}"))?);
        }
    }
    let mut table = Table::new(
        "Chat",
        format!(
            "One thread of ours is all clients, over plain TCP on the same machine, without XEP-0198. Room: {READERS} readers, who send in \
             turn, 32 messages on their way at a time, the next when one has reached all; counted are the copies. One-to-one: {PAIRS} \
             pairs, 4 messages on their way in each. dface has written each message to disk (fsync) before anybody gets it, and keeps \
             it; Prosody and ejabberd (Debian's, with their own storage) keep nothing. Memory is what {IDLE} more streams of \
             people who are online add to the server's resident memory, each. Medians of {ROUNDS} alternating rounds of {} s.",
            (setup.time / 2).as_secs()
        ),
        &[
            "server",
            "room, copies/s",
            "p99",
            "one-to-one, messages/s",
            "p99 ",
            "an idle stream",
            "ours / this, room",
            "ours / this, one-to-one",
        ],
    );
    let mut ours = None;
    for (kind, rounds) in kinds.iter().zip(&mut measured) {
        let [room, pairs] = [median(rounds, |one| one.room.rate()), median(rounds, |one| one.pairs.rate())];
        let slowest = |waits: fn(&mut Round) -> &mut Vec<Duration>, rounds: &mut [Round]| {
            let mut each: Vec<Duration> = rounds.iter_mut().map(|one| stats::percentile(waits(one), 0.99)).collect();
            ms(stats::percentile(&mut each, 0.5))
        };
        let p99 = [slowest(|one| &mut one.room.waits, rounds), slowest(|one| &mut one.pairs.waits, rounds)];
        let idle = format!("{} KB", short(median(rounds, |one| one.idle) / 1024.0));
        let (room_of_ours, pairs_of_ours) = *ours.get_or_insert((room, pairs));
        let [room_p99, pairs_p99] = p99;
        let beside = [short(room_of_ours / room), short(pairs_of_ours / pairs)];
        table.row([kind.to_string(), short(room), room_p99, short(pairs), pairs_p99, idle].into_iter().chain(beside));
    }
    Ok(table)
}

fn median(rounds: &[Round], of: fn(&Round) -> f64) -> f64 {
    let mut all: Vec<f64> = rounds.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

async fn round(running: &Running, time: Duration) -> Result<Round, Failed> {
    let (first, others) = running.accounts.split_first().ok_or("no accounts")?;
    // The first stream pays for what all share.
    let warm = Stream::open(running.at, first).await?;
    sleep(SETTLED).await;
    let before = running.memory();
    let idle = opened(running, others).await?;
    sleep(SETTLED).await;
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let each = running.memory().saturating_sub(before) as f64 / idle.len() as f64;
    drop((warm, idle));
    sleep(SETTLED).await;
    let talking = running.accounts.get(..2 * PAIRS).ok_or("too few accounts")?;
    let pairs = load::pairs(opened(running, talking).await?, talking, time).await?;
    sleep(SETTLED).await;
    let readers = running.accounts.get(..READERS).ok_or("too few accounts")?;
    let room = load::room(opened(running, readers).await?, &running.room, time).await?;
    Ok(Round { room, pairs, idle: each })
}

/// A stream of each account, in their order.
async fn opened(running: &Running, accounts: &[Account]) -> Result<Vec<Stream>, Failed> {
    let opening = accounts.iter().map(|account| Stream::open(running.at, account));
    futures::stream::iter(opening).buffered(SIGN_INS).try_collect().await
}
