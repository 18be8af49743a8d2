//! Rooms of shops (seed §28, §29; XEP-0045) over real streams.

use std::time::{Duration, Instant};

use dface_tests::{
    Phone, Server, Setup, Xmpp, pictures,
    xmpp::{CLIENT, SM},
};
use minidom::Element;
use serde_json::json;

const HERE: (f64, f64) = (30.28, 120.11);
const USER: &str = "http://jabber.org/protocol/muc#user";

fn room(shop: u64) -> String {
    format!("{shop}@c.dface.cn")
}

fn join(client: &mut Xmpp, shop: u64, nick: &str) {
    client
        .send(&format!("<presence to='{}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room(shop)));
}

/// Somebody who is in a room, and was told all from before, the subject last.
fn within(server: &Server, phone: &Phone, shop: u64) -> (Xmpp, Vec<Element>) {
    let mut client = Xmpp::of(server, phone, "phone");
    join(&mut client, shop, "x");
    client.expect(|told| told.has_child("subject", CLIENT));
    let told = client.quiet();
    (client, told)
}

fn say(client: &mut Xmpp, shop: u64, id: &str, body: &str) {
    let to = room(shop);
    client.send(&format!("<message to='{to}' type='groupchat' id='{id}'><body>{body}</body></message>"));
}

fn body(stanza: &Element) -> Option<String> {
    stanza.get_child("body", CLIENT).map(Element::text)
}

/// The next so many messages with a body.
fn hear(client: &mut Xmpp, count: usize) -> Vec<Element> {
    (0..count).map(|_| client.expect(|told| told.name() == "message" && body(told).is_some())).collect()
}

fn nick(stanza: &Element) -> &str {
    stanza.attr("from").and_then(|from| from.split_once('/')).map_or("", |(_, nick)| nick)
}

fn is_gone(stanza: &Element, of: &str) -> bool {
    stanza.name() == "presence" && stanza.attr("type") == Some("unavailable") && nick(stanza) == of
}

fn has_status(stanza: &Element, code: &str) -> bool {
    let user = stanza.get_child("x", USER);
    user.is_some_and(|user| user.children().any(|child| child.name() == "status" && child.attr("code") == Some(code)))
}

/// The condition of the next error.
fn refused(client: &mut Xmpp) -> String {
    let stanza = client.expect(|told| told.attr("type") == Some("error"));
    let error = stanza.get_child("error", CLIENT).expect("it says why");
    error.children().next().expect("a condition").name().to_owned()
}

#[test]
fn section_28_1_people_talk_in_a_shops_room_under_their_own_names_in_one_order() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("新紫轩花店", HERE);
    let (anna, ben, carl) = (server.person("小红", 2), server.person("Ben", 1), server.person("Carl", 1));
    let (mut first, told) = within(&server, &anna, shop);
    let own = told.iter().find(|told| has_status(told, "110")).expect("who one is");
    assert!(nick(own) == "小红" && has_status(own, "210") && has_status(own, "100"));
    let ((mut second, _), (mut third, told)) = (within(&server, &ben, shop), within(&server, &carl, shop));
    assert_eq!(told.iter().map(nick).filter(|nick| !nick.is_empty()).collect::<Vec<_>>(), ["小红", "Ben", "Carl"]);
    for n in 0..20 {
        say(&mut first, shop, &format!("anna-{n:03}"), &format!("a{n}"));
        say(&mut second, shop, &format!("ben-{n:04}"), &format!("b{n}"));
    }
    let ids = |heard: Vec<Element>| -> Vec<String> {
        heard.iter().map(|told| told.attr("id").expect("the client's id").to_owned()).collect()
    };
    let orders = [&mut first, &mut second, &mut third].map(|client| ids(hear(client, 40)));
    assert!(orders[0] == orders[1] && orders[1] == orders[2]);
    for own in ["anna", "ben"] {
        let said: Vec<_> = orders[0].iter().filter(|id| id.starts_with(own)).collect();
        assert!(said.len() == 20 && said.is_sorted(), "{said:?}");
    }
}

#[test]
fn names_that_are_taken_get_a_number_and_streams_of_one_person_share_theirs() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("Bar", HERE);
    let (anna, ben) = (server.person("Anna", 2), server.person("Ben", 1));
    ben.post("/user_info/set", &[("name", &"Anna")]).ok();
    let (mut first, _) = within(&server, &anna, shop);
    let (mut second, told) = within(&server, &ben, shop);
    assert_eq!(told.iter().map(nick).filter(|nick| !nick.is_empty()).collect::<Vec<_>>(), ["Anna", "Anna (2)"]);
    let mut web = Xmpp::of(&server, &ben, "web");
    join(&mut web, shop, "Anna (2)");
    web.expect(|told| told.has_child("subject", CLIENT));
    say(&mut web, shop, "12345678", "hi");
    for client in [&mut first, &mut second, &mut web] {
        assert_eq!(nick(&hear(client, 1)[0]), "Anna (2)");
    }
    second.close();
    assert!(!first.quiet().iter().any(|told| is_gone(told, "Anna (2)")));
    web.close();
    first.expect(|told| is_gone(told, "Anna (2)"));
}

