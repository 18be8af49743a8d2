//! Store, keys and commands, opened without read models: for a node, and for whoever only reads the log.

use std::sync::Arc;

use dface_commands::{
    Commands, ExecutorSettings, Parts as CommandParts, Passwords, ServerSecret,
    keys::{EmbeddedKeys, KeyReader, SharedKeys, SharedParts},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::LogPosition,
    ports::{Clock, Entropy, EventStore as _, KeyedHash, Keys},
    records::Records,
    stream::{Category, StreamId},
};
use dface_projections::projector::Parts;
use dface_workers::{objects::OpenError, records};
use tokio::runtime::Handle;

use crate::{
    node::{StartError, prepare_directory},
    settings::{KeyAddress, Settings},
    store::Store,
};

/// What can write.
pub(crate) struct WritingSide {
    /// The log.
    pub store: Store,
    /// The commands over it.
    pub commands: Arc<Commands>,
    /// What read models may use of the world.
    pub parts: Parts,
    /// The keys, where several nodes have the same.
    pub shared_keys: Option<Arc<SharedKeys>>,
}

impl WritingSide {
    /// Opens all of it in the data directory, which is made where there is none.
    ///
    /// # Errors
    /// Wrong settings, a directory in use or another secret (exit 2), or damage and failures (exit 1).
    pub(crate) async fn open(settings: &Settings) -> Result<Self, StartError> {
        prepare_directory(&settings.data)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let store = Store::open(settings, Arc::clone(&clock)).await?;
        let shared_keys = shared_keys(settings)?;
        let keys: Arc<dyn Keys> = match &shared_keys {
            Some(shared) => Arc::clone(shared) as Arc<dyn Keys>,
            None => {
                let keys = EmbeddedKeys::open(&settings.key_dir(), Arc::clone(&entropy));
                Arc::new(keys.map_err(|e| StartError::Failed(format!("the key store: {e}")))?)
            }
        };
        demand_secret(settings, &store).await?;
        let secret = ServerSecret::load_or_create(&settings.secret_path(), entropy.as_ref())
            .map_err(|e| StartError::Refused(format!("setting `secret_file`: {e}")))?;
        let secret = Arc::new(secret);
        let hash: Arc<dyn KeyedHash> = Arc::clone(&secret) as Arc<dyn KeyedHash>;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let commands = Commands::new(CommandParts {
            store: store.log(),
            snapshots: store.snapshots(),
            keys: Arc::clone(&keys),
            secret,
            clock: Arc::clone(&clock),
            entropy,
            passwords: Passwords::new(cores),
            executor: ExecutorSettings {
                cached_aggregates: settings.store_tuning.cached_aggregates,
                snapshot_every: settings.store_tuning.snapshot_every,
                ..ExecutorSettings::default()
            },
        });
        check_format(&commands).await?;
        if !commands.secret_matches().await? {
            return Err(StartError::Refused(format!(
                "setting `secret_file`: {} is not the secret that this log was begun with",
                settings.secret_path().display()
            )));
        }
        let (zone, present_for_s) = (settings.zone()?, settings.presence.hours * 3600);
        let down_days = settings.watches.down_days;
        let position_days = settings.retention.shown(settings.watches.position_days);
        let parts = Parts { keys, hash, clock, present_for_s, down_days, position_days, zone };
        Ok(Self { store, commands: Arc::new(commands), parts, shared_keys })
    }
}

/// Refuses to make a secret for a log that was begun with another one, as after a restore without the keys.
async fn demand_secret(settings: &Settings, store: &Store) -> Result<(), StartError> {
    let path = settings.secret_path();
    if path.exists() || store.head() == LogPosition::default() {
        return Ok(());
    }
    let stream = StreamId::new(Category::System, "secret");
    let begun = store.read_stream(&stream, 0, 1).await.map_err(|error| StartError::Failed(error.to_string()))?;
    if begun.is_empty() {
        return Ok(());
    }
    Err(StartError::Refused(format!(
        "setting `secret_file`: {} is missing, and this log was begun with a secret; bring it here, or back (dface restore-keys)",
        path.display()
    )))
}

/// Refuses a log that a newer program has begun to write.
async fn check_format(commands: &Commands) -> Result<(), StartError> {
    let (format, newest) = (commands.read_format().await?, commands.newest_format());
    if format > newest {
        return Err(StartError::Refused(format!(
            "the log has format {format}, but this dface knows up to {newest}; use a newer one"
        )));
    }
    Ok(())
}

/// Keys to open things with and not to make any: those that all nodes share, or a view of the file that the node with the log writes.
///
/// # Errors
/// The setting `keys` cannot be used.
pub(crate) fn keys_to_read(settings: &Settings) -> Result<Arc<dyn Keys>, StartError> {
    match shared_keys(settings)? {
        Some(shared) => Ok(shared),
        None => Ok(Arc::new(KeyReader::new(&settings.key_dir(), Arc::new(SystemEntropy)))),
    }
}

fn shared_keys(settings: &Settings) -> Result<Option<Arc<SharedKeys>>, StartError> {
    let opened: Result<Arc<dyn Records>, OpenError> = match &settings.keys {
        KeyAddress::Beside | KeyAddress::Directory(_) => return Ok(None),
        KeyAddress::Shared(dir) => records::in_directory(dir),
        KeyAddress::Bucket(url) => records::in_bucket(url),
    };
    let records = opened.map_err(|e| StartError::Refused(format!("setting `keys`: {e}")))?;
    let (runtime, clock, entropy) = (Handle::current(), Arc::new(SystemClock), Arc::new(SystemEntropy));
    let (at_once, remembered) = (settings.store_tuning.keys_at_once, settings.store_tuning.keys_in_memory);
    let parts = SharedParts { records, runtime, clock, entropy, at_once, remembered };
    Ok(Some(Arc::new(SharedKeys::new(parts))))
}
