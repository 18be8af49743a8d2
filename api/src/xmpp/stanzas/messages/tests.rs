use crate::xmpp::testing::Stage;

fn condition(element: &minidom::Element) -> String {
    assert_eq!(element.attr("type"), Some("error"), "{element:?}");
    let error = element.get_child("error", "jabber:client").unwrap();
    error.children().next().unwrap().name().to_owned()
}

fn body(element: &minidom::Element) -> String {
    element.get_child("body", "jabber:client").map(minidom::Element::text).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_all_streams_of_its_receiver_as_it_was_said() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let phone = stage.client(anna, "phone").await;
    let (one, other) = (stage.client(ben, "one").await, stage.client(ben, "other").await);
    phone
        .send(&format!(
            "<message to='{ben}@dface.cn/one' id='a&lt;1' type='chat' xml:lang='zh' xmlns:q='urn:q' q:z='&quot;'><body>你&amp;好</body>\
             <stanza-id xmlns='urn:xmpp:sid:0' by='{ben}@dface.cn' id='forged'/><delay xmlns='urn:xmpp:delay' stamp='x'/>\
             <own xmlns='urn:own'><deep/></own><origin-id xmlns='urn:xmpp:sid:0' id='o'/></message>"
        ))
        .await;
    for client in [&one, &other] {
        let got = client.next_of("message").await;
        assert_eq!(body(&got), "你&好");
        assert_eq!(got.attr("from"), Some(&*format!("{anna}@dface.cn/phone")));
        assert_eq!(got.attr("to"), Some(&*format!("{ben}@dface.cn")));
        assert_eq!((got.attr("id"), got.attr("type")), (Some("a<1"), Some("chat")));
        assert_eq!(got.attr_ns("urn:q", "z"), Some("\""));
        let ids: Vec<_> = got.children().filter(|child| child.name() == "stanza-id").collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(ids[0].attr("by"), Some(&*format!("{ben}@dface.cn")));
        assert_eq!(ids[0].attr("id").unwrap().len(), 24);
        assert!(got.get_child("own", "urn:own").unwrap().has_child("deep", "urn:own"));
        assert!(got.has_child("origin-id", "urn:xmpp:sid:0") && !got.has_child("delay", "urn:xmpp:delay"));
    }
    assert_eq!(phone.all().into_iter().filter(|e| e.name() == "message").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_server_says_is_refused_from_clients() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let (phone, other) = (stage.client(anna, "phone").await, stage.client(ben, "one").await);
    let before = stage.chat.delivery.done();
    for bodies in [
        "<body>[img:502fd10abe4b19ed48000002]</body>",
        "<body> [优惠券:八折:二所:502fd10abe4b19ed48000002:1354854259]</body>",
        "<body>[打招呼:x]</body>",
        "<body>hi</body><body xml:lang='zh'>[img:502fd10abe4b19ed48000002]</body>",
        "<html xmlns='urn:h'><body xmlns='urn:x'>[img:502fd10abe4b19ed48000002]</body></html>",
    ] {
        phone.send(&format!("<message to='{ben}@dface.cn' type='chat'>{bodies}</message>")).await;
        assert_eq!(condition(&phone.next_of("message").await), "not-acceptable", "{bodies}");
    }
    stage.settled().await;
    assert_eq!(stage.chat.delivery.done(), before);
    assert_eq!(other.all().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn section_28_3_a_shake_is_in_the_accounts_name() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let (phone, other) = (stage.client(anna, "phone").await, stage.client(ben, "one").await);
    phone.send(&format!("<message to='{ben}@dface.cn'><body>[摇一摇:Somebody]</body></message>")).await;
    assert_eq!(body(&other.next_of("message").await), "[摇一摇:anna]");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_or_elsewhere_gets_no_message() {
    let stage = Stage::new().await;
    let phone = stage.client(stage.person("anna").await, "phone").await;
    for (to, expected) in [
        ("999@dface.cn", "service-unavailable"),
        ("s999@dface.cn", "service-unavailable"),
        ("anna@dface.cn", "service-unavailable"),
        ("anna@elsewhere.org", "remote-server-not-found"),
        ("@dface.cn", "jid-malformed"),
        ("dface.cn", "service-unavailable"),
    ] {
        phone.send(&format!("<message to='{to}' id='x'><body>hi</body></message>")).await;
        let error = phone.next_of("message").await;
        assert_eq!(condition(&error), expected, "{to}");
        assert_eq!((error.attr("id"), error.attr("from")), (Some("x"), Some(to)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_stops_messages_both_ways_and_nothing_is_stored() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let (phone, other) = (stage.client(anna, "phone").await, stage.client(ben, "one").await);
    stage.chat.node.commands.block(anna, ben, false, &stage.chat.context()).await.unwrap();
    stage.settled().await;
    let before = stage.chat.delivery.done();
    phone.send(&format!("<message to='{ben}@dface.cn'><body>hi</body></message>")).await;
    let error = phone.next_of("message").await;
    assert_eq!(condition(&error), "not-acceptable");
    let error = error.get_child("error", "jabber:client").unwrap();
    assert!(error.has_child("blocked", "urn:xmpp:blocking:errors"));
    other.send(&format!("<message to='{anna}@dface.cn'><body>hi</body></message>")).await;
    assert_eq!(condition(&other.next_of("message").await), "service-unavailable");
    other.send(&format!("<message to='{anna}@dface.cn'><active xmlns='urn:cs'/></message>")).await;
    stage.settled().await;
    assert_eq!((phone.all(), other.all(), stage.chat.delivery.done()), (vec![], vec![], before));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_body_is_told_to_who_is_there_and_kept_nowhere() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let phone = stage.client(anna, "phone").await;
    let (one, other) = (stage.client(ben, "one").await, stage.client(ben, "other").await);
    one.all();
    let before = stage.chat.delivery.done();
    phone.send(&format!("<message to='{ben}@dface.cn/one' type='chat'><composing xmlns='urn:cs'/></message>")).await;
    assert!(one.next_of("message").await.has_child("composing", "urn:cs"));
    assert_eq!(other.all().len(), 0);
    phone.send(&format!("<message to='{ben}@dface.cn/gone' type='chat'><composing xmlns='urn:cs'/></message>")).await;
    phone.send(&format!("<message to='{ben}@dface.cn' type='headline'><body>x</body></message>")).await;
    for client in [&one, &other] {
        assert!(client.next_of("message").await.has_child("composing", "urn:cs"));
        assert_eq!(client.next_of("message").await.attr("type"), Some("headline"));
    }
    stage.settled().await;
    assert_eq!(stage.chat.delivery.done(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stanza_in_somebody_elses_name_ends_the_stream() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let (phone, other) = (stage.client(anna, "phone").await, stage.client(ben, "one").await);
    phone.send(&format!("<message from='{anna}@dface.cn' to='{ben}@dface.cn'><body>1</body></message>")).await;
    phone.send(&format!("<message from='{anna}@dface.cn/phone' to='{ben}@dface.cn'><body>2</body></message>")).await;
    phone.send(&format!("<message from='{ben}@dface.cn' to='{ben}@dface.cn'><body>3</body></message>")).await;
    assert!(phone.session.outbox.is_ending());
    assert_eq!(body(&other.next_of("message").await), "1");
    assert_eq!(body(&other.next_of("message").await), "2");
    stage.settled().await;
    assert_eq!(other.all(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_stream_of_a_resource_ends_the_first() {
    let stage = Stage::new().await;
    let anna = stage.person("anna").await;
    let first = stage.client(anna, "phone").await;
    let second = stage.client(anna, "phone").await;
    assert!(first.session.outbox.is_ending() && !second.session.outbox.is_ending());
    first.over(vec![]).await;
    second.send(&format!("<message to='{anna}@dface.cn'><body>to myself</body></message>")).await;
    assert_eq!(body(&second.next_of("message").await), "to myself");
}
