//! A family whose members have an app on MQTT and a device that Apple knows.

use std::{
    cell::RefCell,
    thread::sleep,
    time::{Duration, Instant},
};

use dface_tests::{
    Phone, Server, Setup,
    apns::{Apple, Request, StandIn, TOPIC},
    mqtt::{KINDS, MqttClient, Wanted},
};
use serde_json::{Value, json};

use super::{
    BASE, ID, IMEI, PATIENCE, STATUS, TIME, bind, circle, code, event, events, no_push_is_left, now, report, say, until,
};

/// Seconds of a day: how long Apple keeps a push.
const DAY_S: i64 = 86_400;

/// A member with an app and a device.
pub struct Member {
    pub mqtt: MqttClient,
    pub phone: Phone,
    pub name: String,
    pub token: String,
    apple: StandIn,
    /// What the app was told, and what the device, as far as a test waited for it.
    heard: RefCell<Vec<Value>>,
    pushed: RefCell<Vec<Value>>,
}

impl Member {
    /// Signs in, binds a device of that environment, and opens a connection of MQTT.
    pub fn new(server: &mut Server, apple: &Apple, name: &str, environment: u8) -> Self {
        let at = server.mqtt();
        let phone = server.person(name, 2);
        let mqtt = MqttClient::connect(KINDS[0], &Wanted::new(at, &phone.user, &phone.chat_password));
        Self::with(server, apple, (name, environment), phone, mqtt)
    }

    /// Binds a device of that environment.
    pub fn with(
        server: &mut Server,
        apple: &Apple,
        (name, environment): (&str, u8),
        phone: Phone,
        mut mqtt: MqttClient,
    ) -> Self {
        let token = format!("{:08x}", 0x00a0_0000 + phone.user).repeat(8);
        server.secret(&token);
        phone.post("/push_tokens", &[("token", &token), ("environment", &environment)]).ok();
        mqtt.listens(&format!("xunqun/user/{}/#", phone.user));
        let apple = if environment == 1 { &apple.sandbox } else { &apple.production }.clone();
        Self { mqtt, phone, name: name.to_owned(), token, apple, heard: RefCell::default(), pushed: RefCell::default() }
    }

    /// Comes into a circle of the guardian and listens to it.
    #[track_caller]
    pub fn join(&mut self, guardian: &Self, group: u64) {
        self.phone.post("/groups/join", &[("code", &code(&guardian.phone, group))]).ok();
        self.listen(group);
    }

    /// Listens to a circle.
    #[track_caller]
    pub fn listen(&mut self, group: u64) {
        self.mqtt.listens(&format!("xunqun/group/{group}/#"));
    }

    /// A topic of their own.
    pub fn topic(&self, push_type: &str) -> String {
        format!("xunqun/user/{}/{push_type}", self.phone.user)
    }

    /// As `sender` and `user_id` of pushes.
    pub fn id(&self) -> String {
        self.phone.user.to_string()
    }

    /// The next on that topic is this.
    #[track_caller]
    pub fn hears(&self, topic: &str, expected: &Value) -> Value {
        let heard = self.mqtt.hears(topic);
        assert_eq!(heard, filled(expected, &heard), "{} hears on {topic}", self.name);
        self.heard.borrow_mut().push(heard.clone());
        heard
    }

    /// What came to the device.
    pub fn requests(&self) -> Vec<Request> {
        let mut requests = self.apple.requests();
        requests.retain(|request| request.token == self.token);
        requests
    }

    /// Whether the device was told that.
    pub fn has(&self, data: &Value) -> bool {
        self.requests().iter().any(|request| request.is_accepted() && request.payload["data"] == *data)
    }

