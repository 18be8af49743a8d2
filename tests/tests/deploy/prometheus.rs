//! Alerts and the dashboard: Prometheus' own tool reads them, and every metric in them is one that dface tells.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
};

use dface_api::metrics::METRICS;
use dface_tests::{Answer, Server};
use reqwest::Method;
use serde_json::{Value, json};

use super::{deploy, text};

/// Runs `promtool` on `input`; what it says where it is not content.
fn promtool(args: &[&str], input: &str) -> Result<(), String> {
    let mut child = Command::new("promtool")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package `prometheus`");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned() + &String::from_utf8_lossy(&ended.stderr);
    if ended.status.success() { Ok(()) } else { Err(said) }
}

fn path(name: &str) -> String {
    deploy().join(name).display().to_string()
}

fn dashboard() -> Value {
    serde_json::from_str(&text("grafana/dface.json")).expect("JSON")
}

fn panels(dashboard: &Value) -> &Vec<Value> {
    dashboard["panels"].as_array().expect("panels")
}

/// The dashboard's queries, with what its variables stand for.
fn queries(dashboard: &Value) -> Vec<String> {
    let targets = panels(dashboard).iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let queries = targets.map(|target| target["expr"].as_str().expect("a query").to_owned());
    queries
        .map(|query| query.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*"))
        .collect()
}

/// Our metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("dface_"));
    ours.map(|word| word.strip_suffix("_bucket").unwrap_or(word).to_owned()).collect()
}

#[test]
fn the_alerts_are_rules_that_prometheus_takes_and_fire_when_they_should() {
    promtool(&["check", "rules", &path("prometheus/alerts.yaml")], "").unwrap_or_else(|said| panic!("{said}"));
    promtool(&["test", "rules", &path("prometheus/alerts.test.yaml")], "").unwrap_or_else(|said| panic!("{said}"));
}

#[test]
fn what_alerts_and_dashboard_name_is_told_and_what_is_told_is_shown() {
    let told: BTreeSet<String> = METRICS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let (alerts, shown) = (named(&text("prometheus/alerts.yaml")), named(&queries(&dashboard()).join(" ")));
    for name in alerts.union(&shown) {
        assert!(told.contains(name), "{name} is no metric of dface");
    }
    for name in &told {
        assert!(shown.contains(name), "{name} is on no panel of the dashboard");
    }
}

#[test]
fn the_dashboards_queries_are_read_by_prometheus_and_its_panels_lie_beside_each_other() {
    let dashboard = dashboard();
    let rules: Vec<Value> = queries(&dashboard)
        .iter()
        .enumerate()
        .map(|(number, query)| json!({"record": format!("panel:{number}"), "expr": query}))
        .collect();
    let file = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("rules.yaml");
    std::fs::write(&at, file.to_string()).unwrap();
    promtool(&["check", "rules", &at.display().to_string()], "").unwrap_or_else(|said| panic!("{said}"));

    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64()), "{title}: its id is there twice");
        let of = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        assert!(of("x") + of("w") <= 24, "{title} is too wide");
        for (x, y) in (of("x")..of("x") + of("w")).flat_map(|x| (of("y")..of("y") + of("h")).map(move |y| (x, y))) {
            assert!(taken.insert((x, y)), "{title} lies over another panel");
        }
    }
}

#[test]
fn what_a_server_tells_is_in_the_form_that_prometheus_reads() {
    let server = Server::start();
    let metrics = Answer::to(server.admin().request(Method::GET, "/metrics")).text;
    promtool(&["check", "metrics"], &metrics).unwrap_or_else(|said| panic!("{said}\n{metrics}"));
    for name in ["dface_disk_free_bytes", "dface_disk_bytes"] {
        let line =
            metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {metrics}"));
        let bytes: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(bytes > 0.0, "{line}");
    }
}
