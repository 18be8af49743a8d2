use std::time::Duration;

use dface_commands::messages::Outgoing as FromServer;
use dface_domain::{
    events::EndReason,
    ids::{MessageId, UserId},
    messages::{Party, coupon_body},
    time::Timestamp,
};
use minidom::Element;

use super::*;
use crate::xmpp::{
    hub::Hub as _,
    testing::{Client, Stage},
};

fn body(element: &Element) -> String {
    element.get_child("body", "jabber:client").map(Element::text).unwrap_or_default()
}

fn bodies(elements: &[Element]) -> Vec<String> {
    elements.iter().filter(|element| element.name() == "message").map(body).collect()
}

async fn say(client: &Client, to: UserId, body: &str) {
    client.send(&format!("<message to='{to}@dface.cn' type='chat'><body>{body}</body></message>")).await;
}

impl Stage {
    /// The messages that were missed, as the log has them, once nothing is looked for any more.
    async fn missed(&self) -> Vec<MessageId> {
        let mut missed = self.missed_now().await;
        loop {
            // Noting one is an event too.
            let head = self.chat.node.store.head();
            while self.chat.delivery.looked() < head {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let more = self.missed_now().await;
            if more == missed && self.chat.node.store.head() == head {
                return missed;
            }
            missed = more;
        }
    }

    async fn missed_now(&self) -> Vec<MessageId> {
        let events = self.chat.node.store.read_all(LogPosition(0), 100_000).await.unwrap();
        let of = |recorded: &Recorded| match recorded.data.decode().unwrap() {
            Event::MessageMissed(event) => Some(event.message),
            _ => None,
        };
        events.iter().filter_map(of).collect()
    }
}

fn id(message: &Element) -> MessageId {
    message.get_child("stanza-id", "urn:xmpp:sid:0").unwrap().attr("id").unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_was_there_to_read_waits_comes_in_order_stamped_and_once() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let phone = stage.client(anna, "a").await;
    for n in 0..120 {
        say(&phone, ben, &n.to_string()).await;
    }
    // Who comes sooner than that is looked for has missed nothing.
    assert_eq!(stage.missed().await.len(), 120);
    stage.settled().await;
    let other = stage.client(ben, "b").await;
    let mut ids = vec![];
    for n in 0..120 {
        let message = other.next_of("message").await;
        assert_eq!(body(&message), n.to_string());
        assert!(message.get_child("delay", "urn:xmpp:delay").unwrap().attr("stamp").is_some());
        ids.push(id(&message));
    }
    say(&phone, ben, "live").await;
    let live = other.next_of("message").await;
    assert!(body(&live) == "live" && !live.has_child("delay", "urn:xmpp:delay"));
    other.take_all();
    other.over(vec![]).await;
    let again = stage.client(ben, "c").await;
    say(&phone, ben, "new").await;
    assert_eq!(body(&again.next_of("message").await), "new");
    assert_eq!(stage.missed().await.len(), 120, "the others had a stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_while_somebody_arrives_is_neither_lost_nor_repeated() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let phone = stage.client(anna, "a").await;
    let saying = async {
        for n in 0..200 {
            say(&phone, ben, &n.to_string()).await;
        }
    };
    let reading = async {
        for round in 0..8 {
            let other = stage.bound(ben, "b").await;
            other.send("<presence/>").await;
            for _ in 0..20 {
                let message = other.next_of("message").await;
                assert!(!body(&message).is_empty(), "{round}");
            }
            other.over(vec![]).await;
        }
    };
    tokio::join!(saying, reading);
    // Nothing was acknowledged, so all of it comes.
    let other = stage.client(ben, "b").await;
    for n in 0..200 {
        assert_eq!(body(&other.next_of("message").await), n.to_string());
    }
    stage.settled().await;
    assert_eq!(bodies(&other.all()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_no_presence_hears_messages_a_little_later() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let phone = stage.client(anna, "a").await;
    let other = stage.bound(ben, "b").await;
    say(&phone, ben, "hi").await;
    assert_eq!(body(&other.next().await), "hi");
    assert_eq!(stage.missed().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_did_not_acknowledge_is_missed_and_comes_again() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let (phone, other) = (stage.client(anna, "a").await, stage.client(ben, "b").await);
    say(&phone, ben, "one").await;
    other.next_of("message").await;
    other.take_all();
    say(&phone, ben, "two").await;
    let two = other.next_of("message").await;
    assert_eq!(stage.missed().await, []);
    let waiting = other.unacknowledged();
    other.over(waiting).await;
    assert_eq!(stage.missed().await, [id(&two)]);
    let again = stage.client(ben, "b").await;
    assert_eq!(body(&again.next_of("message").await), "two");
    stage.settled().await;
    assert_eq!(bodies(&again.all()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_cut_counts_as_none_until_it_is_resumed() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let (phone, other) = (stage.client(anna, "a").await, stage.client(ben, "b").await);
    say(&phone, ben, "one").await;
    let one = other.next_of("message").await;
    stage.chat.cut(&other.session, other.unacknowledged());
    say(&phone, ben, "two").await;
    stage.settled().await;
    let mut missed = stage.missed().await;
    stage.chat.resumed(&other.session);
    let two = other.next_of("message").await;
    missed.sort();
    let mut both = [id(&one), id(&two)];
    both.sort();
    assert_eq!(missed, both);
    say(&phone, ben, "three").await;
    other.next_of("message").await;
    assert_eq!(stage.missed().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_misses_what_another_stream_has() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let phone = stage.client(anna, "a").await;
    let (one, other) = (stage.client(ben, "one").await, stage.client(ben, "other").await);
    say(&phone, ben, "hi").await;
    one.next_of("message").await;
    one.over(one.unacknowledged()).await;
    other.next_of("message").await;
    assert_eq!(stage.missed().await, []);
    other.send("<presence type='unavailable'/>").await;
    say(&phone, ben, "who is away misses it").await;
    stage.settled().await;
    assert_eq!(stage.missed().await.len(), 1);
    other.send("<presence/>").await;
    other.expect(|e| body(e) == "who is away misses it").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn section_31_1_what_the_server_sends_is_a_message_like_others() {
    let stage = Stage::new().await;
    let (ben, shop) = (stage.person("ben").await, stage.shop("二所").await);
    let at = Timestamp(1_354_854_259_000_000);
    let campaign = dface_domain::ids::CampaignId("502fd10abe4b19ed48000002".parse().unwrap());
    let body_text = coupon_body("八折", "二所", campaign, at);
    let message = FromServer {
        cause: stage.chat.node.commands.fresh_id(),
        at: stage.chat.node.commands.clock().now(),
        from: Party::Shop(shop),
        to: Party::User(ben),
        about: ben,
        body: body_text.clone(),
    };
    stage.chat.node.commands.send_message(message, &stage.chat.context()).await.unwrap();
    assert_eq!(stage.missed().await.len(), 1);
    let phone = stage.client(ben, "a").await;
    let coupon = phone.next_of("message").await;
    assert_eq!(body(&coupon), body_text);
    assert_eq!(coupon.attr("from"), Some(&*format!("s{shop}@dface.cn")));
    assert_eq!(coupon.attr("id"), Some(&*id(&coupon).to_string()));
    assert!(coupon.has_child("request", "urn:xmpp:receipts") && coupon.has_child("x", "jabber:x:event"));
    let receipt = format!("<received xmlns='urn:xmpp:receipts' id='{}'/>", coupon.attr("id").unwrap());
    phone.send(&format!("<message to='s{shop}@dface.cn'>{receipt}</message>")).await;
    let seller = stage.client(Party::Shop(shop), "till").await;
    assert!(seller.next_of("message").await.has_child("received", "urn:xmpp:receipts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_all_streams_and_who_left_is_not_heard() {
    let stage = Stage::new().await;
    let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
    let (commands, context) = (&stage.chat.node.commands, stage.chat.context());
    let (one, two) = (stage.client(anna, "one").await, stage.client(anna, "two").await);
    let other = stage.client(ben, "b").await;
    let opened = commands.open_session(anna, "127.0.0.1", &context).await.unwrap();
    let session = dface_commands::sessions::session_id(&opened.cookie);
    commands.end_session(session, anna, EndReason::SignedOut, &context).await.unwrap();
    stage.settled().await;
    assert!(one.session.outbox.is_ending() && two.session.outbox.is_ending());
    one.over(vec![]).await;
    two.over(vec![]).await;
    say(&other, anna, "from somebody who leaves").await;
    commands.erase(ben, &context).await.unwrap();
    stage.settled().await;
    assert!(other.session.outbox.is_ending());
    let anew = stage.client(anna, "one").await;
    anew.send(&format!("<message to='{anna}@dface.cn'><body>to myself</body></message>")).await;
    assert_eq!(body(&anew.next_of("message").await), "to myself");
    for suspended in [true, false] {
        commands.set_suspended(anna, suspended, &context).await.unwrap();
    }
    stage.settled().await;
    assert!(anew.session.outbox.is_ending());
}
