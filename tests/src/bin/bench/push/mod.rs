//! Pushes a second: by our HTTP/2 alone, and from what the log asks for to what the log says of it. Apple is a stand-in in the same process, on the
//! same cores.

mod whole_way;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dface_commands::system::SystemClock;
use dface_domain::{ports::Clock as _, time::Timestamp};
use dface_tests::apns::{Apple, TOPIC};
use dface_workers::apns::{Answer, Apns, ApnsConfig, Push};
use uuid::Uuid;

use crate::{
    Failed, Setup,
    report::{Table, ms, short},
    stats::{percentile, rate},
};

/// Pushes on their way at once.
const IN_FLIGHT: [usize; 3] = [1, 50, 500];

pub fn run(setup: &Setup) -> Result<Table, Failed> {
    let mut table = Table::new(
        "Pushes",
        "Pushes that a stand-in for Apple (HTTP/2 over TLS, in the same process) accepted, over one connection: by our HTTP/2 alone, \
         and the whole way: outstanding in the log, read, sealed, put on the embedded queue, sent, reported, and ended in the log.",
        &["how, pushes at once", "pushes/s", "p50", "p99"],
    );
    let apple = Apple::start();
    apple.sandbox.forget();
    apple.production.forget();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for in_flight in IN_FLIGHT {
        let (done, time, mut waits) = runtime.block_on(sending(&apple, in_flight, setup.time / 2))?;
        let (p50, p99) = (percentile(&mut waits, 0.5), percentile(&mut waits, 0.99));
        table.row([format!("HTTP/2, {in_flight}"), short(rate(done, time)), ms(p50), ms(p99)]);
    }
    let (done, time) = runtime.block_on(whole_way::run(&apple, setup))?;
    table.row(["the whole way, 500".to_owned(), short(rate(done, time)), "–".to_owned(), "–".to_owned()]);
    Ok(table)
}

async fn sending(apple: &Apple, in_flight: usize, time: Duration) -> Result<(u64, Duration, Vec<Duration>), Failed> {
    let (apns, number, begun) =
        (Arc::new(Apns::new(&config(apple), Arc::new(SystemClock))?), Arc::new(AtomicU64::new(0)), Instant::now());
    let one = |apns: Arc<Apns>, number: Arc<AtomicU64>| async move {
        let (mut waits, expires) = (Vec::new(), SystemClock.now().plus_seconds(86_400));
        while begun.elapsed() < time {
            let sent = Instant::now();
            push(&apns, number.fetch_add(1, Ordering::Relaxed), expires).await?;
            waits.push(sent.elapsed());
        }
        Ok::<_, Failed>(waits)
    };
    let tasks: Vec<_> = (0..in_flight).map(|_| tokio::spawn(one(Arc::clone(&apns), Arc::clone(&number)))).collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await??);
    }
    Ok((waits.len() as u64, begun.elapsed(), waits))
}

async fn push(apns: &Apns, number: u64, expires: Timestamp) -> Result<(), Failed> {
    let token = format!("{number:064x}");
    let payload = r#"{"aps":{"content-available":1},"data":{"push_type":"watch_locate","imei":"861234567890123","type":1,"locus":"海洋二所","radius":20,"lat":30.28691,"lng":120.12763,"timestamp":1700000000.0}}"#;
    let push =
        Push { environment: 1, token: &token, payload, alert: false, id: Uuid::from_u128(number.into()), expires };
    match apns.send(&push).await {
        Answer::Accepted => Ok(()),
        answer => Err(format!("a push came to {answer:?}").into()),
    }
}

fn config(apple: &Apple) -> ApnsConfig {
    let (ca, key) = apple.pems();
    ApnsConfig {
        sandbox_url: apple.sandbox.base_url(),
        production_url: apple.production.base_url(),
        ca: Some(ca.as_bytes().to_vec()),
        key: key.as_bytes().to_vec(),
        key_id: "ABCDE12345".to_owned(),
        team_id: "TEAM123456".to_owned(),
        topic: TOPIC.to_owned(),
        timeout: Duration::from_secs(10),
    }
}
