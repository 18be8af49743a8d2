//! What clients ask first: what the server is and can do.

use dface_tests::{Server, Xmpp, xmpp::STREAM};
use minidom::Element;

const INFO: &str = "http://jabber.org/protocol/disco#info";
const ITEMS: &str = "http://jabber.org/protocol/disco#items";

fn ask(client: &mut Xmpp, to: &str, query: &str) -> Element {
    client.send(&format!("<iq type='get' id='q' to='{to}'>{query}</iq>"));
    client.expect(|told| told.attr("id") == Some("q"))
}

fn features(answer: &Element) -> Vec<String> {
    let query = answer.get_child("query", INFO).unwrap_or_else(|| panic!("{}", String::from(answer)));
    let features = query.children().filter(|child| child.name() == "feature");
    features.map(|feature| feature.attr("var").expect("a feature").to_owned()).collect()
}

#[test]
fn a_client_finds_the_rooms_and_what_everything_can_do() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("Bar", (30.28, 120.11));
    let anna = server.person("Anna", 2);
    let mut client = Xmpp::of(&server, &anna, "phone");
    let info = format!("<query xmlns='{INFO}'/>");
    assert!(features(&ask(&mut client, "dface.cn", &info)).contains(&"urn:xmpp:ping".to_owned()));
    let items = ask(&mut client, "dface.cn", &format!("<query xmlns='{ITEMS}'/>"));
    let rooms = items.get_child("query", ITEMS).unwrap().children().next().unwrap().attr("jid").unwrap().to_owned();
    assert!(features(&ask(&mut client, &rooms, &info)).contains(&"http://jabber.org/protocol/muc".to_owned()));
    let room = features(&ask(&mut client, &format!("{shop}@{rooms}"), &info));
    assert!(["muc_open", "muc_persistent", "muc_nonanonymous"].iter().all(|one| room.iter().any(|room| room == one)));
    let version = ask(&mut client, "dface.cn", "<query xmlns='jabber:iq:version'/>");
    let version = version.get_child("query", "jabber:iq:version").unwrap();
    assert_eq!(version.children().map(Element::name).collect::<Vec<_>>(), ["name", "version"]);
}

#[test]
fn the_streams_features_name_what_disco_answers() {
    let mut server = Server::start();
    let anna = server.person("Anna", 2);
    let mut client = Xmpp::connect(server.xmpp());
    client.open();
    client.plain(&anna.user.to_string(), &anna.chat_password);
    let offered = client.open();
    assert!(offered.is("features", STREAM));
    let caps = offered.get_child("c", "http://jabber.org/protocol/caps").expect("XEP-0115");
    let node = format!("{}#{}", caps.attr("node").unwrap(), caps.attr("ver").unwrap());
    client.bind("phone");
    let answer = ask(&mut client, "dface.cn", &format!("<query xmlns='{INFO}' node='{node}'/>"));
    assert!(features(&answer).contains(&INFO.to_owned()));
}
