//! Commands on the real embedded store: conflicts, repeats, ids, snapshots and what a restart keeps.

use std::{path::Path, sync::Arc};

use dface_commands::{
    CommandError, Commands, Context, ExecutorSettings, Parts, Passwords, ServerSecret,
    checkins::CheckIn,
    keys::EmbeddedKeys,
    people::NewAccount,
    requests::{RequestKey, Taken},
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    events::{Answer, Fix, Gender, IdKind, ShopDetails},
    geo::Position,
    ids::{ShopId, UserId},
    ports::{EventStore, Snapshots},
    rejection::Rejection,
    shops::kind::ShopKind,
    stream::{Category, StreamId},
    time::Timestamp,
};
use uuid::Uuid;

struct Opened {
    commands: Arc<Commands>,
    store: EmbeddedStore,
}

fn open(dir: &Path, executor: ExecutorSettings) -> Opened {
    let store = EmbeddedStore::open(EmbeddedConfig::new(dir), Arc::new(SystemClock), &SystemEntropy).expect("opens");
    let entropy = Arc::new(SystemEntropy);
    let commands = Commands::new(Parts {
        store: Arc::new(store.clone()),
        snapshots: Arc::new(store.clone()),
        keys: Arc::new(EmbeddedKeys::open(&dir.join("keys"), entropy.clone()).expect("keys")),
        secret: Arc::new(ServerSecret::new(&[7; 32])),
        clock: Arc::new(SystemClock),
        entropy,
        passwords: Passwords::new(2),
        executor,
    });
    Opened { commands: Arc::new(commands), store }
}

fn context() -> Context {
    Context::new(Uuid::nil())
}

fn account(name: &str) -> NewAccount {
    NewAccount { name: name.to_owned(), password: None, gender: Gender::Unset, source: None }
}

fn details() -> ShopDetails {
    let position = Position::new(30.28691, 120.12763).expect("a place");
    ShopDetails {
        name: "新紫轩花店".to_owned(),
        address: "文一路266号".to_owned(),
        phone: String::new(),
        kind: ShopKind::Bar,
        position,
        map: position.to_map(),
    }
}

fn fix() -> Fix {
    let position = Position::new(30.28691, 120.12763).expect("a place");
    Fix { position, accuracy: 50, altitude: None, altacc: None }
}

#[tokio::test]
async fn ids_are_given_once_whoever_asks_and_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut given = Vec::new();
    for _ in 0..2 {
        let opened = open(dir.path(), ExecutorSettings::default());
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let commands = Arc::clone(&opened.commands);
                tokio::spawn(async move {
                    let mut ids = Vec::new();
                    for _ in 0..50 {
                        ids.push(commands.next_id(IdKind::User).await.expect("an id"));
                    }
                    ids
                })
            })
            .collect();
        for task in tasks {
            given.extend(task.await.expect("no panic"));
        }
        drop(opened.commands);
        opened.store.close();
    }
    let count = given.len();
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), count, "an id was given twice");
}

