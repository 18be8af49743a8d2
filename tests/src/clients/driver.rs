//! A script around a library: commands go in, events come out.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// The longest that anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Events shown where one does not come.
const SHOWN: usize = 12;

/// A library, and how it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// slixmpp, over TCP.
    Slixmpp,
    /// `@xmpp/client`, over TCP.
    XmppJs,
    /// `@xmpp/client`, over WebSocket.
    XmppJsWebSocket,
}

impl Library {
    fn command(self) -> Command {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");
        let (runner, script) = match self {
            Self::Slixmpp => ("slixmpp-python", "slixmpp_driver.py"),
            Self::XmppJs | Self::XmppJsWebSocket => ("xmpp-node", "xmpp_js_driver.mjs"),
        };
        let mut command = Command::new(runner);
        command.arg(format!("{folder}/{script}"));
        command
    }
}

/// How a client is to connect.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The localpart.
    pub user: String,
    /// The password, perhaps with a suffix.
    pub password: String,
    /// The resource.
    pub resource: &'static str,
    /// The SASL mechanism.
    pub mechanism: &'static str,
    /// Where TCP is.
    pub at: SocketAddr,
    /// Where WebSocket is.
    pub websocket: SocketAddr,
    /// Whether to talk TLS: the driver must know the certificate.
    pub tls: bool,
    /// Whether to enable XEP-0198 where the library leaves a choice.
    pub resume: bool,
}

/// A running script, with as many clients as the test wants.
pub struct Driver {
    library: Library,
    certificate: Option<String>,
    child: Child,
    commands: Option<ChildStdin>,
    events: Receiver<Value>,
    /// Events that came and nobody asked for yet.
    waiting: RefCell<VecDeque<Value>>,
}

impl Driver {
    /// Starts the script. `certificate` is the file of one to trust.
    ///
    /// # Panics
    /// It does not start; `.ci/setup test` installs the library.
    #[must_use]
    pub fn start(library: Library, certificate: Option<&str>) -> Self {
        let mut command = library.command();
        command.envs(certificate.map(|file| ("NODE_EXTRA_CA_CERTS", file)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the library is there: run .ci/setup test");
        let (commands, told) = (child.stdin.take(), child.stdout.take().expect("it is piped"));
        let (sender, events) = channel();
        thread::spawn(move || {
            for line in BufReader::new(told).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "event": "broken", "what": line }));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        let certificate = certificate.map(str::to_owned);
        Self { library, certificate, child, commands, events, waiting: RefCell::default() }
    }

    /// Tells `client` to do something.
    ///
    /// # Panics
    /// The script ended.
    pub fn tell(&self, client: &str, what: &str, given: Value) {
        let mut command = given;
        command["client"] = client.into();
        command["do"] = what.into();
        let mut commands = self.commands.as_ref().expect("until it is dropped");
        writeln!(commands, "{command}").expect("the script runs");
    }

    /// Connects a client of this name, and waits for nothing.
    pub fn connect(&self, client: &str, wanted: &Wanted) {
        let scheme = if wanted.tls { "wss" } else { "ws" };
        let websocket = (self.library == Library::XmppJsWebSocket)
            .then(|| format!("{scheme}://{}/xmpp-websocket", wanted.websocket));
        let given = json!({
            "user": wanted.user, "password": wanted.password, "resource": wanted.resource, "domain": "dface.cn",
            "mechanism": wanted.mechanism, "host": wanted.at.ip(), "port": wanted.at.port(), "websocket": websocket,
            "tls": wanted.tls, "certificate": self.certificate, "resume": wanted.resume,
        });
        self.tell(client, "connect", given);
    }

    /// Connects, signs in, and becomes available.
    #[track_caller]
    pub fn online(&self, client: &str, wanted: &Wanted) {
        self.connect(client, wanted);
        let online = self.expect(client, "online", |_| true);
        assert_eq!(online["tls"] == true, wanted.tls || self.library == Library::XmppJsWebSocket, "{online}");
        self.tell(client, "presence", json!({}));
    }

    /// Waits for an event of `client`, whatever comes before it; what is passed over stays to be asked for.
    ///
    /// # Panics
    /// It does not come, or something broke.
    #[track_caller]
    pub fn expect(&self, client: &str, event: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let found = self
                .waiting
                .borrow()
                .iter()
                .position(|one| one["client"] == client && one["event"] == event && wanted(one));
            if let Some(found) = found.and_then(|at| self.waiting.borrow_mut().remove(at)) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(came) if came["event"] == "broken" => panic!("{came}"),
                Ok(came) => self.waiting.borrow_mut().push_back(came),
                Err(_) => panic!("no `{event}` comes to {client}; the last that came:\n{}", self.last()),
            }
        }
    }

    /// Waits for a message with this body.
    #[track_caller]
    pub fn hears(&self, client: &str, body: &str) -> Value {
        self.expect(client, "message", |message| message["body"] == body && message["type"] != "error")
    }

    /// All bodies that came to `client` until now and were not asked for, in order.
    #[must_use]
    pub fn bodies(&self, client: &str) -> Vec<String> {
        self.waiting.borrow_mut().extend(self.events.try_iter());
        let waiting = self.waiting.borrow();
        let messages = waiting.iter().filter(|one| one["client"] == client && one["event"] == "message");
        messages.filter_map(|one| one["body"].as_str().map(str::to_owned)).collect()
    }

    fn last(&self) -> String {
        let waiting = self.waiting.borrow();
        waiting.iter().rev().take(SHOWN).rev().fold(String::new(), |mut text, one| {
            let _ = writeln!(text, "{one}");
            text
        })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It ends with its input, but not one that hangs.
        self.commands = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
