//! The blocking command (XEP-0191): the same list as §25 to §27. People block people; shops are not blocked, and block nobody.

use std::{sync::Arc, time::Duration};

use dface_domain::{envelope::LogPosition, ids::UserId, messages::Party};
use dface_projections::{blocks::Blocks, projector::ReadModel as _};
use minidom::Element;

use super::{
    errors::{Condition, Handled, Refused},
    xml::{Text, ns, result},
};
use crate::xmpp::{address::Address, chat::Chat, outbox::Outgoing, session::Session};

const BLOCKING: &str = ns::BLOCKING;

/// How long the answer waits until the list shows the change.
const PATIENCE: Duration = Duration::from_secs(2);

/// `<blocklist/>`, `<block/>` or `<unblock/>`.
///
/// # Errors
/// What is answered instead.
pub(super) async fn iq(chat: &Chat, session: &Arc<Session>, iq: &Element, asked: &Element) -> Handled {
    let user = match session.owner {
        Party::User(user) => Some(user),
        _ => None,
    };
    match (iq.attr("type"), asked.name(), user) {
        (Some("get"), "blocklist", user) => {
            session.state.set_blocklist();
            let blocked = match user {
                Some(user) => list(chat, user).await?,
                None => Vec::new(),
            };
            let items: String = blocked.into_iter().map(|user| item(chat, user)).collect();
            session.answer(result(session, iq, &format!("<blocklist xmlns=\"{BLOCKING}\">{items}</blocklist>")));
            return Ok(());
        }
        (Some("set"), "block" | "unblock", None) => return Err(Condition::NotAllowed.into()),
        (Some("set"), "block", Some(user)) => block(chat, user, asked).await?,
        (Some("set"), "unblock", Some(user)) => unblock(chat, user, asked).await?,
        _ => return Err(Condition::BadRequest.into()),
    }
    session.answer(result(session, iq, ""));
    Ok(())
}

async fn block(chat: &Chat, user: UserId, asked: &Element) -> Handled {
    let blocked = items(chat, asked)?;
    if blocked.is_empty() {
        return Err(Condition::BadRequest.into());
    }
    let mut last = None;
    for other in blocked {
        last = chat.node.commands.block(user, other, false, &chat.context()).await?.1.max(last);
    }
    shown(chat, last).await
}

async fn unblock(chat: &Chat, user: UserId, asked: &Element) -> Handled {
    let mut blocked = items(chat, asked)?;
    if blocked.is_empty() {
        blocked = list(chat, user).await?;
    }
    let mut last = None;
    for other in blocked {
        last = chat.node.commands.unblock(user, other, &chat.context()).await?.max(last);
    }
    shown(chat, last).await
}

/// As of now: streams are told of a block by the log, which can be before the list shows it.
async fn list(chat: &Chat, user: UserId) -> Result<Vec<UserId>, Refused> {
    shown(chat, Some(chat.node.projector.head())).await?;
    Ok(chat.node.views.blocks.view().of(user)?)
}

async fn shown(chat: &Chat, position: Option<LogPosition>) -> Handled {
    if let Some(position) = position {
        chat.node.projector.wait_for_model(Blocks::NAME, position, PATIENCE).await?;
    }
    Ok(())
}

/// The people that an element names.
fn items(chat: &Chat, asked: &Element) -> Result<Vec<UserId>, Refused> {
    let named = asked.children().filter(|child| child.is("item", BLOCKING));
    named
        .map(|item| {
            let jid = item.attr("jid").ok_or(Condition::BadRequest)?;
            match chat.names.read(jid).map_err(|_| Condition::JidMalformed)? {
                Address::Account { party: Party::User(user), resource: None } => Ok(user),
                Address::Nobody => Err(Condition::ItemNotFound.into()),
                _ => Err(Condition::NotAcceptable.into()),
            }
        })
        .collect()
}

fn item(chat: &Chat, user: UserId) -> String {
    format!("<item jid=\"{}\"/>", chat.names.bare(Party::User(user)))
}

