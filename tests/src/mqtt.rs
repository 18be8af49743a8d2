//! MQTT clients that others wrote, each a process of its own: paho-mqtt and the npm package mqtt, of MQTT 3.1.1 and of 5.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A library, and the version of MQTT that it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// paho-mqtt, else the npm package.
    pub paho: bool,
    /// 4 is MQTT 3.1.1.
    pub version: u8,
}

/// Both libraries, both versions.
pub const KINDS: [Kind; 4] = [
    Kind { paho: true, version: 4 },
    Kind { paho: true, version: 5 },
    Kind { paho: false, version: 4 },
    Kind { paho: false, version: 5 },
];

/// How a client is to connect.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where.
    pub at: SocketAddr,
    /// The account's name; none to give neither name nor password.
    pub name: Option<String>,
    /// Its password.
    pub password: String,
    /// The client id.
    pub id: String,
    /// Without a session that is kept.
    pub clean: bool,
    /// The Last Will: topic, payload, retained.
    pub will: Option<(String, String, bool)>,
    /// The file of the certificate to trust; none for no TLS.
    pub ca: Option<PathBuf>,
    /// Seconds.
    pub keep_alive: u16,
}

impl Wanted {
    /// With a fresh session and the account's name as client id.
    #[must_use]
    pub fn new(at: SocketAddr, name: &impl ToString, password: &str) -> Self {
        let (name, password) = (name.to_string(), password.to_owned());
        Self { at, id: name.clone(), name: Some(name), password, clean: true, will: None, ca: None, keep_alive: 60 }
    }

    /// Under another client id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// With a session that is kept.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.clean = false;
        self
    }

    /// With a Last Will.
    #[must_use]
    pub fn will(mut self, topic: &str, payload: &Value) -> Self {
        self.will = Some((topic.to_owned(), payload.to_string(), false));
        self
    }
}

/// A client.
pub struct MqttClient {
    kind: Kind,
    child: Child,
    input: ChildStdin,
    events: Receiver<Value>,
    /// What came and nobody has waited for yet.
    unseen: RefCell<Vec<Value>>,
    /// All that came.
    all: RefCell<Vec<Value>>,
}

impl MqttClient {
    /// Connects; what comes of it is an event.
    ///
    /// # Panics
    /// The library is not there.
    #[must_use]
    pub fn begin(kind: Kind, wanted: &Wanted) -> Self {
        let (runner, script) =
            if kind.paho { ("paho-python", "paho_driver.py") } else { ("mqtt-node", "mqtt_js_driver.mjs") };
        let mut child = Command::new(runner)
            .arg(format!("{}/clients/{script}", env!("CARGO_MANIFEST_DIR")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{runner}: {error}: run .ci/setup test"));
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let (say, events) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(event) = serde_json::from_str(&line) else { continue };
                if say.send(event).is_err() {
                    return;
                }
            }
        });
        let mut client = Self { kind, child, input, events, unseen: RefCell::default(), all: RefCell::default() };
        let will = wanted.will.as_ref();
        let will = will.map(|(topic, payload, retain)| json!({"topic": topic, "payload": payload, "retain": retain}));
        client.does(&json!({
            "do": "connect", "port": wanted.at.port(), "name": wanted.name, "password": wanted.password,
            "id": wanted.id, "version": kind.version, "clean": wanted.clean, "will": will, "ca": wanted.ca,
            "keep_alive": wanted.keep_alive,
        }));
        client
    }

    /// Connects and is let in.
    ///
    /// # Panics
    /// It is not.
    #[must_use]
    #[track_caller]
    pub fn connect(kind: Kind, wanted: &Wanted) -> Self {
        let client = Self::begin(kind, wanted);
        client.sees("connected", |_| true);
        client
    }

    fn does(&mut self, command: &Value) {
        writeln!(self.input, "{command}").expect("the client reads");
    }

    /// Waits for an event; others that came before it can still be waited for.
    ///
    /// # Panics
    /// It does not come.
    #[track_caller]
    pub fn sees(&self, event: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let is_it = |seen: &Value| seen["event"] == event && wanted(seen);
            let found = self.unseen.borrow().iter().position(is_it);
            if let Some(at) = found {
                return self.unseen.borrow_mut().remove(at);
            }
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let Ok(seen) = self.events.recv_timeout(left) else {
                panic!("{:?}: no {event:?} comes; it saw {:#?}", self.kind, self.all.borrow());
            };
            self.note(seen);
        }
    }

    fn note(&self, seen: Value) {
        self.all.borrow_mut().push(seen.clone());
        self.unseen.borrow_mut().push(seen);
    }

    /// Whether a filter is granted.
    #[track_caller]
    pub fn subscribe(&mut self, filter: &str) -> bool {
        self.does(&json!({"do": "subscribe", "filter": filter}));
        self.sees("subscribed", |_| true)["granted"] == true
    }

    /// Subscribes, which must be granted.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn listens(&mut self, filter: &str) {
        assert!(self.subscribe(filter), "{:?}: {filter} is refused", self.kind);
    }

    /// Publishes; whether the broker says that it took it (MQTT 3.1.1 has no other answer).
    #[track_caller]
    pub fn publish(&mut self, topic: &str, payload: &Value) -> bool {
        self.say(topic, &payload.to_string(), false)
    }

    /// Publishes anything.
    #[track_caller]
    pub fn say(&mut self, topic: &str, payload: &str, retain: bool) -> bool {
        self.does(&json!({"do": "publish", "topic": topic, "payload": payload, "retain": retain}));
        self.sees("published", |_| true)["taken"] == true
    }

    /// Publishes and waits for nothing.
    pub fn throw(&mut self, topic: &str, payload: &Value) {
        self.does(&json!({"do": "publish", "topic": topic, "payload": payload.to_string(), "retain": false}));
    }

    /// Waits for a message on a topic and answers its JSON.
    #[track_caller]
    pub fn hears(&self, topic: &str) -> Value {
        let message = self.sees("message", |message| message["topic"] == topic);
        assert_eq!(message["retained"], false, "{message}");
        serde_json::from_str(message["payload"].as_str().expect("text")).expect("a payload is JSON")
    }

    /// Waits for a message with that field; answers it.
    #[track_caller]
    pub fn hears_with(&self, field: &str, value: &Value) -> Value {
        let payload = |message: &Value| serde_json::from_str::<Value>(message["payload"].as_str()?).ok();
        let message = self.sees("message", |message| payload(message).is_some_and(|data| data[field] == *value));
        payload(&message).expect("it was read")
    }

    /// The JSON of all messages that came so far, in their order.
    #[must_use]
    pub fn heard(&self) -> Vec<Value> {
        for seen in self.events.try_iter() {
            self.note(seen);
        }
        let all = self.all.borrow();
        let messages = all.iter().filter(|event| event["event"] == "message");
        messages.filter_map(|message| serde_json::from_str(message["payload"].as_str()?).ok()).collect()
    }

    /// Its connection ended.
    #[track_caller]
    pub fn is_closed(&self) {
        self.sees("closed", |_| true);
    }

    /// It is not let in.
    #[track_caller]
    pub fn is_refused(&self) -> String {
        self.sees("refused", |_| true)["why"].as_str().unwrap_or_default().to_owned()
    }

    /// Takes leave.
    #[track_caller]
    pub fn leave(mut self) {
        self.does(&json!({"do": "end"}));
        self.is_closed();
    }

    /// Is killed: the connection is cut without a word.
    pub fn cut(mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }
}

impl Drop for MqttClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
