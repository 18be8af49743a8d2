//! A log with commands, and projectors on it.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dface_commands::{
    Commands, Context, ExecutorSettings, Parts as CommandParts, Passwords, ServerSecret,
    checkins::CheckIn,
    keys::EmbeddedKeys,
    people::NewAccount,
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::{LogPosition, NewEvent, Recorded},
    events::{Event, Fix, Gender, ShopDetails},
    format::Format,
    geo::Position,
    ids::{CheckinId, ShopId, UserId},
    ports::{Appended, Clock, Entropy, EventStore, Expected, KeyedHash, Keys, PortFuture, Snapshots, StoreError},
    shops::kind::ShopKind,
    stream::StreamId,
    time::Timestamp,
};
use dface_projections::{
    follows::{Follows, FollowsView},
    messages::{Messages, MessagesView},
    people::{People, PeopleView},
    presence::{Presence, PresenceView},
    projector::{Parts, Projector, Served, Settings, Standing},
    push_tokens::{PushTokens, PushTokensView},
    ranking::model::{Ranking, RankingView},
    sessions::{Sessions, SessionsView},
    shops::{Shops, ShopsView},
    trace::{Trace, TraceView},
};
use jiff::tz::TimeZone;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// When the first event happens.
pub const BEGIN: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// A store whose events at some positions cannot be understood by whoever reads all.
pub struct Tampered {
    store: EmbeddedStore,
    bad: Mutex<Vec<LogPosition>>,
}

impl EventStore for Tampered {
    fn append<'a>(
        &'a self,
        stream: &'a StreamId,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> PortFuture<'a, Result<Appended, StoreError>> {
        self.store.append(stream, expected, events)
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        version: u64,
        limit: usize,
    ) -> PortFuture<'a, Result<Vec<Recorded>, StoreError>> {
        self.store.read_stream(stream, version, limit)
    }

    fn read_all(&self, after: LogPosition, limit: usize) -> PortFuture<'_, Result<Vec<Recorded>, StoreError>> {
        Box::pin(async move {
            let mut events = self.store.read_all(after, limit).await?;
            let bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
            events
                .iter_mut()
                .filter(|event| bad.contains(&event.position))
                .for_each(|event| event.data.bytes = vec![0xff]);
            Ok(events)
        })
    }

    fn head(&self) -> LogPosition {
        self.store.head()
    }

    fn changed(&self, after: LogPosition) -> PortFuture<'_, ()> {
        self.store.changed(after)
    }
}

/// The log, and who writes it.
pub struct World {
    pub commands: Commands,
    store: Arc<Tampered>,
    pub parts: Parts,
    pub runtime: Runtime,
    dir: TempDir,
}

/// What readers hold.
pub struct Views {
    pub shops: Served<ShopsView>,
    pub ranking: Served<RankingView>,
    pub trace: Served<TraceView>,
    pub presence: Served<PresenceView>,
    pub people: Served<PeopleView>,
    pub sessions: Served<SessionsView>,
    pub follows: Served<FollowsView>,
    pub messages: Served<MessagesView>,
    pub push_tokens: Served<PushTokensView>,
}

impl World {
    pub fn new() -> Self {
        Self::with(Arc::new(SystemClock), 1 << 20)
    }

    /// With a clock and segments of its own.
    pub fn with(clock: Arc<dyn Clock>, segment_bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let config = EmbeddedConfig {
            segment_bytes,
            max_batch_bytes: usize::try_from(segment_bytes / 4).unwrap(),
            max_event_bytes: usize::try_from(segment_bytes / 4).unwrap(),
            min_free_bytes: 1,
            ..EmbeddedConfig::new(dir.path())
        };
        let store = EmbeddedStore::open(config, Arc::clone(&clock), &SystemEntropy).unwrap();
        let keys: Arc<dyn Keys> = Arc::new(EmbeddedKeys::open(&dir.path().join("keys"), Arc::clone(&entropy)).unwrap());
        let secret = Arc::new(ServerSecret::new(&[7; 32]));
        let commands = Commands::new(CommandParts {
            store: Arc::new(store.clone()),
            snapshots: Arc::new(store.clone()) as Arc<dyn Snapshots>,
            keys: Arc::clone(&keys),
            secret: Arc::clone(&secret),
            clock: Arc::clone(&clock),
            entropy,
            passwords: Passwords::new(1),
            executor: ExecutorSettings::default(),
        });
        let hash: Arc<dyn KeyedHash> = secret;
        // Nobody's presence runs out while a test looks.
        let (present_for_s, days) = (1 << 40, 1 << 20);
        let parts =
            Parts { keys, hash, clock, present_for_s, down_days: days, position_days: days, zone: TimeZone::UTC };
        let runtime = Runtime::new().unwrap();
        Self { commands, store: Arc::new(Tampered { store, bad: Mutex::default() }), parts, runtime, dir }
    }

