//! `dface serve` on a directory of its own.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use reqwest::{Method, blocking::RequestBuilder};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    client::{Answer, Door, client},
    command::prepared,
    log::Log,
    operator::Operator,
    phone::{Phone, sign_in},
};

/// The longest that a server may take to end after SIGTERM: its grace time and a little.
const STOPPING: Duration = Duration::from_secs(20);

/// How a server is started.
#[derive(Debug, Default)]
pub struct Setup {
    settings: Vec<(String, String)>,
    data: Option<PathBuf>,
    certificate: Option<String>,
    args: Vec<String>,
}

impl Setup {
    /// Sets `DFACE_<key>`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike, as they stand in the test")]
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.push((format!("DFACE_{key}"), value.to_string()));
        self
    }

    /// Uses this directory, which is somebody else's to take away.
    #[must_use]
    pub fn on(mut self, data: &Path) -> Self {
        self.data = Some(data.to_owned());
        self
    }

    /// Adds an argument to `serve`.
    #[must_use]
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// Talks TLS, and trusts this certificate (PEM).
    #[must_use]
    pub fn tls(mut self, certificate: String) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    /// It does not become ready.
    #[must_use]
    pub fn start(self) -> Server {
        Server::begin(self)
    }
}

struct Running {
    child: Child,
    reading: JoinHandle<()>,
}

/// A server and its directory. When dropped: it still runs unless it was stopped, ends by SIGTERM with 0, and its log
/// has no panic, no unexpected error and no secret.
pub struct Server {
    setup: Setup,
    dir: PathBuf,
    running: Option<Running>,
    log: Log,
    public: Door,
    admin: Door,
    xmpp: Option<SocketAddr>,
    mqtt: Option<SocketAddr>,
    chat_api: Door,
    secrets: Vec<String>,
    expected: Vec<String>,
    _own: TempDir,
}

impl Server {
    /// On a fresh directory, with the defaults.
    #[must_use]
    pub fn start() -> Self {
        Setup::default().start()
    }

    fn begin(setup: Setup) -> Self {
        let own = tempfile::tempdir().expect("a directory");
        let dir = setup.data.clone().unwrap_or_else(|| own.path().join("data"));
        let certificate = setup.certificate.as_deref();
        let (client, scheme) = (client(certificate), if certificate.is_some() { "https" } else { "http" });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let [public, admin, chat_api] = [(); 3].map(|()| Door::new(client.clone(), scheme, nowhere));
        let (secrets, expected) = (Vec::new(), Vec::new());
        let log = Log::default();
        let mut server = Self {
            setup,
            dir,
            running: None,
            log,
            public,
            admin,
            chat_api,
            xmpp: None,
            mqtt: None,
            secrets,
            expected,
            _own: own,
        };
        server.start_again();
        for token in ["admin-token", "analyst-token", "internal-token"] {
            let token = server.token(token);
            server.secret(token);
        }
        server
    }

    /// Starts it on the same directory; phones and operators of before go on.
    ///
    /// # Panics
    /// It runs already, or does not become ready.
    pub fn start_again(&mut self) {
        self.start_unready();
        let child = &mut self.running.as_mut().expect("just started").child;
        let line = BufReader::new(child.stdout.take().expect("piped")).lines().next();
        let ready = line.and_then(Result::ok).and_then(|line| serde_json::from_str::<Value>(&line).ok());
        let Some(ready) = ready else {
            let status = self.end_of_process();
            panic!("the server does not become ready ({status}); its log:\n{}", self.log.end());
        };
        assert_eq!(ready["ready"], true, "{ready}");
        let address = |name: &str| ready[name].as_str().and_then(|text| text.parse().ok()).expect("an address");
        self.public.moved(address("http"));
        self.admin.moved(address("admin"));
        if let Some(at) = ready["xmpp_api"].as_str() {
            self.chat_api.moved(at.parse().expect("an address"));
        }
        self.mqtt = ready["mqtt"].as_str().and_then(|text| text.parse().ok());
        self.xmpp = ready["xmpp"].as_str().and_then(|text| text.parse().ok());
    }

    /// Starts it and does not wait until it is ready, for killing it meanwhile.
    ///
    /// # Panics
    /// It runs already.
    pub fn start_unready(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let mut command = prepared(&self.dir);
        command.args(["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).args(&self.setup.args);
        command.env(
            "DFACE_LOG__LEVEL",
            "info,dface_api=debug,dface_commands=debug,dface_projections=debug,dface_workers=debug,lapin=off,rmqtt=off,rmqtt_net=off",
        );
        command.envs(self.setup.settings.iter().map(|(key, value)| (key, value)));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let reading = self.log.follow(child.stderr.take().expect("piped"));
        self.running = Some(Running { child, reading });
    }

    /// Waits for the process, which was told to end or did by itself.
    fn end_of_process(&mut self) -> ExitStatus {
        let Running { mut child, reading } = self.running.take().expect("the server runs");
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                break status;
            }
            if begun.elapsed() > STOPPING {
                child.kill().expect("a child can be killed");
                child.wait().expect("a killed child ends");
                panic!("the server does not end; its log:\n{}", self.log.end());
            }
            thread::sleep(Duration::from_millis(5));
        };
        reading.join().expect("the log is read to its end");
        status
    }

