//! Three nodes that share a log, keys, objects and a queue at RabbitMQ; who of them owns what, and killing one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

use dface_tests::{
    Phone, Server, Setup,
    client::Door,
    clients::Cuts,
    rabbitmq::{PASSWORD, RabbitMq},
};
use serde_json::Value;

use super::{World, found};

/// Nodes of a fleet.
pub const NODES: usize = 3;

/// What a fleet without an external MQTT broker does once.
pub const DUTIES: [&str; 4] = ["jobs", "missed", "processes", "timers"];

/// The nodes, and what they share.
pub struct Fleet {
    pub nodes: Vec<Server>,
    /// The way of chat to each node: closed while it is dead.
    pub roads: Vec<Cuts>,
    pub world: World,
    _queue: Option<RabbitMq>,
}

/// Which node owns what, by their numbers.
pub type Owners = BTreeMap<String, usize>;

impl Fleet {
    /// Starts it; each node with these settings too.
    pub fn start(setup: impl Fn(Setup) -> Setup) -> Self {
        let queue = RabbitMq::start();
        let url = queue.fresh();
        let fleet = Self::of(NODES, |node| {
            setup(node).set("QUEUE", &url).set("AMQP__RECONNECT_MAX_MS", 300).set("JOBS__FIRST_PAUSE_S", 1)
        });
        Self { _queue: Some(queue), ..fleet }
    }

    /// Starts one of so many nodes, without a queue that they share.
    pub fn of(count: usize, setup: impl Fn(Setup) -> Setup) -> Self {
        let world = World::new();
        let start = |number: usize| {
            let mut node = setup(world.node()).set("NODES__NAME", format!("node-{number}")).start();
            node.secret(PASSWORD);
            node
        };
        let nodes: Vec<Server> = (0..count).map(start).collect();
        let roads = nodes.iter().map(|node| Cuts::before(node.xmpp())).collect();
        Self { nodes, roads, world, _queue: None }
    }

    /// The HTTP listeners, wherever they are.
    pub fn doors(&self) -> Vec<Door> {
        self.nodes.iter().map(|node| node.public().clone()).collect()
    }

    /// The same phone at another node.
    pub fn at(&self, phone: &Phone, node: usize) -> Phone {
        phone.at(self.nodes[node].public())
    }

    /// What a node says of all.
    pub fn listed(&self, asked: usize) -> Vec<Value> {
        let listed = self.nodes[asked].operator().get("/admin/nodes").ok();
        listed.as_array().expect("a list").clone()
    }

    /// Who owns what, as a node says. Of each duty one owner at most.
    pub fn owners(&self, asked: usize) -> Owners {
        let mut owners = Owners::new();
        for node in self.listed(asked) {
            let name = node["name"].as_str().expect("a name");
            let number: usize = name.strip_prefix("node-").and_then(|number| number.parse().ok()).expect("our names");
            for duty in node["owns"].as_array().expect("a list") {
                let duty = duty.as_str().expect("a name").to_owned();
                if let Some(other) = owners.insert(duty.clone(), number) {
                    panic!("{duty} is owned by node-{other} and by node-{number}");
                }
            }
        }
        owners
    }

    /// Waits until each of these duties is owned, as `asked` says, by a node that `may`. Who owns what.
    #[track_caller]
    pub fn owned(&self, asked: usize, duties: &[&str], may: impl Fn(usize) -> bool) -> Owners {
        found("each duty has an owner", || {
            let owners = self.owners(asked);
            let all = duties.iter().all(|duty| owners.get(*duty).is_some_and(|owner| may(*owner)));
            all.then_some(owners)
        })
    }

    /// kill -9.
    pub fn kill(&mut self, node: usize) {
        self.roads[node].close();
        self.nodes[node].kill();
    }

    /// Starts a dead node again.
    pub fn start_again(&mut self, node: usize) {
        self.nodes[node].start_again();
        self.roads[node].leads_to(self.nodes[node].xmpp());
    }

    /// Waits until all that a dead node owned is owned by others. How long that took.
    #[track_caller]
    pub fn taken_over(&self, dead: usize) -> Duration {
        let begun = Instant::now();
        self.owned((dead + 1) % self.nodes.len(), &DUTIES, |owner| owner != dead);
        begun.elapsed()
    }

    /// The JSON of all events of a type, in the order of the log.
    pub fn events(&self, wanted: &str) -> Vec<Value> {
        let records = self.world.store.records("dface-");
        let of_type = records.iter().filter(|record| record.type_name() == wanted);
        of_type.map(|record| serde_json::from_slice(record.data()).expect("JSON")).collect()
    }

    /// How many events of a type there are. Of no two these fields are the same.
    #[track_caller]
    pub fn once(&self, wanted: &str, fields: &[&str]) -> usize {
        let events = self.events(wanted);
        let mut seen = BTreeSet::new();
        for event in &events {
            let key: Vec<String> = fields.iter().map(|field| event[*field].to_string()).collect();
            assert!(seen.insert(key.clone()), "twice in the log: {wanted} of {fields:?} {key:?}");
        }
        events.len()
    }

    /// Waits until no job is left, as the node says that has them to do.
    #[track_caller]
    pub fn no_job_is_left(&self) {
        let mut left = Value::Null;
        let begun = Instant::now();
        while left != Value::Array(vec![]) {
            assert!(begun.elapsed() < super::PATIENCE * 2, "jobs are left: {left:#}");
            thread::sleep(Duration::from_millis(50));
            if let Some(owner) = self.owners(0).get("jobs") {
                let answer = self.nodes[*owner].operator().get("/admin/jobs");
                left = if answer.status == 200 { answer.json() } else { Value::Null };
            }
        }
    }
}
