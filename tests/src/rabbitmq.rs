//! A RabbitMQ for one test: Debian's program on free ports of loopback, with a directory, a node name, a cookie and an epmd of
//! its own. It ends with the test, also where that is killed: it runs under a shell that watches a pipe of ours.

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tempfile::TempDir;

const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";
/// The longest that a start may take on a busy machine.
const STARTING: Duration = Duration::from_secs(90);
/// Virtual hosts made at the first start.
const HOSTS: usize = 24;
/// Its user's password; may stand in no log of ours.
pub const PASSWORD: &str = "geheim-42";

/// A broker. Ends when dropped.
pub struct RabbitMq {
    dir: TempDir,
    ports: [u16; 6],
    running: Option<[Child; 2]>,
    hosts_used: AtomicUsize,
    certificate: String,
}

fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"));
    held.map(|listener| listener.local_addr().expect("it is bound").port())
}

impl RabbitMq {
    /// Starts one, which takes some seconds.
    ///
    /// # Panics
    /// It does not come up; `.ci/setup test` installs it.
    #[must_use]
    pub fn start() -> Self {
        let mut broker = Self::reserved();
        broker.start_again();
        broker
    }

    /// One that does not run yet, and whose addresses are known.
    ///
    /// # Panics
    /// `.ci/setup test` installs it.
    #[must_use]
    pub fn reserved() -> Self {
        assert!(Path::new(SERVER).is_file(), "there is no RabbitMQ: run .ci/setup test");
        let dir = tempfile::tempdir().expect("a directory");
        let ports = free_ports();
        let certificate = write_files(dir.path(), ports);
        Self { dir, ports, running: None, hosts_used: AtomicUsize::new(0), certificate }
    }

    /// Starts it as a broker of MQTT that asks at `admin` who may do what.
    ///
    /// # Panics
    /// As [`Self::start_again`].
    pub fn serve_mqtt(&mut self, admin: SocketAddr) {
        let [.., mqtt, mqtts] = self.ports;
        let asked = ["user", "vhost", "resource", "topic"]
            .map(|what| format!("auth_http.{what}_path = http://{admin}/mqtt/auth/{what}\n"));
        let more = format!(
            "mqtt.listeners.tcp.1 = 127.0.0.1:{mqtt}\nmqtt.listeners.ssl.1 = 127.0.0.1:{mqtts}\nmqtt.vhost = t0\n\
             mqtt.allow_anonymous = false\nauth_backends.1 = internal\nauth_backends.2 = http\n\
             auth_http.http_method = post\n{}",
            asked.concat()
        );
        let at = |file: &str| self.dir.path().join(file);
        let settings = fs::read_to_string(at("rabbitmq.conf")).expect("it was written");
        fs::write(at("rabbitmq.conf"), settings + &more).expect("it can be written");
        fs::write(at("plugins"), "[rabbitmq_mqtt,rabbitmq_auth_backend_http].\n").expect("it can be written");
        self.start_again();
        self.listens(mqtt);
    }

    /// The address of its MQTT, of its own user.
    #[must_use]
    pub fn mqtt(&self) -> String {
        format!("mqtt://dface:{PASSWORD}@127.0.0.1:{}", self.ports[4])
    }

    /// The same over TLS.
    #[must_use]
    pub fn mqtts(&self) -> String {
        format!("mqtts://dface:{PASSWORD}@localhost:{}", self.ports[5])
    }

