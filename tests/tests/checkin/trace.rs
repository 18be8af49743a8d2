//! The caller's trace (§14).

use dface_tests::{Phone, Server, Setup, dface, phone::sign_in};
use insta::assert_json_snapshot;
use serde_json::json;

use super::{HERE, without};

#[test]
fn section_14_the_trace_is_the_documents_object() {
    let mut server = Server::start();
    let operator = server.operator();
    let (cafe, bar) = (operator.add_shop("(下沙服务区)书报百货", HERE), operator.add_shop("海洋二所", HERE));
    let phone = server.person("anna", 0);
    let (first, second) = (phone.check_in(cafe, HERE), phone.check_in(bar, HERE));
    let trace = phone.get("/user_info/trace.json", &[]).ok();
    assert_eq!((&trace["data"][0]["id"], &trace["data"][1]["id"]), (&json!(second), &json!(first)), "newest first");
    assert_json_snapshot!(without(trace.clone(), &["id", "shop_id", "time"]), @r#"
    {
      "data": [
        {
          "id": "string",
          "photos": [],
          "shop": "海洋二所",
          "shop_id": "number",
          "time": "other"
        },
        {
          "id": "string",
          "photos": [],
          "shop": "(下沙服务区)书报百货",
          "shop_id": "number",
          "time": "other"
        }
      ],
      "pcount": 2
    }
    "#);
    let [day, minute] = [0, 1].map(|at| trace["data"][0]["time"][at].as_str().expect("a string").to_owned());
    let digits = |text: &str, between: u8| text.len() == 5 && text.as_bytes()[2] == between;
    assert!(digits(&day, b'.') && digits(&minute, b':'), "{day} {minute}");
    assert_eq!(phone.get("/user_info/trace", &[("hash", &1)]).ok(), trace, "the same object with hash=1");
    let page = phone.post("/user_info/trace", &[("page", &2), ("pcount", &1)]).ok();
    assert_eq!((&page["pcount"], &page["data"][0]["id"]), (&json!(1), &json!(first)));
    assert_eq!(phone.get("/user_info/trace", &[("page", &3), ("pcount", &1)]).ok(), json!({ "pcount": 0, "data": [] }));
}

#[test]
fn section_14_times_are_local_to_the_timezone_of_the_settings() {
    let minutes = |zone: &str| {
        let mut server = Setup::default().set("TIMEZONE", zone).start();
        let shop = server.operator().add_shop("cafe", HERE);
        let phone = server.person("anna", 0);
        phone.check_in(shop, HERE);
        let time = phone.get("/user_info/trace", &[]).ok()["data"][0]["time"][1].clone();
        let (hour, minute) = time.as_str().and_then(|text| text.split_once(':')).expect("HH:MM");
        hour.parse::<i32>().expect("a number") * 60 + minute.parse::<i32>().expect("a number")
    };
    let apart = (minutes("Asia/Shanghai") - minutes("UTC")).rem_euclid(24 * 60);
    assert!((475..=480).contains(&apart), "8 hours, and perhaps the time between the two: {apart} minutes");
}

/// Check-ins of other days come by an import. 2012-09-22 06:24 UTC is 14:24 in Shanghai, and 16:30 UTC is the next day.
#[test]
fn section_14_check_ins_of_one_shop_and_local_day_are_merged() {
    let mut server = Server::start();
    let files = tempfile::tempdir().expect("a directory");
    let import = |kind: &str, name: &str, text: &str, more: &[&str]| {
        let path = files.path().join(name);
        std::fs::write(&path, text).expect("writable");
        let path = path.display().to_string();
        dface(server.dir(), &[], &[&["import", kind, &path, "--source", "old"], more].concat()).ended(0);
    };
    let shops = "id\tname\taddress\tcategory\tlat\tlng\nx\t书报百货\t\tshop\t30.28\t120.12\ny\t海洋二所\t\tshop\t30.28\t120.13\n";
    import("shops", "shops.tsv", shops, &[]);
    let checkins = "user_id\tvenue_id\tlat\tlng\tutc_time\n\
                    7\tx\t30.28\t120.12\t2012-09-22T01:00:00Z\n\
                    7\ty\t30.28\t120.13\t2012-09-22T02:00:00Z\n\
                    7\tx\t30.28\t120.12\t2012-09-22T06:24:00Z\n\
                    7\tx\t30.28\t120.12\t2012-09-22T16:30:00Z\n";
    import("checkins", "checkins.tsv", checkins, &["--create-users"]);
    let operator = server.operator();
    let id = operator.get("/admin/foreign/user/old/7").ok()["id"].as_u64().expect("a number");
    operator.post(&format!("/admin/users/{id}/reset-password"), &json!({ "password": "another one" })).ok();
    let phone = Phone::new(server.public(), &sign_in(server.public(), "old-7", "another one"));
    let trace = phone.get("/user_info/trace", &[]).ok();
    let entries: Vec<_> = trace["data"].as_array().expect("a list").iter().map(|e| (&e["shop"], &e["time"])).collect();
    assert_eq!(trace["pcount"], 4, "check-ins read, before merging");
    let expected =
        [("书报百货", ["09.23", "00:30"]), ("书报百货", ["09.22", "14:24"]), ("海洋二所", ["09.22", "10:00"])];
    assert_eq!(json!(entries), json!(expected));
    // The merged entry carries its newest check-in; without that one the older one is there.
    phone.post("/checkins/delete", &[("id", &trace["data"][1]["id"].as_str().expect("a string"))]).ok();
    let left = phone.get("/user_info/trace", &[]).ok();
    let times: Vec<_> = left["data"].as_array().expect("a list").iter().map(|e| e["time"].clone()).collect();
    assert_eq!(json!(times), json!([["09.23", "00:30"], ["09.22", "10:00"], ["09.22", "09:00"]]));
    server.secret("another one");
    operator.compare_all();
}
