//! A quota that holds: whoever comes at once, and wherever they are cut off.

use std::{sync::Arc, time::Duration};

use dface_commands::{
    CommandError, Commands, Context, ExecutorSettings, Parts, Passwords, ServerSecret,
    coupons::{Cause, Gift, Given, NewCampaign},
    keys::EmbeddedKeys,
    people::NewAccount,
    store::embedded::{EmbeddedConfig, EmbeddedStore, OpenError},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::LogPosition,
    events::{Event, Gender, ShopDetails, Trigger},
    geo::{MapPosition, Position},
    ids::{CampaignId, UserId},
    ports::{Clock as _, EventStore},
    rejection::Rejection,
    shops::kind::ShopKind,
};
use futures::{StreamExt as _, future::join_all, stream};
use jiff::tz::TimeZone;
use uuid::Uuid;

const PEOPLE: u64 = 1_000;
const QUOTA: u32 = 100;

struct World {
    commands: Arc<Commands>,
    store: EmbeddedStore,
    dir: tempfile::TempDir,
}

/// A node over the directory: another one after a crash has the same secret and keys.
fn open(dir: tempfile::TempDir) -> World {
    let again = || EmbeddedStore::open(EmbeddedConfig::new(dir.path()), Arc::new(SystemClock), &SystemEntropy);
    let mut store = again();
    // What was cut off may hold the node before it for a moment.
    while let Err(OpenError::InUse(_)) = store {
        std::thread::yield_now();
        store = again();
    }
    let store = store.expect("opens");
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
    World { commands: Arc::new(commands), store, dir }
}

fn context() -> Context {
    Context::new(Uuid::nil())
}

async fn people(commands: &Commands, count: u64) -> Vec<UserId> {
    let one = async |n: u64| {
        let account = NewAccount { name: format!("p{n}"), password: None, gender: Gender::Unset, source: None };
        commands.register(account, &context()).await.expect("registered").0
    };
    stream::iter(0..count).map(one).buffer_unordered(100).collect().await
}

async fn campaign(commands: &Commands, quota: Option<u32>) -> CampaignId {
    let position = Position::new(30.0, 120.0).expect("a place");
    let details = ShopDetails {
        name: "西溪咖啡".to_owned(),
        address: String::new(),
        phone: String::new(),
        kind: ShopKind::Cafe,
        position,
        map: MapPosition::new(30.0, 120.0).expect("a place"),
    };
    let (shop, _) = commands.add_shop(details, &context()).await.expect("added");
    let now = SystemClock.now();
    let new = NewCampaign {
        shop,
        name: "八折".to_owned(),
        text: "两人同行".to_owned(),
        trigger: Trigger::Checkin,
        from: now.plus_seconds(-1_000),
        until: now.plus_seconds(100_000),
        quota,
    };
    commands.make_campaign(new, &context()).await.expect("made").0
}

/// The same for the same person each time, as an event is that is read again.
fn cause(user: UserId, world: &World) -> Cause {
    let UserId::Number(number) = user else { panic!("numbers alone are given here") };
    Cause::Event { id: Uuid::from_u128(number.into()), at: world.commands.clock().now() }
}

async fn give(commands: &Commands, campaign: CampaignId, user: UserId, cause: Cause) -> Result<Given, CommandError> {
    commands.give_coupon(&Gift { campaign, user, cause, zone: &TimeZone::UTC }, &context()).await
}