/// Somebody's list changed, wherever: their streams that asked for it are told.
pub(in crate::xmpp) fn changed(chat: &Chat, user: UserId, other: UserId, blocks: bool) {
    let (name, item) = (if blocks { "block" } else { "unblock" }, item(chat, other));
    chat.sessions.each(Party::User(user), |session| {
        if session.state.wants_blocklist() {
            session.offer(Outgoing::plain(format!(
                "<iq xmlns=\"jabber:client\" type=\"set\" id=\"{name}-{other}\" to=\"{}\"><{name} xmlns=\"{BLOCKING}\">{item}</{name}></iq>",
                Text(&session.full())
            )));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::testing::{Client, Stage};

    async fn list(client: &Client) -> Vec<String> {
        client.send("<iq type='get' id='list'><blocklist xmlns='urn:xmpp:blocking'/></iq>").await;
        let answer = client.expect(|e| e.attr("id") == Some("list")).await;
        let list = answer.get_child("blocklist", BLOCKING).unwrap();
        list.children().map(|item| item.attr("jid").unwrap().to_owned()).collect()
    }

    async fn set(client: &Client, what: &str) -> Element {
        client.send(&format!("<iq type='set' id='set'>{what}</iq>")).await;
        client.expect(|e| e.attr("id") == Some("set")).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_list_is_that_of_sections_25_to_27_and_other_streams_hear_of_changes() {
        let stage = Stage::new().await;
        let (anna, ben) = (stage.person("anna").await, stage.person("ben").await);
        let (phone, tablet) = (stage.client(anna, "phone").await, stage.client(anna, "tablet").await);
        assert_eq!(list(&phone).await, [""; 0]);
        assert_eq!(list(&tablet).await, [""; 0]);
        let jid = format!("{ben}@dface.cn");
        let one = |name: &str| format!("<{name} xmlns='urn:xmpp:blocking'><item jid='{jid}'/></{name}>");
        assert_eq!(set(&phone, &one("block")).await.attr("type"), Some("result"));
        let told = tablet.next_of("iq").await;
        assert!(told.get_child("block", BLOCKING).unwrap().has_child("item", BLOCKING));
        assert_eq!(list(&phone).await, [&*jid]);
        assert!(stage.chat.node.views.blocks.view().blocks(anna, ben).unwrap());
        assert_eq!(set(&phone, &one("unblock")).await.attr("type"), Some("result"));
        assert!(tablet.next_of("iq").await.has_child("unblock", BLOCKING));
        stage.chat.node.commands.block(anna, ben, true, &stage.chat.context()).await.unwrap();
        assert!(tablet.next_of("iq").await.has_child("block", BLOCKING), "what is blocked over HTTP is told too");
        assert_eq!(set(&phone, "<unblock xmlns='urn:xmpp:blocking'/>").await.attr("type"), Some("result"));
        assert_eq!(list(&phone).await, [""; 0]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_cannot_be_blocked_is_told() {
        let stage = Stage::new().await;
        let (anna, shop) = (stage.person("anna").await, stage.shop("二所").await);
        let phone = stage.client(anna, "phone").await;
        for (jids, expected) in [
            (vec![], "bad-request"),
            (vec![format!("{anna}@dface.cn")], "not-allowed"),
            (vec!["999@dface.cn".to_owned()], "item-not-found"),
            (vec!["anna@dface.cn".to_owned()], "item-not-found"),
            (vec![format!("s{shop}@dface.cn")], "not-acceptable"),
            (vec!["@".to_owned()], "jid-malformed"),
        ] {
            let items: String = jids.iter().map(|jid| format!("<item jid='{jid}'/>")).collect();
            let answer = set(&phone, &format!("<block xmlns='urn:xmpp:blocking'>{items}</block>")).await;
            let error = answer.get_child("error", "jabber:client").unwrap();
            assert_eq!(error.children().next().unwrap().name(), expected, "{jids:?}");
        }
        let seller = stage.client(Party::Shop(shop), "till").await;
        let answer = set(&seller, "<unblock xmlns='urn:xmpp:blocking'/>").await;
        assert_eq!(answer.attr("type"), Some("error"));
    }
}
