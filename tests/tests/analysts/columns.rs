//! `--format parquet` and `dface export`, read by DuckDB and pyarrow.

use dface_tests::Server;
use serde_json::{Value, json};

use super::{HERE, becomes, count, lines, output, python, run, settle, text};

#[test]
fn duckdb_and_pyarrow_read_the_right_types_from_a_running_and_a_stopped_directory() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let anna = server.person("anna", 2);
    anna.check_in(shop, HERE);
    settle(&anna);
    becomes("greeted", || count(&server, "MessageSent") > 0);
    let out = tempfile::tempdir().expect("a directory");
    let (one, all, stopped) =
        (out.path().join("one.parquet"), out.path().join("all.parquet"), out.path().join("stopped.parquet"));
    let parquet = ["replay", "--format", "parquet", "--out"];
    run(server.dir(), &[&parquet[..], &[text(&one), "--type", "CheckedIn"]].concat()).ended(0);
    run(server.dir(), &[&parquet[..], &[text(&all), "--to", "12"]].concat()).ended(0);
    let types: Value = serde_json::from_str(&python("parquet_dump.py", &["types", text(&one)])).expect("JSON");
    let expected = json!({
        "position": ["UBIGINT", "uint64"], "id": ["VARCHAR", "string"], "stream": ["VARCHAR", "string"],
        "version": ["UBIGINT", "uint64"], "type": ["VARCHAR", "string"], "schema": ["USMALLINT", "uint16"],
        "time": ["TIMESTAMP WITH TIME ZONE", "timestamp[us, tz=UTC]"],
        "occurred_at": ["TIMESTAMP WITH TIME ZONE", "timestamp[us, tz=UTC]"],
        "correlation": ["VARCHAR", "string"], "causation": ["VARCHAR", "string"],
        "checkin": ["VARCHAR", "string"], "user": ["VARCHAR", "string"], "shop": ["VARCHAR", "string"],
        "od": ["UINTEGER", "uint32"], "far": ["BOOLEAN", "bool"],
        "fix_lat": ["DOUBLE", "double"], "fix_lng": ["DOUBLE", "double"], "bssid": ["VARCHAR", "string"],
    });
    assert_eq!(types, expected);
    let dumped = lines(&python("parquet_dump.py", &["rows", text(&one)]));
    let event = lines(&output(server.dir(), &["replay", "--type", "CheckedIn"])).remove(0);
    for row in &dumped {
        for field in ["user", "shop", "checkin", "od", "far"] {
            assert_eq!(row[field], event["data"][field], "{field}");
        }
        for field in ["position", "id", "stream", "type", "correlation"] {
            assert_eq!(row[field], event[field], "{field}");
        }
        assert_eq!((&row["fix_lat"], &row["fix_lng"]), (&event["data"]["fix"]["lat"], &event["data"]["fix"]["lng"]));
    }
    server.stop();
    run(server.dir(), &[&parquet[..], &[text(&stopped), "--to", "12"]].concat()).ended(0);
    let rows = |file| python("parquet_dump.py", &["rows", text(file)]).replace("stopped.parquet", "all.parquet");
    assert_eq!(rows(&all), rows(&stopped));
    assert!(lines(&rows(&all)).iter().all(|row| row["data"].is_string()));
    // Nothing but the files is there.
    assert_eq!(std::fs::read_dir(out.path()).expect("a directory").count(), 3);
    server.start_again();
}

#[test]
fn tables_join_with_events_in_every_form() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("=cafe", HERE);
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    operator.post(&format!("/admin/shops/{shop}/staff"), &json!({ "user_id": ben.user })).ok();
    operator.post(&format!("/admin/users/{}/suspend", ben.user), &json!({})).ok();
    let offer = json!({
        "shop_id": shop, "name": "half", "text": "any", "trigger": "manual",
        "from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z",
    });
    let campaign = operator.post("/admin/campaigns", &offer).ok()["id"].clone();
    let campaign = campaign.as_str().expect("an id");
    operator.post(&format!("/admin/campaigns/{campaign}/send"), &json!({ "user_ids": [anna.user] })).ok();
    anna.post("/coupons/use", &[("id", &campaign)]).ok();
    anna.check_in(shop, HERE);
    let dir = server.dir();
    let export = |args: &[&str]| run(dir, &[&["export"], args].concat()).ended(0).stdout;

    let shops = lines(&export(&["shops"]));
    assert_eq!((shops.len(), &shops[0]["name"], &shops[0]["staff"]), (1, &json!("=cafe"), &json!(1)));
    assert_eq!((&shops[0]["shop"], &shops[0]["kind"]), (&json!(shop.to_string()), &json!(2)));
    assert!(export(&["shops", "--format", "csv"]).contains(",'=cafe,"), "formulas are neutralised");
    let users = lines(&export(&["users"]));
    let event = lines(&output(dir, &["replay", "--type", "CheckedIn"])).remove(0);
    let of_anna = users.iter().find(|one| one["user"] == event["data"]["user"]).expect("who checked in");
    assert_eq!((&of_anna["gender"], &of_anna["name"]), (&json!(2), &Value::Null));
    assert_eq!(users.iter().filter(|one| one["suspended"] == true).count(), 1);
    let full = lines(&export(&["users", "--profile", "full"]));
    let id = anna.user.to_string();
    assert!(full.iter().any(|one| one["name"] == "anna" && one["user"] == id.as_str()), "{full:?}");
    let campaigns = lines(&export(&["campaigns"]));
    assert_eq!((&campaigns[0]["campaign"], &campaigns[0]["shop"]), (&json!(campaign), &json!(shop.to_string())));
    assert_eq!((&campaigns[0]["delivered"], &campaigns[0]["used"]), (&json!(1), &json!(1)));
    let audited = lines(&output(dir, &["replay", "--type", "OperatorActed"]));
    assert_eq!(audited.iter().filter(|one| one["data"]["action"] == "replay_full").count(), 1);

    let out = tempfile::tempdir().expect("a directory");
    for (table, column) in [("shops", "added_at"), ("users", "registered_at"), ("campaigns", "until")] {
        let file = out.path().join(table);
        export(&[table, "--format", "parquet", "--out", text(&file)]);
        let types: Value = serde_json::from_str(&python("parquet_dump.py", &["types", text(&file)])).expect("JSON");
        assert_eq!(types[column], json!(["TIMESTAMP WITH TIME ZONE", "timestamp[us, tz=UTC]"]), "{types}");
        let rows = lines(&python("parquet_dump.py", &["rows", text(&file)]));
        let expected = lines(&export(&[table])).len();
        assert_eq!(rows.len(), 2 * expected, "{table}");
    }
    assert_eq!(run(dir, &["export", "nothing"]).code, Some(2));
}
