//! Stream management and resumption (XEP-0198).

use dface_tests::{
    Phone, Server, Setup, Xmpp,
    xmpp::{SM, STREAM},
};
use minidom::Element;
use reqwest::{Method, blocking::Response};

fn ping(id: &str) -> String {
    format!("<iq type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>")
}

fn again(server: &Server, phone: &Phone) -> Xmpp {
    Xmpp::signed_in(server.xmpp(), &phone.user.to_string(), &phone.chat_password)
}

fn resume(client: &mut Xmpp, id: &str, handled: u32) -> Element {
    client.ask(&format!("<resume xmlns='{SM}' previd='{id}' h='{handled}'/>"))
}

/// The ids of the next answers, past what the server asks for.
fn answers(client: &mut Xmpp, count: usize) -> Vec<String> {
    let next =
        |client: &mut Xmpp| client.expect(|element| element.name() == "iq").attr("id").unwrap_or_default().to_owned();
    (0..count).map(|_| next(client)).collect()
}

#[test]
fn what_was_handled_is_told_and_asked_for() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::of(&server, &anna, "phone");
    client.manage();
    client.send(&ping("1"));
    assert_eq!(answers(&mut client, 1), ["1"]);
    // The server wants to know what came.
    assert!(client.next().is("r", SM));
    let told = client.ask(&format!("<a xmlns='{SM}' h='1'/><r xmlns='{SM}'/>"));
    assert!(told.is("a", SM) && told.attr("h") == Some("1"), "{}", String::from(&told));
    let twice = client.ask(&format!("<enable xmlns='{SM}'/>"));
    assert!(twice.is("failed", SM) && twice.has_child("unexpected-request", "urn:ietf:params:xml:ns:xmpp-stanzas"));
    client.send(&format!("<a xmlns='{SM}' h='5'/>"));
    let error = client.expect(|element| element.is("error", STREAM));
    let too_high = error.get_child("handled-count-too-high", SM).expect("it says why");
    assert_eq!((too_high.attr("h"), too_high.attr("send-count")), (Some("5"), Some("1")));
    assert!(error.has_child("undefined-condition", "urn:ietf:params:xml:ns:xmpp-streams"));
}

#[test]
fn a_cut_stream_goes_on_where_it_was_and_what_was_not_acknowledged_comes_again_in_order() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::of(&server, &anna, "phone");
    let (id, jid) = (client.manage(), client.jid.clone());
    ["1", "2", "3", "4"].iter().for_each(|n| client.send(&ping(n)));
    assert_eq!(answers(&mut client, 4), ["1", "2", "3", "4"]);
    client.cut();
    let mut client = again(&server, &anna);
    let resumed = resume(&mut client, &id, 1);
    assert!(resumed.is("resumed", SM), "{}", String::from(&resumed));
    assert_eq!((resumed.attr("h"), resumed.attr("previd")), (Some("4"), Some(&*id)));
    assert_eq!(answers(&mut client, 3), ["2", "3", "4"]);
    client.send(&format!("<a xmlns='{SM}' h='4'/>"));
    // It is the same stream: a message to its address arrives.
    client.send(&format!("<message to='{}'><body>again</body></message>", jid.split('/').next().unwrap_or_default()));
    client.send(&ping("5"));
    assert_eq!(answers(&mut client, 1), ["5"]);
    // And may be cut again.
    client.cut();
    let mut client = again(&server, &anna);
    assert!(resume(&mut client, &id, 5).is("resumed", SM));
}

#[test]
fn a_stream_whose_connection_seems_alive_is_taken_over() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut older = Xmpp::of(&server, &anna, "phone");
    let id = older.manage();
    older.send(&ping("1"));
    assert_eq!(answers(&mut older, 1), ["1"]);
    let mut newer = again(&server, &anna);
    assert!(resume(&mut newer, &id, 0).is("resumed", SM));
    assert_eq!(answers(&mut newer, 1), ["1"]);
    assert_eq!(older.ended().as_deref(), Some("conflict"));
    newer.send(&ping("2"));
    assert_eq!(answers(&mut newer, 1), ["2"]);
}

#[test]
fn a_stream_is_resumed_by_its_own_account_alone_and_not_after_it_was_closed() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let mut client = Xmpp::of(&server, &anna, "phone");
    let id = client.manage();
    client.send(&ping("1"));
    assert_eq!(answers(&mut client, 1), ["1"]);
    let not_found = |answer: &Element| {
        assert!(answer.is("failed", SM), "{}", String::from(answer));
        assert!(answer.has_child("item-not-found", "urn:ietf:params:xml:ns:xmpp-stanzas"));
        answer.attr("h").map(str::to_owned)
    };
    let mut stranger = again(&server, &ben);
    assert_eq!(not_found(&resume(&mut stranger, &id, 0)), None);
    assert_eq!(not_found(&resume(&mut stranger, "unknown", 0)), None);
    // Whoever cannot resume may bind.
    stranger.bind("phone");
    client.close();
    let mut client = again(&server, &anna);
    assert_eq!(not_found(&resume(&mut client, &id, 0)).as_deref(), Some("1"));
    client.bind("phone");
}

#[test]
fn a_cut_stream_is_over_after_its_time_and_where_too_many_wait() {
    let mut server = Setup::default().set("CHAT__RESUME_S", 1).set("CHAT__RESUMABLE", 1).start();
    let anna = server.person("anna", 2);
    let mut one = Xmpp::of(&server, &anna, "one");
    let first = one.manage();
    one.cut();
    // Waits until the time is over, by asking again and again.
    let mut client = again(&server, &anna);
    let mut other = Xmpp::of(&server, &anna, "other");
    other.manage();
    let ended = loop {
        let metrics =
            server.operator().request(Method::GET, "/metrics").send().and_then(Response::text).expect("metrics");
        if metrics.lines().any(|line| line == "dface_chat_streams 1") {
            break resume(&mut client, &first, 0);
        }
    };
    assert!(ended.is("failed", SM), "{}", String::from(&ended));
}

#[test]
fn a_count_of_the_future_ends_the_resumed_stream() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::of(&server, &anna, "phone");
    let id = client.manage();
    client.cut();
    let mut client = again(&server, &anna);
    client.send(&format!("<resume xmlns='{SM}' previd='{id}' h='7'/>"));
    assert_eq!(client.ended().as_deref(), Some("undefined-condition"));
    let mut client = again(&server, &anna);
    assert!(resume(&mut client, &id, 0).is("failed", SM));
}
