use dface_commands::messages::Outgoing;
use dface_domain::messages::{Party, photo_body};

use super::*;

#[tokio::test]
async fn what_is_said_is_echoed_and_heard_by_all_in_one_order_with_its_ids() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    first.all();
    for n in 0..5 {
        say(&first, shop, &format!("anna-{n}"), &format!("a{n}")).await;
        say(&second, shop, &format!("ben-{n}"), &format!("b{n}")).await;
    }
    stage.settled().await;
    let (heard, echoed) = (second.all(), first.all());
    let bodies = |told: &[Element]| told.iter().map(body).collect::<Vec<_>>();
    assert_eq!(bodies(&heard), ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4"]);
    assert_eq!(bodies(&heard), bodies(&echoed));
    let one = &heard[0];
    assert_eq!((one.attr("type"), one.attr("id"), nick(one)), (Some("groupchat"), Some("anna-0"), "Anna"));
    assert_eq!(one.attr("to"), Some(second.session.full().as_str()));
    assert_eq!(item(one), ("none", "participant", &*first.session.bare));
    let id = one.get_child("stanza-id", ns::STANZA_ID).unwrap();
    assert_eq!(id.attr("by"), Some(format!("{shop}@c.dface.cn").as_str()));
    assert_eq!(id.attr("id").unwrap().len(), 24);
}

#[tokio::test]
async fn what_only_the_server_says_is_taken_off_or_refused() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    first.all();
    first
        .send(&format!(
            "<message to='{shop}@c.dface.cn' type='groupchat' id='12345678'><body>hi</body>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='{shop}@c.dface.cn' id='forged'/>\
             <delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z'/>\
             <x xmlns='{}'><item jid='8@dface.cn'/><status code='307'/></x><thing xmlns='urn:x' a='1'/></message>",
            ns::MUC_USER
        ))
        .await;
    let heard = second.next_of("message").await;
    assert_eq!(heard.children().filter(|child| child.name() == "stanza-id").count(), 1);
    assert_ne!(heard.get_child("stanza-id", ns::STANZA_ID).unwrap().attr("id"), Some("forged"));
    assert!(heard.get_child("delay", ns::DELAY).is_none());
    assert_eq!((item(&heard).2, statuses(&heard)), (&*first.session.bare, vec![]));
    assert_eq!(heard.get_child("thing", "urn:x").unwrap().attr("a"), Some("1"));
    first.all();
    for forged in
        ["[优惠券:八折:二所:502fd10abe4b19ed48000002:1354854259]", " [img:502fd10abe4b19ed48000002]", "[打招呼:Ben]"]
    {
        say(&first, shop, "forged", forged).await;
        assert_eq!(error(&first.next().await), "not-acceptable", "{forged}");
    }
    say(&first, shop, "shake", "[摇一摇:Ben]").await;
    assert_eq!(body(&second.next_of("message").await), "[摇一摇:Anna]");
}

#[tokio::test]
async fn only_who_is_in_a_room_speaks_there() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, stage.client(ben, "phone").await);
    for refused in [
        format!("<message to='{shop}@c.dface.cn' type='groupchat'><body>hi</body></message>"),
        format!("<message to='{shop}@c.dface.cn' type='groupchat'><subject>mine</subject></message>"),
        format!(
            "<message to='{shop}@c.dface.cn' type='groupchat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>"
        ),
    ] {
        second.send(&refused).await;
        assert_eq!(error(&second.next().await), "not-acceptable");
    }
    // Another stream of somebody who is in it is not in it itself.
    let web = stage.client(anna, "web").await;
    say(&web, shop, "1", "hi").await;
    assert_eq!(error(&web.next_of("message").await), "not-acceptable");
    stage.settled().await;
    assert!(first.all().iter().all(|told| told.name() == "presence"));
}

