//! Where a test has its store.

use std::{env, sync::Arc, time::Duration};

use dface_commands::{
    store::{
        contract::{Fixture, event, stream},
        esdb::{ConnectError, EsdbConfig, EsdbStore},
    },
    system::{SystemClock, SystemEntropy},
};
use dface_domain::ports::{EventStore, Expected, PortFuture};
use dface_tests::esdb::StandIn;

/// The connection string of a real server.
const REAL: &str = "DFACE_TEST_ESDB";

/// A log of its own: on a stand-in, or among others on a real server.
pub struct Place {
    pub config: EsdbConfig,
    _server: Option<StandIn>,
}

impl Place {
    pub fn new() -> Self {
        match env::var(REAL) {
            Ok(url) => {
                let prefix = format!("test{}", uuid::Uuid::new_v4().simple());
                Self { config: EsdbConfig { prefix, ..EsdbConfig::new(url) }, _server: None }
            }
            Err(_) => {
                let server = StandIn::start();
                Self { config: EsdbConfig::new(server.url()), _server: Some(server) }
            }
        }
    }
}

impl Fixture for Place {
    fn open(&self) -> PortFuture<'_, Arc<dyn EventStore>> {
        Box::pin(async { Arc::new(connect(self.config.clone()).await.unwrap()) as Arc<dyn EventStore> })
    }

    fn counts_by_one(&self) -> bool {
        false
    }
}

/// Connects with these settings.
pub async fn connect(config: EsdbConfig) -> Result<EsdbStore, ConnectError> {
    EsdbStore::connect(config, Arc::new(SystemClock), &SystemEntropy).await
}

/// Connects to a stand-in, with calls that give up soon.
pub async fn hasty(server: &StandIn) -> EsdbStore {
    connect(EsdbConfig { deadline: Duration::from_millis(1500), ..EsdbConfig::new(server.url()) }).await.unwrap()
}

/// Waits until the store says that it is connected, or that it is not.
pub async fn until_connected(store: &EsdbStore, connected: bool) {
    let waiting = async {
        while store.health().connected != connected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(&format!("connected: {connected}, but {:?}", store.health()), waiting).await;
}

/// `future`, which must be done in a while.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(done) => done,
        Err(_) => panic!("not in 30 s: {what}"),
    }
}

/// A store that hears of what others write: an event of another one has reached it, and one stands before all that it holds in memory.
pub async fn subscribed(server: &StandIn, config: EsdbConfig) -> EsdbStore {
    let other = connect(EsdbConfig::new(server.url())).await.unwrap();
    other.append(&stream("before"), Expected::NoStream, vec![event(1_000)]).await.unwrap();
    let store = connect(config).await.unwrap();
    let before = store.head();
    other.append(&stream("told"), Expected::NoStream, vec![event(1_001)]).await.unwrap();
    soon("the subscription", store.changed(before)).await;
    store
}
