//! kill -9 of the server and of a worker alone over RabbitMQ, in the middle of many pushes: each is told, a repeat only under the same name.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use dface_tests::{
    Server, Setup,
    apns::Apple,
    command::prepared,
    rabbitmq::{PASSWORD, RabbitMq},
};

use super::{
    many::{all_end, all_is_told, each, people},
    quick, say,
};

/// A process that does jobs and nothing else.
struct Worker(Child);

impl Worker {
    fn start(server: &Server, url: &str, apple: &Apple) -> Self {
        let mut command = prepared(&server.dir().join("../worker"));
        command.args(["serve", "--roles", "worker", "--admin", "127.0.0.1:0", "--queue", url, "--objects"]);
        command.arg(server.dir().join("objects")).arg("--keys").arg(server.dir().join("keys"));
        command.envs(apple.settings().into_iter().map(|(key, value)| (format!("DFACE_{key}"), value)));
        command.env("DFACE_AMQP__RECONNECT_MAX_MS", "300").env("DFACE_JOBS__FIRST_PAUSE_S", "1");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let line = BufReader::new(child.stdout.take().expect("piped")).lines().next();
        assert!(line.expect("a line").expect("text").contains("\"ready\":true"));
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().expect("a child can be killed");
        self.0.wait().expect("a killed child ends");
    }
}

#[test]
fn crash_of_server_and_worker_in_the_middle_of_many_pushes() {
    let (apple, broker) = (Apple::start(), RabbitMq::start());
    let url = broker.fresh();
    let setup = quick(Setup::default()).set("ROLES", "http,chat").set("QUEUE", &url).set("AMQP__RECONNECT_MAX_MS", 300);
    let mut server = setup.start();
    server.secret(PASSWORD);
    let people = people(&mut server, &apple);
    let from = server.person("sender", 0).user;
    let (each, mut messages) = (each() / 4, vec![Vec::new(); people.len()]);
    let mut worker = Worker::start(&server, &url, &apple);
    for round in 0..4 {
        for (nth, (person, messages)) in people.iter().zip(&mut messages).enumerate() {
            messages.extend(say(&server, from, person.phone.user, &format!("round{round}"), each));
            // What was said just now is on its way.
            match nth {
                5 | 15 => {
                    worker.kill();
                    worker = Worker::start(&server, &url, &apple);
                }
                10 => {
                    server.kill();
                    server.start_again();
                }
                _ => {}
            }
        }
    }
    all_end(&server, &apple, &people, &messages);
    all_is_told(&apple, &people, &messages);
    worker.kill();
}