    /// SIGTERM; it must end with 0.
    ///
    /// # Panics
    /// It does not.
    pub fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.end_of_process();
        assert!(status.success(), "after SIGTERM: {status}; its log:\n{}", self.log.end());
    }

    /// SIGHUP.
    pub fn reload(&self) {
        self.signal(Signal::HUP);
    }

    /// kill -9.
    ///
    /// # Panics
    /// It ended before by itself.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        let status = self.end_of_process();
        assert_eq!(status.code(), None, "it ended before it was killed; its log:\n{}", self.log.end());
    }

    fn signal(&self, signal: Signal) {
        let running = self.running.as_ref().expect("the server runs");
        let pid = Pid::from_child(&running.child);
        kill_process(pid, signal).expect("a child that was not waited for can be signalled");
    }

    /// Asserts that it runs and answers.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn alive(&mut self) {
        let ended = self.running.as_mut().and_then(|running| running.child.try_wait().expect("a child can be asked"));
        assert!(ended.is_none(), "the server ended by itself ({ended:?}); its log:\n{}", self.log.end());
        assert_eq!(Answer::to(self.request(Method::GET, "/healthz")).ok()["alive"], true);
    }

    /// Its data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its public listener.
    #[must_use]
    pub const fn public(&self) -> &Door {
        &self.public
    }

    /// Where it takes connections of chat.
    ///
    /// # Panics
    /// Nowhere.
    #[must_use]
    pub fn xmpp(&self) -> SocketAddr {
        self.xmpp.expect("a server with the role chat")
    }

    /// Where the embedded MQTT broker listens.
    ///
    /// # Panics
    /// It is off.
    #[must_use]
    pub fn mqtt(&self) -> SocketAddr {
        self.mqtt.expect("a server with MQTT")
    }

    /// Its admin listener.
    #[must_use]
    pub const fn admin(&self) -> &Door {
        &self.admin
    }

    /// The listener of §32.
    #[must_use]
    pub const fn chat_api(&self) -> &Door {
        &self.chat_api
    }

    /// The process.
    ///
    /// # Panics
    /// It does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("the server runs").child.id()
    }

    /// Its log.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// A request of a stranger.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.public.request(method, path)
    }

    /// A token of the data directory.
    ///
    /// # Panics
    /// It is not there.
    #[must_use]
    pub fn token(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.join(name)).expect("made at first start").trim().to_owned()
    }

    /// An operator.
    #[must_use]
    pub fn operator(&self) -> Operator {
        Operator::new(&self.admin, self.token("admin-token"))
    }

    /// Makes an account and signs in. Password and cookie must not be in the log.
    ///
    /// # Panics
    /// It was refused.
    #[track_caller]
    pub fn person(&mut self, name: &str, gender: u8) -> Phone {
        let password = password_of(name);
        self.operator().add_user(name, &password, gender);
        self.sign_in(name)
    }

    /// Signs somebody in whom `person` made.
    ///
    /// # Panics
    /// It was refused.
    #[track_caller]
    pub fn sign_in(&mut self, name: &str) -> Phone {
        let password = password_of(name);
        let signed_in = sign_in(&self.public, name, &password);
        let phone = Phone::new(&self.public, &signed_in);
        [password, phone.cookie.clone(), phone.chat_password.clone()].into_iter().for_each(|text| self.secret(text));
        phone
    }

    /// Sets `DFACE_<key>` from its next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.setup.settings.push((format!("DFACE_{key}"), value.to_owned()));
    }

    /// This may not be in the log.
    pub fn secret(&mut self, text: impl Into<String>) {
        self.secrets.push(text.into());
    }

    /// Error lines with this text are what the test is about.
    pub fn expect_error(&mut self, text: &str) {
        self.expected.push(text.to_owned());
    }
}

/// The password of somebody whom `Server::person` made.
#[must_use]
pub fn password_of(name: &str) -> String {
    format!("pass word+of&{name}/é")
}

impl Drop for Server {
    #[expect(clippy::print_stderr, reason = "what a person needs who looks at a failed test")]
    fn drop(&mut self) {
        if thread::panicking() {
            if let Some(Running { mut child, reading }) = self.running.take() {
                let _ = child.kill();
                let _ = child.wait();
                let _ = reading.join();
            }
            eprintln!("--- the end of the server's log:\n{}\n---", self.log.end());
            return;
        }
        if self.running.is_some() {
            self.alive();
            self.stop();
        }
        let wrong = self.log.wrong(&self.expected, &self.secrets);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