/// What the log says: coupons granted less those that came back, deliveries, and that nobody has two.
async fn counted(store: &EmbeddedStore) -> (usize, usize) {
    let (mut granted, mut delivered) = (0, std::collections::BTreeSet::new());
    let mut at = LogPosition(0);
    loop {
        let page = store.read_all(at, 4_096).await.expect("read");
        let Some(last) = page.last() else { return (granted, delivered.len()) };
        at = last.position;
        for recorded in &page {
            match recorded.data.decode().expect("an event") {
                Event::CouponGranted(_) => granted += 1,
                Event::CouponGrantReturned(_) => granted -= 1,
                Event::CouponDelivered(event) => assert!(delivered.insert(event.user), "{} got two", event.user),
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_at_once_exactly_a_hundred_get_one() {
    let world = open(tempfile::tempdir().expect("a directory"));
    let campaign = campaign(&world.commands, Some(QUOTA)).await;
    let users = people(&world.commands, PEOPLE).await;
    let tries = users.iter().map(|user| {
        let (commands, user, cause) = (Arc::clone(&world.commands), *user, cause(*user, &world));
        tokio::spawn(async move { give(&commands, campaign, user, cause).await })
    });
    let mut given = 0;
    for tried in join_all(tries).await {
        match tried.expect("no panic") {
            Ok(_) => given += 1,
            Err(CommandError::Rejected(Rejection::CampaignUsedUp(_))) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((given, counted(&world.store).await), (100, (100, 100)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_cut_off_anywhere_is_mended_by_the_same_cause() {
    let mut world = open(tempfile::tempdir().expect("a directory"));
    let campaign = campaign(&world.commands, Some(QUOTA)).await;
    let users = people(&world.commands, PEOPLE).await;
    let causes: Vec<Cause> = users.iter().map(|user| cause(*user, &world)).collect();
    // Three rounds that drop what is under way after an uneven time, each by a node of its own; then one to the end.
    for round in 0..4_u64 {
        let tries = users.iter().zip(&causes).zip(0_u64..).map(|((user, cause), n)| {
            let (commands, user, cause) = (Arc::clone(&world.commands), *user, *cause);
            let limit = Duration::from_micros(if round < 3 {
                300 + (n * 7_919 + round * 104_729) % 30_000
            } else {
                60_000_000
            });
            tokio::spawn(async move { tokio::time::timeout(limit, give(&commands, campaign, user, cause)).await })
        });
        let results = join_all(tries).await;
        let cut_off = results.iter().filter(|one| matches!(one, Ok(Err(_)))).count();
        assert_eq!(cut_off == 0, round == 3, "round {round}: {cut_off} were cut off");
        let World { commands, store, dir } = world;
        drop(commands);
        store.close();
        drop(store);
        world = open(dir);
    }
    assert_eq!(counted(&world.store).await, (100, 100));
}

#[tokio::test]
async fn a_grant_that_was_left_behind_goes_back_when_its_cause_comes_again() {
    let world = open(tempfile::tempdir().expect("a directory"));
    let campaign = campaign(&world.commands, Some(2)).await;
    let users = people(&world.commands, 2).await;
    let (anna, ben) = (users[0], users[1]);
    let at = SystemClock.now();
    let event = |n| Cause::Event { id: Uuid::from_u128(n), at };
    // Two causes of one person at once: one is delivered, the other one's grant is taken back.
    let (one, other) =
        tokio::join!(give(&world.commands, campaign, anna, event(1)), give(&world.commands, campaign, anna, event(2)));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(counted(&world.store).await, (1, 1));
    give(&world.commands, campaign, ben, event(3)).await.expect("one is left");
    assert_eq!(counted(&world.store).await, (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_use_one_at_once_exactly_one_does() {
    let world = open(tempfile::tempdir().expect("a directory"));
    let campaign = campaign(&world.commands, None).await;
    for user in people(&world.commands, 100).await {
        let given = give(&world.commands, campaign, user, cause(user, &world)).await.expect("given");
        let using = |request| {
            let commands = Arc::clone(&world.commands);
            let time = Some(given.at.seconds());
            tokio::spawn(async move {
                commands.use_coupon(user, campaign, time, &Context::new(Uuid::from_u128(request))).await
            })
        };
        let (one, other) = (using(1), using(2));
        let (one, other) = (one.await.expect("no panic"), other.await.expect("no panic"));
        let (used, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        assert_eq!(used.expect("one wins").at, given.at);
        assert!(matches!(refused, Err(CommandError::Rejected(Rejection::CouponUsed(_)))), "{refused:?}");
    }
}

#[tokio::test]
async fn the_suspended_and_the_unknown_get_none() {
    let world = open(tempfile::tempdir().expect("a directory"));
    let commands = &world.commands;
    let campaign = campaign(commands, None).await;
    let user = people(commands, 1).await[0];
    commands.set_suspended(user, true, &context()).await.expect("suspended");
    let refused = give(commands, campaign, user, cause(user, &world)).await;
    assert!(matches!(refused, Err(CommandError::Rejected(Rejection::Suspended))), "{refused:?}");
    let nobody = UserId::Number(4_711);
    let refused = give(commands, campaign, nobody, cause(nobody, &world)).await;
    assert!(matches!(refused, Err(CommandError::Rejected(Rejection::UserUnknown(_)))), "{refused:?}");
    assert_eq!(counted(&world.store).await, (0, 0));
}

#[tokio::test]
async fn what_an_operator_sends_twice_in_a_day_is_sent_once() {
    let world = open(tempfile::tempdir().expect("a directory"));
    let campaign = campaign(&world.commands, Some(5)).await;
    let user = people(&world.commands, 1).await[0];
    let day = SystemClock.now().local_day(&TimeZone::UTC);
    let send =
        |after: i64| give(&world.commands, campaign, user, Cause::Operator { at: day.start.plus_seconds(after) });
    // The day may have begun before the campaign did.
    let late = day.end.seconds_since(day.start) - 2;
    let first = send(late).await.expect("sent");
    let again = send(late + 1).await.expect("sent");
    assert_eq!((first.coupon, first.at), (again.coupon, again.at));
    assert!(first.position.is_some() && again.position.is_none());
    assert_eq!(counted(&world.store).await, (1, 1));
}
