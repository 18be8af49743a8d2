//! The examples of the seed's sections on chat, each as a test named by its section (§32 has its own).

use std::time::{Duration, Instant};

use dface_tests::{
    Phone, Server, Xmpp,
    pictures::{of_seed, shown, to_person, to_room},
    xmpp::CLIENT,
};
use minidom::Element;
use serde_json::json;

const HERE: (f64, f64) = (30.27, 120.11);
const MUC: &str = "http://jabber.org/protocol/muc";
const EVENTS: &str = "jabber:x:event";

/// Somebody's available stream.
fn online(server: &Server, phone: &Phone, resource: &str) -> Xmpp {
    let mut client = Xmpp::of(server, phone, resource);
    client.send("<presence/>");
    let own = client.jid.clone();
    client.expect(|element| element.name() == "presence" && element.attr("from") == Some(&own));
    client
}

fn join(client: &mut Xmpp, shop: u64, nick: &str) -> Element {
    client.send(&format!("<presence to='{shop}@c.dface.cn/{nick}'><x xmlns='{MUC}'/></presence>"));
    let is_own = |status: &Element| status.name() == "status" && status.attr("code") == Some("110");
    client.expect(|element| {
        let x = element.get_child("x", "http://jabber.org/protocol/muc#user");
        element.name() == "presence" && x.is_some_and(|x| x.children().any(is_own))
    })
}

fn body(element: &Element) -> Option<String> {
    element.get_child("body", CLIENT).map(Element::text)
}

/// The next message with a body.
#[track_caller]
fn said(client: &mut Xmpp) -> Element {
    client.expect(|element| element.name() == "message" && body(element).is_some())
}

#[test]
fn section_28_1_ids_are_addresses_names_are_the_accounts_and_anybody_talks_to_anybody() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let shop = server.operator().add_shop("二所", HERE);
    let (mut one, mut other) = (online(&server, &anna, "a"), online(&server, &ben, "b"));
    assert_eq!(one.jid, format!("{}@dface.cn/a", anna.user));
    let own = join(&mut one, shop, "a name of my choice");
    assert_eq!(own.attr("from"), Some(&*format!("{shop}@c.dface.cn/anna")), "the name asked for is ignored");
    // Not even who is invisible is out of reach.
    ben.post("/user_info/set", &[("invisible", &2)]).ok();
    one.send(&format!("<message to='{}@dface.cn' type='chat'><body>你好</body></message>", ben.user));
    assert_eq!(body(&said(&mut other)).as_deref(), Some("你好"));
    other.close();
    one.send(&format!("<message to='{}@dface.cn' type='chat'><body>offline</body></message>", ben.user));
    one.quiet();
    let mut other = online(&server, &ben, "b");
    let stored = said(&mut other);
    assert_eq!(body(&stored).as_deref(), Some("offline"));
    assert!(stored.has_child("delay", "urn:xmpp:delay"));
}

#[test]
fn section_28_2_the_administrator_and_shops_have_addresses() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let shop = server.operator().add_shop("二所", HERE);
    let mut one = online(&server, &anna, "a");
    for to in ["502e6303421aa918ba000001@dface.cn".to_owned(), format!("s{shop}@dface.cn")] {
        one.send(&format!("<message to='{to}' type='chat'><body>hi</body></message>"));
        assert_eq!(one.quiet(), [], "{to} takes messages");
    }
    one.send("<message to='s999999@dface.cn' type='chat'><body>hi</body></message>");
    assert_eq!(one.quiet()[0].attr("type"), Some("error"));
}

#[test]
fn section_28_3_a_shake_is_said_in_the_accounts_name() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let shop = server.operator().add_shop("二所", HERE);
    let (mut one, mut other) = (online(&server, &anna, "a"), online(&server, &ben, "b"));
    join(&mut one, shop, "a");
    join(&mut other, shop, "b");
    let shake = "<body>[摇一摇:somebody else]</body>";
    one.send(&format!("<message to='{shop}@c.dface.cn' type='groupchat'>{shake}</message>"));
    for client in [&mut one, &mut other] {
        let heard = said(client);
        assert_eq!(body(&heard).as_deref(), Some("[摇一摇:anna]"));
        assert_eq!(heard.attr("from"), Some(&*format!("{shop}@c.dface.cn/anna")));
    }
}

