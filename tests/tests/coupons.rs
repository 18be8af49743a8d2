//! Coupons over the real binary (seed §31): campaigns by operators, delivery by check-ins and by hand, the list, the picture's door, and use.

use std::{thread::sleep, time::Duration};

use dface_tests::{Answer, Operator, Phone, Server, Setup};
use reqwest::Method;
use serde_json::{Value, json};

const HERE: (f64, f64) = (30.286_91, 120.127_63);

fn offer(shop: u64) -> Value {
    json!({
        "shop_id": shop, "name": "第二杯:半价", "text": "任意咖啡", "trigger": "checkin",
        "from": "2020-01-01T00:00:00+08:00", "until": "2999-01-01T00:00:00Z", "quota": 5,
    })
}

#[track_caller]
fn made(operator: &Operator, offer: &Value) -> String {
    let made = operator.post("/admin/campaigns", offer).ok();
    made["id"].as_str().expect("a campaign's id is a string").to_owned()
}

#[track_caller]
fn send(operator: &Operator, campaign: &str, users: &[u64]) -> Value {
    operator.post(&format!("/admin/campaigns/{campaign}/send"), &json!({ "user_ids": users })).ok()
}

/// The person's coupons, once there are so many.
#[track_caller]
fn coupons(phone: &Phone, count: usize) -> Vec<Value> {
    for _ in 0..400 {
        let listed = phone.get("/coupons", &[]).ok();
        let listed = listed.as_array().expect("a list");
        if listed.len() >= count {
            return listed.clone();
        }
        sleep(Duration::from_millis(25));
    }
    panic!("{} of {count}", phone.get("/coupons", &[]));
}

/// Events of a type, opened.
fn events(operator: &Operator, wanted: &str) -> Vec<Value> {
    let lines = operator.get(&format!("/events?type={wanted}&profile=full"));
    assert_eq!(lines.status, 200, "{lines}");
    lines.text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// Uses it with an `Idempotency-Key`.
#[track_caller]
fn keyed(phone: &Phone, id: &str) -> Value {
    Answer::to(phone.request(Method::GET, "/coupons/use").query(&[("id", id)]).header("idempotency-key", "k1")).ok()
}

/// The one coupon of `anna` is used by nobody else, and once.
fn used_once(anna: &Phone, ben: &Phone, id: &str, time: i64) {
    let used = |phone: &Phone, given: &[(&str, &dyn std::fmt::Display)]| phone.post("/coupons/use.json", given);
    used(ben, &[("id", &id)]).refused(404, "coupon_unknown");
    used(anna, &[("id", &id), ("time", &(time - 1))]).refused(404, "coupon_unknown");
    used(anna, &[("id", &"no id")]).refused(400, "bad_parameter");
    let link = anna.request(Method::GET, "/coupons/use").query(&[("id", &id)]);
    Answer::to(link.header("sec-fetch-site", "cross-site")).refused(403, "cross_site");
    let first = keyed(anna, id);
    assert_eq!(first, json!({ "id": id, "time": time, "state": "used" }));
    assert_eq!(keyed(anna, id), first);
    used(anna, &[("id", &id)]).refused(409, "coupon_used");
    used(anna, &[("id", &id), ("time", &time)]).refused(409, "coupon_used");
    assert_eq!(coupons(anna, 1)[0]["state"], "used");
}

#[test]
fn a_check_in_brings_a_coupon_and_a_message_and_it_is_used_once() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("海洋:二所", HERE);
    let id = made(&operator, &offer(shop));
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    anna.check_in(shop, HERE);
    let one = coupons(&anna, 1).remove(0);
    let time = one["time"].as_i64().expect("seconds");
    assert_eq!(
        one,
        json!({
            "id": id, "name": "第二杯:半价", "shop": "海洋:二所", "shop_id": shop, "text": "任意咖啡", "time": time,
            "until": "2999-01-01T00:00:00.000000Z", "state": "delivered",
        })
    );
    let sent = (0..400).find_map(|_| {
        sleep(Duration::from_millis(25));
        // The check-in is greeted too.
        events(&operator, "MessageSent").into_iter().find(|sent| sent["data"]["kind"] == "coupon")
    });
    let sent = sent.expect("a message was sent");
    assert_eq!(sent["data"]["body"], format!("[优惠券:第二杯：半价:海洋：二所:{id}:{time}]"));
    assert_eq!(
        (&sent["data"]["from"], &sent["data"]["to"]),
        (&json!(format!("s{shop}")), &json!(anna.user.to_string()))
    );

    // The picture is for its holders.
    anna.get("/coupons/img", &[("id", &id), ("size", &2)]).refused(400, "bad_parameter");
    anna.get("/coupons/img", &[]).refused(400, "missing_parameter");
    ben.get("/coupons/img", &[("id", &id)]).refused(404, "coupon_unknown");

    used_once(&anna, &ben, &id, time);

    // One a day.
    let again = send(&operator, &id, &[anna.user, ben.user, 999_999]);
    assert_eq!((&again[0]["delivered"], &again[0]["code"]), (&json!(false), &json!("coupon_today")));
    assert_eq!((&again[1]["delivered"], &again[1]["code"]), (&json!(true), &Value::Null));
    assert_eq!(again[2]["code"], "user_unknown");
    assert_eq!(
        send(&operator, &id, &[ben.user])[0]["time"],
        again[1]["time"],
        "a repeat of the same day is the same coupon"
    );
    let listed = operator.get("/admin/campaigns").ok();
    let counts = (&listed[0]["delivered"], &listed[0]["used"], &listed[0]["quota"]);
    assert_eq!(counts, (&json!(2), &json!(1), &json!(5)));

    // Nothing of it happens again after a crash.
    server.kill();
    server.start_again();
    assert_eq!(coupons(&anna, 1).len(), 1);
    keyed(&anna, &id);
    assert_eq!((events(&operator, "CouponDelivered").len(), events(&operator, "CouponUsed").len()), (2, 1));
    let audited = events(&operator, "OperatorActed");
    for action in ["campaign_add", "campaign_send"] {
        assert!(audited.iter().any(|one| one["data"]["action"] == action), "{action}: {audited:?}");
    }
    let status = operator.get("/admin/status").ok();
    for process in status["processes"].as_array().expect("a list") {
        assert_eq!((&process["trouble"], &process["parked"]), (&Value::Null, &json!([])), "{process}");
    }
    operator.compare_all();
}

