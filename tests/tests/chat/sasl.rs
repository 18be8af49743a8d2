//! Signing in.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dface_tests::{Answer, Server, Setup, Xmpp, xmpp::SASL};
use reqwest::{Method, blocking::Response};

use crate::failure;

fn auth(mechanism: &str, text: &str) -> String {
    format!("<auth xmlns='{SASL}' mechanism='{mechanism}'>{text}</auth>")
}

#[test]
fn a_wrong_password_is_refused_and_the_third_ends_the_stream() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    let name = anna.user.to_string();
    assert_eq!(failure(&client.plain(&name, "0123456789abcdef")), "not-authorized");
    assert_eq!(failure(&client.plain("999", &anna.chat_password)), "not-authorized");
    assert_eq!(failure(&client.plain(&name, "wrong")), "not-authorized");
    assert_eq!(client.ended().as_deref(), Some("policy-violation"));
}

#[test]
fn what_is_no_exchange_gets_the_condition_of_the_standard() {
    let mut server = Setup::default().set("CHAT__SIGN_IN_TRIES", 100).start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    let said = |text: &str| auth("PLAIN", &STANDARD.encode(text));
    let (name, password) = (anna.user, &anna.chat_password);
    for (text, condition) in [
        (auth("PLAIN", "%%%"), "incorrect-encoding"),
        (said("no zero bytes"), "malformed-request"),
        (auth("PLAIN", "="), "malformed-request"),
        (auth("DIGEST-MD5", ""), "invalid-mechanism"),
        (auth("SCRAM-SHA-1", "biwsbj11c2VyLHI9eA=="), "invalid-mechanism"),
        (format!("<auth xmlns='{SASL}'/>"), "invalid-mechanism"),
        (said(&format!("8\0{name}\0{password}")), "invalid-authzid"),
        (said(&format!("{name}@elsewhere.example\0{name}\0{password}")), "invalid-authzid"),
    ] {
        assert_eq!(failure(&client.ask(&text)), condition, "{text}");
    }
    let challenge = client.ask(&auth("PLAIN", ""));
    assert!(challenge.is("challenge", SASL));
    assert_eq!(failure(&client.ask(&format!("<abort xmlns='{SASL}'/>"))), "aborted");
    client.ask(&auth("PLAIN", ""));
    let message = STANDARD.encode(format!("{name}@dface.cn\0{name}\0{password}"));
    let answer = client.ask(&format!("<response xmlns='{SASL}'>{message}</response>"));
    assert!(answer.is("success", SASL));
}

#[test]
fn whoever_does_it_out_of_order_is_not_authorized() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    for text in [
        "<message to='7@dface.cn'><body>hello</body></message>",
        "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
        "<enable xmlns='urn:xmpp:sm:3'/>",
        "<resume xmlns='urn:xmpp:sm:3' previd='a' h='0'/>",
    ] {
        let mut client = Xmpp::connect(server.xmpp());
        client.open();
        client.send(text);
        assert_eq!(client.ended().as_deref(), Some("not-authorized"), "{text}");
    }
    let mut client = Xmpp::signed_in(server.xmpp(), &anna.user.to_string(), &anna.chat_password);
    client.send("<message to='7@dface.cn'><body>hello</body></message>");
    assert_eq!(client.ended().as_deref(), Some("not-authorized"));
    let mut client = Xmpp::of(&server, &anna, "phone");
    client.send(&auth("PLAIN", "="));
    assert_eq!(client.ended().as_deref(), Some("unsupported-stanza-type"));
}

#[test]
fn a_password_may_end_with_a_device_which_is_bound_once() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let token = "ea6e4f05b48f4a057816956e567c6feacf14ee28cbbbab67993e263c3dfa2c27";
    server.secret(token);
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    let name = anna.user.to_string();
    let with = |environment: u8| format!("{}{environment}{token}", anna.chat_password);
    assert_eq!(failure(&client.plain(&name, &with(3))), "not-authorized");
    let bound = |server: &Server| {
        let lines = server.operator().request(Method::GET, "/events?type=PushTokenBound").send();
        lines.and_then(Response::text).expect("events").lines().count()
    };
    let _bound_now = Xmpp::signed_in(server.xmpp(), &name, &with(2));
    assert_eq!(bound(&server), 1);
    // What was written before is read once this is.
    server.person("ben", 1);
    let _bound_before = Xmpp::signed_in(server.xmpp(), &name, &with(2));
    assert_eq!(bound(&server), 1);
    let _bound_elsewhere = Xmpp::signed_in(server.xmpp(), &name, &with(1));
    assert_eq!(bound(&server), 2);
}

#[test]
fn suspended_accounts_are_told_so_and_shops_sign_in_too() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let operator = server.operator();
    let shop = operator.add_shop("cafe", (30.286_91, 120.127_63));
    let answer = Answer::to(operator.request(Method::POST, &format!("/admin/shops/{shop}/account")));
    let account = answer.ok();
    let (name, password) = (account["name"].as_str().unwrap(), account["password"].as_str().unwrap());
    assert_eq!(name, format!("s{shop}"));
    let mut client = Xmpp::signed_in(server.xmpp(), name, password);
    client.bind("till");
    assert_eq!(client.jid, format!("s{shop}@dface.cn/till"));
    server.secret(password);
    let unknown = Answer::to(operator.request(Method::POST, "/admin/shops/999999/account"));
    assert_eq!(unknown.status, 404);

    Answer::to(operator.request(Method::POST, &format!("/admin/users/{}/suspend", anna.user))).ok();
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    assert_eq!(failure(&client.plain(&anna.user.to_string(), &anna.chat_password)), "account-disabled");
    assert_eq!(failure(&client.plain(&anna.user.to_string(), "wrong")), "not-authorized");
}

#[test]
fn the_eleventh_failure_of_a_name_closes_it_for_the_right_password_too() {
    let mut server = Setup::default().set("CHAT__SIGN_IN_TRIES", 100).start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    let name = anna.user.to_string();
    for _ in 0..10 {
        assert_eq!(failure(&client.plain(&name, "wrong")), "not-authorized");
    }
    assert_eq!(failure(&client.plain(&name, "wrong")), "temporary-auth-failure");
    assert_eq!(failure(&client.plain(&name, &anna.chat_password)), "temporary-auth-failure");
    assert!(client.plain(&ben.user.to_string(), &ben.chat_password).is("success", SASL));
}

#[test]
fn scram_is_offered_before_plain_where_it_is_on() {
    let mut server = Setup::default().set("CHAT__SCRAM", true).start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::connect(server.xmpp());
    let features = client.open();
    let mechanisms = features.get_child("mechanisms", SASL).expect("mechanisms");
    let names: Vec<String> = mechanisms.children().map(minidom::Element::text).collect();
    assert_eq!(names, ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]);
    // The proof itself is held by the standards' examples beside the code.
    let first = STANDARD.encode(format!("y,,n={},r=abc", anna.user));
    let challenge = client.ask(&auth("SCRAM-SHA-256", &first));
    let challenge = String::from_utf8(STANDARD.decode(challenge.text()).expect("base64")).expect("text");
    assert!(challenge.starts_with("r=abc") && challenge.ends_with(",i=4096"), "{challenge}");
    let nonce = challenge.split(',').next().expect("a nonce");
    let last = STANDARD.encode(format!("c=eSws,{nonce},p={}", STANDARD.encode([0; 32])));
    let answer = client.ask(&format!("<response xmlns='{SASL}'>{last}</response>"));
    assert_eq!(failure(&answer), "not-authorized");
    assert!(client.plain(&anna.user.to_string(), &anna.chat_password).is("success", SASL));
}
