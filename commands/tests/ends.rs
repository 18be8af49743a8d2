//! What is free again after an account's end: its sign-in name and its uid at Weibo, each for one new account.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use dface_commands::{
    CommandError, Commands, Context, ExecutorSettings, Parts, Passwords, ServerSecret,
    keys::EmbeddedKeys,
    people::NewAccount,
    store::embedded::{EmbeddedConfig, EmbeddedStore},
    system::{SystemClock, SystemEntropy},
    weibo::WeiboSignIn,
};
use dface_domain::{
    events::{Gender, WeiboAccount},
    ids::UserId,
    rejection::Rejection,
    time::Timestamp,
};
use futures::future::join_all;
use uuid::Uuid;

/// Times that one uid ends and is wanted again by several at once.
const ROUNDS: usize = 200;

fn open(dir: &Path) -> Arc<Commands> {
    let store = EmbeddedStore::open(EmbeddedConfig::new(dir), Arc::new(SystemClock), &SystemEntropy).expect("opens");
    let entropy = Arc::new(SystemEntropy);
    Arc::new(Commands::new(Parts {
        store: Arc::new(store.clone()),
        snapshots: Arc::new(store),
        keys: Arc::new(EmbeddedKeys::open(&dir.join("keys"), entropy.clone()).expect("keys")),
        secret: Arc::new(ServerSecret::new(&[7; 32])),
        clock: Arc::new(SystemClock),
        entropy,
        passwords: Passwords::new(2),
        executor: ExecutorSettings::default(),
    }))
}

fn context() -> Context {
    Context::new(Uuid::nil())
}

fn anna(password: Option<&str>) -> NewAccount {
    let password = password.map(str::to_owned);
    NewAccount { name: "anna".to_owned(), password, gender: Gender::Unset, source: None }
}

fn at_weibo() -> WeiboSignIn {
    let account = WeiboAccount { uid: 42, token: "t".to_owned(), expires_at: Timestamp(0) };
    WeiboSignIn { account, name: "西湖小王".to_owned(), gender: Gender::Male }
}

async fn by_weibo(commands: Arc<Commands>) -> Result<UserId, CommandError> {
    tokio::spawn(async move { commands.sign_in_weibo(at_weibo(), &context()).await.map(|signed_in| signed_in.user) })
        .await
        .expect("no panic")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_of_whoever_left_is_a_new_accounts() {
    let dir = tempfile::tempdir().expect("a directory");
    let commands = open(dir.path());
    let (first, _) = commands.register(anna(Some("old")), &context()).await.expect("registered");
    let taken = commands.register(anna(None), &context()).await;
    assert!(matches!(taken, Err(CommandError::Rejected(Rejection::NameTaken))), "{taken:?}");
    commands.erase(first, &context()).await.expect("erased");
    assert_eq!(commands.user_named("anna").await.expect("read"), None);

    let wanting = (0..16).map(|_| {
        let commands = Arc::clone(&commands);
        tokio::spawn(async move { commands.register(anna(Some("new")), &context()).await })
    });
    let mut made = Vec::new();
    for wanted in join_all(wanting).await {
        match wanted.expect("no panic") {
            Ok((user, _)) => made.push(user),
            Err(CommandError::Rejected(Rejection::NameTaken)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(made.len() == 1 && made[0] != first, "{made:?} after {first}");
    assert_eq!(commands.user_named("anna").await.expect("read"), Some(made[0]));
    assert!(commands.sign_in("anna", "old".to_owned()).await.expect("read").is_none());
    assert_eq!(commands.sign_in("anna", "new".to_owned()).await.expect("read").map(|one| one.user), Some(made[0]));
    assert!(!commands.user_exists(first).await.expect("read"), "the one who left stays away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_who_come_back_by_weibo_at_once_all_get_one_new_account() {
    let dir = tempfile::tempdir().expect("a directory");
    let commands = open(dir.path());
    let mut seen = BTreeSet::new();
    for _ in 0..ROUNDS {
        let users = join_all((0..4).map(|_| by_weibo(Arc::clone(&commands)))).await;
        let users: BTreeSet<UserId> = users.into_iter().map(|user| user.expect("signed in")).collect();
        assert_eq!(users.len(), 1, "two accounts of one person: {users:?}");
        let user = users.into_iter().next().expect("one");
        assert!(seen.insert(user), "{user} had ended");
        commands.erase(user, &context()).await.expect("erased");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_at_the_moment_of_a_sign_in_leaves_no_account_half() {
    let dir = tempfile::tempdir().expect("a directory");
    let commands = open(dir.path());
    for _ in 0..ROUNDS {
        let user = by_weibo(Arc::clone(&commands)).await.expect("signed in");
        let ending = Arc::clone(&commands);
        let end = tokio::spawn(async move { ending.erase(user, &context()).await });
        let again = by_weibo(Arc::clone(&commands)).await.expect("signed in, before the end or after it");
        end.await.expect("no panic").expect("erased");
        assert!(!commands.user_exists(user).await.expect("read"));
        let later = by_weibo(Arc::clone(&commands)).await.expect("signed in");
        assert!(later != user && (again == user || again == later), "{user}, {again}, {later}");
    }
}