    pub fn context(&self) -> Context {
        Context::new(Uuid::nil())
    }

    pub fn person(&self, name: &str, gender: Gender) -> UserId {
        let account = NewAccount { name: name.to_owned(), password: None, gender, source: None };
        self.runtime.block_on(self.commands.register(account, &self.context())).unwrap().0
    }

    pub fn shop(&self, name: &str, lat: f64, lng: f64) -> ShopId {
        self.runtime.block_on(self.commands.add_shop(details(name, lat, lng), &self.context())).unwrap().0
    }

    pub fn check_in(&self, user: UserId, shop: ShopId, at: Timestamp) -> (CheckinId, LogPosition) {
        self.check_in_near(user, shop, at, Some("aa:bb".to_owned()))
    }

    pub fn check_in_near(
        &self,
        user: UserId,
        shop: ShopId,
        at: Timestamp,
        bssid: Option<String>,
    ) -> (CheckinId, LogPosition) {
        let position = Position::new(30.0, 120.0).unwrap();
        let fix = Fix { position, accuracy: 100, altitude: None, altacc: None };
        let check_in = CheckIn { user, shop, od: 1, fix, bssid };
        let done = self.runtime.block_on(self.commands.check_in(check_in, &self.context().at(at))).unwrap();
        (done.checkin, done.position.unwrap_or_default())
    }

    /// Writes an event as its stream's `version`th, from 0, and does nothing else that would follow.
    pub fn append(&self, stream: &StreamId, version: u64, event: Event) {
        let id = Uuid::from_u128(u128::from(version) + 1);
        let event = NewEvent {
            id,
            occurred_at: BEGIN,
            correlation: Uuid::nil(),
            causation: None,
            event,
            format: Format::default(),
        };
        self.runtime.block_on(self.store.append(stream, Expected::after(version), vec![event])).unwrap();
    }

    /// The embedded log itself.
    pub fn embedded(&self) -> &EmbeddedStore {
        &self.store.store
    }

    pub fn head(&self) -> LogPosition {
        self.store.head()
    }

    /// From now on the event there cannot be understood.
    pub fn poison(&self, position: LogPosition) {
        self.store.bad.lock().unwrap().push(position);
    }

    pub fn read_dir(&self) -> &Path {
        self.dir.path()
    }

    /// A projector in a directory of its own, small batches, no models yet.
    pub fn projector(&self, name: &str) -> Projector {
        self.projector_over(name, self.log())
    }

    /// The log.
    pub fn log(&self) -> Arc<dyn EventStore> {
        Arc::clone(&self.store) as Arc<dyn EventStore>
    }

    /// The same over something that stands before the log.
    pub fn projector_over(&self, name: &str, store: Arc<dyn EventStore>) -> Projector {
        let settings = Settings { batch: 7, rebuild_batch: 5, rebuild_memory: 2_000, cache: 4 << 20, min_free: 1 };
        let dir = self.dir.path().join(name);
        let log = self.store.store.log_id();
        Projector::open(&dir, store, log, self.parts.clone(), settings, self.runtime.handle().clone()).unwrap()
    }

    /// With every read model.
    pub fn models(&self, name: &str) -> (Projector, Views) {
        let mut projector = self.projector(name);
        macro_rules! take {
            ($model:ty) => {{
                let opening = projector.add::<$model>();
                projector.take(opening).unwrap()
            }};
        }
        let views = Views {
            shops: take!(Shops),
            ranking: take!(Ranking),
            trace: take!(Trace),
            presence: take!(Presence),
            people: take!(People),
            sessions: take!(Sessions),
            follows: take!(Follows),
            messages: take!(Messages),
            push_tokens: take!(PushTokens),
        };
        (projector, views)
    }

    /// Waits until all that has not failed is at the head.
    pub fn settle(&self, projector: &Projector) {
        let shown = self.runtime.block_on(projector.wait_for(self.head(), Duration::from_secs(20)));
        assert!(shown, "{:?}", projector.standings());
    }
}

pub fn details(name: &str, lat: f64, lng: f64) -> ShopDetails {
    let position = Position::new(lat, lng).unwrap();
    let (address, phone) = (String::new(), String::new());
    ShopDetails { name: name.to_owned(), address, phone, kind: ShopKind::Cafe, position, map: position.to_map() }
}

pub fn standing(projector: &Projector, name: &str) -> Standing {
    projector.standings().into_iter().find(|one| one.name == name).unwrap()
}
