use dface_domain::{
    events::{ShopNoticeChanged, ShopStaffRemoved},
    messages::Party,
};

use super::*;

/// An iq to a room, and what comes back.
async fn ask(client: &Client, kind: &str, to: &str, inside: &str) -> Element {
    client.send(&format!("<iq type='{kind}' id='q' to='{to}'>{inside}</iq>")).await;
    client.next_of("iq").await
}

fn admin(items: &str) -> String {
    format!("<query xmlns='{}'>{items}</query>", ns::MUC_ADMIN)
}

fn items(answer: &Element) -> Vec<String> {
    let query = answer.get_child("query", ns::MUC_ADMIN).unwrap();
    query.children().map(|item| item.attr("nick").or(item.attr("jid")).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_subject_is_the_shops_notice_which_staff_and_shop_change() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    employ(&stage, shop, ben).await;
    let (guest, staff) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    let came = guest.next().await;
    assert_eq!(item(&came), ("admin", "moderator", staff.session.full().as_str()));
    let set =
        |text: &str| format!("<message to='{shop}@c.dface.cn' type='groupchat'><subject>{text}</subject></message>");
    guest.send(&set("mine")).await;
    assert_eq!(error(&guest.next().await), "forbidden");
    staff.send(&set("今天八折")).await;
    for client in [&guest, &staff] {
        assert_eq!(subject(&client.next().await).as_deref(), Some("今天八折"));
    }
    staff.send(&set("今天八折")).await;
    assert_eq!(subject(&staff.next().await).as_deref(), Some("今天八折"), "who sets it waits for it");
    staff.send(&set(&"长".repeat(1001))).await;
    assert_eq!(error(&staff.next().await), "not-acceptable");
    stage.settled().await;
    assert!(guest.all().is_empty());
    let row = stage.chat.node.views.shops.view().get(shop).unwrap().unwrap();
    assert_eq!(row.notice, "今天八折");
    let change = ShopCommand::ChangeNotice(ShopNoticeChanged { shop, text: "明天".to_owned() });
    stage.chat.node.commands.change_shop(shop, &change, &stage.chat.context()).await.unwrap();
    assert_eq!(subject(&guest.next().await).as_deref(), Some("明天"), "operators change it too");
    let itself = stage.client(Party::Shop(shop), "till").await;
    itself.send(&join(shop, "x", "")).await;
    let told = itself.all();
    let own = told.iter().find(|told| statuses_of(told).contains(&110)).unwrap();
    assert_eq!((nick(own), item(own).0, item(own).1), ("Bar", "admin", "moderator"));
    assert_eq!(subject(told.last().unwrap()).as_deref(), Some("明天"));
    itself.send(&set("")).await;
    assert_eq!(subject(&guest.expect(|told| told.name() == "message").await).as_deref(), Some(""));
}

fn statuses_of(stanza: &Element) -> Vec<u16> {
    if stanza.name() == "presence" { statuses(stanza) } else { vec![] }
}

#[tokio::test]
async fn staff_kicks_guests_who_may_come_back_and_nothing_else_is_administered() {
    let stage = Stage::new().await;
    let (anna, ben, carl) = (stage.person("Anna").await, stage.person("Ben").await, stage.person("Carl").await);
    let shop = stage.shop("Bar").await;
    employ(&stage, shop, ben).await;
    let room = format!("{shop}@c.dface.cn");
    let (guest, staff, other) =
        (within(&stage, anna, shop).await, within(&stage, ben, shop).await, within(&stage, carl, shop).await);
    let kick = |nick: &str| admin(&format!("<item nick='{nick}' role='none'><reason>spam</reason></item>"));
    for client in [&guest, &staff, &other] {
        client.all();
    }
    assert_eq!(error(&ask(&guest, "set", &room, &kick("Carl")).await), "forbidden");
    assert_eq!(error(&ask(&guest, "get", &room, &admin("<item affiliation='admin'/>")).await), "forbidden");
    assert_eq!(error(&ask(&staff, "set", &room, &kick("Nobody")).await), "item-not-found");
    assert_eq!(error(&ask(&staff, "set", &room, &kick("Ben")).await), "not-allowed");
    for change in ["<item nick='Anna' role='visitor'/>", "<item jid='7@dface.cn' affiliation='outcast'/>"] {
        assert_eq!(error(&ask(&staff, "set", &room, &admin(change)).await), "not-allowed", "{change}");
    }
    assert_eq!(error(&ask(&staff, "set", &room, &admin("")).await), "bad-request");
    staff.send(&format!("<iq type='set' id='k' to='{room}'>{}</iq>", kick("Anna"))).await;
    let gone = guest.next().await;
    assert_eq!((gone.attr("type"), statuses(&gone), item(&gone).1), (Some("unavailable"), vec![110, 307], "none"));
    assert_eq!(statuses(&other.next().await), [307]);
    assert_eq!(staff.next_of("iq").await.attr("type"), Some("result"));
    say(&guest, shop, "1", "hey").await;
    assert_eq!(error(&guest.next().await), "not-acceptable");
    guest.send(&join(shop, "Anna", "")).await;
    assert!(statuses(&guest.expect(|told| nick(told) == "Anna").await).contains(&110));
}

#[tokio::test]
async fn staff_sees_who_is_what_and_the_configuration_is_fixed() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    employ(&stage, shop, ben).await;
    let room = format!("{shop}@c.dface.cn");
    let (guest, staff) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    let list = async |item: &str| items(&ask(&staff, "get", &room, &admin(item)).await);
    assert_eq!(list("<item affiliation='admin'/>").await, [format!("{ben}@dface.cn"), format!("s{shop}@dface.cn")]);
    assert_eq!(list("<item affiliation='owner'/>").await, Vec::<String>::new());
    assert_eq!(list("<item role='moderator'/>").await, ["Ben"]);
    assert_eq!(list("<item role='participant'/>").await, ["Anna"]);
    let owner = |inside: &str| format!("<query xmlns='{}'>{inside}</query>", ns::MUC_OWNER);
    let form = ask(&guest, "get", &room, &owner("")).await;
    let form = form.get_child("query", ns::MUC_OWNER).unwrap().get_child("x", ns::FORM).unwrap().clone();
    assert_eq!(form.attr("type"), Some("form"));
    assert!(form.children().any(|field| field.attr("var") == Some("muc#roomconfig_whois")));
    let submit = |kind: &str| owner(&format!("<x xmlns='jabber:x:data' type='{kind}'/>"));
    assert_eq!(ask(&staff, "set", &room, &submit("cancel")).await.attr("type"), Some("result"));
    for change in [submit("submit"), owner("<destroy/>")] {
        assert_eq!(error(&ask(&staff, "set", &room, &change).await), "not-allowed");
    }
}

