//! How far followers of the log are. Each keeps its place on this node's disk at every step; where another node may go on with what a follower does, the
//! place is kept in the log too, now and then, and when the duty ends.
//!
//! What was done since the place was kept is done again by whoever goes on, to no effect: so seldom is enough, and a death costs that much reading.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use dface_commands::{
    Commands,
    checkpoints::Place,
    processes::{Checkpoints, Parked, Progress},
};
use dface_domain::ports::PortFuture;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Between two times that a place is kept in the log, where something was done since.
const BUSY: Duration = Duration::from_secs(5);

/// The same where nothing was.
const IDLE: Duration = Duration::from_secs(600);

/// What is said of an event that another node could not act on, until this one has tried.
const ELSEWHERE: &str = "it could not be acted on by another node";

/// Places on this node's disk, and in the log.
pub struct Places {
    local: Arc<dyn Checkpoints>,
    commands: Arc<Commands>,
    /// The log's id, in hexadecimal.
    log: String,
    /// Followers that each node has for itself.
    own: BTreeSet<&'static str>,
    kept: Mutex<HashMap<Box<str>, Kept>>,
}

/// What is known of a follower since it began here.
struct Kept {
    progress: Progress,
    acted: usize,
    /// When it was kept in the log last.
    at: Instant,
    /// Whether the log has it as it is.
    in_log: bool,
}

impl Places {
    /// Over the places of this node's disk; those named in `own` are kept nowhere else.
    #[must_use]
    pub fn new(
        local: Arc<dyn Checkpoints>,
        commands: Arc<Commands>,
        log: [u8; 16],
        own: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        let (log, own) = (hex::encode(log), own.into_iter().collect());
        Self { local, commands, log, own, kept: Mutex::default() }
    }

    async fn load_either(&self, follower: &str) -> Result<Progress, String> {
        let local = self.local.load(follower).await?;
        if self.own.contains(follower) {
            return Ok(local);
        }
        let shared = self.commands.checkpoint(follower, &self.log).await.map_err(|error| error.to_string())?;
        // Whatever this node knows from a time before is right, and may be old.
        let (progress, in_log) = match shared {
            Some(place) if place.position >= local.position => (of_place(place), true),
            _ => (local, false),
        };
        let kept = Kept { progress: progress.clone(), acted: 0, at: Instant::now(), in_log };
        self.kept.lock().insert(follower.into(), kept);
        Ok(progress)
    }

    /// Notes a place; whether it is to be kept in the log now.
    fn note(&self, follower: &str, progress: &Progress, acted: usize) -> bool {
        let mut kept = self.kept.lock();
        let Some(known) = kept.get_mut(follower) else { return false };
        known.in_log &= known.progress == *progress;
        known.progress = progress.clone();
        known.acted += acted;
        let due = if known.acted > 0 { BUSY } else { IDLE };
        !known.in_log && known.at.elapsed() >= due
    }

    async fn keep_in_log(&self, follower: &str) -> Result<(), String> {
        let progress = match self.kept.lock().get_mut(follower) {
            Some(known) if !known.in_log => {
                (known.at, known.acted, known.in_log) = (Instant::now(), 0, true);
                known.progress.clone()
            }
            _ => return Ok(()),
        };
        let parked = progress.parked.iter().map(|parked| parked.position).collect();
        let place = Place { position: progress.position, parked };
        let done = self.commands.keep_checkpoint(follower, &self.log, &place).await;
        if done.is_err()
            && let Some(known) = self.kept.lock().get_mut(follower)
        {
            known.in_log = false;
        }
        done.map_err(|error| error.to_string())
    }
}

fn of_place(place: Place) -> Progress {
    let parked = place.parked.into_iter().map(|position| Parked { position, error: ELSEWHERE.to_owned() });
    Progress { position: place.position, parked: parked.collect() }
}

impl Checkpoints for Places {
    fn load<'a>(&'a self, follower: &'a str) -> PortFuture<'a, Result<Progress, String>> {
        Box::pin(self.load_either(follower))
    }

