use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use minidom::Element;

use super::*;
use crate::xmpp::testing::{Client, Stage};

/// An iq, and what comes back.
async fn ask(client: &Client, kind: &str, to: Option<&str>, inside: &str) -> Element {
    let to = to.map(|to| format!(" to='{to}'")).unwrap_or_default();
    client.send(&format!("<iq type='{kind}' id='q'{to}>{inside}</iq>")).await;
    let answer = client.next_of("iq").await;
    assert_eq!(answer.attr("id"), Some("q"));
    answer
}

/// The condition of the error that an answer is; empty where it is a result.
fn error(answer: &Element) -> String {
    let error = answer.get_child("error", ns::CLIENT);
    error.and_then(|error| error.children().next()).map(|condition| condition.name().to_owned()).unwrap_or_default()
}

fn info(answer: &Element) -> Vec<String> {
    let query = answer.get_child("query", ns::DISCO_INFO).unwrap();
    let features = query.children().filter(|child| child.name() == "feature");
    features.map(|feature| feature.attr("var").unwrap().to_owned()).collect()
}

fn listed(answer: &Element) -> Vec<String> {
    let query = answer.get_child("query", ns::DISCO_ITEMS).unwrap();
    let items = query.children().filter(|child| child.name() == "item");
    items.map(|item| item.attr("jid").unwrap().to_owned()).collect()
}

/// What a feature means, as a question: it is answered where the feature is listed, and nowhere else.
const PROBES: [(&str, &str, &str); 7] = [
    (ns::DISCO_INFO, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"),
    (ns::DISCO_ITEMS, "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>"),
    (ns::VERSION, "get", "<query xmlns='jabber:iq:version'/>"),
    (ns::PING, "get", "<ping xmlns='urn:xmpp:ping'/>"),
    (ns::CARBONS, "set", "<enable xmlns='urn:xmpp:carbons:2'/>"),
    (ns::BLOCKING, "get", "<blocklist xmlns='urn:xmpp:blocking'/>"),
    (ns::MAM, "get", "<query xmlns='urn:xmpp:mam:2'/>"),
];

/// Features that no question of their own belongs to: how messages are written, kept and told, and what a room is.
const SILENT: [&str; 7] =
    ["msgoffline", ns::DELAY, ns::STANZA_ID, ns::MUC, ns::RSM, ns::MUC_SELF_PING, ns::MUC_STABLE_ID];

#[tokio::test]
async fn every_address_says_exactly_what_it_can_do() {
    let stage = Stage::new().await;
    let (anna, shop) = (stage.person("Anna").await, stage.shop("Bar").await);
    let client = stage.client(anna, "phone").await;
    let (room, own) = (format!("{shop}@c.dface.cn"), client.session.bare.to_string());
    for to in [None, Some(own.as_str()), Some("dface.cn"), Some("c.dface.cn"), Some(&room)] {
        let says = info(&ask(&client, "get", to, PROBES[0].2).await);
        for (feature, kind, probe) in PROBES {
            let answered = error(&ask(&client, kind, to, probe).await) != "service-unavailable";
            assert_eq!(answered, says.iter().any(|one| one == feature), "{feature} of {to:?}");
        }
        for one in says {
            let known = PROBES.iter().any(|(feature, ..)| *feature == one) || SILENT.contains(&one.as_str());
            assert!(known || one.starts_with("muc_"), "{one} of {to:?} is tried by nothing");
        }
    }
}

#[tokio::test]
async fn what_is_not_offered_is_refused_and_answers_are_answered_nothing() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("Anna").await, stage.person("Ben").await);
    let (client, other) = (stage.client(anna, "phone").await, stage.client(ben, "phone").await);
    let (ping, full) = ("<ping xmlns='urn:xmpp:ping'/>", other.session.full());
    for query in [
        "<vCard xmlns='vcard-temp'/>",
        "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>",
        "<query xmlns='jabber:iq:last'/>",
        "<time xmlns='urn:xmpp:time'/>",
        "<query xmlns='jabber:iq:register'/>",
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'/>",
        "<ping xmlns='urn:unknown'/>",
    ] {
        for to in [None, Some("dface.cn"), Some("c.dface.cn"), Some(&*other.session.bare), Some(full.as_str())] {
            for kind in ["get", "set"] {
                assert_eq!(error(&ask(&client, kind, to, query).await), "service-unavailable", "{query} to {to:?}");
            }
        }
    }
    for (to, condition) in [
        (full.as_str(), "service-unavailable"),
        ("s1@dface.cn", "service-unavailable"),
        ("4000000@c.dface.cn", "item-not-found"),
        ("x@dface.org", "remote-server-not-found"),
        ("@", "jid-malformed"),
    ] {
        assert_eq!(error(&ask(&client, "get", Some(to), ping).await), condition, "{to}");
    }
    for wrong in [String::new(), ping.repeat(2)] {
        assert_eq!(error(&ask(&client, "get", None, &wrong).await), "bad-request");
    }
    assert_eq!(error(&ask(&client, "put", None, ping).await), "bad-request");
    for answer in ["result", "error"] {
        for to in ["dface.cn", &full] {
            client.send(&format!("<iq type='{answer}' id='q' to='{to}'/>")).await;
        }
    }
    assert!(client.all().is_empty() && other.all().is_empty());
}

