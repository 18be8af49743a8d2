use super::*;
use crate::xmpp::{hub::Hub as _, outbox::End};

#[tokio::test]
async fn section_28_1_the_nick_is_the_accounts_name_whatever_was_asked_for() {
    let stage = Stage::new().await;
    let (anna, other, shop) =
        (stage.person("小红").await, namesake(&stage, "小红").await, stage.shop("新紫轩花店").await);
    let (first, second) = (stage.client(anna, "phone").await, stage.client(other, "phone").await);
    first.send(&join(shop, "the boss", "")).await;
    let own = first.next_of("presence").await;
    assert_eq!((nick(&own), statuses(&own)), ("小红", vec![100, 110, 170, 210]));
    assert_eq!(item(&own), ("none", "participant", first.session.full().as_str()));
    assert_eq!(subject(&first.next_of("message").await).as_deref(), Some(""));
    second.send(&join(shop, "小红 (2)", "")).await;
    let told = second.all();
    assert_eq!(told.iter().map(nick).collect::<Vec<_>>(), ["小红", "小红 (2)", ""]);
    assert_eq!((statuses(&told[0]), statuses(&told[1])), (vec![], vec![100, 110, 170]));
    let came = first.next_of("presence").await;
    assert_eq!((nick(&came), item(&came).2), ("小红 (2)", second.session.full().as_str()));
}

#[tokio::test]
async fn a_room_of_no_shop_is_not_found() {
    let stage = Stage::new().await;
    let anna = stage.person("Anna").await;
    let client = stage.client(anna, "phone").await;
    client.send(&join(ShopId(4_000_000), "Anna", "")).await;
    let refused = client.next().await;
    assert_eq!((refused.attr("type"), error(&refused).as_str()), (Some("error"), "item-not-found"));
    assert_eq!(refused.attr("from"), Some("4000000@c.dface.cn/Anna"));
    for unsaid in ["x@c.dface.cn/Anna", "-1@c.dface.cn/Anna"] {
        client.send(&format!("<presence to='{unsaid}'><x xmlns='{}'/></presence>", ns::MUC)).await;
    }
    say(&client, ShopId(4_000_000), "1", "hello?").await;
    assert_eq!(error(&client.next_of("message").await), "item-not-found");
    assert_eq!(stage.chat.rooms.occupied(None, 10), (vec![], 0));
}

#[tokio::test]
async fn whoever_leaves_or_loses_the_stream_is_gone_for_all_and_the_room_with_the_last() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    first.all();
    second.send(&format!("<presence type='unavailable' to='{shop}@c.dface.cn/Ben'/>")).await;
    let (own, others) = (second.next().await, first.next().await);
    assert_eq!((own.attr("type"), statuses(&own)), (Some("unavailable"), vec![110]));
    assert_eq!((others.attr("type"), nick(&others), statuses(&others)), (Some("unavailable"), "Ben", vec![]));
    second.send(&join(shop, "Ben", "")).await;
    first.all();
    second.over(vec![]).await;
    let gone = first.next().await;
    assert_eq!((gone.attr("type"), nick(&gone)), (Some("unavailable"), "Ben"));
    assert_eq!(stage.chat.rooms.occupied(None, 10), (vec![shop], 1));
    first.over(vec![]).await;
    assert_eq!(stage.chat.rooms.occupied(None, 10), (vec![], 0));
}

#[tokio::test]
async fn whoever_is_not_available_any_more_is_in_no_room() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    first.all();
    second.send("<presence type='unavailable'/>").await;
    let gone = first.next().await;
    assert_eq!((gone.attr("type"), nick(&gone)), (Some("unavailable"), "Ben"));
    say(&second, shop, "1", "still here?").await;
    assert_eq!(error(&second.next_of("message").await), "not-acceptable");
}

#[tokio::test]
async fn one_person_is_in_a_room_with_so_many_streams() {
    let stage = Stage::limited(|rooms| rooms.streams = 2).await;
    let (anna, shop) = (stage.person("Anna").await, stage.shop("Bar").await);
    for (resource, refused) in [("a", ""), ("b", ""), ("c", "resource-constraint")] {
        let client = stage.client(anna, resource).await;
        client.send(&join(shop, "x", "")).await;
        assert_eq!(error(&client.next_of("presence").await), refused);
    }
}

