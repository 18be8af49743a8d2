//! What several nodes share: a stand-in for KurrentDB in this process, keys and objects; and commands over it, to make what is asked about.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dface_commands::{
    Commands, ExecutorSettings, Parts, Passwords, ServerSecret,
    keys::{SharedKeys, SharedParts},
    store::{
        esdb::{EsdbConfig, EsdbStore},
        snapshots::LocalSnapshots,
    },
    system::{SystemClock, SystemEntropy},
};
use dface_domain::ports::Keys;
use dface_tests::esdb::StandIn;
use dface_workers::records;
use tokio::runtime::Runtime;

use crate::{Failed, serving::server::Server};

/// What does not meet the load: it is no matter of limits here.
const SETTINGS: [(&str, &str); 2] =
    [("DFACE_LIMITS__MESSAGES_PER_SECOND", "1000000"), ("DFACE_LIMITS__MESSAGE_BURST", "1000000")];

pub struct World {
    pub server: StandIn,
    pub keys: Arc<dyn Keys>,
    dir: PathBuf,
}

impl World {
    /// An empty log, in memory; the rest in `dir`.
    pub fn new(runtime: &Runtime, dir: &Path) -> Result<Self, Failed> {
        let records = records::in_directory(&dir.join("keys"))?;
        let keys = SharedKeys::new(SharedParts {
            records,
            runtime: runtime.handle().clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            at_once: 64,
            remembered: 50_000,
        });
        Ok(Self { server: StandIn::start(), keys: Arc::new(keys), dir: dir.to_owned() })
    }

    /// Starts a node on a data directory of this name. How long it took until it said that it is ready.
    pub fn node(&self, program: &Path, name: &str) -> Result<(Server, Duration), Failed> {
        let (store, within) = (self.server.url(), |part: &str| self.dir.join(part).display().to_string());
        let (keys, objects) = (format!("shared:{}", within("keys")), within("objects"));
        let shared = [("DFACE_STORE", &*store), ("DFACE_KEYS", &*keys), ("DFACE_OBJECTS", &*objects)];
        Server::start_with(program, &self.dir.join(name), &[&shared[..], &SETTINGS].concat())
    }

    /// A store of this process's own over the log.
    pub async fn store(&self) -> Result<EsdbStore, Failed> {
        let config = EsdbConfig::new(self.server.url());
        Ok(EsdbStore::connect(config, Arc::new(SystemClock), &SystemEntropy).await?)
    }

    /// Commands over the log.
    pub async fn commands(&self) -> Result<Commands, Failed> {
        let store = self.store().await?;
        let snapshots = LocalSnapshots::open(&self.dir.join("snapshots"), store.log_id())?;
        let secret = ServerSecret::load_or_create(&self.dir.join("keys/secret"), &SystemEntropy)?;
        let commands = Commands::new(Parts {
            store: Arc::new(store),
            snapshots: Arc::new(snapshots),
            keys: Arc::clone(&self.keys),
            secret: Arc::new(secret),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            passwords: Passwords::new(1),
            executor: ExecutorSettings::default(),
        });
        if !commands.secret_matches().await? {
            return Err("the log has another secret".into());
        }
        Ok(commands)
    }
}
