//! The queue at a real RabbitMQ.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use dface_commands::system::SystemClock;
use dface_domain::jobs::{JobId, JobKind, JobQueue, QueueError};
use dface_tests::rabbitmq::{PASSWORD, RabbitMq};
use dface_workers::queue::amqp::AmqpQueue;

use crate::{
    contract::{self, PLACES},
    place::{LONG, Place, Queue, amqp, coupon, next, nothing},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn contract_amqp() {
    let broker = RabbitMq::start();
    contract::holds((0..PLACES).map(|_| Place::Broker { url: broker.fresh(), ca: None })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tls_with_a_certificate_of_its_own() {
    let broker = RabbitMq::start();
    let url = broker.fresh_tls();
    let trusting = Place::Broker { url: url.clone(), ca: Some(broker.certificate().to_owned()) }.open().await;
    trusting.put(&coupon(1)).await.unwrap();
    assert_eq!(next(&trusting).await.job, coupon(1));
    let stranger = AmqpQueue::connect(amqp(&url, None), Arc::new(SystemClock));
    assert!(!stranger.reached(Duration::from_secs(2)).await, "a certificate that nobody vouches for was taken");
    let error = stranger.health().error.unwrap();
    assert!(error.contains("certificate"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wrong_password_is_told_without_it() {
    let broker = RabbitMq::start();
    let url = broker.fresh().replace(PASSWORD, "falsch-43");
    let queue = AmqpQueue::connect(amqp(&url, None), Arc::new(SystemClock));
    assert!(!queue.reached(Duration::from_secs(3)).await);
    let told = format!("{:?} {:?}", queue.health(), queue.put(&coupon(1)).await.unwrap_err());
    assert!(told.contains("ACCESS_REFUSED") && !told.contains("falsch"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_the_broker_is_away_putting_fails_at_once_and_taking_waits() {
    let mut broker = RabbitMq::start();
    let place = Place::Broker { url: broker.fresh(), ca: None };
    let queue = place.open().await;
    queue.put(&coupon(1)).await.unwrap();
    let taken = next(&queue).await;
    broker.kill();
    let begun = Instant::now();
    let error = queue.put(&coupon(2)).await.unwrap_err();
    assert!(matches!(error, QueueError::Unavailable(_)), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let error = queue.done(taken).await.unwrap_err();
    assert!(matches!(error, QueueError::Unavailable(_)), "{error}");
    nothing(&queue).await;
    let health = queue.health();
    assert!(!health.connected && health.error.is_some(), "{health:?}");
    broker.start_again();
    let again = next(&queue).await;
    assert_eq!((again.job.clone(), again.attempt), (coupon(1), 2));
    queue.done(again).await.unwrap();
    queue.put(&coupon(3)).await.unwrap();
    assert_eq!(next(&queue).await.job, coupon(3));
    assert!(queue.health().connected);
}

/// Rounds of `crash`: in CI few, and more by `make crash`.
fn rounds() -> u32 {
    std::env::var("CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse::<u32>().ok()).map_or(3, |rounds| rounds.min(20))
}

/// Puts numbers from `from` on until told to stop; those that were confirmed.
async fn put_until(queue: Queue, from: u128, stop: Arc<AtomicBool>) -> BTreeSet<JobId> {
    let mut confirmed = BTreeSet::new();
    for number in from.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        match queue.put(&coupon(number)).await {
            Ok(()) => drop(confirmed.insert(coupon(number).id)),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    confirmed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crash_of_the_broker_under_load_loses_nothing_that_was_confirmed() {
    let mut broker = RabbitMq::start();
    let place = Place::Broker { url: broker.fresh(), ca: None };
    let (queue, mut expected, mut done) = (place.open().await, BTreeSet::new(), BTreeSet::new());
    for round in 0..rounds() {
        let stop = Arc::new(AtomicBool::new(false));
        let putting: Vec<_> = (0..4)
            .map(|putter| put_until(queue.clone(), u128::from(round * 4 + putter) << 32, Arc::clone(&stop)))
            .map(tokio::spawn)
            .collect();
        // A worker settles some meanwhile, so that acknowledgements are cut as well.
        for _ in 0..20 {
            let delivery = next(&queue).await;
            done.insert(delivery.job.id);
            let _ = queue.done(delivery).await;
        }
        broker.kill();
        tokio::time::sleep(Duration::from_millis(200)).await;
        broker.start_again();
        tokio::time::sleep(Duration::from_millis(500)).await;
        stop.store(true, Ordering::SeqCst);
        for puts in putting {
            expected.extend(puts.await.unwrap());
        }
    }
    assert!(expected.len() > 50, "only {} were put", expected.len());
    while !expected.is_subset(&done) {
        let missing = expected.difference(&done).count();
        let delivery = tokio::time::timeout(LONG, queue.next(JobKind::Coupon)).await;
        let delivery = delivery.unwrap_or_else(|_| panic!("{missing} of {} are lost", expected.len()));
        done.insert(delivery.job.id);
        let _ = queue.done(delivery).await;
    }
}
