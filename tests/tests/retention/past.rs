//! A family's past: what the program would have written, by the same commands, at a time that is over.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use dface_commands::{
    Commands, Context, ExecutorSettings, Parts, Passwords, ServerSecret,
    keys::EmbeddedKeys,
    people::NewAccount,
    reports::Bond,
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::SystemEntropy,
    watches::Binding,
};
use dface_domain::{
    events::Gender,
    geo::Position,
    ids::{GroupId, Imei, UserId},
    ports::{Clock, Entropy, Keys},
    reports::{LocateKind, Reported, TalkContent, WatchEvent, WatchFix, WatchReport},
    retention::Retained,
    time::Timestamp,
    watches::WatchDetails,
};
use dface_tests::server::password_of;
use futures::{StreamExt as _, stream};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Seconds of a day.
pub const DAY_S: i64 = 86_400;

/// The watch.
pub const IMEI: u64 = 861_234_560_000_017;

/// The log's segments.
pub const SEGMENT: u64 = 2 << 20;

/// Positions that are told at once: those of six hours.
const CHUNK: i32 = 360;

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Who writes it.
pub struct Past {
    dir: PathBuf,
    clock: Arc<Set>,
    store: EmbeddedStore,
    commands: Commands,
    runtime: Runtime,
    anna: UserId,
    group: GroupId,
    bond: Bond,
    told: i32,
}

impl Past {
    /// Anna's circle and its watch, as they were made in `dir` so many days ago.
    pub fn begin(dir: &Path, days: i64) -> Self {
        let now = dface_commands::system::SystemClock.now();
        let clock = Arc::new(Set(AtomicI64::new(now.plus_seconds(-days * DAY_S).0)));
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let config = EmbeddedConfig {
            segment_bytes: SEGMENT,
            max_batch_bytes: 1 << 19,
            min_free_bytes: 1,
            ..EmbeddedConfig::new(dir)
        };
        let store = EmbeddedStore::open(config, Arc::clone(&clock) as Arc<dyn Clock>, &*entropy).expect("a store");
        let keys = EmbeddedKeys::open(&dir.join("keys"), Arc::clone(&entropy)).expect("keys");
        let secret = ServerSecret::load_or_create(&dir.join("keys/secret"), &*entropy).expect("a secret");
        let commands = Commands::new(Parts {
            store: Arc::new(store.clone()),
            snapshots: Arc::new(store.clone()),
            keys: Arc::new(keys) as Arc<dyn Keys>,
            secret: Arc::new(secret),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy,
            passwords: Passwords::new(1),
            executor: ExecutorSettings { cached_aggregates: 100, ..ExecutorSettings::default() },
        });
        let runtime = Runtime::new().expect("a runtime");
        let imei = Imei::new(IMEI).expect("an imei");
        let context = Context::new(Uuid::from_u128(1));
        let (anna, group, number) = runtime.block_on(async {
            commands.read_format().await.expect("a format");
            assert!(commands.secret_matches().await.expect("a secret"));
            let password = Some(password_of("anna"));
            let account = NewAccount { name: "anna".to_owned(), password, gender: Gender::Female, source: None };
            let (anna, _) = commands.register(account, &context).await.expect("an account");
            let (group, _) = commands.create_circle(anna, "家", &context).await.expect("a circle");
            commands.import_watch(imei, "key", None, &context).await.expect("a watch");
            let binding = Binding { imei, group, by: anna, code: Some("key"), open: false };
            let number = commands.may_bind(&binding, &context).await.expect("it may be bound");
            let nothing = String::new;
            let (mac, phone, fast_call_phone) = (nothing(), nothing(), nothing());
            let details = WatchDetails { mac, dev_name: "小宝".to_owned(), phone, fast_call_phone, image: None };
            commands.bind_watch(&binding, number, nothing(), &details, &context).await.expect("it is bound");
            (anna, group, number)
        });
        let bond = Bond { imei, group, binding: number, fall: false };
        Self { dir: dir.to_owned(), clock, store, commands, runtime, anna, group, bond, told: 0 }
    }

    /// A day goes by: the watch tells each minute where it is; Anna opens the app and says something.
    pub fn day(&mut self) {
        for quarter in 0..4 {
            let begin = self.clock.now();
            self.clock.0.fetch_add(DAY_S / 4 * 1_000_000, Ordering::Relaxed);
            let (commands, bond, first) = (&self.commands, &self.bond, self.told);
            let reports = (0..CHUNK).map(|n| report(commands, bond, i64::from(first + n), begin, n));
            self.runtime.block_on(stream::iter(reports).buffer_unordered(64).collect::<()>());
            self.told += CHUNK;
            // Each time its stream is read anew: nobody remembers it after so many others.
            let context = Context::new(Uuid::from_u128(3));
            let open = self.commands.change_focus(self.anna, quarter % 2 == 0, &context);
            assert!(self.runtime.block_on(open).expect("it is told").is_some(), "a change of what was told last");
            if quarter == 2 {
                let words = TalkContent::Text("吃饭了".to_owned());
                let context = Context::new(Uuid::from_u128(u128::from(self.told.unsigned_abs())));
                let said = self.commands.send_talk(self.anna, self.group, &words, &context);
                self.runtime.block_on(said).expect("it is said");
            }
        }
    }

    /// As a node that sweeps once a day.
    pub fn sweep(&self, days: &[(Retained, i64)]) {
        let now = self.clock.now();
        let mut before = BTreeMap::new();
        for (category, days) in days {
            let moment = now.plus_seconds(-days * DAY_S);
            before.insert(*category, moment);
            let context = Context::new(Uuid::from_u128(2));
            let told = self.commands.expire(*category, moment, &context);
            self.runtime.block_on(told).expect("it is told");
        }
        self.store.expire(&before, &mut |_| true).expect("a sweep");
    }

    /// Bytes that the files of the log take.
    pub fn bytes(&self) -> u64 {
        let files = fs::read_dir(self.dir.join("log")).expect("a log");
        files.map(|file| file.and_then(|file| file.metadata()).map_or(0, |about| about.len())).sum()
    }

    /// How many positions were told.
    pub fn told(&self) -> i64 {
        self.told.into()
    }

    /// Ends it; the program may have the directory.
    pub fn end(self) {
        self.store.close();
    }
}

/// The watch was somewhere, `minute` minutes after that moment.
async fn report(commands: &Commands, bond: &Bond, number: i64, begin: Timestamp, minute: i32) {
    let context = Context::new(Uuid::from_u128(u128::from(number.unsigned_abs()) + (1 << 64)));
    let position = Position::new(30.0 + f64::from(minute) / 1e4, 120.1).expect("on the earth");
    let fix = WatchFix { position, radius: 5 };
    let report = WatchReport::Locate { kind: LocateKind::Gps, locus: true, fix };
    let clock = Some(begin.plus_seconds(60 * i64::from(minute)));
    let event = WatchEvent { id: number.to_string(), clock, what: Reported::Told(report.clone()) };
    commands.report(bond, &event, &report, 600, &context).await.expect("it is taken");
}