#[test]
fn whoever_comes_later_is_told_what_was_said_also_after_a_restart() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("Bar", HERE);
    let (anna, ben) = (server.person("Anna", 2), server.person("Ben", 1));
    let (mut first, _) = within(&server, &anna, shop);
    for n in 0..25 {
        say(&mut first, shop, &format!("anna-{n:03}"), &n.to_string());
    }
    let ids: Vec<_> = hear(&mut first, 25).iter().map(stable_id).collect();
    server.kill();
    server.start_again();
    let mut second = Xmpp::of(&server, &ben, "phone");
    join(&mut second, shop, "Ben");
    let told = hear(&mut second, 20);
    assert_eq!(told.iter().filter_map(body).collect::<Vec<_>>(), (5..25).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(told.iter().map(stable_id).collect::<Vec<_>>(), ids[5..]);
    assert!(told.iter().all(|told| told.has_child("delay", "urn:xmpp:delay") && nick(told) == "Anna"));
    second.expect(|told| told.has_child("subject", CLIENT));
    // Nobody is in it after a restart; who believes so is told.
    let mut first = Xmpp::of(&server, &anna, "phone");
    say(&mut first, shop, "12345678", "still here?");
    assert_eq!(refused(&mut first), "not-acceptable");
}

fn stable_id(message: &Element) -> String {
    let id = message.get_child("stanza-id", "urn:xmpp:sid:0").and_then(|id| id.attr("id"));
    id.expect("its id in the archive").to_owned()
}

#[test]
fn the_subject_is_the_shops_notice_and_staff_keeps_the_room() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("Bar", HERE);
    let (anna, ben) = (server.person("Anna", 2), server.person("Ben", 1));
    operator.post(&format!("/admin/shops/{shop}/staff"), &json!({ "user_id": ben.user })).ok();
    let (mut guest, _) = within(&server, &anna, shop);
    let (mut staff, _) = within(&server, &ben, shop);
    let to = room(shop);
    guest.send(&format!("<message to='{to}' type='groupchat'><subject>free beer</subject></message>"));
    assert_eq!(refused(&mut guest), "forbidden");
    staff.send(&format!("<message to='{to}' type='groupchat'><subject>今天八折</subject></message>"));
    for client in [&mut guest, &mut staff] {
        let told = client.expect(|told| told.has_child("subject", CLIENT));
        assert_eq!(told.get_child("subject", CLIENT).unwrap().text(), "今天八折");
    }
    // The room hears of it by the log, perhaps before the shop shows it.
    let begun = Instant::now();
    while anna.get("/shop/info", &[("id", &shop)]).ok()["notice"] != "今天八折" {
        assert!(begun.elapsed() < Duration::from_secs(20), "the shop does not show its notice");
    }
    let kick = |nick: &str| {
        let item = format!("<item nick='{nick}' role='none'><reason>spam</reason></item>");
        format!(
            "<iq type='set' id='kick' to='{to}'><query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query></iq>"
        )
    };
    guest.send(&kick("Ben"));
    assert_eq!(refused(&mut guest), "forbidden");
    staff.send(&kick("Anna"));
    let gone = guest.expect(|told| is_gone(told, "Anna"));
    assert!(has_status(&gone, "307") && has_status(&gone, "110"));
    assert!(has_status(&staff.expect(|told| is_gone(told, "Anna")), "307"));
    say(&mut guest, shop, "12345678", "hey");
    assert_eq!(refused(&mut guest), "not-acceptable");
    let password = operator.post(&format!("/admin/shops/{shop}/account"), &json!({})).ok();
    let mut itself =
        Xmpp::signed_in(server.xmpp(), &format!("s{shop}"), password["password"].as_str().expect("a password"));
    itself.bind("till");
    join(&mut itself, shop, "x");
    let own = itself.expect(|told| has_status(told, "110"));
    assert_eq!(nick(&own), "Bar");
    itself.send(&kick("Ben"));
    assert_eq!(refused(&mut itself), "not-allowed");
}

