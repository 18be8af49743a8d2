//! The queue as operators meet it: roles, a broker that is away, health, pausing.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use dface_tests::{
    Server, Setup,
    command::{dface, prepared},
    rabbitmq::{PASSWORD, RabbitMq},
};
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Asks until it holds.
pub fn becomes(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not become so: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn wrong_roles_end_with_2_and_name_the_flag() {
    let dir = tempfile::tempdir().unwrap();
    let serve = |more: &[&str]| {
        let args = [&["serve", "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0"], more].concat();
        dface(&dir.path().join("data"), &[], &args).ended(2)
    };
    serve(&["--roles", "cook"]).says(&["--roles", "cook", "http, chat and worker"]);
    serve(&["--roles", "chat"]).says(&["--roles", "http", "name both"]);
    serve(&["--roles", "worker"]).says(&["--queue", "broker"]);
    serve(&["--roles", "worker", "--queue", "amqp://127.0.0.1:9/x"]).says(&["--objects"]);
    serve(&["--roles", "worker", "--queue", "amqp://127.0.0.1:9/x", "--objects", "objects"]).says(&["--keys"]);
    let told = serve(&["--queue", "amqp//dface:geheim@host"]).says(&["queue"]);
    assert!(!told.stderr.contains("geheim"), "{}", told.stderr);
}

#[test]
fn the_server_starts_while_the_broker_is_away_and_finds_it_later() {
    let mut broker = RabbitMq::start();
    let url = broker.fresh();
    broker.kill();
    let setup = Setup::default().set("QUEUE", &url).set("AMQP__RECONNECT_MAX_MS", 300);
    let mut server = setup.start();
    server.secret(PASSWORD);
    let connected = |server: &Server| {
        dface_tests::Answer::to(server.request(Method::GET, "/readyz")).ok()["queue_connected"].clone()
    };
    assert_eq!(connected(&server), false);
    let status = server.operator().get("/admin/status").ok();
    assert!(status["queue"]["error"].is_string() && !status.to_string().contains(PASSWORD), "{status}");
    let found = dface(server.dir(), &[("DFACE_QUEUE", &url)], &["doctor"]).ended(1);
    assert!(found.stdout.contains("start RabbitMQ") && !found.stdout.contains(PASSWORD), "{}", found.stdout);
    broker.start_again();
    becomes("connected", || connected(&server) == true);
    assert!(server.operator().get("/admin/status").ok()["queue"]["error"].is_null());
    let metrics = server.operator().get("/metrics");
    assert!(metrics.text.contains("dface_queue_connected 1"), "{metrics}");
    broker.kill();
    becomes("away", || connected(&server) == false);
}

#[test]
fn pausing_a_kind_outlives_a_restart_and_is_audited() {
    let mut server = Server::start();
    let operator = server.operator();
    assert_eq!(operator.get("/admin/jobs").ok(), Value::Array(Vec::new()));
    assert_eq!(operator.post("/admin/pause/picture", &serde_json::json!({})).ok()["paused"], true);
    operator.post("/admin/pause/cake", &serde_json::json!({})).refused(400, "bad_parameter");
    server.stop();
    server.start_again();
    let operator = server.operator();
    assert_eq!(operator.get("/admin/status").ok()["paused"], serde_json::json!(["picture"]));
    assert_eq!(operator.post("/admin/resume/picture", &serde_json::json!({})).ok()["paused"], false);
    assert_eq!(operator.get("/admin/status").ok()["paused"], serde_json::json!([]));
    let unknown = "/admin/jobs/coupon-018f0000-0000-7000-8000-000000000001";
    operator.post(&format!("{unknown}/retry"), &serde_json::json!({})).refused(404, "not_found");
    dface_tests::Answer::to(operator.request(Method::DELETE, unknown)).refused(404, "not_found");
    operator.get("/admin/jobs?state=asleep").refused(400, "bad_parameter");
    server.stop();
    let log = dface(server.dir(), &[], &["replay", "--type", "OperatorActed"]).ended(0);
    assert!(log.stdout.contains("jobs_pause") && log.stdout.contains("jobs_resume"), "{}", log.stdout);
    server.start_again();
}

/// A process that does jobs and nothing else.
pub struct Worker(Child, String);

impl Worker {
    pub fn start(server: &Server, url: &str) -> Self {
        let own = server.dir().join("../worker");
        let mut command: Command = prepared(&own);
        command.args(["serve", "--roles", "worker", "--admin", "127.0.0.1:0", "--queue", url, "--objects"]);
        command
            .arg(server.dir().join("objects"))
            .arg("--keys")
            .arg(server.dir().join("keys"))
            .env("DFACE_AMQP__RECONNECT_MAX_MS", "300")
            .env("DFACE_JOBS__TOLD_AFTER_MS", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        let line = BufReader::new(child.stdout.take().expect("piped")).lines().next();
        let ready: Value = serde_json::from_str(&line.expect("a line").expect("text")).expect("JSON");
        Self(child, format!("http://{}", ready["admin"].as_str().expect("an address")))
    }

    fn get(&self, path: &str) -> String {
        let client = dface_tests::client::client(None);
        client.get(format!("{}{path}", self.1)).send().expect("an answer").text().expect("text")
    }

    pub fn kill(mut self) {
        self.0.kill().expect("a child can be killed");
        self.0.wait().expect("a killed child ends");
    }

    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("it runs");
        let status = self.0.wait().expect("it ends");
        assert!(status.success(), "{status}");
    }
}

#[test]
fn several_workers_alone_beside_the_embedded_store() {
    let broker = RabbitMq::start();
    let url = broker.fresh();
    let mut server = Setup::default().set("QUEUE", &url).arg("--roles").arg("http").start();
    server.secret(PASSWORD);
    let workers = [Worker::start(&server, &url), Worker::start(&server, &url)];
    for worker in &workers {
        assert_eq!(worker.get("/healthz"), r#"{"alive":true}"#);
        becomes("connected", || worker.get("/readyz").contains(r#""connected":true"#));
        assert!(worker.get("/metrics").contains("dface_queue_connected 1"), "{}", worker.get("/metrics"));
    }
    workers.into_iter().for_each(Worker::stop);
}
