//! What two people do to each other at once: one stream for the pair, so one consistent end, a thousand times.

use std::sync::Arc;

use dface_commands::{
    CommandError, Commands, Context, ExecutorSettings, Parts, Passwords, ServerSecret,
    keys::EmbeddedKeys,
    people::NewAccount,
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    aggregate::Aggregate as _,
    events::{Event, Gender},
    ids::{RecordId, UserId},
    ports::EventStore,
    rejection::Rejection,
    relations::Relation,
    stream::StreamId,
};
use futures::future::join_all;
use tokio::sync::Barrier;
use uuid::Uuid;

const RACES: usize = 1_000;

/// Pairs that race side by side, so that their appends share syncs.
const AT_ONCE: usize = 50;

struct World {
    commands: Arc<Commands>,
    store: EmbeddedStore,
    keys: Arc<EmbeddedKeys>,
    _dir: tempfile::TempDir,
}

fn world() -> World {
    let dir = tempfile::tempdir().expect("a directory");
    let config = EmbeddedConfig::new(dir.path());
    let store = EmbeddedStore::open(config, Arc::new(SystemClock), &SystemEntropy).expect("opens");
    let keys = Arc::new(EmbeddedKeys::open(&dir.path().join("keys"), Arc::new(SystemEntropy)).expect("keys"));
    World { commands: Arc::new(commands(&store, &keys)), store, keys, _dir: dir }
}

fn commands(store: &EmbeddedStore, keys: &Arc<EmbeddedKeys>) -> Commands {
    Commands::new(Parts {
        store: Arc::new(store.clone()),
        snapshots: Arc::new(store.clone()),
        keys: Arc::clone(keys) as _,
        secret: Arc::new(ServerSecret::new(&[7; 32])),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        passwords: Passwords::new(2),
        executor: ExecutorSettings::default(),
    })
}

fn context() -> Context {
    Context::new(Uuid::nil())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_to_do_and_a_refusal_are_said_of_what_the_log_holds_now() {
    let world = world();
    let (here, there) = (&world.commands, commands(&world.store, &world.keys));
    let (anna, ben) = (person(here, "anna").await, person(here, "ben").await);
    let context = context();
    here.follow(anna, ben, &context).await.expect("follows");
    assert_eq!(here.unblock(anna, ben, &context).await.expect("unblocks"), None, "there is no block");
    there.block(anna, ben, false, &context).await.expect("blocks");
    let unblocked = here.unblock(anna, ben, &context).await.expect("unblocks");
    assert!(unblocked.is_some(), "the block of the other process is known");
    let (_, followed) = here.follow(anna, ben, &context).await.expect("follows");
    assert!(followed.is_some(), "that block had ended the follow");
}

async fn person(commands: &Commands, name: &str) -> UserId {
    let account = NewAccount { name: name.to_owned(), password: None, gender: Gender::Unset, source: None };
    commands.register(account, &context()).await.expect("registered").0
}

/// Runs both at the same moment on two threads.
async fn race<A, B>(
    one: impl Future<Output = A> + Send + 'static,
    other: impl Future<Output = B> + Send + 'static,
) -> (A, B)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let barrier = Arc::new(Barrier::new(2));
    let (first, second) = (Arc::clone(&barrier), barrier);
    let one = tokio::spawn(async move {
        first.wait().await;
        one.await
    });
    let other = tokio::spawn(async move {
        second.wait().await;
        other.await
    });
    (one.await.expect("no panic"), other.await.expect("no panic"))
}

async fn follow(commands: Arc<Commands>, user: UserId, follow: UserId) -> Result<RecordId, CommandError> {
    commands.follow(user, follow, &context()).await.map(|(record, _)| record)
}

/// What one pair of people went through.
async fn pair(world: &World, anna: UserId, ben: UserId) {
    let commands = || Arc::clone(&world.commands);

    // The same follow twice: one record, one event.
    let (one, other) = race(follow(commands(), anna, ben), follow(commands(), anna, ben)).await;
    assert_eq!(one.expect("followed"), other.expect("followed"), "two records of one follow");

    // Unfollowing against following: either one may come last.
    let unfollowing = commands();
    let unfollow = async move { unfollowing.unfollow(anna, ben, &context()).await.map(drop) };
    let (ended, followed) = race(unfollow, follow(commands(), anna, ben)).await;
    ended.expect("unfollowed");
    followed.expect("followed");

    // Blocking against following, from both sides: no follow outlives the block, whichever comes first.
    let blocking = commands();
    let block = async move { blocking.block(ben, anna, false, &context()).await.map(|(block, _)| block.record) };
    let (blocked, followed) = race(block, follow(commands(), anna, ben)).await;
    blocked.expect("blocked");
    assert!(matches!(followed, Ok(_) | Err(CommandError::Rejected(Rejection::BlockedPair))), "{followed:?}");
    let late = follow(commands(), ben, anna).await;
    assert!(matches!(late, Err(CommandError::Rejected(Rejection::BlockedPair))), "{late:?}");

    let mut follows = 0;
    let mut relation = Relation::default();
    let stream = StreamId::relation(anna, ben);
    for recorded in world.store.read_stream(&stream, 0, 100).await.expect("read") {
        let event = recorded.data.decode().expect("an event");
        match &event {
            Event::Followed(_) => {
                follows += 1;
                assert_eq!(follows, 1, "followed twice without an end between");
                assert_eq!(relation.block_of(ben), None, "a follow after the block");
            }
            Event::Unfollowed(_) => {
                follows -= 1;
                assert_eq!(follows, 0, "ended twice");
            }
            Event::Blocked(_) => assert_eq!(follows, 0, "a block that leaves a follow"),
            other => panic!("{other:?}"),
        }
        relation.apply(&event);
    }
    assert!(relation.block_of(ben).is_some() && relation.follow_of(anna).is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_races_between_two_people_have_one_consistent_end_each() {
    let world = world();
    let anna = person(&world.commands, "anna").await;
    let mut others = Vec::new();
    for begin in (0..RACES).step_by(AT_ONCE) {
        let names: Vec<String> = (begin..begin + AT_ONCE).map(|n| format!("other {n}")).collect();
        others.extend(join_all(names.iter().map(|name| person(&world.commands, name))).await);
    }
    for some in others.chunks(AT_ONCE) {
        join_all(some.iter().map(|other| pair(&world, anna, *other))).await;
    }
}
