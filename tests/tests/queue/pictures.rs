//! Pictures under fire: workers, RabbitMQ or the server are killed -9 while phones upload. Every accepted picture ends processed or marked, once;
//! every file can be fetched, and none is left over. `CRASH_ROUNDS` says how often (3 by default, 20 by `make crash`).

use std::{
    thread,
    time::{Duration, Instant},
};

use dface_tests::{
    Server, Setup,
    rabbitmq::{PASSWORD, RabbitMq},
};
use serde_json::json;

use crate::{
    crash::rounds,
    served::{Worker, becomes},
    uploads::Uploads,
};

/// Uploads of a round before the kill.
const UPLOADS: usize = 16;

/// Uploads after the broker came back.
const A_FEW: usize = 4;

/// What must not end a crash test early.
fn setup() -> Setup {
    Setup::default()
        .set("LIMITS__ALBUM_PHOTOS", 100_000)
        .set("LIMITS__UPLOAD_S", 10)
        .set("CLEANING__GRACE_S", 11)
        .set("AMQP__RECONNECT_MAX_MS", 300)
}

/// A server that leaves its jobs to workers at that broker.
fn without_workers(url: &str) -> Server {
    let mut server = setup().set("QUEUE", url).arg("--roles").arg("http").start();
    server.secret(PASSWORD);
    server
}

fn connected(server: &Server) -> bool {
    let status = server.operator().get("/admin/status").ok();
    status["queue"]["connected"].as_bool().unwrap_or_else(|| panic!("the status page does not say: {status}"))
}

#[expect(clippy::print_stderr, reason = "how much went through it, for who reads the long run's output")]
fn all_is_well(uploads: &Uploads, server: &mut Server, killed: &str) {
    uploads.cleaned(server);
    server.operator().compare_all();
    let killed = killed.replace('#', &rounds().to_string());
    eprintln!("{killed}; {} accepted uploads, none lost", uploads.accepted());
}

#[test]
fn crash_of_workers_ends_every_picture_once() {
    let broker = RabbitMq::start();
    let url = broker.fresh();
    let mut server = without_workers(&url);
    let uploads = Uploads::prepare(&mut server);
    for _ in 0..rounds() {
        uploads.during(|_| {
            let workers = [Worker::start(&server, &url), Worker::start(&server, &url)];
            uploads.more(UPLOADS);
            let in_work = || server.operator().get("/admin/jobs?kind=picture&state=running").ok() != json!([]);
            becomes("in the middle of a job", in_work);
            workers.into_iter().for_each(Worker::kill);
        });
    }
    let worker = Worker::start(&server, &url);
    uploads.check(&server);
    all_is_well(&uploads, &mut server, "two workers killed # times");
    worker.stop();
}

#[test]
fn crash_of_rabbitmq_ends_every_picture_once() {
    let mut broker = RabbitMq::start();
    let url = broker.fresh();
    let mut server = without_workers(&url);
    let uploads = Uploads::prepare(&mut server);
    let worker = Worker::start(&server, &url);
    becomes("connected", || connected(&server));
    broker.settled();
    for _ in 0..rounds() {
        uploads.during(|over| {
            uploads.more(12);
            broker.kill();
            uploads.more(8);
            over.now();
        });
        broker.start_again();
        uploads.during(|_| uploads.more(A_FEW));
    }
    uploads.check(&server);
    all_is_well(&uploads, &mut server, "RabbitMQ killed # times");
    worker.stop();
}

#[test]
fn crash_of_the_server_between_upload_and_job_ends_every_picture_once() {
    let broker = RabbitMq::start();
    let url = broker.fresh();
    let mut server = without_workers(&url);
    let uploads = Uploads::prepare(&mut server);
    let worker = Worker::start(&server, &url);
    for _ in 0..rounds() {
        uploads.during(|over| {
            uploads.more(UPLOADS);
            over.now();
            server.kill();
        });
        server.start_again();
        uploads.repeat();
    }
    uploads.check(&server);
    all_is_well(&uploads, &mut server, "the server killed # times");
    worker.stop();
}

#[test]
fn crash_of_the_server_with_its_own_queue_and_workers_ends_every_picture_once() {
    let mut server = setup().start();
    let uploads = Uploads::prepare(&mut server);
    for _ in 0..rounds() {
        uploads.during(|over| {
            uploads.more(UPLOADS);
            over.now();
            server.kill();
        });
        server.start_again();
        uploads.repeat();
    }
    uploads.check(&server);
    all_is_well(&uploads, &mut server, "the server and its own workers killed # times");
}

/// Three seconds for each round: a minute by `make crash`.
#[test]
fn crash_of_rabbitmq_for_a_while_stops_no_upload_and_is_told() {
    let mut broker = RabbitMq::start();
    let url = broker.fresh();
    let mut server = without_workers(&url);
    let uploads = Uploads::prepare(&mut server);
    let worker = Worker::start(&server, &url);
    let away = Duration::from_secs(3) * rounds();
    becomes("connected", || connected(&server));
    broker.settled();
    broker.kill();
    becomes("away", || !connected(&server));
    let begun = Instant::now();
    while begun.elapsed() < away {
        uploads.during(|_| uploads.more(8));
        assert!(!connected(&server));
        thread::sleep(Duration::from_millis(700));
    }
    let waiting = server.operator().get("/admin/jobs?pcount=100&state=waiting").ok();
    assert!(waiting.as_array().is_some_and(|jobs| jobs.len() >= 8), "{waiting}");
    broker.start_again();
    becomes("connected", || connected(&server));
    uploads.check(&server);
    all_is_well(&uploads, &mut server, &format!("RabbitMQ away for {} s", away.as_secs()));
    worker.stop();
}
