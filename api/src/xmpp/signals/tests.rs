//! Chats of several nodes that reach each other, in one process.

use dface_commands::people::NewAccount;
use dface_domain::{
    events::Gender,
    ids::{ShopId, UserId},
    messages::Party,
};
use dface_workers::signals::local::LocalSignals;
use minidom::Element;

use super::*;
use crate::{
    settings::Settings,
    xmpp::{
        hub::Hub as _,
        stanzas::xml::ns,
        testing::{Client, Stage},
    },
};

type Node = (Stage, Arc<LocalSignals>);

/// Nodes that notice soon who is gone.
async fn nodes<const N: usize>() -> [Node; N] {
    Stage::linked(|settings: &mut Settings| (settings.signals.every_s, settings.signals.silent_s) = (1, 2)).await
}

fn join(shop: ShopId) -> String {
    format!("<presence to='{shop}@c.dface.cn/x'><x xmlns='{}'/></presence>", ns::MUC)
}

/// Somebody who is in a room.
async fn within(stage: &Stage, user: UserId, resource: &str, shop: ShopId) -> Client {
    let client = stage.client(user, resource).await;
    client.send(&join(shop)).await;
    client.expect(|told| told.get_child("subject", ns::CLIENT).is_some()).await;
    client
}

fn nick(stanza: &Element) -> &str {
    stanza.attr("from").and_then(|from| from.split_once('/')).map_or("", |(_, nick)| nick)
}

/// Waits until somebody is in the room, or gone; by the nick.
async fn sees(client: &Client, name: &str, is_there: bool) -> Element {
    let kind = if is_there { None } else { Some("unavailable") };
    client.expect(|told| told.name() == "presence" && nick(told) == name && told.attr("type") == kind).await
}

fn statuses(presence: &Element) -> Vec<&str> {
    let Some(user) = presence.get_child("x", ns::MUC_USER) else { return vec![] };
    user.children().filter(|child| child.name() == "status").filter_map(|status| status.attr("code")).collect()
}

fn is_composing(told: &Element) -> bool {
    told.children().any(|child| child.name() == "composing")
}

