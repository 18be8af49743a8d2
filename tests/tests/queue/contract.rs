//! What every queue promises. Each promise has a queue of its own; all are looked at side by side, since most of the time
//! is waiting.

use std::{collections::BTreeSet, future::Future, pin::Pin, time::Instant};

use dface_domain::jobs::{JobKind, News, QueueError};

use crate::place::{A_WHILE, ATTEMPTS, Place, coupon, job, next, next_report, nothing, report, taken_out};

type Promise = fn(Place) -> Pin<Box<dyn Future<Output = ()> + Send>>;

macro_rules! promises {
    ($($name:ident)+) => {
        const PROMISES: &[(&str, Promise)] = &[$((stringify!($name), |place| Box::pin($name(place)))),+];
    };
}

promises! {
    what_is_put_comes_until_it_is_done
    each_kind_has_a_queue_of_its_own
    who_waits_is_woken
    whoever_stops_waiting_takes_nothing
    another_try_comes_when_it_is_due
    another_try_outlives_a_restart
    what_was_in_hands_at_a_death_comes_again_and_counts
    what_comes_too_often_is_dead_and_reported
    what_was_given_back_does_not_count
    what_was_buried_comes_no_more_until_it_is_put_again
    what_waits_can_be_taken_out
    reports_come_until_they_are_taken
    a_message_of_a_newer_version_waits
    what_is_too_large_is_refused
    many_at_once_come_once_each
}

/// How many places the promises need.
pub const PLACES: usize = PROMISES.len();

/// Looks whether all promises hold, each at a place of its own.
pub async fn holds(places: impl Iterator<Item = Place>) {
    let looking: Vec<_> =
        PROMISES.iter().zip(places).map(|((name, promise), place)| (name, tokio::spawn(promise(place)))).collect();
    assert_eq!(looking.len(), PROMISES.len(), "a place is missing");
    let mut broken = Vec::new();
    for (name, looked) in looking {
        if looked.await.is_err() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "broken (why is told above): {broken:?}");
}

async fn what_is_put_comes_until_it_is_done(place: Place) {
    let queue = place.open().await;
    queue.put(&coupon(1)).await.unwrap();
    let delivery = next(&queue).await;
    assert_eq!((delivery.job.clone(), delivery.attempt), (coupon(1), 1));
    queue.done(delivery).await.unwrap();
    nothing(&queue).await;
    drop(queue);
    nothing(&place.open().await).await;
}

async fn each_kind_has_a_queue_of_its_own(place: Place) {
    let queue = place.open().await;
    queue.put(&job(JobKind::Picture, 1)).await.unwrap();
    nothing(&queue).await;
    queue.put(&coupon(1)).await.unwrap();
    assert_eq!(next(&queue).await.job, coupon(1));
    let picture = queue.next(JobKind::Picture).await;
    assert_eq!(picture.job.id, job(JobKind::Picture, 1).id);
}

async fn who_waits_is_woken(place: Place) {
    let queue = place.open().await;
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { next(&queue).await }
    });
    tokio::time::sleep(A_WHILE).await;
    queue.put(&coupon(1)).await.unwrap();
    assert_eq!(waiting.await.unwrap().job, coupon(1));
}

async fn whoever_stops_waiting_takes_nothing(place: Place) {
    let queue = place.open().await;
    for _ in 0..3 {
        nothing(&queue).await;
    }
    queue.put(&coupon(1)).await.unwrap();
    assert_eq!(next(&queue).await.attempt, 1);
}

async fn another_try_comes_when_it_is_due(place: Place) {
    let queue = place.open().await;
    queue.put(&coupon(1)).await.unwrap();
    let begun = Instant::now();
    queue.again(next(&queue).await, 1).await.unwrap();
    let second = next(&queue).await;
    assert!(begun.elapsed().as_millis() >= 990, "too early: {:?}", begun.elapsed());
    assert_eq!((second.job.clone(), second.attempt), (coupon(1), 2));
    queue.again(second, 0).await.unwrap();
    assert_eq!(next(&queue).await.attempt, 3);
}

async fn another_try_outlives_a_restart(place: Place) {
    let queue = place.open().await;
    queue.put(&coupon(1)).await.unwrap();
    let begun = Instant::now();
    queue.again(next(&queue).await, 2).await.unwrap();
    drop(queue);
    let queue = place.open().await;
    let second = next(&queue).await;
    assert!(begun.elapsed().as_millis() >= 1990, "too early: {:?}", begun.elapsed());
    assert_eq!(second.attempt, 2);
    queue.done(second).await.unwrap();
}

async fn what_was_in_hands_at_a_death_comes_again_and_counts(place: Place) {
    let queue = place.open().await;
    queue.put(&coupon(1)).await.unwrap();
    assert_eq!(next(&queue).await.attempt, 1);
    drop(queue);
    let queue = place.open().await;
    let second = next(&queue).await;
    assert_eq!((second.job.clone(), second.attempt), (coupon(1), 2));
    queue.again(second, 0).await.unwrap();
    assert_eq!(next(&queue).await.attempt, 3);
}

async fn what_comes_too_often_is_dead_and_reported(place: Place) {
    place.open().await.put(&coupon(1)).await.unwrap();
    for attempt in 1..=ATTEMPTS {
        assert_eq!(next(&place.open().await).await.attempt, attempt);
    }
    let queue = place.open().await;
    nothing(&queue).await;
    let told = next_report(&queue).await;
    assert_eq!((told.report.job, told.report.attempt), (coupon(1).id, ATTEMPTS));
    assert!(matches!(&told.report.news, News::Dead { error } if error.contains("3 times")), "{:?}", told.report.news);
    queue.taken(told).await.unwrap();
    assert!(taken_out(&queue, coupon(1).id).await);
    queue.put(&coupon(1)).await.unwrap();
    assert_eq!(next(&queue).await.attempt, 1);
}

