//! From a connection to a bound stream, and its end.

use dface_tests::{
    Server, Setup, Xmpp,
    xmpp::{BIND, CLIENT, Incoming, SASL, STREAM},
};

#[test]
fn somebody_signs_in_binds_a_resource_and_closes() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::of(&server, &anna, "phone");
    assert_eq!(client.jid, format!("{}@dface.cn/phone", anna.user));
    assert!(client.quiet().is_empty());
    client.close();
}

#[test]
fn a_resource_is_made_where_none_is_asked_for_and_refused_where_it_is_none() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::signed_in(server.xmpp(), &anna.user.to_string(), &anna.chat_password);
    let bind = |resource: &str| format!("<iq type='set' id='a&amp;b'><bind xmlns='{BIND}'>{resource}</bind></iq>");
    let long = format!("<resource>{}</resource>", "é".repeat(600));
    for bad in [&*long, "<resource>a&#x202e;b</resource>"] {
        let answer = client.ask(&bind(bad));
        assert_eq!((answer.attr("type"), answer.attr("id")), (Some("error"), Some("a&b")), "{bad}");
    }
    let answer = client.ask(&bind(""));
    let jid = answer.get_child("bind", BIND).and_then(|bind| bind.get_child("jid", BIND)).expect("an address").text();
    let (bare, resource) = jid.split_once('/').expect("with a resource");
    assert_eq!((bare, resource.len()), (&*format!("{}@dface.cn", anna.user), 16));
}

#[test]
fn whoever_binds_a_resource_again_ends_the_older_stream() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut older = Xmpp::of(&server, &anna, "phone");
    let mut other = Xmpp::of(&server, &anna, "desk");
    let mut newer = Xmpp::of(&server, &anna, "phone");
    assert_eq!(older.ended().as_deref(), Some("conflict"));
    newer.quiet();
    other.quiet();
}

#[test]
fn older_clients_get_their_session_and_features_say_what_there_is() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::connect(server.xmpp());
    let features = client.open();
    let mechanisms = features.get_child("mechanisms", SASL).expect("loopback may sign in without TLS");
    assert_eq!(mechanisms.children().map(minidom::Element::text).collect::<Vec<_>>(), ["PLAIN"]);
    assert!(!features.has_child("starttls", "urn:ietf:params:xml:ns:xmpp-tls"));
    client.plain(&anna.user.to_string(), &anna.chat_password);
    let features = client.open();
    let session = "urn:ietf:params:xml:ns:xmpp-session";
    for (name, ns) in [("bind", BIND), ("session", session), ("sm", "urn:xmpp:sm:3"), ("sm", "urn:xmpp:sm:2")] {
        assert!(features.has_child(name, ns), "{name} {ns}");
    }
    client.bind("phone");
    let answer = client.ask(&format!("<iq type='set' id='s1'><session xmlns='{session}'/></iq>"));
    assert!(answer.is("iq", CLIENT) && answer.attr("type") == Some("result") && answer.attr("id") == Some("s1"));
}

#[test]
fn headers_are_checked_and_unknown_attributes_let_be() {
    let server = Server::start();
    let header = |attributes: &str| {
        let mut client = Xmpp::connect(server.xmpp());
        client.send(&format!("<s:stream xmlns='{CLIENT}' xmlns:s='{STREAM}' {attributes}>"));
        client
    };
    let mut good = header("to='DFACE.cn' version='1.7' from='7@dface.cn' colour='blue' xml:lang='zh' s:x='1'");
    let Some(Incoming::Open(open)) = good.incoming() else { panic!("no header") };
    assert_eq!((open.attr("from"), open.attr("version")), (Some("dface.cn"), Some("1.0")));
    assert_eq!(open.attr("id").map(str::len), Some(32));
    assert!(good.next().is("features", STREAM));
    for (attributes, condition) in [
        ("to='elsewhere.example' version='1.0'", "host-unknown"),
        ("to='dface.cn'", "unsupported-version"),
        ("to='dface.cn' version='0.9'", "unsupported-version"),
    ] {
        assert_eq!(header(attributes).ended().as_deref(), Some(condition), "{attributes}");
    }
    let mut other = Xmpp::connect(server.xmpp());
    other.send(&format!("<s:stream xmlns='jabber:server' xmlns:s='{STREAM}' to='dface.cn' version='1.0'>"));
    assert_eq!(other.ended().as_deref(), Some("invalid-namespace"));
}

#[test]
fn a_stop_tells_all_streams_and_does_not_wait_for_those_who_do_not_listen() {
    let mut server = Setup::default().set("LIMITS__STOP_S", 3).start();
    let anna = server.person("anna", 2);
    let mut bound = Xmpp::of(&server, &anna, "phone");
    let mut deaf = Xmpp::of(&server, &anna, "deaf");
    deaf.manage();
    let mut stranger = Xmpp::connect(server.xmpp());
    stranger.open();
    server.stop();
    assert_eq!(bound.ended().as_deref(), Some("system-shutdown"));
    assert_eq!(stranger.ended().as_deref(), Some("system-shutdown"));
    drop(deaf);
}

#[test]
fn a_silent_client_is_asked_and_ended_where_it_does_not_answer() {
    let mut server = Setup::default().set("CHAT__SILENT_S", 1).set("CHAT__ANSWER_S", 1).start();
    let anna = server.person("anna", 2);
    let mut alive = Xmpp::of(&server, &anna, "alive");
    let mut dead = Xmpp::of(&server, &anna, "dead");
    for _ in 0..3 {
        let ping = alive.next();
        assert!(ping.is("iq", CLIENT) && ping.has_child("ping", "urn:xmpp:ping"), "{}", String::from(&ping));
        let id = ping.attr("id").expect("an id").to_owned();
        alive.send(&format!("<iq type='result' id='{id}'/>"));
    }
    assert_eq!(dead.ended().as_deref(), Some("connection-timeout"));
}

#[test]
fn too_many_connections_are_told_so() {
    let mut server = Setup::default().set("LIMITS__CONNECTIONS", 20).start();
    let anna = server.person("anna", 2);
    let mut client = Xmpp::of(&server, &anna, "phone");
    let mut more: Vec<Xmpp> = (0..19).map(|_| Xmpp::connect(server.xmpp())).collect();
    more.iter_mut().for_each(|client| drop(client.open()));
    let mut refused = Xmpp::connect(server.xmpp());
    assert_eq!(refused.ended().as_deref(), Some("resource-constraint"));
    client.quiet();
    more.remove(0).close();
    let mut next = Xmpp::connect(server.xmpp());
    while next.try_open().is_none() {
        next = Xmpp::connect(server.xmpp());
    }
}
