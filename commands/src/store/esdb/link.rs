//! The connection: made when it is needed, given up when it is lost, and one call over as many tries as its time allows.

use std::{future::Future, sync::Arc, time::Duration};

use dface_domain::ports::StoreError;
use eventstore::{Client, ClientSettings, Credentials};
use parking_lot::Mutex;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::{OnceCell, Semaphore},
    time::{Instant, sleep, timeout},
};

use super::{
    config::EsdbConfig,
    error::{ConnectError, Trouble, short},
    health::{Health, Side},
};

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How many tries without any answer a call has room for.
const SILENT_TRIES: u32 = 3;

/// A client with a runtime of its own. The client's task holds the queue that it reads from and would never end by itself, so that each lost
/// connection would leave one behind with all its certificates; ending the runtime ends it.
struct Connection {
    client: Client,
    runtime: Option<Runtime>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Connection {
    /// Reads certificates from the disk.
    fn make(settings: ClientSettings) -> Result<Self, Trouble> {
        let again = |what: String| Trouble::Again { what: short(&what), reconnect: true };
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("dface-esdb").enable_all().build();
        let runtime = runtime.map_err(|error| again(format!("cannot start a thread: {error}")))?;
        match Client::with_runtime_handle(Handle::clone(runtime.handle()), settings) {
            Ok(client) => Ok(Self { client, runtime: Some(runtime) }),
            Err(error) => {
                runtime.shutdown_background();
                Err(again(error.to_string()))
            }
        }
    }
}

type Cell = Arc<OnceCell<Connection>>;

/// A connection in use; it lives as long as somebody uses it.
#[derive(Clone)]
pub(super) struct Session {
    /// The client.
    pub client: Client,
    /// How long to wait for each answer.
    pub patience: Duration,
    /// Whose calls these are, where the connection string says it.
    pub credentials: Option<Credentials>,
    cell: Cell,
}

/// Adds to a call's options what all calls have: the leader answers, for only it knows what is committed; and the user.
macro_rules! asking {
    ($session:expr, $options:expr) => {{
        let options = $options.requires_leader(true);
        match &$session.credentials {
            Some(credentials) => options.authenticated(credentials.clone()),
            None => options,
        }
    }};
}
pub(super) use asking;

/// The way to the server.
pub(super) struct Link {
    settings: ClientSettings,
    credentials: Option<Credentials>,
    deadline: Duration,
    calls: Semaphore,
    current: Mutex<Cell>,
    health: Arc<Health>,
}

impl Link {
    /// Connects to nothing yet.
    pub fn new(config: &EsdbConfig, health: Arc<Health>) -> Result<Self, ConnectError> {
        Ok(Self {
            settings: config.settings()?,
            credentials: config.credentials().map(|(name, password)| Credentials::new(name, password)),
            deadline: config.deadline,
            calls: Semaphore::new(config.max_calls),
            current: Mutex::default(),
            health,
        })
    }

    /// The connection, made where there is none.
    pub async fn session(&self) -> Result<Session, Trouble> {
        let cell = Cell::clone(&self.current.lock());
        let settings = self.settings.clone();
        let make = || async move {
            let made = tokio::task::spawn_blocking(move || Connection::make(settings)).await;
            made.unwrap_or_else(|error| Err(Trouble::Again { what: short(&error.to_string()), reconnect: true }))
        };
        let client = cell.get_or_try_init(make).await?.client.clone();
        let patience = self.deadline / SILENT_TRIES;
        Ok(Session { client, patience, credentials: self.credentials.clone(), cell })
    }

    /// Looks for the server anew at the next call, unless somebody did so already.
    pub fn lost(&self, session: &Session) {
        let mut current = self.current.lock();
        if Arc::ptr_eq(&current, &session.cell) {
            *current = Cell::default();
        }
    }

    /// Does `work` until it is done, its time is over or no other try would help. `work` is told the number of the try.
    pub async fn call<T, F, W>(&self, work: W) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Trouble>> + Send,
        W: Fn(Session, u32) -> F + Send + Sync,
    {
        let end = Instant::now() + self.deadline;
        let unavailable = |what: String| StoreError::Unavailable(what);
        let waiting = timeout(self.deadline, self.calls.acquire()).await;
        let _turn = match waiting {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) => return Err(unavailable("the event store is closed".to_owned())),
            Err(_) => return Err(unavailable("too many calls wait for the server".to_owned())),
        };
        for attempt in 0_u32.. {
            let what = match self.attempt(&work, attempt).await {
                Ok(done) => {
                    self.health.set(Side::Calls, None);
                    return Ok(done);
                }
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again { what, .. }) => what,
            };
            let pause = LONGEST_PAUSE.min(Duration::from_millis(20 << attempt.min(8)));
            if Instant::now() + pause >= end || self.calls.is_closed() {
                self.health.set(Side::Calls, Some(what.clone()));
                return Err(unavailable(what));
            }
            sleep(pause).await;
        }
        Err(unavailable("no try is left".to_owned()))
    }

    async fn attempt<T, F, W>(&self, work: &W, attempt: u32) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Trouble>> + Send,
        W: Fn(Session, u32) -> F + Send + Sync,
    {
        let session = self.session().await?;
        let done = work(session.clone(), attempt).await;
        if let Err(Trouble::Again { reconnect: true, .. }) = &done {
            self.lost(&session);
        }
        done
    }

    /// Refuses later calls, and those that wait.
    pub fn close(&self) {
        self.calls.close();
        *self.current.lock() = Cell::default();
    }
}