    fn save<'a>(
        &'a self,
        follower: &'a str,
        progress: &'a Progress,
        acted: usize,
    ) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async move {
            self.local.save(follower, progress, acted).await?;
            if self.note(follower, progress, acted) { self.keep_in_log(follower).await } else { Ok(()) }
        })
    }

    fn hand_over<'a>(&'a self, follower: &'a str) -> PortFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = self.keep_in_log(follower).await {
                tracing::warn!(follower, error, "a place is not kept in the log: who goes on does some things again");
            }
            self.kept.lock().remove(follower);
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dface_commands::{
        ExecutorSettings, Parts, Passwords, ServerSecret,
        keys::EmbeddedKeys,
        store::embedded::{EmbeddedConfig, EmbeddedStore},
        system::{SystemClock, SystemEntropy},
    };
    use dface_domain::envelope::LogPosition;

    use super::*;

    /// What a node's disk keeps.
    #[derive(Default)]
    struct Disk(Mutex<BTreeMap<String, Progress>>);

    impl Checkpoints for Disk {
        fn load<'a>(&'a self, follower: &'a str) -> PortFuture<'a, Result<Progress, String>> {
            Box::pin(async move { Ok(self.0.lock().get(follower).cloned().unwrap_or_default()) })
        }

        fn save<'a>(
            &'a self,
            follower: &'a str,
            progress: &'a Progress,
            _: usize,
        ) -> PortFuture<'a, Result<(), String>> {
            Box::pin(async move {
                self.0.lock().insert(follower.to_owned(), progress.clone());
                Ok(())
            })
        }
    }

    fn commands(dir: &std::path::Path) -> Arc<Commands> {
        let store = EmbeddedStore::open(EmbeddedConfig::new(dir), Arc::new(SystemClock), &SystemEntropy).unwrap();
        Arc::new(Commands::new(Parts {
            store: Arc::new(store.clone()),
            snapshots: Arc::new(store),
            keys: Arc::new(EmbeddedKeys::open(&dir.join("keys"), Arc::new(SystemEntropy)).unwrap()),
            secret: Arc::new(ServerSecret::new(&[7; 32])),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            passwords: Passwords::new(1),
            executor: ExecutorSettings::default(),
        }))
    }

    fn at(position: u64, parked: &[u64]) -> Progress {
        let of = |position: &u64| Parked { position: LogPosition(*position), error: ELSEWHERE.to_owned() };
        Progress { position: LogPosition(position), parked: parked.iter().map(of).collect() }
    }

    #[tokio::test]
    async fn who_goes_on_begins_where_the_one_before_handed_over() {
        let dir = tempfile::tempdir().unwrap();
        let commands = commands(dir.path());
        let node = || Places::new(Arc::new(Disk::default()), Arc::clone(&commands), [1; 16], ["pushes_mqtt"]);
        let (here, there) = (node(), node());
        assert_eq!(here.load("coupons").await, Ok(Progress::default()));
        here.save("coupons", &at(7, &[3]), 1).await.unwrap();
        assert_eq!(there.load("coupons").await, Ok(Progress::default()), "it is kept in the log now and then alone");
        here.hand_over("coupons").await;
        assert_eq!(there.load("coupons").await, Ok(at(7, &[3])));
        // What this node knows from before may be older.
        there.save("coupons", &at(9, &[]), 1).await.unwrap();
        there.hand_over("coupons").await;
        assert_eq!(here.load("coupons").await, Ok(at(9, &[])));
        // What each node does for itself is nobody else's.
        here.load("pushes_mqtt").await.unwrap();
        here.save("pushes_mqtt", &at(5, &[]), 1).await.unwrap();
        here.hand_over("pushes_mqtt").await;
        assert_eq!(here.load("pushes_mqtt").await, Ok(at(5, &[])));
        assert_eq!(there.load("pushes_mqtt").await, Ok(Progress::default()));
    }
}
