//! What is done for a duty begins when this node has it, and is over when it has not.

use std::sync::atomic::{AtomicU32, Ordering};

use uuid::Uuid;

use super::*;

/// Longer than anything takes; reached where something never comes.
const PATIENCE: Duration = Duration::from_secs(20);

fn identity() -> Identity {
    Identity { node: Uuid::from_u128(7), name: "api-1".to_owned() }
}

fn has(duties: &[Duty], term: u64, long: Duration) -> Tenure {
    Tenure::Shared { term, duties: duties.iter().copied().collect(), until: Instant::now() + long }
}

impl Leases {
    /// Of a node that shares the log and has all duties, for long.
    pub(crate) fn with_all(identity: Identity) -> Arc<Self> {
        let leases = Self::shared(identity);
        leases.tenure.send_replace(has(&Duty::ALL, 1, 100 * PATIENCE));
        leases
    }
}

/// Work that tells when it runs, and ends when it is told to.
struct Work {
    running: watch::Sender<u32>,
    begun: AtomicU32,
}

impl Work {
    fn new() -> Arc<Self> {
        Arc::new(Self { running: watch::Sender::new(0), begun: AtomicU32::new(0) })
    }

    async fn run(self: Arc<Self>, ends: CancellationToken) {
        struct Running(Arc<Work>);
        impl Drop for Running {
            fn drop(&mut self) {
                self.0.running.send_modify(|running| *running -= 1);
            }
        }
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.running.send_modify(|running| *running += 1);
        let _running = Running(self);
        ends.cancelled().await;
    }

    async fn becomes(&self, running: u32) {
        let mut told = self.running.subscribe();
        let came = timeout(PATIENCE, told.wait_for(|now| *now == running)).await;
        assert!(came.is_ok(), "{} run, not {running}", *self.running.borrow());
    }
}

#[tokio::test]
async fn work_runs_while_its_duty_is_here_and_ends_with_the_term() {
    let (leases, work, stop) = (Leases::shared(identity()), Work::new(), CancellationToken::new());
    let (holding, working, ends) = (Arc::clone(&leases), Arc::clone(&work), stop.clone());
    let held = tokio::spawn(async move {
        holding.hold(Duty::Jobs, &ends, |ends| Arc::clone(&working).run(ends)).await;
    });
    work.becomes(0).await;
    leases.tenure.send_replace(has(&[Duty::Timers], 1, PATIENCE * 10));
    assert!(!leases.has(Duty::Jobs) && leases.duties().is_empty());
    leases.tenure.send_replace(has(&[Duty::Jobs], 1, Duration::from_secs(8)));
    work.becomes(1).await;
    assert_eq!(leases.duties(), BTreeSet::from([Duty::Jobs]));
    // Renewed: nothing begins anew.
    leases.tenure.send_replace(has(&[Duty::Jobs], 1, Duration::from_millis(200)));
    // Not renewed: it ends by the clock alone.
    work.becomes(0).await;
    assert_eq!((work.begun.load(Ordering::SeqCst), leases.has(Duty::Jobs)), (1, false));
    // Another term is another work: what the one before knew may be old.
    leases.tenure.send_replace(has(&[Duty::Jobs], 2, PATIENCE * 10));
    work.becomes(1).await;
    leases.tenure.send_replace(has(&[Duty::Jobs], 3, PATIENCE * 10));
    while work.begun.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    work.becomes(1).await;
    stop.cancel();
    held.await.unwrap();
    work.becomes(0).await;
}

#[tokio::test]
async fn work_that_does_not_end_is_cut_off_before_others_may_begin() {
    let (leases, stop) = (Leases::shared(identity()), CancellationToken::new());
    let (begun, mut told) = watch::channel(false);
    let (holding, ends) = (Arc::clone(&leases), stop.clone());
    let (dropped, mut is_dropped) = watch::channel(false);
    let held = tokio::spawn(async move {
        holding
            .hold(Duty::Mqtt, &ends, |_| {
                begun.send_replace(true);
                let dropped = dropped.clone();
                async move {
                    let _told = scopeguard(move || dropped.send_modify(|dropped| *dropped = true));
                    std::future::pending::<()>().await;
                }
            })
            .await;
    });
    leases.tenure.send_replace(has(&[Duty::Mqtt], 1, Duration::from_millis(200)));
    told.wait_for(|begun| *begun).await.unwrap();
    timeout(PATIENCE, is_dropped.wait_for(|dropped| *dropped)).await.expect("it is cut off").unwrap();
    assert!(grace() < TIMING.margin, "before others may begin");
    stop.cancel();
    held.await.unwrap();
}

/// Does something when it is dropped.
fn scopeguard(act: impl FnOnce()) -> impl Drop {
    struct Guard<F: FnOnce()>(Option<F>);
    impl<F: FnOnce()> Drop for Guard<F> {
        fn drop(&mut self) {
            if let Some(act) = self.0.take() {
                act();
            }
        }
    }
    Guard(Some(act))
}

#[tokio::test]
async fn who_is_alone_has_everything_at_once_and_for_good() {
    let (leases, work, stop) = (Leases::alone(identity()), Work::new(), CancellationToken::new());
    let (holding, working, ends) = (Arc::clone(&leases), Arc::clone(&work), stop.clone());
    let held = tokio::spawn(async move {
        holding.hold(Duty::Processes, &ends, |ends| Arc::clone(&working).run(ends)).await;
    });
    work.becomes(1).await;
    assert!(leases.is_alone() && leases.has(Duty::Processes));
    stop.cancel();
    held.await.unwrap();
    work.becomes(0).await;
}

#[tokio::test]
async fn a_node_of_a_restored_log_does_nothing_until_it_is_released_and_is_alone_all_the_same() {
    let (leases, work, stop) = (Leases::held(identity()), Work::new(), CancellationToken::new());
    assert!(leases.is_held() && leases.is_alone() && !leases.has(Duty::Jobs) && leases.duties().is_empty());
    let holding = {
        let (leases, work, stop) = (Arc::clone(&leases), Arc::clone(&work), stop.clone());
        tokio::spawn(async move { leases.hold(Duty::Jobs, &stop, |ends| Arc::clone(&work).run(ends)).await })
    };
    let other = {
        let (leases, stop) = (Arc::clone(&leases), stop.clone());
        tokio::spawn(async move { leases.once_released(&stop, async {}).await })
    };
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(work.begun.load(Ordering::SeqCst) == 0 && !other.is_finished());
    leases.release();
    work.becomes(1).await;
    timeout(PATIENCE, other).await.expect("it begins").unwrap();
    assert!(!leases.is_held() && leases.has(Duty::Jobs));
    stop.cancel();
    holding.await.unwrap();
}