const COMPOSING: &str = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_a_room_on_one_node_is_seen_and_heard_on_the_others() {
    let [(here, _), (there, _), (elsewhere, _)] = nodes::<3>().await;
    let (anna, ben, carl) = (here.person("Anna").await, here.person("Ben").await, here.person("Carl").await);
    let shop = here.shop("Bar").await;
    there.settled().await;
    let annas = within(&here, anna, "phone", shop).await;
    let bens = within(&there, ben, "phone", shop).await;
    sees(&annas, "Ben", true).await;
    // Who comes later is told of all.
    while elsewhere.chat.rooms.elsewhere() < 2 {
        tokio::task::yield_now().await;
    }
    let carls = elsewhere.client(carl, "phone").await;
    carls.send(&join(shop)).await;
    let told = [carls.next().await, carls.next().await, carls.next().await];
    assert_eq!(told.each_ref().map(nick), ["Anna", "Ben", "Carl"]);
    assert_eq!((statuses(&told[0]), statuses(&told[2])), (vec![], vec!["100", "110", "170", "210"]));
    carls.send(&format!("<message to='{shop}@c.dface.cn' type='groupchat'>{COMPOSING}</message>")).await;
    for client in [&annas, &bens] {
        let told = client.expect(is_composing).await;
        assert_eq!((nick(&told), told.attr("to")), ("Carl", Some(&*client.session.full())));
    }
    carls
        .send("<iq type='get' id='q' to='c.dface.cn'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
        .await;
    let rooms = carls.next_of("iq").await;
    assert!(String::from(&rooms).contains(&format!("{shop}@c.dface.cn")));
    bens.over(vec![]).await;
    for client in [&annas, &carls] {
        sees(client, "Ben", false).await;
    }
    assert_eq!(here.chat.rooms.elsewhere(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_one_name_who_come_at_once_on_two_nodes_end_with_two_nicks() {
    let [(here, way), (there, other_way)] = nodes::<2>().await;
    let (anna, shop) = (here.person("Anna").await, here.shop("Bar").await);
    let new = NewAccount { name: "not Anna".to_owned(), password: None, gender: Gender::default(), source: None };
    let commands = &here.chat.node.commands;
    let (other, _) = commands.register_shown(new, "Anna", &here.chat.context()).await.unwrap();
    there.settled().await;
    way.cut();
    other_way.cut();
    let (first, second) = (within(&here, anna, "phone", shop).await, within(&there, other, "phone", shop).await);
    way.heal();
    other_way.heal();
    // Whoever registered first has the lower id.
    let settled = format!("Anna ({other})");
    let own = second.expect(|told| told.name() == "presence" && statuses(told).contains(&"303")).await;
    assert_eq!((nick(&own), own.attr("type"), statuses(&own)), ("Anna", Some("unavailable"), vec!["110", "303"]));
    let item = own.get_child("x", ns::MUC_USER).and_then(|user| user.get_child("item", ns::MUC_USER)).unwrap();
    assert_eq!(item.attr("nick"), Some(&*settled));
    assert_eq!(statuses(&sees(&second, &settled, true).await), ["110"]);
    sees(&second, "Anna", true).await;
    let told = sees(&first, &settled, true).await;
    let item = told.get_child("x", ns::MUC_USER).and_then(|user| user.get_child("item", ns::MUC_USER)).unwrap();
    assert_eq!(item.attr("jid"), Some(&*second.session.full()));
    second.over(vec![]).await;
    sees(&first, &settled, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_right_again_when_the_way_is_there_again() {
    let [(here, _), (there, way)] = nodes::<2>().await;
    let (anna, ben, carl) = (here.person("Anna").await, here.person("Ben").await, here.person("Carl").await);
    let shop = here.shop("Bar").await;
    there.settled().await;
    let carls = within(&there, carl, "phone", shop).await;
    let annas = within(&here, anna, "phone", shop).await;
    sees(&carls, "Anna", true).await;
    way.cut();
    annas.over(vec![]).await;
    let bens = within(&here, ben, "phone", shop).await;
    carls.over(vec![]).await;
    let carls = within(&there, carl, "web", shop).await;
    way.heal();
    sees(&carls, "Ben", true).await;
    sees(&bens, "Carl", true).await;
    while there.chat.rooms.elsewhere() != 1 || here.chat.rooms.elsewhere() != 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_a_node_that_falls_silent_or_stops_are_gone() {
    let [(here, _), (there, way), (stopping, _)] = nodes::<3>().await;
    let (anna, ben, carl) = (here.person("Anna").await, here.person("Ben").await, here.person("Carl").await);
    let shop = here.shop("Bar").await;
    for stage in [&there, &stopping] {
        stage.settled().await;
    }
    let annas = within(&here, anna, "phone", shop).await;
    let _bens = within(&there, ben, "phone", shop).await;
    sees(&annas, "Ben", true).await;
    let _carls = within(&stopping, carl, "phone", shop).await;
    sees(&annas, "Carl", true).await;
    way.cut();
    sees(&annas, "Ben", false).await;
    way.heal();
    sees(&annas, "Ben", true).await;
    drop(stopping);
    sees(&annas, "Carl", false).await;
    ended(&here.chat, there.chat.others.teller.node());
    sees(&annas, "Ben", false).await;
    // It is there all the same, so it is met anew.
    sees(&annas, "Ben", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_nowhere_reaches_streams_of_other_nodes_unless_one_blocks_the_other() {
    let [(here, _), (there, _)] = nodes::<2>().await;
    let (anna, ben, carl) = (here.person("anna").await, here.person("ben").await, here.person("carl").await);
    there.settled().await;
    let (annas, carls) = (here.client(anna, "phone").await, here.client(carl, "phone").await);
    let (phone, web) = (there.client(ben, "phone").await, there.client(ben, "web").await);
    let composing = |to: &str| format!("<message type='chat' to='{ben}@dface.cn{to}'>{COMPOSING}</message>");
    annas.send(&composing("")).await;
    for client in [&phone, &web] {
        let told = client.expect(is_composing).await;
        assert_eq!(told.attr("from"), Some(&*format!("{anna}@dface.cn/phone")));
        assert_eq!(told.attr("to"), Some(&*format!("{ben}@dface.cn")));
    }
    annas.send(&composing("/web")).await;
    web.expect(is_composing).await;
    // A block that the other node has not heard of holds where it was heard.
    phone
        .send(&format!(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{anna}@dface.cn'/></block></iq>"
        ))
        .await;
    phone.next_of("iq").await;
    here.settled().await;
    annas.send(&composing("")).await;
    let by_the_way = Signal::Relayed {
        from: (anna.into(), "phone".to_owned()),
        to: (ben.into(), None),
        xml: format!("<message xmlns=\"jabber:client\" type='chat'>{COMPOSING}</message>"),
    };
    here.chat.others.teller.tell(|| by_the_way);
    carls.send(&composing("")).await;
    for client in [&phone, &web] {
        let told = client.expect(is_composing).await;
        assert_eq!(told.attr("from"), Some(&*format!("{carl}@dface.cn/phone")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_streams_on_other_nodes_are_told_and_a_resource_is_in_one_place() {
    let [(here, _), (there, _)] = nodes::<2>().await;
    let anna = here.person("anna").await;
    there.settled().await;
    let phone = here.client(anna, "phone").await;
    let web = there.bound(anna, "web").await;
    web.send("<presence><show>away</show></presence>").await;
    let from = |resource: &str| Some(format!("{anna}@dface.cn/{resource}"));
    let told = phone.next_of("presence").await;
    assert_eq!(told.attr("from").map(str::to_owned), from("web"));
    assert_eq!(told.get_child("show", ns::CLIENT).unwrap().text(), "away");
    web.expect(|told| told.attr("from").map(str::to_owned) == from("phone")).await;
    assert!(there.chat.others.elsewhere.has(anna.into(), "phone"));
    web.send("<presence type='unavailable'/>").await;
    // Where both became available at once, both were asked and both told.
    phone.expect(|told| told.attr("type") == Some("unavailable")).await;
    web.send("<presence/>").await;
    assert_eq!(phone.next_of("presence").await.attr("type"), None);
    // The phone came to the other node before this one knew that it had left.
    let again = there.client(anna, "phone").await;
    while !phone.session.outbox.is_ending() {
        tokio::task::yield_now().await;
    }
    here.chat.over(&phone.session, vec![]).await;
    assert!(!again.session.outbox.is_ending());
    drop(there);
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_streams_are_right_again_when_the_way_is_there_again() {
    let [(here, _), (there, way)] = nodes::<2>().await;
    let anna = here.person("anna").await;
    there.settled().await;
    let (phone, web) = (here.client(anna, "phone").await, there.client(anna, "web").await);
    let of = |resource: &str, kind: Option<&'static str>| {
        let from = format!("{anna}@dface.cn/{resource}");
        move |told: &Element| told.attr("from") == Some(&*from) && told.attr("type") == kind
    };
    phone.expect(of("web", None)).await;
    web.expect(of("phone", None)).await;
    way.cut();
    phone.over(vec![]).await;
    let pad = here.client(anna, "pad").await;
    way.heal();
    // In which order depends on whether the other node counted as gone meanwhile.
    let (came, gone) = (of("pad", None), of("phone", Some("unavailable")));
    let first = web.expect(|told| came(told) || gone(told)).await;
    web.expect(|told| if came(&first) { gone(told) } else { came(told) }).await;
    pad.expect(of("web", None)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_send_out_whom_they_see_on_whichever_node() {
    let [(here, _), (there, _)] = nodes::<2>().await;
    let (ben, shop) = (here.person("Ben").await, here.shop("Bar").await);
    there.settled().await;
    let bens = within(&there, ben, "phone", shop).await;
    let till = here.client(Party::Shop(shop), "till").await;
    while here.chat.rooms.elsewhere() == 0 {
        tokio::task::yield_now().await;
    }
    till.send(&join(shop)).await;
    sees(&till, "Ben", true).await;
    let item = "<item nick='Ben' role='none'><reason>spam</reason></item>";
    let kick =
        format!("<iq type='set' id='k' to='{shop}@c.dface.cn'><query xmlns='{}'>{item}</query></iq>", ns::MUC_ADMIN);
    till.send(&kick).await;
    sees(&till, "Ben", false).await;
    let out = sees(&bens, "Ben", false).await;
    assert_eq!(statuses(&out), ["110", "307"]);
    let said = format!("<message to='{shop}@c.dface.cn' type='groupchat'><body>hi</body></message>");
    bens.send(&said).await;
    assert_eq!(bens.expect(|told| told.name() == "message").await.attr("type"), Some("error"));
    bens.send(&join(shop)).await;
    sees(&till, "Ben", true).await;
}
