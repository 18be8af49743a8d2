//! One node alone: it owns all that is once, and its log can be finalized at any time.

use std::collections::BTreeSet;

use dface_tests::Setup;
use serde_json::{Value, json};

fn owned(node: &Value) -> BTreeSet<&str> {
    node["owns"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_node_alone_owns_all_that_is_once_from_the_start_and_keeps_its_id() {
    let mut server = Setup::default().set("NODES__NAME", "api-1").start();
    let operator = server.operator();
    // Each task takes its duty when it begins, which may be a moment after the server listens.
    let all = BTreeSet::from(["jobs", "processes", "timers"]);
    let mut asked = (0..1_000).map(|_| operator.get("/admin/nodes").ok());
    let listed = asked.find(|listed| owned(&listed[0]) == all).expect("it comes to own all");
    let [node] = listed.as_array().expect("a list").as_slice() else { panic!("not one node: {listed}") };
    assert_eq!((&node["name"], &node["state"], &node["this"]), (&json!("api-1"), &json!("up"), &json!(true)));
    server.kill();
    server.start_again();
    assert_eq!(server.operator().get("/admin/nodes").ok()[0]["id"], node["id"]);
}

#[test]
fn what_is_finalized_already_is_so_again_and_both_are_kept_in_the_audit_log() {
    let mut server = Setup::default().start();
    let operator = server.operator();
    for _ in 0..2 {
        assert_eq!(operator.post("/admin/finalize", &json!({})).ok(), json!({ "format": 1, "was": 1 }));
    }
    server.alive();
}
