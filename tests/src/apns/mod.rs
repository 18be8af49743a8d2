//! A stand-in for Apple's push service on loopback: HTTP/2 over TLS with a CA of its own. It answers as a script says and keeps every request
//! with its headers. One stands for the sandbox, one for production.

mod keys;
mod serving;

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use serde_json::Value;
use tempfile::TempDir;

use self::keys::Keys;
use crate::Setup;

/// The app that is pushed to.
pub const TOPIC: &str = "cn.dface.lianlian";

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// 200.
    Accepts,
    /// 429 `TooManyRequests`, with so many seconds in `retry-after`.
    TooMany(u32),
    /// 500 `InternalServerError`.
    Fails,
    /// 503 `ServiceUnavailable`.
    Unavailable,
    /// 410 `Unregistered`: since then, in milliseconds of Unix time.
    Unregistered(u64),
    /// 400 `BadDeviceToken`.
    BadDeviceToken,
    /// 403 `ExpiredProviderToken`.
    Expired,
    /// The stream is reset.
    Resets,
    /// GOAWAY: this one is not looked at, and no other on this connection.
    GoesAway,
    /// Nothing is said.
    Hangs,
    /// The connection is closed without a word.
    Drops,
    /// Accepted, and the connection is closed before that is said.
    AnswerLost,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// The device's token.
    pub token: String,
    /// `apns-id`.
    pub id: String,
    /// `apns-collapse-id`.
    pub collapse_id: String,
    /// `apns-push-type`.
    pub push_type: String,
    /// `apns-priority`.
    pub priority: String,
    /// `apns-expiration`.
    pub expiration: i64,
    /// `apns-topic`.
    pub topic: String,
    /// `authorization`.
    pub authorization: String,
    /// The JSON.
    pub payload: Value,
    /// On which connection, from 0.
    pub connection: usize,
    /// How it was answered.
    pub mood: Mood,
}

impl Request {
    /// Whether the device will be told.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        matches!(self.mood, Mood::Accepts | Mood::AnswerLost)
    }
}

#[derive(Default)]
struct State {
    devices: HashMap<String, Mood>,
    next: VecDeque<Mood>,
    /// Each so many-th request meets the next of these.
    every: Option<(usize, Vec<Mood>)>,
    asked: usize,
    connections: usize,
    requests: Vec<Request>,
    /// Requests are counted and not kept.
    forgetful: bool,
    accepted: usize,
    /// Bytes that were written wrong: what no real server takes.
    faults: Vec<String>,
}

/// One of Apple's servers.
#[derive(Clone)]
pub struct StandIn {
    at: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    fn start(keys: &Arc<Keys>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = listener.local_addr().expect("it is bound");
        let one = Self { at, state: Arc::default() };
        let (serving, keys) = (one.clone(), Arc::clone(keys));
        thread::spawn(move || serving::serve(&serving, listener, &keys));
        one
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it is.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("https://localhost:{}", self.at.port())
    }

    /// That device is always answered so.
    pub fn device(&self, token: &str, mood: Mood) {
        self.state().devices.insert(token.to_owned(), mood);
    }

    /// The requests that come next meet these, one after the other.
    pub fn next(&self, moods: &[Mood]) {
        self.state().next.extend(moods);
    }

    /// Each `nth` request meets the next of these, in turn.
    pub fn every(&self, nth: usize, moods: &[Mood]) {
        self.state().every = (!moods.is_empty()).then(|| (nth, moods.to_vec()));
    }

    /// It counts requests from now on, and keeps none.
    pub fn forget(&self) {
        self.state().forgetful = true;
    }

    /// How many it accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.state().accepted
    }

    /// The requests, the oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// How many requests came.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.state().asked
    }

    /// How many connections were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// What came that no server of Apple's takes.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        self.state().faults.clone()
    }
}

/// Both of Apple's servers, and what is needed to speak to them.
pub struct Apple {
    /// For environment 1.
    pub sandbox: StandIn,
    /// For environment 2.
    pub production: StandIn,
    keys: Arc<Keys>,
    dir: TempDir,
}

impl Apple {
    /// Listens on two free ports.
    ///
    /// # Panics
    /// There are none, or a key cannot be made.
    #[must_use]
    pub fn start() -> Self {
        let (keys, dir) = (Arc::new(Keys::new()), tempfile::tempdir().expect("a directory"));
        for (name, text) in [("ca.pem", &keys.ca), ("key.p8", &keys.p8)] {
            std::fs::write(dir.path().join(name), text).expect("writable");
        }
        Self { sandbox: StandIn::start(&keys), production: StandIn::start(&keys), keys, dir }
    }

    /// The certificate (PEM) to trust, and the key that signs in.
    #[must_use]
    pub fn pems(&self) -> (&str, &str) {
        (&self.keys.ca, &self.keys.p8)
    }

    /// The settings of a process that speaks to them, without `DFACE_`.
    #[must_use]
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.dir.path().join(name).display().to_string();
        vec![
            ("APNS__SANDBOX_URL", self.sandbox.base_url()),
            ("APNS__PRODUCTION_URL", self.production.base_url()),
            ("APNS__CA", file("ca.pem")),
            ("APNS__KEY", file("key.p8")),
            ("APNS__KEY_ID", keys::KEY_ID.to_owned()),
            ("APNS__TEAM_ID", keys::TEAM_ID.to_owned()),
            ("APNS__TOPIC", TOPIC.to_owned()),
        ]
    }

    /// A server that speaks to them.
    #[must_use]
    pub fn used(&self, setup: Setup) -> Setup {
        self.settings().into_iter().fold(setup, |setup, (key, value)| setup.set(key, value))
    }
}