#[test]
fn a_stream_that_is_cut_stays_in_the_room_until_it_is_over() {
    let mut server = Setup::default().set("CHAT__RESUME_S", 2).start();
    let shop = server.operator().add_shop("Bar", HERE);
    let (anna, ben) = (server.person("Anna", 2), server.person("Ben", 1));
    let (mut first, _) = within(&server, &anna, shop);
    let mut second = Xmpp::of(&server, &ben, "phone");
    let id = second.manage();
    join(&mut second, shop, "Ben");
    second.expect(|told| told.has_child("subject", CLIENT));
    second.cut();
    say(&mut first, shop, "12345678", "are you there?");
    let mut second = Xmpp::signed_in(server.xmpp(), &ben.user.to_string(), &ben.chat_password);
    second.send(&format!("<resume xmlns='{SM}' previd='{id}' h='0'/>"));
    second.expect(|told| told.is("resumed", SM));
    second.expect(|told| body(told).as_deref() == Some("are you there?"));
    say(&mut second, shop, "23456789", "yes");
    assert_eq!(hear(&mut first, 2).iter().map(nick).collect::<Vec<_>>(), ["Anna", "Ben"]);
    assert!(!first.quiet().iter().any(|told| is_gone(told, "Ben")));
    second.cut();
    first.expect(|told| is_gone(told, "Ben"));
    // A stream that cannot be resumed is out at once.
    let (third, _) = within(&server, &ben, shop);
    third.cut();
    first.expect(|told| is_gone(told, "Ben"));
}

#[test]
fn section_29_2_a_picture_is_said_in_the_room_by_the_server() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("Bar", HERE);
    let (anna, ben) = (server.person("Anna", 2), server.person("Ben", 1));
    let (mut client, _) = within(&server, &anna, shop);
    let photo = pictures::to_room(&ben, shop, pictures::of_seed(1), "窗边");
    let heard = &hear(&mut client, 1)[0];
    assert_eq!(body(heard), Some(format!("[img:{photo}]窗边")));
    assert_eq!((nick(heard), heard.attr("type")), ("Ben", Some("groupchat")));
}

#[test]
fn what_hostile_clients_try_in_rooms_is_refused_and_reaches_nobody() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("Bar", HERE);
    let (anna, mallory) = (server.person("Anna", 2), server.person("Mallory", 0));
    let (mut client, _) = within(&server, &anna, shop);
    let mut hostile = Xmpp::of(&server, &mallory, "phone");
    for nowhere in ["4000000@c.dface.cn/x", "x@c.dface.cn/x", "18446744073709551616@c.dface.cn/x"] {
        hostile.send(&format!("<presence to='{nowhere}'><x xmlns='http://jabber.org/protocol/muc'/></presence>"));
    }
    assert_eq!(refused(&mut hostile), "item-not-found");
    hostile.quiet();
    say(&mut hostile, shop, "12345678", "not joined");
    assert_eq!(refused(&mut hostile), "not-acceptable");
    join(&mut hostile, shop, "Anna");
    let own = hostile.expect(|told| has_status(told, "110"));
    assert_eq!(nick(&own), "Mallory");
    for forged in ["[优惠券:八折:二所:502fd10abe4b19ed48000002:1354854259]", "[img:502fd10abe4b19ed48000002]"] {
        say(&mut hostile, shop, "forged-1", forged);
        assert_eq!(refused(&mut hostile), "not-acceptable");
        let to = room(shop);
        hostile.send(&format!(
            "<message to='{to}' type='groupchat'><body>hi</body><body xml:lang='zh'>{forged}</body></message>"
        ));
        assert_eq!(refused(&mut hostile), "not-acceptable");
    }
    let to = room(shop);
    hostile
        .send(&format!("<message from='{}' to='{to}' type='groupchat'><body>I am Anna</body></message>", client.jid));
    assert_eq!(hostile.ended().as_deref(), Some("invalid-from"));
    client.expect(|told| is_gone(told, "Mallory"));
    assert!(client.quiet().iter().all(|told| body(told).is_none()));
}