#[tokio::test]
async fn chat_states_are_heard_and_kept_nowhere() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, within(&stage, ben, shop).await);
    let states = "http://jabber.org/protocol/chatstates";
    first.all();
    first
        .send(&format!("<message to='{shop}@c.dface.cn' type='groupchat'><composing xmlns='{states}'/></message>"))
        .await;
    let heard = second.next().await;
    assert_eq!((nick(&heard), heard.has_child("composing", states)), ("Anna", true));
    let late = stage.person("Late").await;
    let late = stage.client(late, "phone").await;
    late.send(&join(shop, "x", "")).await;
    assert!(late.all().iter().all(|told| !told.has_child("composing", states)));
}

#[tokio::test]
async fn private_messages_go_to_the_real_address_and_a_room_is_spoken_to_as_one() {
    let stage = Stage::new().await;
    let (anna, shop) = (stage.person("Anna").await, stage.shop("Bar").await);
    let client = within(&stage, anna, shop).await;
    for (to, kind, condition) in [
        (format!("{shop}@c.dface.cn/Anna"), "chat", "not-allowed"),
        (format!("{shop}@c.dface.cn/Nobody"), "chat", "not-allowed"),
        (format!("{shop}@c.dface.cn/Anna"), "groupchat", "bad-request"),
        (format!("{shop}@c.dface.cn"), "chat", "bad-request"),
    ] {
        client.send(&format!("<message to='{to}' type='{kind}'><body>psst</body></message>")).await;
        assert_eq!(error(&client.next().await), condition, "{kind} to {to}");
    }
    client.send(&format!("<message to='{shop}@c.dface.cn/Anna' type='error'/>")).await;
    assert!(client.all().is_empty());
}

#[tokio::test]
async fn what_was_said_before_is_told_at_joining_with_its_time_and_what_is_said_then_follows() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let first = within(&stage, anna, shop).await;
    for n in 0..25 {
        say(&first, shop, &format!("anna-{n}"), &format!("a{n}")).await;
    }
    first.over(vec![]).await;
    stage.settled().await;
    let second = stage.client(ben, "phone").await;
    let history = async |asked: &str| {
        second.send(&join(shop, "Ben", asked)).await;
        let told = second.all();
        let said: Vec<_> = told.iter().filter(|told| !body(told).is_empty()).cloned().collect();
        assert_eq!(subject(told.last().unwrap()).as_deref(), Some(""), "the subject ends it");
        said
    };
    let usual = history("").await;
    assert_eq!(usual.iter().map(body).collect::<Vec<_>>(), (5..25).map(|n| format!("a{n}")).collect::<Vec<_>>());
    let one = &usual[0];
    assert_eq!((nick(one), one.attr("id"), item(one).2), ("Anna", Some("anna-5"), &*first.session.bare));
    let delay = one.get_child("delay", ns::DELAY).unwrap();
    assert_eq!(delay.attr("from"), Some(format!("{shop}@c.dface.cn").as_str()));
    assert!(delay.attr("stamp").unwrap().ends_with('Z'));
    assert!(one.get_child("stanza-id", ns::STANZA_ID).is_some());
    for (asked, count) in [
        ("<history maxstanzas='0'/>", 0),
        ("<history maxstanzas='3'/>", 3),
        ("<history maxstanzas='99999'/>", 25),
        ("<history seconds='3600'/>", 25),
        ("<history since='2999-01-01T00:00:00Z'/>", 0),
        ("<history maxchars='0'/>", 0),
    ] {
        assert_eq!(history(asked).await.len(), count, "{asked}");
    }
    let two = usual[18..].iter().map(|told| String::from(told).len()).sum::<usize>();
    let few = history(&format!("<history maxchars='{two}'/>")).await;
    assert!((1..=2).contains(&few.len()), "as much as fits: {}", few.len());
    assert_eq!(few.last().map(body).as_deref(), Some("a24"));
    say(&second, shop, "ben-1", "late").await;
    stage.settled().await;
    assert_eq!(second.all().iter().map(body).collect::<Vec<_>>(), ["late"]);
}