#[tokio::test]
async fn history_leaves_room_for_what_is_said_meanwhile() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let first = within(&stage, anna, shop).await;
    for n in 0..20 {
        say(&first, shop, &format!("anna-{n:03}"), &"长".repeat(20_000)).await;
    }
    stage.settled().await;
    let second = stage.client(ben, "phone").await;
    second.send(&join(shop, "Ben", "")).await;
    assert!(!second.session.outbox.is_ending());
    let told = second.all();
    let said = told.iter().filter(|told| !body(told).is_empty()).count();
    assert!((1..20).contains(&said), "{said} of 60,000 bytes in a megabyte");
    assert_eq!(subject(told.last().unwrap()).as_deref(), Some(""));
}

#[tokio::test]
async fn a_cut_stream_stays_in_the_room_and_hears_on() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    first.all();
    stage.chat.cut(&second.session, vec![]);
    say(&first, shop, "1", "still there?").await;
    stage.settled().await;
    stage.chat.resumed(&second.session);
    assert_eq!(body(&second.next_of("message").await), "still there?");
    assert!(first.all().iter().all(|told| told.name() == "message"));
}

#[tokio::test]
async fn presence_of_who_is_in_changes_nothing_and_of_who_is_not_is_refused() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, stage.client(ben, "phone").await);
    first.send(&format!("<presence to='{shop}@c.dface.cn/Queen'><show>away</show></presence>")).await;
    let own = first.next().await;
    assert_eq!((nick(&own), statuses(&own), own.has_child("show", ns::CLIENT)), ("Anna", vec![110, 210], false));
    second.send(&format!("<presence to='{shop}@c.dface.cn/Ben'/>")).await;
    assert_eq!(error(&second.next().await), "not-acceptable");
    second.send(&format!("<presence type='subscribe' to='{shop}@c.dface.cn'/>")).await;
    assert!(second.all().is_empty() && first.all().is_empty());
}

#[tokio::test]
async fn joining_again_tells_all_once_more_and_the_others_nothing() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    first.all();
    second.send(&join(shop, "Ben", "")).await;
    assert_eq!(second.all().iter().map(nick).collect::<Vec<_>>(), ["Anna", "Ben", ""]);
    assert!(first.all().is_empty());
    say(&first, shop, "1", "once").await;
    stage.settled().await;
    assert_eq!(second.all().len(), 1);
}

#[tokio::test]
async fn rooms_hold_so_many_and_a_stream_is_in_so_many() {
    let stage = Stage::limited(|rooms| (rooms.occupants, rooms.joined) = (2, 2)).await;
    let (shop, others) = (stage.shop("Bar").await, [stage.shop("B").await, stage.shop("C").await]);
    let mut clients = vec![];
    for name in ["Anna", "Ben", "Carl"] {
        let user = stage.person(name).await;
        clients.push(stage.client(user, "phone").await);
    }
    for client in &clients {
        client.send(&join(shop, "x", "")).await;
    }
    let refused = clients[2].next_of("presence").await;
    assert_eq!((error(&refused).as_str(), refused.attr("type")), ("service-unavailable", Some("error")));
    clients[0].all();
    for shop in others {
        clients[0].send(&join(shop, "x", "")).await;
    }
    let told = clients[0].all();
    assert_eq!(error(told.last().unwrap()), "resource-constraint");
    assert_eq!(stage.chat.rooms.occupied(None, 10).1, 2);
    assert_eq!(stage.chat.rooms.occupied(Some(shop), 10).0, [others[0]]);
}

#[tokio::test]
async fn a_stream_that_is_ending_holds_nobody_up() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, stage.client(ben, "phone").await);
    second.session.outbox.end(End::TooSlow);
    second.send(&join(shop, "Ben", "")).await;
    second.over(vec![]).await;
    say(&first, shop, "1", "alone").await;
    stage.settled().await;
    assert_eq!(first.all().iter().map(nick).collect::<Vec<_>>(), ["Ben", "Ben", "Anna"]);
}