#[tokio::test]
async fn who_begins_or_ends_working_at_the_shop_is_shown_so_at_once() {
    let stage = Stage::new().await;
    let (anna, shop) = (stage.person("Anna").await, stage.shop("Bar").await);
    let client = within(&stage, anna, shop).await;
    employ(&stage, shop, anna).await;
    let shown = client.next().await;
    assert_eq!((item(&shown).1, statuses(&shown)), ("moderator", vec![110]));
    let remove = ShopCommand::RemoveStaff(ShopStaffRemoved { shop, user: anna });
    stage.chat.node.commands.change_shop(shop, &remove, &stage.chat.context()).await.unwrap();
    assert_eq!(item(&client.next().await).1, "participant");
}

#[tokio::test]
async fn whoever_asks_oneself_in_a_room_learns_whether_one_is_in_it() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    let (room, ping) = (format!("{shop}@c.dface.cn"), "<ping xmlns='urn:xmpp:ping'/>");
    let own = format!("{room}/Anna");
    assert_eq!(ask(&first, "get", &own, ping).await.attr("type"), Some("result"));
    assert_eq!(error(&ask(&second, "get", &own, ping).await), "service-unavailable");
    assert_eq!(error(&ask(&second, "get", &format!("{room}/Nobody"), ping).await), "item-not-found");
    second.send(&format!("<presence type='unavailable' to='{room}/Ben'/>")).await;
    assert_eq!(error(&ask(&second, "get", &format!("{room}/Ben"), ping).await), "not-acceptable");
    assert_eq!(error(&ask(&second, "get", "4000000@c.dface.cn/Ben", ping).await), "item-not-found");
    let register = "<query xmlns='jabber:iq:register'/>";
    assert_eq!(error(&ask(&second, "get", &room, register).await), "service-unavailable");
}
