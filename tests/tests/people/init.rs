//! The first call of an app (§1).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use dface_tests::{Answer, Given, Server, Setup, client::pairs};
use reqwest::Method;
use serde_json::json;

fn hash(model: &str, os: &str, mac: &str) -> String {
    let mut digits = hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, [model, os, mac, "init"].concat().as_bytes()));
    digits.truncate(32);
    digits
}

const PHONE: (&str, &str, &str) = ("iPhone5,2", "iOS 6.0.1", "9e107d9d372bb6826bd81d3542a419d6");

fn ask(server: &Server, from: Option<&str>, given: Given<'_>) -> Answer {
    let request = server.request(Method::GET, "/init/init.json").query(&pairs(given));
    Answer::to(match from {
        Some(from) => request.header("x-forwarded-for", from),
        None => request,
    })
}

fn started(server: &Server, from: Option<&str>) -> Answer {
    let (model, os, mac) = PHONE;
    ask(
        server,
        from,
        &[("model", &model), ("os", &os), ("mac", &mac), ("hash", &hash(model, os, mac)), ("ver", &"1.0")],
    )
}

#[test]
fn section_1_the_servers_and_the_version() {
    let mut server =
        Setup::default().set("REGIONS__IP", "60.191.119.190").set("REGIONS__XMPP", "60.191.119.191").start();
    let told = started(&server, None);
    assert_eq!(told.ok(), json!({ "ip": "60.191.119.190", "xmpp": "60.191.119.191", "ver": 1.0 }));
    assert!(told.text.contains("\"ver\":1.0"), "a number as in the example: {told}");
    let (model, os, mac) = PHONE;
    let form = pairs(&[("model", &model), ("os", &os), ("mac", &mac), ("hash", &hash(model, os, mac).to_uppercase())]);
    let posted = Answer::to(server.request(Method::POST, "/init/init").form(&form));
    assert_eq!(posted.ok(), told.ok(), "POST too, and `ver` may be absent");
    server.secret(mac);
}

#[test]
fn section_1_refuses_a_wrong_hash_and_what_is_missing() {
    let server = Setup::default().start();
    let (model, os, mac) = PHONE;
    let right = hash(model, os, mac);
    let wrong = ask(&server, None, &[("model", &model), ("os", &os), ("mac", &mac), ("hash", &"0".repeat(32))]);
    assert!(wrong.refused(403, "wrong_hash").starts_with("hash"));
    let whole: [(&str, &str); 4] = [("model", model), ("os", os), ("mac", mac), ("hash", &right)];
    for (left_out, _) in whole {
        let form: Vec<_> = whole.iter().filter(|(name, _)| *name != left_out).collect();
        let answer = Answer::to(server.request(Method::GET, "/init/init").query(&form));
        assert!(answer.refused(400, "missing_parameter").starts_with(left_out), "{answer}");
    }
    let long = "m".repeat(101);
    let answer = ask(&server, None, &[("model", &long), ("os", &os), ("mac", &mac), ("hash", &hash(&long, os, mac))]);
    assert!(answer.refused(400, "bad_parameter").starts_with("model"));
}

#[test]
fn section_1_the_nearest_region_and_the_limit_of_an_address() {
    let near = r#"[{networks=["10.0.0.0/8"],ip="10.0.0.1",xmpp="10.0.0.2"},{networks=["10.9.0.0/16","fd00::/8"],ip="10.9.0.1",xmpp="10.9.0.2"}]"#;
    let server = Setup::default()
        .set("REGIONS__NEAR", near)
        .set("REGIONS__IP", "192.0.2.1")
        .set("TRUSTED_PROXIES", r#"["127.0.0.1/32"]"#)
        .set("LIMITS__INIT_PER_MINUTE", 2)
        .start();
    for (from, ip) in
        [("10.1.2.3", "10.0.0.1"), ("10.9.1.1", "10.0.0.1"), ("fd00::1", "10.9.0.1"), ("198.51.100.1", "192.0.2.1")]
    {
        assert_eq!(started(&server, Some(from)).ok()["ip"], ip, "{from}: the first match counts");
    }
    // A minute may begin in between once.
    let refused = (0..5).map(|_| started(&server, Some("203.0.113.9"))).find(|answer| answer.status == 429);
    let refused = refused.expect("the third call of a minute is one too many");
    refused.refused(429, "too_many_requests");
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u32>().expect("seconds")), "{refused}");
    assert_eq!(started(&server, Some("203.0.113.10")).status, 200, "each address for itself");
}

#[test]
fn section_1_starts_are_counted_and_kept_without_the_address() {
    let mut server = Server::start();
    for _ in 0..3 {
        started(&server, None).ok();
    }
    server.stop();
    let replayed = dface_tests::dface(server.dir(), &[], &["replay", "--type", "BootsCounted"]).ended(0).stdout;
    let event: serde_json::Value = serde_json::from_str(replayed.trim()).expect("one event");
    assert_eq!(event["data"]["boots"], json!([{ "model": PHONE.0, "os": PHONE.1, "version": "1.0", "count": 3 }]));
    assert!(!replayed.contains(PHONE.2), "{replayed}");
    let counted = dface_tests::dface(server.dir(), &[], &["stats", "--boots"]).ended(0).stdout;
    let line: serde_json::Value = serde_json::from_str(counted.trim()).expect("one line");
    let day = line["day"].as_str().expect("a string").to_owned();
    assert_eq!(
        line,
        json!({ "of": "boots", "day": day, "version": "1.0", "model": PHONE.0, "os": PHONE.1, "boots": 3 })
    );
}