    /// Starts it again on the same ports and directory.
    ///
    /// # Panics
    /// It runs already, or does not come up.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the broker runs already");
        let [amqp, _, distribution, epmd, ..] = self.ports;
        let mut names = watched(self.dir.path(), "epmd");
        names.args(["epmd", "-address", "127.0.0.1", "-port", &epmd.to_string()]);
        let mut server = watched(self.dir.path(), "server");
        server.arg(SERVER).env("RABBITMQ_DIST_PORT", distribution.to_string());
        for command in [&mut names, &mut server] {
            command.env("ERL_EPMD_PORT", epmd.to_string());
        }
        let names = names.spawn().expect("epmd starts");
        self.running = Some([server.spawn().expect("the broker starts"), names]);
        self.listens(amqp);
    }

    fn listens(&self, port: u16) {
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < STARTING, "RabbitMQ does not come up:\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// kill -9 of it and all that belongs to it.
    ///
    /// # Panics
    /// It does not run.
    pub fn kill(&mut self) {
        for mut child in self.running.take().expect("the broker runs") {
            let group = Pid::from_child(&child);
            kill_process_group(group, Signal::KILL).expect("a child that was not waited for can be signalled");
            child.wait().expect("a killed child ends");
        }
    }

    /// Waits until all that was declared is on its disk. RabbitMQ writes the names of new quorum queues down some time after it answered; one
    /// that is killed before keeps the queue and throws its log away, and the queue then answers nobody (seen with 3.10).
    ///
    /// # Panics
    /// The broker does not answer.
    pub fn settled(&self) {
        let mut command = Command::new(CONTROL);
        in_its_place(&mut command, self.dir.path());
        command.env("ERL_EPMD_PORT", self.ports[3].to_string());
        let out =
            command.args(["eval", "[ok = dets:sync(T) || T <- dets:all()], dumped = mnesia:dump_log()."]).output();
        let out = out.expect("rabbitmqctl runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }

    /// What it wrote.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("server.out")).unwrap_or_default()
    }

    /// The address of a virtual host that nobody used yet.
    ///
    /// # Panics
    /// All are used.
    #[must_use]
    pub fn fresh(&self) -> String {
        let host = self.hosts_used.fetch_add(1, Ordering::SeqCst);
        assert!(host < HOSTS, "all virtual hosts are used");
        format!("amqp://dface:{PASSWORD}@127.0.0.1:{}/t{host}", self.ports[0])
    }

    /// The same over TLS, by the name in its certificate.
    #[must_use]
    pub fn fresh_tls(&self) -> String {
        let plain = self.fresh();
        let of = |scheme: &str, host: &str, port: u16| (format!("{scheme}://"), format!("@{host}:{port}/"));
        let (from, to) = (of("amqp", "127.0.0.1", self.ports[0]), of("amqps", "localhost", self.ports[1]));
        plain.replace(&from.0, &to.0).replace(&from.1, &to.1)
    }

    /// The certificate (PEM) that it shows over TLS.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}

/// A command under a shell that kills its whole group when our end of its input is closed.
fn watched(dir: &Path, name: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"exec 3<&0; "$@" </dev/null & read -r _ <&3; kill -9 0"#, "sh"]);
    let out = fs::File::create(dir.join(format!("{name}.out"))).expect("a file");
    let errors = out.try_clone().expect("a second handle");
    command.stdin(Stdio::piped()).stdout(out).stderr(errors).process_group(0).current_dir(dir);
    in_its_place(&mut command, dir);
    let scheduling = "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}";
    command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", scheduling);
    command
}

/// The broker's own names and directories, and none of whoever runs the tests.
fn in_its_place(command: &mut Command, dir: &Path) {
    let inherited: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    for name in inherited.iter().filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("RABBITMQ_") || name.starts_with("ERL_")
    }) {
        command.env_remove(name);
    }
    let at = |file: &str| dir.join(file).into_os_string();
    command
        .env("HOME", dir)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODENAME", "dface@localhost")
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        .env("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", at("advanced.config"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins"))
        .env("RABBITMQ_GENERATED_CONFIG_DIR", at("generated"))
        .env("RABBITMQ_MNESIA_BASE", at("mnesia"))
        .env("RABBITMQ_LOG_BASE", at("log"))
        .env("RABBITMQ_LOGS", "-")
        .env("RABBITMQ_PID_FILE", at("pid"));
}

/// Writes its settings, its users and virtual hosts, and a certificate, which is returned.
fn write_files(dir: &Path, [amqp, tls, ..]: [u16; 6]) -> String {
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let certificate = key.cert.pem();
    let hosts: Vec<String> = (0..HOSTS).map(|host| format!("t{host}")).collect();
    let may = |host: &String| json!({"user": "dface", "vhost": host, "configure": ".*", "write": ".*", "read": ".*"});
    let definitions = json!({
        "users": [{"name": "dface", "password": PASSWORD, "tags": ""}],
        "vhosts": hosts.iter().map(|host| json!({"name": host})).collect::<Vec<_>>(),
        "permissions": hosts.iter().map(may).collect::<Vec<_>>(),
    });
    let at = |file: &str| dir.join(file).display().to_string();
    let settings = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\nlisteners.ssl.1 = 127.0.0.1:{tls}\n\
         ssl_options.certfile = {}\nssl_options.keyfile = {}\nload_definitions = {}\n\
         disk_free_limit.absolute = 1MB\nlog.console.level = warning\n",
        at("cert.pem"),
        at("key.pem"),
        at("definitions.json"),
    );
    let write = |file: &str, text: &str| {
        let mut file = fs::File::create(dir.join(file)).expect("a file");
        file.write_all(text.as_bytes()).expect("it can be written");
    };
    write("cert.pem", &certificate);
    write("key.pem", &key.signing_key.serialize_pem());
    write("definitions.json", &definitions.to_string());
    write("rabbitmq.conf", &settings);
    write("plugins", "[].\n");
    certificate
}