#[tokio::test]
async fn joining_while_others_talk_leaves_out_nothing_and_repeats_nothing() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, stage.client(ben, "phone").await);
    let talk = async {
        for n in 0..60 {
            say(&first, shop, &format!("anna-{n}"), &n.to_string()).await;
        }
    };
    let come = async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        second.send(&join(shop, "Ben", "<history maxstanzas='100'/>")).await;
    };
    tokio::join!(talk, come);
    stage.settled().await;
    let bodies: Vec<_> = second.all().iter().map(body).filter(|body| !body.is_empty()).collect();
    assert_eq!(bodies, (0..60).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn section_29_2_a_picture_comes_from_its_owner_who_need_not_be_in_the_room() {
    let stage = Stage::new().await;
    let (anna, other, shop) = (stage.person("Anna").await, namesake(&stage, "Anna").await, stage.shop("Bar").await);
    let client = within(&stage, anna, shop).await;
    let photo = "502fd10abe4b19ed48000002".parse().unwrap();
    let context = stage.chat.context();
    let outgoing = Outgoing {
        cause: context.correlation,
        at: stage.chat.node.commands.clock().now(),
        from: Party::User(other),
        to: Party::Room(shop),
        about: other,
        body: photo_body(dface_domain::ids::PhotoId(photo), "窗边"),
    };
    stage.chat.node.commands.send_message(outgoing, &context).await.unwrap();
    let heard = client.next_of("message").await;
    assert_eq!(body(&heard), "[img:502fd10abe4b19ed48000002]窗边");
    assert_eq!((nick(&heard), heard.attr("type")), ("Anna (2)", Some("groupchat")), "not whom it is not of");
    assert_eq!(item(&heard).2, format!("{other}@dface.cn"));
    let late = stage.person("Late").await;
    let late = stage.client(late, "phone").await;
    late.send(&join(shop, "x", "")).await;
    let told = late.expect(|told| !body(told).is_empty()).await;
    assert_eq!((nick(&told), body(&told)), ("Anna (2)", body(&heard)));
}

#[tokio::test]
async fn invitations_reach_live_streams_from_the_room_but_not_past_a_block() {
    let stage = Stage::new().await;
    let (anna, ben, shop) = (stage.person("Anna").await, stage.person("Ben").await, stage.shop("Bar").await);
    let (first, second) = (within(&stage, anna, shop).await, stage.client(ben, "phone").await);
    let invite = |what: &str, to: &str| {
        format!(
            "<message to='{shop}@c.dface.cn'><x xmlns='{}'><{what} to='{to}'><reason>a &lt; b</reason></{what}></x></message>",
            ns::MUC_USER
        )
    };
    first.send(&invite("invite", &second.session.bare)).await;
    let asked = second.next().await;
    let found = asked.get_child("x", ns::MUC_USER).unwrap().get_child("invite", ns::MUC_USER).unwrap().clone();
    assert_eq!(asked.attr("from"), Some(format!("{shop}@c.dface.cn").as_str()));
    assert_eq!(found.attr("from"), Some(&*first.session.bare));
    assert_eq!(found.get_child("reason", ns::MUC_USER).unwrap().text(), "a < b");
    assert_eq!(asked.get_child("x", ns::CONFERENCE).unwrap().attr("jid"), asked.attr("from"));
    second.send(&invite("decline", &first.session.bare)).await;
    let no = first.next().await;
    assert!(no.get_child("x", ns::MUC_USER).unwrap().has_child("decline", ns::MUC_USER));
    second.send(&invite("invite", &first.session.bare)).await;
    assert_eq!(error(&second.next().await), "not-acceptable", "who is not in it asks nobody in");
    for (to, condition) in
        [("4000000@dface.cn", "item-not-found"), ("a@b.org", "item-not-found"), ("@", "jid-malformed")]
    {
        first.send(&invite("invite", to)).await;
        assert_eq!(error(&first.next().await), condition, "{to}");
    }
    stage.chat.node.commands.block(ben, anna, false, &stage.chat.context()).await.unwrap();
    stage.settled().await;
    first.send(&invite("invite", &second.session.bare)).await;
    assert!(first.all().is_empty() && second.all().is_empty());
}