#[test]
fn section_28_4_receipts_tell_the_sender_how_far_a_message_is() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let (mut one, mut other) = (online(&server, &anna, "ylt"), online(&server, &ben, "b"));
    let requests = format!("<x xmlns='{EVENTS}'><delivered/><displayed/></x>");
    one.send(&format!(
        "<message id='purplea5e6669c' to='{}@dface.cn' type='chat'><body>hi</body>{requests}</message>",
        ben.user
    ));
    let heard = said(&mut other);
    assert_eq!(heard.attr("id"), Some("purplea5e6669c"));
    for (id, word) in [("Kk98S-16", "delivered"), ("Kk98S-17", "displayed")] {
        other.send(&format!(
            "<message id=\"{id}\" to=\"{}@dface.cn/ylt\"><x xmlns=\"jabber:x:event\"><{word}/><id>purplea5e6669c</id></x></message>",
            anna.user
        ));
        let receipt = one.expect(|element| element.name() == "message");
        assert_eq!(receipt.attr("id"), Some(id));
        let x = receipt.get_child("x", EVENTS).expect("in the form in which it came");
        assert!(x.has_child(word, EVENTS));
        assert_eq!(x.get_child("id", EVENTS).map(Element::text).as_deref(), Some("purplea5e6669c"));
    }
}

#[test]
fn section_29_2_a_picture_in_a_room_is_a_message_there() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let shop = server.operator().add_shop("二所", HERE);
    let mut other = online(&server, &ben, "b");
    join(&mut other, shop, "b");
    let photo = to_room(&anna, shop, of_seed(1), "窗边");
    let heard = said(&mut other);
    assert_eq!(body(&heard), Some(format!("[img:{photo}]窗边")));
    assert_eq!(heard.attr("from"), Some(&*format!("{shop}@c.dface.cn/anna")));
}

#[test]
fn section_29_3_who_hears_of_a_picture_in_a_room_can_fetch_it() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let shop = server.operator().add_shop("二所", HERE);
    let mut other = online(&server, &ben, "b");
    join(&mut other, shop, "b");
    to_room(&anna, shop, of_seed(2), "");
    let text = body(&said(&mut other)).expect("a body");
    let id = text.strip_prefix("[img:").and_then(|rest| rest.split_once(']')).expect("a picture").0;
    assert_eq!(shown(&ben, "/photos/show", id, 2).status, 302);
}

#[test]
fn section_30_2_a_picture_to_somebody_is_a_message_and_30_4_has_receipts() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let (mut one, mut other) = (online(&server, &anna, "a"), online(&server, &ben, "b"));
    let photo = to_person(&anna, ben.user, of_seed(3));
    let heard = said(&mut other);
    assert_eq!(body(&heard), Some(format!("[img:{photo}]")));
    let id = heard.attr("id").expect("an id").to_owned();
    assert!(heard.has_child("x", EVENTS) && heard.has_child("request", "urn:xmpp:receipts"));
    for word in ["delivered", "displayed"] {
        let x = format!("<x xmlns='{EVENTS}'><{word}/><id>{id}</id></x>");
        other.send(&format!("<message to='{}@dface.cn'>{x}</message>", anna.user));
        let told = one.expect(|element| element.name() == "message");
        assert!(told.get_child("x", EVENTS).is_some_and(|x| x.has_child(word, EVENTS)));
    }
}

