//! Processes over a real log: late events, trouble, poison, crashes, and what they tell of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use dface_commands::{
    Commands, Context, ExecutorSettings, Parts, Passwords, ServerSecret,
    checkins::CheckIn,
    coupons::NewCampaign,
    keys::EmbeddedKeys,
    messages::Announcement,
    people::NewAccount,
    processes::{
        Checkpoints, Process, ProcessError, Processes, Progress, Settings, coupon_messages::CouponMessages,
        coupons::Coupons, greetings::Greetings,
    },
    profiles::ProfilePatch,
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    checkins::{Visits, VisitsUnknown},
    coupons::{Campaigns, CampaignsUnknown},
    envelope::{LogPosition, Recorded},
    events::{Event, Fix, Gender, Invisible, ShopDetails, Trigger},
    geo::{MapPosition, Position},
    ids::{CampaignId, ShopId, UserId},
    messages::{Party, shake_body},
    ports::{Clock as _, EventStore, PortFuture},
    shops::kind::ShopKind,
    time::Timestamp,
};
use jiff::tz::TimeZone;
use uuid::Uuid;

struct World {
    commands: Arc<Commands>,
    store: EmbeddedStore,
    kept: Arc<Kept>,
    _dir: tempfile::TempDir,
}

/// Checkpoints in memory, which outlive the processes of a test.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<String, Progress>>);

impl Checkpoints for Kept {
    fn load<'a>(&'a self, process: &'a str) -> PortFuture<'a, Result<Progress, String>> {
        Box::pin(async move { Ok(self.0.lock().expect("no panic").get(process).cloned().unwrap_or_default()) })
    }

    fn save<'a>(&'a self, process: &'a str, progress: &'a Progress, _: usize) -> PortFuture<'a, Result<(), String>> {
        Box::pin(async move {
            self.0.lock().expect("no panic").insert(process.to_owned(), progress.clone());
            Ok(())
        })
    }
}

fn world() -> World {
    let dir = tempfile::tempdir().expect("a directory");
    let config = EmbeddedConfig::new(dir.path());
    let store = EmbeddedStore::open(config, Arc::new(SystemClock), &SystemEntropy).expect("opens");
    let entropy = Arc::new(SystemEntropy);
    let commands = Commands::new(Parts {
        store: Arc::new(store.clone()),
        snapshots: Arc::new(store.clone()),
        keys: Arc::new(EmbeddedKeys::open(&dir.path().join("keys"), entropy.clone()).expect("keys")),
        secret: Arc::new(ServerSecret::new(&[7; 32])),
        clock: Arc::new(SystemClock),
        entropy,
        passwords: Passwords::new(2),
        executor: ExecutorSettings::default(),
    });
    World { commands: Arc::new(commands), store, kept: Arc::default(), _dir: dir }
}

fn context() -> Context {
    Context::new(Uuid::nil())
}

impl World {
    fn processes(&self) -> Processes {
        let settings = Settings {
            tries: 3,
            wait_first: Duration::from_millis(2),
            retry_parked: Duration::from_secs(3_600),
            ..Settings::default()
        };
        let store: Arc<dyn EventStore> = Arc::new(self.store.clone());
        Processes::new(Arc::clone(&self.commands), store, Arc::clone(&self.kept) as Arc<dyn Checkpoints>, settings)
    }

    async fn person(&self, name: &str) -> UserId {
        let account = NewAccount { name: name.to_owned(), password: None, gender: Gender::Unset, source: None };
        self.commands.register(account, &context()).await.expect("registered").0
    }

    async fn shop(&self) -> ShopId {
        let details = ShopDetails {
            name: "海洋:二所".to_owned(),
            address: String::new(),
            phone: String::new(),
            kind: ShopKind::Cafe,
            position: place(),
            map: MapPosition::new(30.0, 120.0).expect("a place"),
        };
        self.commands.add_shop(details, &context()).await.expect("added").0
    }

    async fn campaign(&self, shop: ShopId, trigger: Trigger) -> CampaignId {
        let now = SystemClock.now();
        let (from, until) = (now.plus_seconds(-100_000), now.plus_seconds(100_000));
        let (name, text) = ("八折".to_owned(), "两人同行".to_owned());
        let new = NewCampaign { shop, name, text, trigger, from, until, quota: None };
        self.commands.make_campaign(new, &context()).await.expect("made").0
    }

    async fn check_in(&self, user: UserId, shop: ShopId, at: Timestamp) {
        let fix = Fix { position: place(), accuracy: 10, altitude: None, altacc: None };
        let check_in = CheckIn { user, shop, od: 1, fix, bssid: None };
        self.commands.check_in(check_in, &context().at(at)).await.expect("checked in");
    }

    async fn events(&self, wanted: &str) -> Vec<Event> {
        let all = self.store.read_all(LogPosition(0), 10_000).await.expect("read");
        let named = all.iter().filter(|one| one.data.type_name == wanted);
        named.map(|one| one.data.decode().expect("an event")).collect()
    }
}

