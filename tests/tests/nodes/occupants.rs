//! What is kept nowhere, over several nodes: who is in a room, who is writing.

use std::net::SocketAddr;

use dface_tests::{
    Phone, Server, Setup, Xmpp,
    clients::Cuts,
    rabbitmq::{PASSWORD, RabbitMq},
    xmpp::CLIENT,
};
use minidom::Element;

use super::{HERE, World, until};

const MUC: &str = "http://jabber.org/protocol/muc";
const COMPOSING: &str = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";

/// A node that notices soon who is gone.
fn node(world: &World, queue: &str) -> Setup {
    world.node().set("QUEUE", queue).set("SIGNALS__EVERY_S", 1).set("SIGNALS__SILENT_S", 3)
}

/// Starts it, and waits until it can tell the others.
fn start(setup: Setup) -> Server {
    let mut server = setup.start();
    server.secret(PASSWORD);
    reaches_the_others(&server, true);
    server
}

fn reaches_the_others(server: &Server, connected: bool) {
    let status = || server.operator().get("/admin/status");
    until("connected to the others", status, |status| status.ok()["signals"]["connected"] == connected);
}

/// Somebody who is in a room.
fn within(server: &Server, phone: &Phone, resource: &str, shop: u64) -> Xmpp {
    let mut client = Xmpp::of(server, phone, resource);
    client.send("<presence/>");
    client.send(&format!("<presence to='{shop}@c.dface.cn/x'><x xmlns='{MUC}'/></presence>"));
    client.expect(|told| told.has_child("subject", CLIENT));
    client
}

fn nick(stanza: &Element) -> &str {
    stanza.attr("from").and_then(|from| from.split_once("@c.dface.cn/")).map_or("", |(_, nick)| nick)
}

#[track_caller]
fn sees(client: &mut Xmpp, name: &str, is_there: bool) {
    let kind = if is_there { None } else { Some("unavailable") };
    client.expect(|told| told.name() == "presence" && nick(told) == name && told.attr("type") == kind);
}

/// From whom the next word comes that somebody is writing.
#[track_caller]
fn writing(client: &mut Xmpp) -> String {
    let told = client.expect(|told| told.children().any(|child| child.name() == "composing"));
    told.attr("from").expect("a sender").to_owned()
}

fn writes(client: &mut Xmpp, to: &Phone) {
    client.send(&format!("<message type='chat' to='{}@dface.cn'>{COMPOSING}</message>", to.user));
}

#[test]
fn who_is_in_a_room_and_who_is_writing_is_seen_on_all_nodes_and_a_dead_nodes_people_are_gone() {
    let (world, broker) = (World::new(), RabbitMq::start());
    let queue = broker.fresh();
    let [mut here, there, elsewhere] = [(); 3].map(|()| start(node(&world, &queue)));
    let shop = here.operator().add_shop("断桥茶室", HERE);
    let [anna, ben, carl] = ["Anna", "Ben", "Carl"].map(|name| here.person(name, 2));
    for server in [&there, &elsewhere] {
        let known = || carl.at(server.public()).get("/user_info/get", &[("id", &carl.user)]);
        until("known on the other node", known, |answer| answer.status == 200);
    }
    let mut annas = within(&here, &anna, "phone", shop);
    let mut bens = within(&there, &ben, "phone", shop);
    sees(&mut annas, "Ben", true);
    sees(&mut bens, "Anna", true);
    let mut carls = within(&elsewhere, &carl, "phone", shop);
    for client in [&mut annas, &mut bens] {
        sees(client, "Carl", true);
    }
    for name in ["Anna", "Ben"] {
        sees(&mut carls, name, true);
    }
    carls.send(&format!("<message type='groupchat' to='{shop}@c.dface.cn'>{COMPOSING}</message>"));
    for client in [&mut annas, &mut bens] {
        assert_eq!(writing(client), format!("{shop}@c.dface.cn/Carl"));
    }
    writes(&mut annas, &ben);
    assert_eq!(writing(&mut bens), annas.jid);
    // Whom Ben blocks he does not hear.
    let block = format!("<block xmlns='urn:xmpp:blocking'><item jid='{}@dface.cn'/></block>", anna.user);
    bens.send(&format!("<iq type='set' id='block'>{block}</iq>"));
    bens.expect(|told| told.attr("id") == Some("block"));
    writes(&mut annas, &ben);
    annas.quiet();
    writes(&mut carls, &ben);
    assert_eq!(writing(&mut bens), carls.jid);

    here.kill();
    for client in [&mut bens, &mut carls] {
        sees(client, "Anna", false);
    }
    here.start_again();
    reaches_the_others(&here, true);
    let mut annas = within(&here, &anna, "phone", shop);
    for client in [&mut bens, &mut carls] {
        sees(client, "Anna", true);
    }
    for name in ["Ben", "Carl"] {
        sees(&mut annas, name, true);
    }
    bens.close();
    for client in [&mut annas, &mut carls] {
        sees(client, "Ben", false);
    }
}

#[test]
fn a_node_that_lost_its_way_to_the_others_knows_again_who_is_there() {
    let (world, broker) = (World::new(), RabbitMq::start());
    let queue = broker.fresh();
    let at: SocketAddr =
        queue.split(['@', '/']).find_map(|part| part.parse().ok()).expect("an address with the broker's port");
    let road = Cuts::before(at);
    let mut here = start(node(&world, &queue));
    let there = start(node(&world, &queue.replace(&at.to_string(), &road.at().to_string())));
    let shop = here.operator().add_shop("断桥茶室", HERE);
    let [anna, ben, carl] = ["Anna", "Ben", "Carl"].map(|name| here.person(name, 2));
    let known = || carl.at(there.public()).get("/user_info/get", &[("id", &carl.user)]);
    until("known on the other node", known, |answer| answer.status == 200);
    let mut annas = within(&here, &anna, "phone", shop);
    let mut carls = within(&there, &carl, "phone", shop);
    sees(&mut annas, "Carl", true);
    sees(&mut carls, "Anna", true);
    let mut bens = within(&here, &ben, "phone", shop);
    for client in [&mut annas, &mut carls] {
        sees(client, "Ben", true);
    }

    road.close();
    reaches_the_others(&there, false);
    bens.close();
    sees(&mut annas, "Ben", false);
    // Each counts the other's people as gone after a while.
    sees(&mut annas, "Carl", false);
    for name in ["Anna", "Ben"] {
        sees(&mut carls, name, false);
    }
    bens = within(&there, &ben, "web", shop);
    road.leads_to(at);
    reaches_the_others(&there, true);
    for name in ["Ben", "Carl"] {
        sees(&mut annas, name, true);
    }
    for client in [&mut bens, &mut carls] {
        sees(client, "Anna", true);
    }
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    for client in [&mut annas, &mut bens] {
        client.send(&format!("<iq type='get' id='info' to='{shop}@c.dface.cn'>{info}</iq>"));
        let told = String::from(&client.expect(|told| told.attr("id") == Some("info")));
        let count = told.split("muc#roominfo_occupants").nth(1).expect("how many are there");
        assert!(count.contains("<value>3</value>"), "{told}");
    }
}