    /// The device is told that, shown with these words or silent.
    #[track_caller]
    pub fn is_pushed(&self, data: &Value, alert: Option<&str>) {
        let begun = Instant::now();
        let request = loop {
            let came = self.requests();
            if let Some(request) = came.iter().find(|request| request.payload["data"] == *data) {
                break request.clone();
            }
            let payloads: Vec<_> = came.into_iter().map(|request| request.payload).collect();
            assert!(begun.elapsed() < PATIENCE, "{} is not pushed {data}; came: {payloads:#?}", self.name);
            sleep(Duration::from_millis(25));
        };
        let aps =
            alert.map_or_else(|| json!({"content-available": 1}), |words| json!({"alert": words, "sound": "default"}));
        assert_eq!(request.payload, json!({"aps": aps, "data": data}), "{}", self.name);
        let way = if alert.is_some() { ("alert", "10") } else { ("background", "5") };
        assert_eq!((request.push_type.as_str(), request.priority.as_str()), way, "{}: {data}", self.name);
        assert_eq!((request.topic.as_str(), &request.collapse_id), (TOPIC, &request.id), "{}: {data}", self.name);
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
        let left = request.expiration - now() as i64;
        assert!((DAY_S - 600..=DAY_S).contains(&left), "{left}: it expires a day after it happened");
        self.pushed.borrow_mut().push(data.clone());
    }

    /// Opens or closes the app, and waits until that is known.
    #[track_caller]
    pub fn focus(&mut self, server: &Server, on: bool) {
        let before = focuses(server, &self.id()).len();
        assert!(self.mqtt.publish(STATUS, &json!({"user_id": self.id(), "focus": u8::from(on)})));
        until("the focus changed", || focuses(server, &self.id()).get(before) == Some(&on));
    }

    /// App and device were told what the test waited for and nothing else.
    #[track_caller]
    fn was_told_nothing_else(&self) {
        assert_eq!(self.mqtt.heard().len(), self.heard.borrow().len(), "{} heard {:#?}", self.name, self.mqtt.heard());
        let (came, expected) = (self.requests(), self.pushed.borrow());
        let unexpected: Vec<_> = came.iter().filter(|one| !expected.contains(&one.payload["data"])).collect();
        assert!(unexpected.is_empty() && came.len() == expected.len(), "{} was pushed {came:#?}", self.name);
    }
}

/// Whether somebody had the app open, again and again.
#[track_caller]
pub fn focuses(server: &Server, user: &str) -> Vec<bool> {
    let changes = events(server, "FocusChanged");
    let own = changes
        .iter()
        .filter(|change| change["user"] == user || change["user"].as_u64().is_some_and(|id| id.to_string() == user));
    own.map(|change| change["on"] == true).collect()
}

/// What is expected, with what a test cannot know as it came, after its form was seen to be right.
#[track_caller]
fn filled(expected: &Value, heard: &Value) -> Value {
    let mut expected = expected.clone();
    if expected["message_id"] == ID {
        let id = heard["message_id"].as_str().unwrap_or_default();
        assert!(id.len() == 24 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "no id: {heard}");
        expected["message_id"] = json!(id);
    }
    if expected["timestamp"] == TIME {
        let time = heard["timestamp"].as_f64().filter(|_| heard["timestamp"].is_f64()).unwrap_or_default();
        assert!((now() - time).abs() < 600.0, "no time of now, as a float: {heard}");
        expected["timestamp"] = json!(time);
    }
    expected
}

/// The circle of anna (a guardian, with a device of the sandbox) and ben (one of production), with a watch that is in reach.
pub struct World {
    pub anna: Member,
    pub ben: Member,
    pub group: u64,
    pub server: Server,
    pub apple: Apple,
}

impl World {
    pub fn new() -> Self {
        Self::with(Setup::default())
    }

