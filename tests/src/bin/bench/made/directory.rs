//! Fills a data directory without a server: the log and the keys as the program itself writes them.

use std::{path::Path, sync::Arc, time::Instant};

use dface_commands::{
    Commands, Context, ExecutorSettings, Parts, Passwords, ServerSecret,
    keys::EmbeddedKeys,
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::NewEvent,
    events::Event,
    format::Format,
    ids::UserId,
    ports::{EventStore, Expected, Keys, Snapshots},
    stream::StreamId,
    time::Timestamp,
};
use futures::{StreamExt, TryStreamExt};
use uuid::Uuid;

use crate::{
    Failed,
    report::{note, short},
    stats::rate,
};

/// Appends on their way at once.
const IN_FLIGHT: usize = 2_000;

/// An open data directory.
pub struct Directory {
    pub store: EmbeddedStore,
    pub keys: Arc<dyn Keys>,
    pub commands: Commands,
}

/// The first event of a stream that does not exist yet, or its second one.
pub struct Fact {
    pub stream: StreamId,
    pub at: Timestamp,
    pub event: Event,
    pub expected: Expected,
}

impl Fact {
    /// For a stream that must not exist yet.
    pub fn new(stream: StreamId, at: Timestamp, event: impl Into<Event>) -> Self {
        Self { stream, at, event: event.into(), expected: Expected::NoStream }
    }

    /// For a stream that must have one event.
    pub fn second(self) -> Self {
        Self { expected: Expected::Version(0), ..self }
    }
}

impl Directory {
    pub async fn open(dir: &Path) -> Result<Self, Failed> {
        let store = EmbeddedStore::open(EmbeddedConfig::new(dir), Arc::new(SystemClock), &SystemEntropy)?;
        let keys: Arc<dyn Keys> = Arc::new(EmbeddedKeys::open(&dir.join("keys"), Arc::new(SystemEntropy))?);
        let secret = ServerSecret::load_or_create(&dir.join("keys/secret"), &SystemEntropy)?;
        let commands = Commands::new(Parts {
            store: Arc::new(store.clone()),
            snapshots: Arc::new(store.clone()) as Arc<dyn Snapshots>,
            keys: Arc::clone(&keys),
            secret: Arc::new(secret),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            passwords: Passwords::new(1),
            executor: ExecutorSettings::default(),
        });
        if !commands.secret_matches().await? {
            return Err("the directory has another secret".into());
        }
        Ok(Self { store, keys, commands })
    }

    /// Appends all of them, many at once, in their order.
    pub async fn append(&self, what: &str, events: impl Iterator<Item = Result<Fact, Failed>>) -> Result<(), Failed> {
        let (begun, before) = (Instant::now(), self.store.head().0);
        let appends = events.map(|fact| async {
            let Fact { stream, at, event, expected } = fact?;
            let new = NewEvent {
                id: self.commands.fresh_id(),
                occurred_at: at,
                correlation: Uuid::nil(),
                causation: None,
                event,
                format: Format::default(),
            };
            self.store.append(&stream, expected, vec![new]).await?;
            Ok::<_, Failed>(())
        });
        futures::stream::iter(appends).buffer_unordered(IN_FLIGHT).try_collect::<Vec<()>>().await?;
        let made = self.store.head().0 - before;
        note(&format!("made {made} {what}, {} a second", short(rate(made, begun.elapsed()))));
        Ok(())
    }

    /// Opens a session for each of `users`: their cookies.
    pub async fn sessions(&self, users: &[UserId]) -> Result<Vec<String>, Failed> {
        let opened = users.iter().map(|user| async {
            let context = Context::new(self.commands.fresh_id());
            Ok::<_, Failed>(self.commands.open_session(*user, "127.0.0.1", &context).await?.cookie)
        });
        futures::stream::iter(opened).buffered(64).try_collect().await
    }

    pub fn close(self) {
        self.store.close();
    }
}