fn place() -> Position {
    Position::new(30.0, 120.0).expect("a place")
}

/// Waits until all processes are at the head of the log and want nothing.
async fn settled(processes: &Processes) {
    for _ in 0..2_000 {
        if processes.standings().iter().all(|one| one.lag == 0 && one.trouble.is_none()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not settled: {:?}", processes.standings());
}

/// One campaign of one shop, which the read model knows from its third answer on.
struct OneCampaign(ShopId, CampaignId, AtomicU32);

impl Campaigns for OneCampaign {
    fn running(
        &self,
        shop: ShopId,
        _: Trigger,
        _: Timestamp,
        _: LogPosition,
    ) -> PortFuture<'_, Result<Vec<CampaignId>, CampaignsUnknown>> {
        let lags = self.2.fetch_add(1, Ordering::Relaxed) < 2;
        Box::pin(async move {
            match lags {
                true => Err(CampaignsUnknown("the read model lags".to_owned())),
                false => Ok(if shop == self.0 { vec![self.1] } else { vec![] }),
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_in_gives_a_coupon_and_its_message_once_however_often_the_log_is_read() {
    let world = world();
    let (shop, other) = (world.shop().await, world.shop().await);
    let campaign = world.campaign(shop, Trigger::Checkin).await;
    let (anna, ben, carl) = (world.person("anna").await, world.person("ben").await, world.person("carl").await);
    world.commands.set_suspended(carl, true, &context()).await.expect("suspended");
    let now = SystemClock.now();
    world.check_in(anna, shop, now).await;
    world.check_in(ben, other, now).await;
    world.check_in(carl, shop, now).await;
    // Too long ago: an import, or a process that was away.
    world.check_in(ben, shop, now.plus_seconds(-601)).await;
    for round in 0..3 {
        let processes = world.processes();
        let campaigns = Arc::new(OneCampaign(shop, campaign, AtomicU32::new(0)));
        processes.start(Coupons { campaigns, zone: TimeZone::UTC, within_s: 600 });
        processes.start(CouponMessages);
        settled(&processes).await;
        processes.stop().await;
        if round == 1 {
            // A checkpoint that is lost.
            world.kept.0.lock().unwrap().clear();
        }
    }
    let delivered = world.events("CouponDelivered").await;
    let [Event::CouponDelivered(delivered)] = delivered.as_slice() else { panic!("{delivered:?}") };
    assert_eq!((delivered.user, delivered.campaign, delivered.at.seconds()), (anna, campaign, now.seconds()));
    let sent = world.events("MessageSent").await;
    let [Event::MessageSent(sent)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((sent.from.to_string(), sent.to.to_string()), (format!("s{shop}"), anna.to_string()));
    let body = world.commands.keys().open(&sent.body).expect("opens");
    assert_eq!(body, format!("[优惠券:八折:海洋：二所:{campaign}:{}]", now.seconds()));
}

/// A campaign of the shop that runs on shakes alone.
struct OnShakes(ShopId, CampaignId);

impl Campaigns for OnShakes {
    fn running(
        &self,
        shop: ShopId,
        trigger: Trigger,
        _: Timestamp,
        _: LogPosition,
    ) -> PortFuture<'_, Result<Vec<CampaignId>, CampaignsUnknown>> {
        let runs = shop == self.0 && trigger == Trigger::Shake;
        Box::pin(async move { Ok(if runs { vec![self.1] } else { vec![] }) })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shake_in_a_room_gives_a_coupon_of_that_shop_once() {
    let world = world();
    let (shop, other) = (world.shop().await, world.shop().await);
    let campaign = world.campaign(shop, Trigger::Shake).await;
    let (anna, ben) = (world.person("anna").await, world.person("ben").await);
    let now = SystemClock.now();
    world.check_in(ben, shop, now).await;
    let says = async |from, to, body: &str, at| {
        let said = Announcement { cause: Uuid::now_v7(), at, from, to, body: body.to_owned() };
        world.commands.announce(said, &context()).await.expect("said");
    };
    let (shake, room) = (shake_body("anna"), Party::Room(shop));
    says(Party::User(anna), Party::Room(other), &shake, now).await;
    says(Party::User(anna), Party::User(ben), &shake, now).await;
    says(Party::Shop(shop), room, &shake, now).await;
    says(Party::User(ben), room, "hello", now).await;
    says(Party::User(ben), room, &shake, now.plus_seconds(-601)).await;
    says(Party::User(anna), room, &shake, now).await;
    says(Party::User(anna), room, &shake, now).await;
    for _ in 0..2 {
        let processes = world.processes();
        let campaigns = Arc::new(OnShakes(shop, campaign));
        processes.start(Coupons { campaigns, zone: TimeZone::UTC, within_s: 600 });
        settled(&processes).await;
        processes.stop().await;
        world.kept.0.lock().unwrap().clear();
    }
    let delivered = world.events("CouponDelivered").await;
    let [Event::CouponDelivered(delivered)] = delivered.as_slice() else { panic!("{delivered:?}") };
    assert_eq!((delivered.user, delivered.campaign), (anna, campaign));
}

/// Who was at which shop before.
struct Before(UserId, ShopId, AtomicU32);

impl Visits for Before {
    fn was_there(
        &self,
        user: UserId,
        shop: ShopId,
        _: Timestamp,
        seconds: i64,
        _: LogPosition,
    ) -> PortFuture<'_, Result<bool, VisitsUnknown>> {
        assert_eq!(seconds, 12 * 3_600);
        let lags = self.2.fetch_add(1, Ordering::Relaxed) < 2;
        Box::pin(async move {
            if lags {
                Err(VisitsUnknown("the read model lags".to_owned()))
            } else {
                Ok((user, shop) == (self.0, self.1))
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_for_the_first_time_in_a_while_is_greeted_once_if_all_may_see_them() {
    let world = world();
    let (shop, other) = (world.shop().await, world.shop().await);
    let (anna, ben, carl) = (world.person("an[n]a").await, world.person("ben").await, world.person("carl").await);
    let (dora, emil) = (world.person("dora").await, world.person("emil").await);
    for (user, invisible) in [(carl, Invisible::ToAll), (dora, Invisible::ToStrangers)] {
        let patch = ProfilePatch { invisible: Some(invisible), ..ProfilePatch::default() };
        world.commands.change_profile(user, &patch, &context()).await.expect("changed");
    }
    world.commands.set_suspended(emil, true, &context()).await.expect("suspended");
    let now = SystemClock.now();
    for user in [anna, ben, carl, dora, emil] {
        world.check_in(user, shop, now).await;
    }
    world.check_in(anna, other, now.plus_seconds(-601)).await;
    for _ in 0..2 {
        let processes = world.processes();
        let visits = Arc::new(Before(ben, shop, AtomicU32::new(0)));
        processes.start(Greetings { visits, again_s: 12 * 3_600, within_s: 600 });
        settled(&processes).await;
        processes.stop().await;
        world.kept.0.lock().unwrap().clear();
    }
    let sent = world.events("MessageSent").await;
    let [Event::MessageSent(sent)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((sent.from, sent.to), (Party::User(anna), Party::Room(shop)));
    assert_eq!(world.commands.keys().open(&sent.body).as_deref(), Some("[打招呼:anna]"));
}

/// Fails at shops of even numbers until it is told to work.
struct Picky(Arc<AtomicU32>);

impl Process for Picky {
    const NAME: &'static str = "picky";
    const WANTS: &'static [&'static str] = &["ShopAdded"];

    async fn on(&self, _: &Commands, recorded: &Recorded) -> Result<(), ProcessError> {
        let Event::ShopAdded(event) = recorded.data.decode()? else { return Ok(()) };
        match (self.0.load(Ordering::Relaxed), event.shop.0 % 3) {
            (0, 0) => Err(ProcessError::Never("this shop cannot be".to_owned())),
            (0, 1) => panic!("over shop {}", event.shop),
            _ => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_acted_on_is_parked_told_and_tried_again() {
    let world = world();
    for _ in 0..6 {
        world.shop().await;
    }
    let works = Arc::new(AtomicU32::new(0));
    let processes = world.processes();
    processes.start(Picky(Arc::clone(&works)));
    settled(&processes).await;
    let standing = processes.standings().remove(0);
    assert_eq!(standing.parked.len(), 4, "{standing:?}");
    assert!(standing.parked.iter().any(|one| one.error == "this shop cannot be"), "{standing:?}");
    assert!(standing.parked.iter().any(|one| one.error.starts_with("panicked: over shop")), "{standing:?}");
    processes.stop().await;
    // They outlive the process, and are tried again at its next start.
    works.store(1, Ordering::Relaxed);
    let processes = world.processes();
    processes.start(Picky(works));
    for _ in 0..1_000 {
        if processes.standings()[0].parked.is_empty() && world.kept.load("picky").await.unwrap().parked.is_empty() {
            processes.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{:?}", processes.standings());
}

/// The machinery is away for some tries.
struct Away(AtomicU32);

impl Process for Away {
    const NAME: &'static str = "away";
    const WANTS: &'static [&'static str] = &["ShopAdded"];

    async fn on(&self, _: &Commands, _: &Recorded) -> Result<(), ProcessError> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0..8 => Err(ProcessError::Later("the disk is full".to_owned())),
            _ => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_machinery_is_away_it_waits_as_long_as_it_takes_and_says_so() {
    let world = world();
    world.shop().await;
    let processes = world.processes();
    processes.start(Away(AtomicU32::new(0)));
    let mut told = false;
    for _ in 0..2_000 {
        let standing = processes.standings().remove(0);
        told |= standing.trouble.is_some_and(|trouble| trouble.error == "the disk is full");
        if standing.lag == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    settled(&processes).await;
    assert!(told && processes.standings()[0].parked.is_empty(), "{:?}", processes.standings());
    processes.stop().await;
}