#[tokio::test]
async fn nobody_has_contacts() {
    let stage = Stage::new().await;
    let anna = stage.person("Anna").await;
    let client = stage.client(anna, "phone").await;
    let answer = ask(&client, "get", None, "<query xmlns='jabber:iq:roster'/>").await;
    assert_eq!(answer.get_child("query", ns::ROSTER).unwrap().children().count(), 0);
    let add = "<query xmlns='jabber:iq:roster'><item jid='8@dface.cn'/></query>";
    assert_eq!(error(&ask(&client, "set", None, add).await), "not-allowed");
}

#[tokio::test]
async fn the_domain_of_the_rooms_lists_those_with_somebody_in_them_page_by_page() {
    let stage = Stage::limited(|rooms| rooms.page = 2).await;
    let anna = stage.person("Anna").await;
    let client = stage.client(anna, "phone").await;
    let items = |inside: &str| format!("<query xmlns='{}'>{inside}</query>", ns::DISCO_ITEMS);
    assert_eq!(listed(&ask(&client, "get", Some("dface.cn"), &items("")).await), ["c.dface.cn"]);
    let mut rooms = vec![];
    for name in ["A", "B", "C <&> D"] {
        let shop = stage.shop(name).await;
        client.send(&format!("<presence to='{shop}@c.dface.cn/x'><x xmlns='{}'/></presence>", ns::MUC)).await;
        rooms.push(format!("{shop}@c.dface.cn"));
    }
    stage.shop("nobody is here").await;
    client.all();
    let first = ask(&client, "get", Some("c.dface.cn"), &items("")).await;
    assert_eq!(listed(&first), rooms[..2]);
    let page = first.get_child("query", ns::DISCO_ITEMS).unwrap().get_child("set", ns::RSM).unwrap().clone();
    let text = |name: &str| page.get_child(name, ns::RSM).unwrap().text();
    assert_eq!(text("count"), "3");
    let after = |after: &str, max: &str| {
        items(&format!("<set xmlns='{}'><max>{max}</max><after>{after}</after></set>", ns::RSM))
    };
    let second = ask(&client, "get", Some("c.dface.cn"), &after(&text("last"), "1000")).await;
    assert_eq!(listed(&second), rooms[2..]);
    assert!(listed(&ask(&client, "get", Some("c.dface.cn"), &after("", "0")).await).is_empty());
    let wrong = ask(&client, "get", Some("c.dface.cn"), &after("x", "1")).await;
    assert_eq!(error(&wrong), "item-not-found");
}

#[tokio::test]
async fn a_room_says_what_it_is_and_what_one_is_called_there() {
    let stage = Stage::new().await;
    let (anna, shop) = (stage.person("Anna").await, stage.shop("A & B").await);
    let client = stage.client(anna, "phone").await;
    let room = format!("{shop}@c.dface.cn");
    client.send(&format!("<presence to='{room}/x'><x xmlns='{}'/></presence>", ns::MUC)).await;
    client.all();
    let answer = ask(&client, "get", Some(&room), PROBES[0].2).await;
    let query = answer.get_child("query", ns::DISCO_INFO).unwrap();
    let identity = query.get_child("identity", ns::DISCO_INFO).unwrap();
    assert_eq!((identity.attr("category"), identity.attr("name")), (Some("conference"), Some("A & B")));
    let form = query.get_child("x", ns::FORM).unwrap();
    let occupants = form.children().find(|field| field.attr("var") == Some("muc#roominfo_occupants")).unwrap();
    assert_eq!(occupants.get_child("value", ns::FORM).unwrap().text(), "1");
    let node = |node: &str| format!("<query xmlns='{}' node='{node}'/>", ns::DISCO_INFO);
    let own = ask(&client, "get", Some(&room), &node("x-roomuser-item")).await;
    let own = own.get_child("query", ns::DISCO_INFO).unwrap().get_child("identity", ns::DISCO_INFO).unwrap().clone();
    assert_eq!(own.attr("name"), Some("Anna"));
    for to in [&room, "c.dface.cn", "dface.cn", &client.session.bare] {
        assert_eq!(error(&ask(&client, "get", Some(to), &node("x")).await), "item-not-found", "{to}");
    }
}

#[tokio::test]
async fn the_hash_in_the_streams_features_is_that_of_what_the_server_says() {
    let stage = Stage::new().await;
    let anna = stage.person("Anna").await;
    let client = stage.client(anna, "phone").await;
    let caps: Element = caps().parse().unwrap();
    let node = format!("{}#{}", caps.attr("node").unwrap(), caps.attr("ver").unwrap());
    let question = format!("<query xmlns='{}' node='{node}'/>", ns::DISCO_INFO);
    let answer = ask(&client, "get", Some("dface.cn"), &question).await;
    let query = answer.get_child("query", ns::DISCO_INFO).unwrap();
    assert_eq!(query.attr("node"), Some(node.as_str()));
    let identity = query.get_child("identity", ns::DISCO_INFO).unwrap();
    let [category, kind, name] = ["category", "type", "name"].map(|name| identity.attr(name).unwrap());
    let mut features = info(&answer);
    features.sort();
    let text = features.iter().fold(format!("{category}/{kind}//{name}<"), |text, feature| text + feature + "<");
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    assert_eq!(caps.attr("ver"), Some(STANDARD.encode(hash).as_str()));
}

#[tokio::test]
async fn the_version_tells_nothing_of_the_machine() {
    let stage = Stage::new().await;
    let anna = stage.person("Anna").await;
    let client = stage.client(anna, "phone").await;
    let answer = ask(&client, "get", Some("dface.cn"), PROBES[2].2).await;
    let query = answer.get_child("query", ns::VERSION).unwrap();
    assert_eq!(query.children().map(Element::name).collect::<Vec<_>>(), ["name", "version"]);
}
