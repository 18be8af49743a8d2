//! The caller's trace (§14).

use dface_tests::{Server, Setup};
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
