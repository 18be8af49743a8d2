//! A node with a circle, a watch and a broker that only writes down.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bytes::Bytes;
use dface_commands::{Context, circles::MemberRef, people::NewAccount, reports::Bond, watches::Binding};
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Event, Gender, PushDue},
    geo::Position,
    ids::{GroupId, Imei, MessageId, UserId},
    ports::{EventStore as _, PortFuture},
    pushes::PushKind,
    reports::{LocateKind, Reported, TalkContent, WatchEvent, WatchFix, WatchReport},
    time::Timestamp,
    watches::WatchDetails,
};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    mqtt::broker::{Account, Broker, BrokerError, BrokerHealth},
    node::Node,
    pushes::{
        devices::Devices,
        follow::{Follower as _, Happened, happened},
        publish::Publisher,
    },
    settings::{Push, Settings},
};

/// A broker that writes down what it is given.
#[derive(Default)]
pub(super) struct Recorder {
    pub away: AtomicBool,
    pub refused: AtomicUsize,
    pub done: Mutex<Vec<(String, Value)>>,
    pub more: Notify,
}

impl Broker for Recorder {
    fn publish<'a>(&'a self, topic: &'a str, payload: Bytes) -> PortFuture<'a, Result<(), BrokerError>> {
        Box::pin(async move {
            if self.away.load(Ordering::SeqCst) {
                self.refused.fetch_add(1, Ordering::SeqCst);
                self.more.notify_one();
                return Err(BrokerError("away".to_owned()));
            }
            self.done.lock().push((topic.to_owned(), serde_json::from_slice(&payload).unwrap()));
            self.more.notify_one();
            Ok(())
        })
    }

    fn end_subscriptions(&self, user: UserId, group: GroupId) -> PortFuture<'_, ()> {
        self.done.lock().push((format!("end {user} {group}"), Value::Null));
        Box::pin(async {})
    }

    fn disconnect(&self, _: Account) -> PortFuture<'_, ()> {
        Box::pin(async {})
    }

    fn health(&self) -> BrokerHealth {
        BrokerHealth { connected: true, since: Timestamp(0), error: None }
    }
}

pub(super) struct World {
    pub node: Arc<Node>,
    pub broker: Arc<Recorder>,
    pub anna: UserId,
    pub ben: UserId,
    pub group: GroupId,
    pub imei: Imei,
    looked: LogPosition,
    dir: tempfile::TempDir,
}

/// What a device is asked to be told.
pub(super) type Due = (UserId, PushKind, bool);

impl World {
    /// Anna's circle with Ben, and a watch; both have devices. What led there was told already.
    pub(super) async fn new(set: impl FnOnce(&mut Push)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let node = open(&dir, set).await;
        let broker = Arc::new(Recorder::default());
        let _first = node.mqtt.set(Arc::clone(&broker) as Arc<dyn Broker>);
        let imei = "864297012345678".parse().unwrap();
        let nobody = UserId::Number(1);
        let (looked, group) = (LogPosition(0), GroupId(1));
        let mut world = Self { node, broker, anna: nobody, ben: nobody, group, imei, looked, dir };
        (world.anna, world.ben) = (world.register("Anna").await, world.register("Ben").await);
        world.group = world.circle().await;
        world.join(world.group, world.ben).await;
        world.node.commands.import_watch(imei, "key", Some("code"), &world.context()).await.unwrap();
        world.bind().await;
        for (user, token) in [(world.anna, "aa"), (world.ben, "bb")] {
            world.node.commands.bind_push_token(user, 1, &token.repeat(32), &world.context()).await.unwrap();
        }
        world.told().await;
        world
    }

    pub(super) async fn reopen(self) -> Self {
        let Self { node, broker, anna, ben, group, imei, dir, .. } = self;
        node.close().await;
        drop(node);
        let node = open(&dir, |_| ()).await;
        let _first = node.mqtt.set(Arc::clone(&broker) as Arc<dyn Broker>);
        let looked = node.store.head();
        Self { node, broker, anna, ben, group, imei, looked, dir }
    }

    pub(super) fn context(&self) -> Context {
        Context::new(self.node.commands.fresh_id())
    }

    pub(super) async fn register(&self, name: &str) -> UserId {
        let account = NewAccount { name: name.to_owned(), password: None, gender: Gender::Unset, source: None };
        self.node.commands.register(account, &self.context()).await.unwrap().0
    }

    pub(super) async fn circle(&self) -> GroupId {
        self.node.commands.create_circle(self.anna, "家", &self.context()).await.unwrap().0
    }

    pub(super) async fn join(&self, group: GroupId, user: UserId) {
        let code = self.node.commands.invite(group, self.anna, 10, &self.context()).await.unwrap().code;
        self.node.commands.join(group, user, &code, 10, &self.context()).await.unwrap();
    }

    pub(super) async fn remove(&self, user: UserId, by: UserId) {
        let member = MemberRef { group: self.group, by, user };
        self.node.commands.remove(member, &self.context()).await.unwrap();
    }

