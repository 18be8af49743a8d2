//! Message carbons (XEP-0280): what one stream says is copied to the account's others. What is said to an account reaches all its streams
//! anyway, so nothing is copied as received.

use std::sync::Arc;

use minidom::Element;

use super::{
    errors::{Condition, Handled},
    xml::{Text, ns, result},
};
use crate::xmpp::{chat::Chat, delivery::Spoken, outbox::Outgoing, session::Session};

/// `<enable/>` or `<disable/>`.
///
/// # Errors
/// It is neither.
pub(super) fn iq(session: &Arc<Session>, iq: &Element, asked: &Element) -> Handled {
    if iq.attr("type") != Some("set") {
        return Err(Condition::BadRequest.into());
    }
    match asked.name() {
        "enable" => session.state.set_carbons(true),
        "disable" => session.state.set_carbons(false),
        _ => return Err(Condition::BadRequest.into()),
    }
    session.answer(result(session, iq, ""));
    Ok(())
}

/// Copies what somebody said to those of their streams that did not say it.
pub(in crate::xmpp) fn sent(chat: &Chat, spoken: &Spoken) {
    let resource = spoken.stanza.as_ref().map(|stanza| &*stanza.resource);
    let wants = |one: &Arc<Session>| one.state.wants_carbons() && Some(&*one.resource) != resource;
    if !chat.sessions.any(spoken.from, wants) || spoken.stanza.as_ref().is_some_and(|one| is_private(&one.xml)) {
        return;
    }
    let (bare, message) = (chat.names.bare(spoken.from), spoken.xml(&chat.names, spoken.from, ""));
    chat.sessions.each(spoken.from, |one| {
        if wants(one) {
            one.offer(Outgoing::plain(format!(
                "<message xmlns=\"jabber:client\" type=\"chat\" from=\"{bare}\" to=\"{}\"><sent xmlns=\"{}\"><forwarded xmlns=\"{}\">\
                 {message}</forwarded></sent></message>",
                Text(&one.full()),
                ns::CARBONS,
                ns::FORWARD
            )));
        }
    });
}

/// Whether a message says that it is not copied (XEP-0280 §6, XEP-0334). Text cannot look like an element: its `<` is escaped.
fn is_private(xml: &str) -> bool {
    ["<private xmlns='urn:xmpp:carbons:2'", "<no-copy xmlns='urn:xmpp:hints'"].iter().any(|mark| xml.contains(mark))
}

#[cfg(test)]
mod tests {
    use crate::xmpp::testing::Stage;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_one_stream_says_the_others_that_asked_for_it_hear() {
        let stage = Stage::new().await;
        let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
        let (phone, tablet) = (stage.client(anna, "phone").await, stage.client(anna, "tablet").await);
        let silent = stage.client(anna, "silent").await;
        let other = stage.client(ben, "one").await;
        tablet.send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>").await;
        assert_eq!(tablet.next_of("iq").await.attr("type"), Some("result"));
        for more in ["", "<private xmlns='urn:xmpp:carbons:2'/>", "<no-copy xmlns='urn:xmpp:hints'/>"] {
            let message =
                format!("<message to='{ben}@dface.cn/one' id='m' type='chat'><body>hi</body>{more}</message>");
            phone.send(&message).await;
            other.next_of("message").await;
        }
        let copy = tablet.next_of("message").await;
        assert_eq!(copy.attr("from"), Some(&*format!("{anna}@dface.cn")));
        let sent = copy.get_child("sent", "urn:xmpp:carbons:2").unwrap();
        let message = sent.get_child("forwarded", "urn:xmpp:forward:0").unwrap().children().next().unwrap();
        assert_eq!(message.get_child("body", "jabber:client").unwrap().text(), "hi");
        assert_eq!(message.attr("from"), Some(&*format!("{anna}@dface.cn/phone")));
        stage.settled().await;
        assert_eq!(tablet.all(), []);
        let heard = |element: &minidom::Element| element.name() == "message";
        assert!(!silent.all().iter().any(heard) && !phone.all().iter().any(heard));
        tablet.send("<iq type='set' id='c'><disable xmlns='urn:xmpp:carbons:2'/></iq>").await;
        tablet.next_of("iq").await;
        phone.send(&format!("<message to='{ben}@dface.cn'><body>hi</body></message>")).await;
        stage.settled().await;
        assert_eq!(tablet.all(), []);
    }
}
