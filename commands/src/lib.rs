//! The writing side: load an aggregate, decide, append, retry on conflict; and the adapters of store and keys.
//!
//! Never asks a read model. One file for each feature; `Commands` holds what all of them need.

pub mod audit;
pub mod boots;
pub mod checkins;
pub mod checkpoints;
pub mod circles;
pub mod coupons;
pub mod error;
pub mod executor;
pub mod focus;
pub mod format;
mod heard;
pub mod ids;
pub mod imports;
pub mod jobs;
pub mod keys;
pub mod messages;
mod newest;
pub mod nodes;
pub mod passwords;
pub mod people;
pub mod photos;
pub mod processes;
pub mod profiles;
pub mod push_tokens;
pub mod pushes;
pub mod relations;
pub mod reports;
pub mod requests;
pub mod restores;
pub mod retention;
pub mod secret;
pub mod sessions;
pub mod shops;
mod sign_in_names;
pub mod store;
pub mod system;
pub mod talks;
pub mod tokens;
pub mod watches;
pub mod weibo;

use std::sync::Arc;

use dface_domain::{
    envelope::Recorded,
    events::{Event, SecretFingerprinted},
    ports::{Clock, Entropy, EventStore, Keys, Snapshots, StoreError},
    stream::{Category, StreamId},
};
use uuid::Uuid;

pub use self::{
    error::CommandError,
    executor::{Context, Executor, ExecutorSettings, Guess, Outcome},
    passwords::Passwords,
    secret::ServerSecret,
};

/// All commands of dface.
pub struct Commands {
    executor: Executor,
    keys: Arc<dyn Keys>,
    secret: Arc<ServerSecret>,
    ids: ids::Allocator,
    grants: coupons::Turns,
    passwords: Passwords,
}

/// What commands are made of.
pub struct Parts {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Snapshots of long streams.
    pub snapshots: Arc<dyn Snapshots>,
    /// Keys of people.
    pub keys: Arc<dyn Keys>,
    /// The server secret.
    pub secret: Arc<ServerSecret>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// How passwords are hashed.
    pub passwords: Passwords,
    /// How the executor behaves.
    pub executor: ExecutorSettings,
}

impl Commands {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            executor: Executor::new(parts.store, parts.snapshots, parts.clock, parts.entropy, parts.executor),
            keys: parts.keys,
            secret: parts.secret,
            ids: ids::Allocator::default(),
            grants: coupons::Turns::default(),
            passwords: parts.passwords,
        }
    }

    /// The server secret.
    #[must_use]
    pub fn secret(&self) -> &ServerSecret {
        &self.secret
    }

    /// The server secret, for those who outlive a borrow of this.
    #[must_use]
    pub fn shared_secret(&self) -> Arc<ServerSecret> {
        Arc::clone(&self.secret)
    }

    /// Keys of people.
    #[must_use]
    pub fn keys(&self) -> &Arc<dyn Keys> {
        &self.keys
    }

    /// What time it is for commands.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.executor.clock
    }

    /// Chance.
    #[must_use]
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.executor.entropy
    }

    /// Sign-in passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// Takes notice of an event that the log brought: for nodes that share a log with others ([`Executor::heard`]).
    pub fn heard(&self, recorded: &Recorded) {
        self.executor.heard(&recorded.stream, recorded.version);
    }

    /// A fresh id for a request, import or job.
    #[must_use]
    pub fn fresh_id(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.executor.entropy.bytes()).into_uuid()
    }

    /// Checks that this log was begun with this server secret; a new log keeps its fingerprint.
    ///
    /// # Errors
    /// `false` inside `Ok` means another secret; `Err` is the store's.
    pub async fn secret_matches(&self) -> Result<bool, CommandError> {
        let stream = StreamId::new(Category::System, "secret");
        let fingerprint = self.secret.fingerprint();
        let known = self.executor.store().read_stream(&stream, 0, 1).await?;
        let Some(first) = known.first() else {
            let event = Event::from(SecretFingerprinted { fingerprint });
            let context = Context::new(self.fresh_id());
            return match self.executor.append_first(&stream, event, &context).await {
                Ok(_) => Ok(true),
                Err(CommandError::Store(StoreError::WrongVersion { .. })) => Box::pin(self.secret_matches()).await,
                Err(error) => Err(error),
            };
        };
        let first = first
            .data
            .decode()
            .map_err(|e| CommandError::Unreadable { stream: stream.to_string(), what: e.to_string() })?;
        Ok(first == Event::from(SecretFingerprinted { fingerprint }))
    }
}