async fn what_was_given_back_does_not_count(place: Place) {
    let queue = place.open().await;
    queue.put(&coupon(1)).await.unwrap();
    for _ in 0..=ATTEMPTS {
        let delivery = next(&queue).await;
        assert_eq!(delivery.attempt, 1);
        queue.give_back(delivery).await.unwrap();
    }
    queue.again(next(&queue).await, 0).await.unwrap();
    let second = next(&queue).await;
    assert_eq!(second.attempt, 2);
    queue.give_back(second).await.unwrap();
    assert_eq!(next(&queue).await.attempt, 2);
}

async fn what_was_buried_comes_no_more_until_it_is_put_again(place: Place) {
    let queue = place.open().await;
    for number in [1, 2] {
        queue.put(&coupon(number)).await.unwrap();
        queue.bury(next(&queue).await, "the paper is out").await.unwrap();
    }
    drop(queue);
    let queue = place.open().await;
    nothing(&queue).await;
    assert!(taken_out(&queue, coupon(1).id).await);
    assert!(!taken_out(&queue, coupon(1).id).await);
    queue.put(&coupon(1)).await.unwrap();
    assert_eq!(next(&queue).await.attempt, 1);
    assert!(taken_out(&queue, coupon(2).id).await, "the other dead one stayed");
}

async fn what_waits_can_be_taken_out(place: Place) {
    let queue = place.open().await;
    queue.put(&coupon(9)).await.unwrap();
    queue.again(next(&queue).await, 600).await.unwrap();
    queue.put(&coupon(8)).await.unwrap();
    queue.again(next(&queue).await, 2).await.unwrap();
    drop(queue);
    // What a worker has in hands or was given ahead does not wait, so here is none until it is taken out.
    let queue = place.open().await;
    for number in [1, 2, 3] {
        queue.put(&coupon(number)).await.unwrap();
    }
    let sought = [2, 9, 7].map(|number| coupon(number).id);
    let there = queue.remove(&BTreeSet::from(sought)).await.unwrap();
    assert_eq!(there, BTreeSet::from([coupon(2).id, coupon(9).id]), "one waits for another try, one was never put");
    let mut came = BTreeSet::new();
    for _ in 0..3 {
        let delivery = next(&queue).await;
        came.insert((delivery.job.id, delivery.attempt));
        queue.done(delivery).await.unwrap();
    }
    assert_eq!(came, BTreeSet::from([(coupon(1).id, 1), (coupon(3).id, 1), (coupon(8).id, 2)]));
    nothing(&queue).await;
}

async fn reports_come_until_they_are_taken(place: Place) {
    let queue = place.open().await;
    queue.report(&report(1)).await.unwrap();
    queue.report(&report(2)).await.unwrap();
    let first = next_report(&queue).await;
    assert_eq!(first.report, report(1));
    assert_eq!(next_report(&queue).await.report, report(2));
    queue.taken(first).await.unwrap();
    drop(queue);
    let queue = place.open().await;
    let second = next_report(&queue).await;
    assert_eq!(second.report, report(2));
    queue.taken(second).await.unwrap();
    assert!(tokio::time::timeout(A_WHILE, queue.next_report()).await.is_err());
}

async fn a_message_of_a_newer_version_waits(place: Place) {
    let queue = place.open().await;
    let mut newer = coupon(1);
    newer.version += 1;
    queue.put(&newer).await.unwrap();
    queue.put(&coupon(2)).await.unwrap();
    let known = next(&queue).await;
    assert_eq!(known.job, coupon(2));
    queue.done(known).await.unwrap();
    nothing(&queue).await;
    assert!(taken_out(&queue, newer.id).await, "it waits");
}

async fn what_is_too_large_is_refused(place: Place) {
    let queue = place.open().await;
    let mut large = coupon(1);
    let dface_domain::jobs::Task::Coupon(task) = &mut large.task else { unreachable!("it is a coupon") };
    task.text = "x".repeat(10_000);
    let error = queue.put(&large).await.unwrap_err();
    assert!(matches!(&error, QueueError::Refused(what) if what.contains("10000 are the most")), "{error}");
    nothing(&queue).await;
}

async fn many_at_once_come_once_each(place: Place) {
    const MANY: u128 = 200;
    let queue = place.open().await;
    let putting = (0..MANY).map(|number| {
        let queue = queue.clone();
        tokio::spawn(async move { queue.put(&coupon(number)).await.unwrap() })
    });
    let putting: Vec<_> = putting.collect();
    let taking = (0..4).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut came = Vec::new();
            for _ in 0..MANY / 4 {
                let delivery = next(&queue).await;
                came.push(delivery.job.id);
                queue.done(delivery).await.unwrap();
            }
            came
        })
    });
    let taking: Vec<_> = taking.collect();
    for put in putting {
        put.await.unwrap();
    }
    let mut came = Vec::new();
    for taker in taking {
        came.extend(taker.await.unwrap());
    }
    assert_eq!(came.iter().collect::<BTreeSet<_>>().len(), came.len());
    assert_eq!(came.len(), usize::try_from(MANY).unwrap());
    nothing(&queue).await;
}
