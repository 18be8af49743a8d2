//! MQTT: from a watch's event to its family's phones, beside Mosquitto, which relays the same and keeps nothing.

mod client;
mod load;
mod servers;

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use tokio::time::sleep;

use self::{
    client::Client,
    load::Paced,
    servers::{Kind, Running},
};
use crate::{
    Failed, Setup,
    report::{Table, ms, short},
    serving::server,
    stats,
};

/// Circles, each with one watch.
const CIRCLES: usize = 200;
/// Members of each, whose phones subscribe.
const MEMBERS: usize = 10;
/// Events of all watches in a second: what 20,000 families send, and what the issue asks for at most.
const RATES: [u32; 2] = [200, 2_000];
/// Sign-ins at once.
const SIGN_INS: usize = 32;
/// Turns that each server takes; they alternate.
const ROUNDS: usize = 3;
/// What follows a sign-in is over by then.
const SETTLED: Duration = Duration::from_secs(1);

struct Round {
    /// Of each rate.
    paced: Vec<Paced>,
    /// Bytes of each client that only waits.
    idle: f64,
}

pub fn run(setup: &Setup) -> Result<Table, Failed> {
    let program = server::build()?;
    // One thread: the load leaves the rest of the machine to the server.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let kinds: &[Kind] = if setup.others { &Kind::ALL } else { &Kind::OURS };
    let mut measured: Vec<Vec<Round>> = kinds.iter().map(|_| Vec::new()).collect();
    for number in 0..ROUNDS {
        for (kind, rounds) in kinds.iter().zip(&mut measured) {
            let dir = setup.dir.path().join(format!("mqtt-{number}"));
            let running = kind.start(&runtime, &program, &dir, (CIRCLES, MEMBERS))?;
            rounds.push(runtime.block_on(round(&running, setup.time / 2)).map_err(|error| format!("{kind}: {error}"))?);
        }
    }
    Ok(table(setup, kinds, &mut measured))
}

fn table(setup: &Setup, kinds: &[Kind], measured: &mut [Vec<Round>]) -> Table {
    let mut table = Table::new(
        "From a watch to its family (MQTT)",
        format!(
            "{CIRCLES} watches publish where they are (QoS 1), {} phones subscribe to their circles' topics ({MEMBERS} each); one thread of ours \
             is all of them, and where each event is pushed to one device too, another is Apple, over plain TCP on the same machine. A wait is from writing an event to reading it at a phone. dface writes each \
             event to disk (fsync) and looks up who may get it before it publishes; Mosquitto (Debian's) relays the same payloads from topic to \
             topic and keeps nothing. Memory is what the phones add to the server's resident memory, each, while nothing is said. Medians of \
             {ROUNDS} alternating rounds of {} s.",
            CIRCLES * MEMBERS,
            (setup.time / 2).as_secs()
        ),
        &[
            "server",
            "events/s asked",
            "delivered/s",
            "p50",
            "p99",
            "last push after the last event",
            "an idle phone",
            "p50 / Mosquitto's",
        ],
    );
    let halves: Vec<Vec<Duration>> = measured
        .iter_mut()
        .map(|rounds| (0..RATES.len()).map(|rate| median_wait(rounds, rate, 0.5)).collect())
        .collect();
    for (at, (kind, rounds)) in kinds.iter().zip(measured.iter_mut()).enumerate() {
        let idle = format!("{} KB", short(median(rounds.iter().map(|one| one.idle)) / 1024.0));
        for (rate, asked) in RATES.iter().enumerate() {
            let delivered = median(rounds.iter().filter_map(|one| one.paced.get(rate)).map(Paced::rate));
            let half = halves.get(at).and_then(|all| all.get(rate)).copied().unwrap_or_default();
            let other = halves.last().and_then(|all| all.get(rate)).copied().unwrap_or_default();
            let beside = short(half.as_secs_f64() / other.as_secs_f64().max(1e-9));
            let p99 = ms(median_wait(rounds, rate, 0.99));
            let pushed = rounds.iter().filter_map(|one| one.paced.get(rate)?.pushed_after);
            let pushed = median(pushed.map(|time| time.as_secs_f64() * 1e3));
            let pushed = if *kind == Kind::DfaceAndApple { format!("{} ms", short(pushed)) } else { "–".to_owned() };
            table.row([
                kind.to_string(),
                asked.to_string(),
                short(delivered),
                ms(half),
                p99,
                pushed,
                idle.clone(),
                beside,
            ]);
        }
    }
    table
}

fn median_wait(rounds: &mut [Round], rate: usize, share: f64) -> Duration {
    let mut each: Vec<Duration> = rounds
        .iter_mut()
        .filter_map(|one| one.paced.get_mut(rate))
        .map(|paced| stats::percentile(&mut paced.waits, share))
        .collect();
    stats::percentile(&mut each, 0.5)
}

fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

async fn round(running: &Running, time: Duration) -> Result<Round, Failed> {
    // The first phone pays for what all share.
    let warm = running.phones.first().ok_or("no phones")?;
    drop(Client::subscribed(running.at, warm).await?);
    sleep(SETTLED).await;
    let before = running.memory();
    let phones = futures::stream::iter(running.phones.iter().map(|phone| Client::subscribed(running.at, phone)));
    let phones: Vec<Client> = phones.buffered(SIGN_INS).try_collect().await?;
    sleep(SETTLED).await;
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let idle = running.memory().saturating_sub(before) as f64 / phones.len() as f64;
    let watches = futures::stream::iter(running.watches.iter().map(|watch| Client::connected(running.at, watch)));
    let watches: Vec<Client> = watches.buffered(SIGN_INS).try_collect().await?;
    let paced = load::run(phones, watches, running, (&RATES, MEMBERS), time).await?;
    Ok(Round { paced, idle })
}