    pub(super) async fn bind(&self) {
        let (group, by, imei) = (self.group, self.anna, self.imei);
        let binding = Binding { imei, group, by, code: Some("code"), open: false };
        let number = self.node.commands.may_bind(&binding, &self.context()).await.unwrap();
        let text = str::to_owned;
        let (mac, dev_name) = (text("00:1a:2b:3c:4d:5e"), text("小宝"));
        let (phone, fast_call_phone) = (text("13800000001"), text("13800000002"));
        let details = WatchDetails { mac, dev_name, phone, fast_call_phone, image: None };
        self.node.commands.bind_watch(&binding, number, text("1"), &details, &self.context()).await.unwrap();
    }

    /// The watch tells something, `ago` seconds ago by its clock.
    pub(super) async fn report(&self, report: WatchReport, ago: i64) {
        let bond = Bond { imei: self.imei, group: self.group, binding: 1, fall: true };
        let clock = Some(self.node.commands.clock().now().plus_seconds(-ago));
        let id = self.node.commands.fresh_id().to_string();
        let event = WatchEvent { id, clock, what: Reported::Told(report.clone()) };
        self.node.commands.report(&bond, &event, &report, 600, &self.context()).await.unwrap();
    }

    pub(super) async fn located(&self, lat: f64, ago: i64) {
        let fix = WatchFix { position: Position::new(lat, 120.0).unwrap(), radius: 0 };
        self.report(WatchReport::Locate { kind: LocateKind::Gps, locus: false, fix }, ago).await;
    }

    pub(super) async fn says(&self, user: UserId, words: &str) -> MessageId {
        let content = TalkContent::Text(words.to_owned());
        self.node.commands.send_talk(user, self.group, &content, &self.context()).await.unwrap().message
    }

    pub(super) fn focus(&self, user: UserId, on: bool) {
        self.node.focus.set(user, "phone", on, self.node.commands.clock().now());
    }

    /// What happened since the last time, and is told.
    pub(super) async fn happened(&mut self) -> Vec<Happened> {
        self.node.catch_up().await;
        let (head, mut read) = (self.node.store.head(), Vec::new());
        while self.looked < head {
            read.extend(self.node.store.read_all(self.looked, 10_000).await.unwrap());
            self.looked = read.last().map_or(self.looked, |last: &Recorded| last.position);
        }
        read.iter().filter_map(|recorded| happened(&self.node, recorded)).collect()
    }

    /// Tells what happened since the last time: what was published, and which devices are to be told.
    pub(super) async fn told(&mut self) -> (Vec<(String, Value)>, Vec<Due>) {
        let happened = self.happened().await;
        let before = self.node.store.head();
        self.broker.done.lock().clear();
        Publisher(Arc::clone(&self.node)).take(happened.clone()).await;
        Devices::new(Arc::clone(&self.node)).0.take(happened).await;
        let published = std::mem::take(&mut *self.broker.done.lock());
        (published, self.dues(before).await.into_iter().map(|due| (due.user, due.kind, due.alert)).collect())
    }

    /// The pushes that were asked for behind a position, by person.
    pub(super) async fn dues(&self, behind: LogPosition) -> Vec<PushDue> {
        let read = self.node.store.read_all(behind, 10_000).await.unwrap();
        let due = |event| if let Event::PushDue(due) = event { Some(due) } else { None };
        let mut dues: Vec<PushDue> = read.iter().filter_map(|recorded| due(recorded.data.decode().unwrap())).collect();
        dues.sort_by_key(|due| due.user);
        dues
    }

    /// What the read models say, for a test that fails.
    pub(super) fn state(&self) -> String {
        let circle = self.node.views.circles.view().circle(self.group);
        let members = circle.map(|circle| circle.members.clone());
        format!("looked {:?}, head {:?}, {members:?}", self.looked, self.node.store.head())
    }

    /// Runs the real thing.
    pub(super) fn run(&self) -> (CancellationToken, tokio::task::JoinHandle<()>) {
        let stop = CancellationToken::new();
        (stop.clone(), tokio::spawn(crate::pushes::run(Arc::clone(&self.node), stop)))
    }

    /// Waits until the broker was given so many.
    pub(super) async fn published(&self, count: usize) -> Vec<(String, Value)> {
        let enough = async {
            while self.broker.done.lock().len() < count {
                self.broker.more.notified().await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(30), enough).await;
        let done = self.broker.done.lock().clone();
        assert!(waited.is_ok(), "{} of {count}: {done:?}", done.len());
        done
    }
}

async fn open(dir: &tempfile::TempDir, set: impl FnOnce(&mut Push)) -> Arc<Node> {
    let data = dir.path().join("data").display().to_string();
    let flags = [("data", data), ("public_url", "https://dface.cn".to_owned())];
    let mut settings = Settings::load(None, &flags).unwrap();
    set(&mut settings.push);
    Arc::new(Node::open(settings).await.unwrap())
}
