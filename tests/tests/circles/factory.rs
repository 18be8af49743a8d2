//! The factory's list: by an operator's call and by `dface import watches`.

use std::fs;

use dface_tests::{Server, dface};
use serde_json::{Value, json};

use super::{CODE, IMEI, KEY, bind, circle, events, known};

#[test]
fn a_list_is_imported_once_and_its_watches_are_bound_by_code_or_key() {
    let mut server = Server::start();
    let anna = server.person("anna", 0);
    let group = circle(&anna);
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("factory.csv");
    let list = format!(
        "imei,key,code\n{IMEI},{KEY},{CODE}\n861234560000025,another-long-key,\n12,{KEY},{CODE}\n861234560000033,k,\n"
    );
    fs::write(&file, list).expect("a file can be written");
    let run = || {
        let args = ["import", "watches", file.to_str().expect("a path")];
        let done = dface(server.dir(), &[], &args).ended(0);
        assert!(!done.stderr.contains(KEY) && !done.stderr.contains(CODE), "{}", done.stderr);
        serde_json::from_str::<Value>(&done.stdout).expect("a line of JSON")
    };
    let counts = |done: &Value| ["rows", "added", "already_there", "bad"].map(|key| done[key].clone());
    assert_eq!(counts(&run()), [json!(4), json!(2), json!(0), json!(2)]);
    assert_eq!(counts(&run()), [json!(4), json!(0), json!(2), json!(2)]);
    bind(&anna, group, CODE).ok();
    let second = [("group_id", group.to_string()), ("imei", "861234560000025".to_owned())];
    let second = second.into_iter().chain([
        ("code", "another-long-key".to_owned()),
        ("consent", "1".to_owned()),
        ("dev_name", "二宝".to_owned()),
    ]);
    let second: Vec<(&str, String)> = second.collect();
    let given: Vec<(&str, &dyn std::fmt::Display)> = second.iter().map(|(name, text)| (*name, text as _)).collect();
    assert_eq!(anna.post("/watches/bind", &given).ok(), json!({ "imei": "861234560000025" }));
    let imported = events(&server, "WatchImported");
    assert_eq!((imported.len(), &imported[0]["data"]["key"]), (2, &Value::Null), "{imported:?}");
    server.secret(KEY);
}

#[test]
fn an_operator_makes_a_watch_known_and_analysts_do_not() {
    let server = Server::start();
    let operator = server.operator();
    known(&operator);
    known(&operator);
    assert_eq!(events(&server, "WatchImported").len(), 1);
    for (watch, code) in [
        (json!({ "imei": IMEI }), "missing_parameter"),
        (json!({ "imei": "12", "key": KEY }), "bad_parameter"),
        (json!({ "imei": IMEI, "key": "short" }), "bad_parameter"),
        (json!({ "imei": IMEI, "key": KEY, "code": "with space" }), "bad_parameter"),
    ] {
        operator.post("/admin/watches", &watch).refused(400, code);
    }
    let analyst = dface_tests::Operator::new(operator.door(), server.token("analyst-token"));
    analyst.post("/admin/watches", &json!({ "imei": IMEI, "key": KEY })).refused(403, "forbidden");
    let acts = events(&server, "OperatorActed");
    assert!(acts.iter().any(|act| act["data"]["action"] == "watch_add" && act["data"]["target"] == IMEI), "{acts:?}");
}
