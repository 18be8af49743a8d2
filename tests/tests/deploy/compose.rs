//! `deploy/compose.yaml`: no container engine is needed to see that it is well-formed, agrees with the files beside it, and sets what dface knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use dface_tests::command::prepared;
use serde_json::{Map, Value};

use super::{deploy, text};

/// The file with its anchors and merges taken in.
fn compose() -> Value {
    serde_saphyr::from_str(&text("compose.yaml")).expect("well-formed YAML")
}

fn services(compose: &Value) -> &Map<String, Value> {
    compose["services"].as_object().expect("services")
}

fn names(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(map) => map.keys().cloned().collect(),
        Value::Array(list) => list.iter().map(|one| one.as_str().expect("a name").to_owned()).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn there_are_three_stores_three_brokers_two_nodes_two_workers_and_a_proxy_each_with_a_health_check() {
    let compose = compose();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (name, service) in services(&compose) {
        *kinds.entry(name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()).or_default() += 1;
        let check = service["healthcheck"]["test"].as_array().unwrap_or_else(|| panic!("{name} has no health check"));
        assert!(check[0] == "CMD" || check[0] == "CMD-SHELL", "{name}: {check:?}");
        for key in ["interval", "timeout", "retries"] {
            assert!(!service["healthcheck"][key].is_null(), "{name}: its health check has no {key}");
        }
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        assert!(!service["logging"]["options"]["max-size"].is_null(), "{name}: its log grows without an end");
        let image = service["image"].as_str().unwrap_or_default();
        assert!(image.starts_with("${") && image.contains(":-") && !image.contains(":latest"), "{name}: {image}");
    }
    let wanted = [("api", 2), ("proxy", 1), ("rabbit", 3), ("store", 3), ("worker", 2)];
    assert_eq!(kinds, wanted.map(|(kind, count)| (kind.to_owned(), count)).into());
}

#[test]
fn what_a_service_names_is_there() {
    let compose = compose();
    let services = services(&compose);
    let (volumes, networks) = (names(&compose["volumes"]), names(&compose["networks"]));
    let mut addresses = BTreeSet::new();
    for (name, service) in services {
        for needed in names(&service["depends_on"]) {
            assert!(services.contains_key(&needed), "{name} depends on {needed}");
            assert_eq!(service["depends_on"][&needed]["condition"], "service_healthy", "{name} on {needed}");
        }
        for mount in names(&service["volumes"]) {
            let source = mount.split(':').next().unwrap().to_owned();
            match source.strip_prefix("./") {
                Some(file) => assert!(deploy().join(file).is_file(), "{name} mounts {file}"),
                None => assert!(volumes.contains(&source), "{name} mounts {source}"),
            }
        }
        for network in names(&service["networks"]) {
            assert!(networks.contains(&network), "{name} is in {network}");
            if let Some(address) = service["networks"][&network]["ipv4_address"].as_str() {
                assert!(address.starts_with("172.30.240."), "{name}: {address} is not of the subnet");
                assert!(addresses.insert(address.to_owned()), "{address} is there twice");
            }
        }
        if let Some(dockerfile) = service["build"]["dockerfile"].as_str() {
            assert!(deploy().join(service["build"]["context"].as_str().unwrap()).join(dockerfile).is_file(), "{name}");
        }
    }
    for (name, service) in services.iter().filter(|(name, _)| name.starts_with("store")) {
        let seeds = service["environment"]["KURRENTDB_GOSSIP_SEED"].as_str().unwrap();
        let others: Vec<_> = seeds.split(',').map(|seed| seed.trim_end_matches(":2113").to_owned()).collect();
        let own = service["environment"]["KURRENTDB_REPLICATION_IP"].as_str().unwrap().to_owned();
        assert_eq!(service["networks"]["inside"]["ipv4_address"], *own, "{name}");
        assert!(
            others.len() == 2 && others.iter().all(|seed| addresses.contains(seed) && *seed != own),
            "{name}: {seeds}"
        );
    }
}

/// The variables that a text cannot do without, as in `${NAME:?why}`.
fn required(text: &str) -> BTreeSet<String> {
    let pieces = text.split("${").skip(1).filter_map(|piece| piece.split_once('}'));
    let needed = pieces.filter_map(|(inside, _)| Some(inside.split_once(":?")?.0.to_owned()));
    needed.collect()
}

fn example() -> BTreeMap<String, String> {
    let lines = text("example.env");
    let pairs = lines.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// As compose would put the example's values in, and the defaults of the rest.
fn filled(text: &str) -> String {
    let (mut out, mut rest, example) = (String::new(), text, example());
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, after) = after.split_once('}').expect("closed");
        let name = inside.split(':').next().unwrap();
        let default = inside.split_once(":-").map(|(_, default)| default.to_owned());
        out += before;
        out += &example.get(name).cloned().or(default).unwrap_or_else(|| panic!("{name} has no value"));
        rest = after;
    }
    out + rest
}

#[test]
fn every_variable_that_must_be_set_is_in_the_example() {
    let (needed, example) = (required(&text("compose.yaml")), example());
    assert!(!needed.is_empty());
    for name in needed {
        assert!(example.contains_key(&name), "example.env does not set {name}");
    }
}

#[test]
fn the_settings_of_nodes_and_workers_are_settings_of_dface() {
    let compose = compose();
    for (name, service) in
        services(&compose).iter().filter(|(name, _)| name.starts_with("api") || name.starts_with("worker"))
    {
        let dir = tempfile::tempdir().unwrap();
        // Settings are checked before anything is opened; then there is no data, which is said of no setting.
        let mut command: Command = prepared(dir.path());
        command.args(["user", "list"]);
        for (key, value) in service["environment"].as_object().unwrap() {
            assert!(key.starts_with("DFACE_"), "{name}: {key}");
            command.env(key, filled(value.as_str().unwrap_or_else(|| panic!("{name}: {key} is no text"))));
        }
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(said.contains("there is no data of dface"), "{name}: {said}");
    }
}

#[test]
fn the_proxy_leads_to_services_and_listens_where_compose_publishes() {
    let (compose, proxy) = (compose(), text("haproxy.cfg"));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut led = BTreeSet::new();
    for line in proxy.lines().map(words).filter(|words| words.first().is_some_and(|word| word == "server")) {
        let (host, port) = line[2].split_once(':').expect("host and port");
        assert!(services(&compose).contains_key(host), "the proxy leads to {host}");
        port.parse::<u16>().unwrap();
        led.insert(host.to_owned());
    }
    for wanted in ["api1", "api2", "rabbit1", "rabbit2", "rabbit3"] {
        assert!(led.contains(wanted), "the proxy does not lead to {wanted}");
    }
    let binds: BTreeSet<String> =
        proxy.lines().filter_map(|line| Some(line.trim().strip_prefix("bind *:")?.to_owned())).collect();
    for port in names(&services(&compose)["proxy"]["ports"]) {
        assert!(port.starts_with("127.0.0.1:"), "{port} is published to everybody");
        assert!(binds.contains(port.rsplit(':').next().unwrap()), "nothing listens on {port}");
    }
    let backends = |word: &str| -> BTreeSet<String> {
        let named = proxy.lines().map(words).filter(|words| words.first().is_some_and(|first| first == word));
        named.map(|words| words[1].clone()).collect()
    };
    assert_eq!(backends("default_backend"), backends("backend"));
}