#[test]
fn section_31_1_a_coupon_is_a_message_of_the_shop() {
    let mut server = Server::start();
    let (anna, operator) = (server.person("anna", 2), server.operator());
    let shop = operator.add_shop("二所", HERE);
    let offer = json!({
        "shop_id": shop, "name": "八折", "text": "每桌限用一张。", "trigger": "checkin",
        "from": "2020-01-01T00:00:00+08:00", "until": "2999-01-01T00:00:00+08:00",
    });
    let campaign = operator.post("/admin/campaigns", &offer).ok()["id"].as_str().expect("an id").to_owned();
    let mut one = online(&server, &anna, "a");
    anna.check_in(shop, HERE);
    let coupon = said(&mut one);
    assert_eq!(coupon.attr("from"), Some(&*format!("s{shop}@dface.cn")));
    let text = body(&coupon).expect("a body");
    let time = text.strip_prefix(&format!("[优惠券:八折:二所:{campaign}:")).and_then(|rest| rest.strip_suffix(']'));
    assert!(time.is_some_and(|time| time.parse::<u64>().is_ok()), "{text}");
    // Nobody forges one.
    one.send(&format!("<message to='{}@dface.cn'><body>{text}</body></message>", anna.user));
    let refused = one.expect(|element| element.attr("type") == Some("error"));
    let error = refused.get_child("error", CLIENT).expect("an error");
    assert!(error.has_child("not-acceptable", "urn:ietf:params:xml:ns:xmpp-stanzas"));
}

#[test]
fn section_33_3_a_message_to_whoever_is_offline_asks_for_a_push() {
    let mut server = Server::start();
    let (anna, ben, operator) = (server.person("anna", 2), server.person("ben", 1), server.operator());
    let token = "ea6e4f05b48f4a057816956e567c6feacf14ee28cbbbab67993e263c3dfa2c27";
    let password = format!("{}1{token}", ben.chat_password);
    Xmpp::signed_in(server.xmpp(), &ben.user.to_string(), &password).close();
    let mut one = online(&server, &anna, "a");
    one.send(&format!("<message to='{}@dface.cn' type='chat'><body>在吗？</body></message>", ben.user));
    one.quiet();
    let begun = Instant::now();
    loop {
        let jobs = operator.get("/admin/jobs?kind=push").ok();
        if jobs.as_array().is_some_and(|jobs| jobs.len() == 1) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no push was asked for: {jobs}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_was_said_before_the_server_was_killed_waits_and_what_was_acknowledged_does_not_come_again() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let mut one = online(&server, &anna, "a");
    let to = format!("{}@dface.cn", ben.user);
    let say = |client: &mut Xmpp, text: &str| {
        client.send(&format!("<message to='{to}' type='chat'><body>{text}</body></message>"));
        client.quiet();
    };
    let mut other = Xmpp::of(&server, &ben, "b");
    other.manage();
    other.send("<presence/>");
    other.expect(|element| element.name() == "presence");
    say(&mut one, "taken");
    said(&mut other);
    other.send("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    other.close();
    let mut other = Xmpp::of(&server, &ben, "b");
    other.manage();
    other.send("<presence/>");
    other.expect(|element| element.name() == "presence");
    say(&mut one, "not taken");
    assert_eq!(body(&said(&mut other)).as_deref(), Some("not taken"));
    server.kill();
    server.start_again();
    let mut other = online(&server, &ben, "b");
    assert_eq!(body(&said(&mut other)).as_deref(), Some("not taken"));
    let rest: Vec<_> = other.quiet().iter().filter_map(body).collect();
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn signing_out_ends_the_chat_too() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let (mut one, mut two) = (online(&server, &anna, "a"), online(&server, &anna, "b"));
    anna.post("/oauth2/logout", &[]).ok();
    assert_eq!(one.ended().as_deref(), Some("not-authorized"));
    assert_eq!(two.ended().as_deref(), Some("not-authorized"));
}

#[test]
fn a_stanza_in_somebody_elses_name_ends_the_stream() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let mut one = online(&server, &anna, "a");
    one.send(&format!("<message from='{0}@dface.cn' to='{0}@dface.cn'><body>x</body></message>", ben.user));
    assert_eq!(one.ended().as_deref(), Some("invalid-from"));
}