    /// What making it told is over and known.
    #[track_caller]
    pub fn with(setup: Setup) -> Self {
        let apple = Apple::start();
        let setup = setup.set("PUBLIC_URL", BASE).set("JOBS__FIRST_PAUSE_S", 1).set("JOBS__LONGEST_PAUSE_S", 1);
        let mut server = apple.used(setup).start();
        let mut anna = Member::new(&mut server, &apple, "anna", 1);
        let mut ben = Member::new(&mut server, &apple, "ben", 2);
        let group = circle(&anna.phone, "安娜一家");
        anna.listen(group);
        ben.phone.post("/groups/join", &[("code", &code(&anna.phone, group))]).ok();
        let topic = format!("xunqun/group/{group}/talk");
        let next = |member: &Member, number: u8| {
            let heard = member.mqtt.hears(&topic);
            assert_eq!(heard["type"], number, "{heard}");
            member.heard.borrow_mut().push(heard.clone());
            heard
        };
        anna.is_pushed(&next(&anna, 12), Some("新成员进入圈子"));
        ben.listen(group);
        bind(&server, &anna.phone, group, IMEI);
        next(&anna, 14);
        ben.is_pushed(&next(&ben, 14), Some("新手表进入圈子"));
        report(&server, &event("begin", "online", json!({})));
        for member in [&anna, &ben] {
            member.is_pushed(&next(member, 16), None);
        }
        Self { anna, ben, group, server, apple }
    }

    /// Somebody else with a device of production, in no circle.
    pub fn stranger(&mut self, name: &str) -> Member {
        Member::new(&mut self.server, &self.apple, name, 2)
    }

    /// The topic of the circle's pushes of that type.
    pub fn topic(&self, push_type: &str) -> String {
        format!("xunqun/group/{}/{push_type}", self.group)
    }

    /// Both hear that on the circle's topic, and the devices of these are told of it. As it came.
    #[track_caller]
    pub fn tells(&self, expected: &Value, alert: Option<&str>, devices: &[&Member]) -> Value {
        let topic = self.topic(expected["push_type"].as_str().expect("a push has a type"));
        let heard = self.ben.hears(&topic, expected);
        self.anna.hears(&topic, &heard);
        for member in devices {
            member.is_pushed(&heard, alert);
        }
        heard
    }

    /// The watch reports something that is told: to both, over both ways.
    #[track_caller]
    pub fn watch_tells(&self, event: &Value, expected: &Value, alert: Option<&str>) -> Value {
        report(&self.server, event);
        self.tells(expected, alert, &[&self.anna, &self.ben])
    }

    /// What anna says now is the last that these, who are in the circle, and those, who are not, were told.
    #[track_caller]
    pub fn nothing_else(&self, inside: &[&Member], outside: &[&Member]) {
        let message = say(&self.anna.phone, self.group, "最后");
        let last = talk(&self.anna.id(), 1, 3, json!({"message_id": message, "content": "最后", "timestamp": TIME}));
        let last = json_with(last, "group_id", &json!(self.group));
        let heard = self.anna.hears(&self.topic("talk"), &last);
        for member in inside {
            member.hears(&self.topic("talk"), &heard);
            member.is_pushed(&heard, None);
        }
        no_push_is_left(&self.server);
        for member in inside.iter().chain(outside).chain([&&self.anna]) {
            member.was_told_nothing_else();
        }
        for servers in [&self.apple.sandbox, &self.apple.production] {
            assert_eq!(servers.faults(), Vec::<String>::new());
        }
    }

    /// A talk of this circle, of the watch, with its own time.
    pub fn of_watch(&self, number: u8, more: Value) -> Value {
        let more = json_with(json_with(more, "timestamp", &json!(super::time())), "message_id", &json!(ID));
        json_with(talk(IMEI, 2, number, more), "group_id", &json!(self.group))
    }

    /// A talk of this circle, of a member, with the server's time.
    pub fn of(&self, member: &Member, number: u8, more: Value) -> Value {
        let more = json_with(more, "timestamp", &json!(TIME));
        json_with(talk(&member.id(), 1, number, more), "group_id", &json!(self.group))
    }
}

/// What all talks have, and more.
fn talk(sender: &str, sender_type: u8, number: u8, more: Value) -> Value {
    let all = [
        ("push_type", json!("talk")),
        ("sender", json!(sender)),
        ("sender_type", json!(sender_type)),
        ("type", json!(number)),
    ];
    all.iter().fold(more, |data, (name, value)| json_with(data, name, value))
}

fn json_with(mut data: Value, name: &str, value: &Value) -> Value {
    data[name] = value.clone();
    data
}