#[test]
fn a_campaign_is_checked_field_by_field() {
    let server = Setup::default().set("COUPONS__SEND_AT_ONCE", 2).start();
    let operator = server.operator();
    let shop = operator.add_shop("店", HERE);
    let with = |field: &str, value: Value| {
        let mut wrong = offer(shop);
        wrong[field] = value;
        operator.post("/admin/campaigns", &wrong)
    };
    for (field, value) in [
        ("name", json!("八".repeat(41))),
        ("name", json!(" ")),
        ("name", json!("八\u{202e}折")),
        ("text", json!("两".repeat(201))),
        ("trigger", json!("rain")),
        ("from", json!("tomorrow")),
        ("until", json!("2019-12-31T00:00:00Z")),
        ("quota", json!(0)),
        ("quota", json!(-1)),
        ("shop_id", json!("s1")),
    ] {
        let refused = with(field, value.clone());
        refused.refused(400, "bad_parameter");
        assert!(refused.json()["error"].as_str().is_some_and(|text| text.starts_with(field)), "{field}: {refused}");
    }
    with("until", json!(null)).refused(400, "missing_parameter");
    with("shop_id", json!(999_999)).refused(404, "shop_unknown");
    with("name", json!("八".repeat(40))).ok();
    let id = made(&operator, &offer(shop));
    let send =
        |id: &str, users: Value| operator.post(&format!("/admin/campaigns/{id}/send"), &json!({ "user_ids": users }));
    send(&id, json!([1, 2, 3])).refused(400, "bad_parameter");
    send(&id, json!([])).refused(400, "bad_parameter");
    send(&id, json!("x")).refused(400, "bad_parameter");
    send("509a1ffcbe4b1982a4000002", json!([1])).refused(404, "campaign_unknown");
}

#[test]
fn a_quota_ends_a_period_ends_and_whoever_leaves_takes_theirs_along() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("店", HERE);
    let mut small = offer(shop);
    (small["quota"], small["trigger"]) = (json!(1), json!("manual"));
    let id = made(&operator, &small);
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    // By hand alone: a check-in gives none.
    anna.check_in(shop, HERE);
    let sent = send(&operator, &id, &[anna.user, ben.user]);
    assert_eq!((&sent[0]["delivered"], &sent[1]["code"]), (&json!(true), &json!("campaign_used_up")));
    assert_eq!(coupons(&anna, 1).len(), 1);

    let soon = jiff::Timestamp::now() + Duration::from_secs(3);
    small["until"] = json!(soon.to_string());
    let short = made(&operator, &small);
    assert_eq!(send(&operator, &short, &[ben.user])[0]["delivered"], true);
    sleep(Duration::from_secs(4));
    assert_eq!(coupons(&ben, 1)[0]["state"], "expired");
    ben.post("/coupons/use", &[("id", &short)]).refused(410, "expired");
    assert_eq!(send(&operator, &short, &[anna.user])[0]["code"], "campaign_not_running");

    anna.post("/user_info/delete", &[("pass", &dface_tests::server::password_of("anna"))]).ok();
    assert_eq!(operator.get("/admin/campaigns").ok()[0]["delivered"], 1);
    operator.compare_all();
    server.alive();
}
