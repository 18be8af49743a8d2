//! One log, nodes with one clock that is moved by hand, and a store that can be slow and lose answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use dface_commands::{
    Commands, ExecutorSettings, Parts, Passwords, ServerSecret,
    keys::EmbeddedKeys,
    nodes::{About, Tenant},
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::{LogPosition, NewEvent, Recorded},
    leases::TIMING,
    ports::{Appended, EventStore, Expected, PortFuture, Stopwatch, StoreError},
    stream::StreamId,
};
use uuid::Uuid;

/// A clock that is moved by hand, in milliseconds.
#[derive(Clone, Default)]
pub struct Hand(Arc<AtomicU64>);

impl Hand {
    /// Moves it.
    pub fn forward(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).expect("not for ever"), Ordering::SeqCst);
    }
}

impl Stopwatch for Hand {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A store before which and behind which time passes, and whose answers may be lost.
#[derive(Clone)]
pub struct Weak {
    store: EmbeddedStore,
    hand: Hand,
    slow: Arc<AtomicU64>,
    loses: Arc<AtomicBool>,
}

impl Weak {
    fn pass(&self) {
        self.hand.forward(Duration::from_millis(self.slow.load(Ordering::SeqCst)));
    }
}

impl EventStore for Weak {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> PortFuture<'a, Result<Appended, StoreError>> {
        Box::pin(async move {
            self.pass();
            let appended = self.store.append(stream, expected, events).await;
            self.pass();
            if self.loses.load(Ordering::SeqCst) {
                return Err(StoreError::Unavailable("the answer is lost".to_owned()));
            }
            appended
        })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        version: u64,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<Recorded>, StoreError>> {
        Box::pin(async move {
            self.pass();
            let read = self.store.read_stream(stream, version, limit).await;
            self.pass();
            read
        })
    }

    fn read_all(&self, after: LogPosition, limit: usize) -> PortFuture<'_, Result<Vec<Recorded>, StoreError>> {
        self.store.read_all(after, limit)
    }

    fn head(&self) -> LogPosition {
        self.store.head()
    }

    fn changed(&self, after: LogPosition) -> PortFuture<'_, ()> {
        self.store.changed(after)
    }
}

/// One log.
pub struct World {
    /// The clock of all nodes.
    pub hand: Hand,
    /// Commands of a node that only looks.
    pub commands: Arc<Commands>,
    store: Weak,
    keys: Arc<EmbeddedKeys>,
    _dir: tempfile::TempDir,
}

impl World {
    /// An empty one.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let config = EmbeddedConfig::new(dir.path());
        let store = EmbeddedStore::open(config, Arc::new(SystemClock), &SystemEntropy).expect("opens");
        let keys = Arc::new(EmbeddedKeys::open(&dir.path().join("keys"), Arc::new(SystemEntropy)).expect("keys"));
        let hand = Hand::default();
        let store = Weak { store, hand: hand.clone(), slow: Arc::default(), loses: Arc::default() };
        let commands = Arc::new(commands(&store, &keys, ExecutorSettings::default()));
        Self { hand, commands, store, keys, _dir: dir }
    }

    /// Commands of another process.
    pub fn process(&self, settings: ExecutorSettings) -> Commands {
        commands(&self.store, &self.keys, settings)
    }

    /// A node that starts.
    pub fn tenant(&self, number: u128) -> Tenant {
        let about =
            About { node: Uuid::from_u128(number), name: format!("node {number}"), version: "0.1.0".to_owned() };
        let commands = Arc::new(self.process(ExecutorSettings::default()));
        Tenant::new(commands, about, TIMING, Arc::new(self.hand.clone()))
    }

    /// So long passes before and behind all that is asked of the store.
    pub fn slow(&self, by: Duration) {
        self.store.slow.store(u64::try_from(by.as_millis()).expect("not for ever"), Ordering::SeqCst);
    }

    /// Whether what is appended is not answered.
    pub fn lose_answers(&self, lost: bool) {
        self.store.loses.store(lost, Ordering::SeqCst);
    }

    /// The store, for looking at it.
    pub fn store(&self) -> &EmbeddedStore {
        &self.store.store
    }
}

fn commands(store: &Weak, keys: &Arc<EmbeddedKeys>, executor: ExecutorSettings) -> Commands {
    Commands::new(Parts {
        store: Arc::new(store.clone()),
        snapshots: Arc::new(store.store.clone()),
        keys: Arc::clone(keys) as _,
        secret: Arc::new(ServerSecret::new(&[7; 32])),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        passwords: Passwords::new(2),
        executor,
    })
}