#[tokio::test]
async fn of_many_who_want_a_name_at_once_one_has_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let opened = open(dir.path(), ExecutorSettings::default());
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let commands = Arc::clone(&opened.commands);
            tokio::spawn(async move { commands.register(account("anna"), &context()).await })
        })
        .collect();
    let mut made = Vec::new();
    for task in tasks {
        match task.await.expect("no panic") {
            Ok((user, _)) => made.push(user),
            Err(CommandError::Rejected(Rejection::NameTaken)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(opened.commands.user_named("anna").await.expect("known"), Some(made[0]));
}

#[tokio::test]
async fn a_check_in_of_one_minute_is_one_event_also_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = Timestamp::from_seconds(1_700_000_000);
    let check_in = |user, shop| CheckIn { user, shop, od: 3, fix: fix(), bssid: None };
    let (user, shop, first) = {
        let opened = open(dir.path(), ExecutorSettings::default());
        let (user, _) = opened.commands.register(account("anna"), &context()).await.expect("registered");
        let (shop, _) = opened.commands.add_shop(details(), &context()).await.expect("added");
        let first = opened.commands.check_in(check_in(user, shop), &context().at(at)).await.expect("first");
        let again = opened.commands.check_in(check_in(user, shop), &context().at(at.plus_seconds(20))).await;
        let again = again.expect("again");
        assert_eq!((again.checkin, again.od, again.position), (first.checkin, 3, None));
        opened.store.close();
        (user, shop, first)
    };
    let opened = open(dir.path(), ExecutorSettings::default());
    let again = opened.commands.check_in(check_in(user, shop), &context().at(at)).await.expect("again");
    assert_eq!((again.checkin, again.position), (first.checkin, None));
    let later = opened.commands.check_in(check_in(user, shop), &context().at(at.plus_seconds(60))).await;
    assert_ne!(later.expect("later").checkin, first.checkin);
    let nowhere = opened.commands.check_in(check_in(user, ShopId(999)), &context()).await;
    assert!(matches!(nowhere, Err(CommandError::Rejected(Rejection::ShopUnknown(ShopId(999))))), "{nowhere:?}");
}

#[tokio::test]
async fn follow_and_unfollow_race_to_one_end() {
    let dir = tempfile::tempdir().expect("a directory");
    let opened = open(dir.path(), ExecutorSettings::default());
    let (anna, _) = opened.commands.register(account("anna"), &context()).await.expect("anna");
    let (ben, _) = opened.commands.register(account("ben"), &context()).await.expect("ben");
    let (record, _) = opened.commands.follow(anna, ben, &context()).await.expect("follows");
    let (again, position) = opened.commands.follow(anna, ben, &context()).await.expect("again");
    assert_eq!((again, position), (record, None));
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let commands = Arc::clone(&opened.commands);
            tokio::spawn(async move {
                if n % 2 == 0 {
                    commands.follow(anna, ben, &context()).await.map(|_| ())
                } else {
                    commands.unfollow(anna, ben, &context()).await.map(|_| ())
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("no refusal");
    }
    let stream = StreamId::relation(anna, ben);
    let events = opened.store.read_stream(&stream, 0, 1_000).await.expect("read");
    let kinds: Vec<_> = events.iter().map(|event| event.data.type_name.to_string()).collect();
    for pair in kinds.windows(2) {
        assert_ne!(pair[0], pair[1], "two in a row: {kinds:?}");
    }
}

#[tokio::test]
async fn long_streams_are_loaded_from_a_snapshot() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = ExecutorSettings { snapshot_every: 4, ..ExecutorSettings::default() };
    let stream = StreamId::new(Category::Ids, IdKind::Record.name());
    let last = {
        let opened = open(dir.path(), settings);
        let mut last = 0;
        for _ in 0..10 * dface_commands::ids::BLOCK {
            last = opened.commands.next_id(IdKind::Record).await.expect("an id");
        }
        opened.store.close();
        last
    };
    let opened = open(dir.path(), settings);
    let (events, _) = opened.store.snapshot(&stream).expect("a snapshot was kept");
    assert_eq!(events, 8);
    assert_eq!(opened.commands.next_id(IdKind::Record).await.expect("an id"), last + 1);
}

#[tokio::test]
async fn a_keyed_request_keeps_its_moment_and_its_answer() {
    let dir = tempfile::tempdir().expect("a directory");
    let opened = open(dir.path(), ExecutorSettings::default());
    let (user, _) = opened.commands.register(account("anna"), &context()).await.expect("anna");
    let request = RequestKey { user, key: "k1", content: b"/checkins a=1" };
    let take = async |request: &RequestKey<'_>| opened.commands.take_request(request, &context()).await;
    let Taken::Open(first) = take(&request).await.expect("taken") else { panic!("answered already") };
    let Taken::Open(again) = take(&request).await.expect("taken") else { panic!("answered already") };
    assert_eq!(first, again, "a repeat is as of the first moment");
    let answer = Answer { status: 200, body: "{}".to_owned() };
    opened.commands.answer_request(&request, &answer, &context()).await.expect("kept");
    let other = Answer { status: 409, body: "no".to_owned() };
    opened.commands.answer_request(&request, &other, &context()).await.expect("ignored");
    assert!(matches!(take(&request).await.expect("taken"), Taken::Answered(kept) if kept == answer));
    let changed = RequestKey { content: b"/checkins a=2", ..request };
    let refused = take(&changed).await;
    assert!(matches!(refused, Err(CommandError::Rejected(Rejection::KeyReused))), "{refused:?}");
    let (ben, _) = opened.commands.register(account("ben"), &context()).await.expect("ben");
    let theirs = RequestKey { user: ben, ..request };
    assert!(matches!(take(&theirs).await.expect("taken"), Taken::Open(_)), "keys are each person's own");
}

#[tokio::test]
async fn signing_in_takes_the_right_password_of_a_whole_account() {
    let dir = tempfile::tempdir().expect("a directory");
    let opened = open(dir.path(), ExecutorSettings::default());
    let commands = &opened.commands;
    let with_password = NewAccount { password: Some("s3cret".to_owned()), ..account("anna") };
    let (anna, _) = commands.register(with_password, &context()).await.expect("anna");
    commands.register(account("ben"), &context()).await.expect("ben");
    let signed_in = commands.sign_in("anna", "s3cret".to_owned()).await.expect("works").expect("right");
    assert_eq!((signed_in.user, signed_in.name.as_deref()), (anna, Some("anna")));
    assert_eq!(signed_in.password, commands.secret().chat_password(anna, 0));
    for (name, password) in [("anna", "wrong"), ("ben", ""), ("nobody", "s3cret")] {
        assert!(commands.sign_in(name, password.to_owned()).await.expect("works").is_none(), "{name}");
    }
    assert_eq!(commands.passwords().verifications(), 4, "every try costs one verification");
    commands.reset_password(anna, "other".to_owned(), &context()).await.expect("reset");
    assert!(commands.sign_in("anna", "s3cret".to_owned()).await.expect("works").is_none());
    let signed_in = commands.sign_in("anna", "other".to_owned()).await.expect("works").expect("right");
    assert_eq!(signed_in.password, commands.secret().chat_password(anna, 1));
    let nobody = commands.reset_password(UserId::Number(99), "x".to_owned(), &context()).await;
    assert!(matches!(nobody, Err(CommandError::Rejected(Rejection::UserUnknown(_)))), "{nobody:?}");
}

#[tokio::test]
async fn another_secret_is_noticed() {
    let dir = tempfile::tempdir().expect("a directory");
    let opened = open(dir.path(), ExecutorSettings::default());
    assert!(opened.commands.secret_matches().await.expect("works"));
    assert!(opened.commands.secret_matches().await.expect("works"));
    let other = Commands::new(Parts {
        store: Arc::new(opened.store.clone()),
        snapshots: Arc::new(opened.store.clone()),
        keys: Arc::clone(opened.commands.keys()),
        secret: Arc::new(ServerSecret::new(&[8; 32])),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        passwords: Passwords::new(1),
        executor: ExecutorSettings::default(),
    });
    assert!(!other.secret_matches().await.expect("works"));
}
