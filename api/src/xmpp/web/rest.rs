//! Messages as XML (seed §32.4.4).

use std::sync::Arc;

use dface_commands::messages::Said;
use dface_domain::{
    ids::MessageId,
    messages::{Party, Stanza, kind_of},
    privacy::{Talk, may_talk},
    rejection::Rejection,
};
use http::StatusCode;
use minidom::Element;
use rxml::{Namespace, NcName};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Web, WebAccess, WebCaller};
use crate::{
    app::Caller,
    http::{Answer, ApiError, Request, Route, route::Reply},
    settings::Chat,
    xmpp::{
        address::{Address, Names},
        stanzas::messages,
        stream::framer::{Caps, Framer, Framing, Input},
    },
};

const CLIENT: &str = "jabber:client";

/// The resource of who says something by this, where the stanza names none.
const RESOURCE: &str = "rest";

pub(super) fn routes() -> Vec<Route<Web>> {
    vec![Route::post("/rest", WebAccess::Internal, rest).raw_body()]
}

#[derive(Debug, Serialize, ToSchema)]
struct Sent {
    /// The messages, in the order of the stanzas.
    #[schema(value_type = Vec<String>)]
    ids: Vec<MessageId>,
}

/// Sends messages that are written as XMPP has them: one `<message/>` or more, each with a body and with `from` and `to` at this server's domains. All
/// are checked before the first is sent. The same `id` and text from and to the same within an hour is the same message.
#[utoipa::path(
    post, path = "/rest", tag = "back end",
    request_body(content = String, content_type = "application/xml", description = "`<message from='s12@dface.cn' to='7@dface.cn'><body>…</body></message>`"),
    responses((status = 200, body = Sent))
)]
pub(super) async fn rest(web: Arc<Web>, request: Request<WebCaller>) -> Reply {
    let (app, names) = (&web.app, web.names());
    let mut all = Vec::new();
    for (n, stanza) in stanzas(&request.body, &app.node.settings.chat)?.iter().enumerate() {
        let said = said(stanza, &names).map_err(|problem| bad(format!("stanza {}: {problem}", n + 1)))?;
        web.must_be_there("from", said.from).await?;
        web.must_be_there("to", said.to).await?;
        if let (Party::User(from), Party::User(to)) = (said.from, said.to) {
            let blocks = app.views().blocks.view();
            if may_talk(blocks.blocks(from, to)?, blocks.blocks(to, from)?) != Talk::Allowed {
                let problem = format!("stanza {}: one of the two blocks the other", n + 1);
                return Err(ApiError::new(StatusCode::FORBIDDEN, Rejection::BlockedPair.code(), problem));
            }
        }
        all.push(said);
    }
    if all.is_empty() {
        return Err(bad("there is no stanza".to_owned()));
    }
    let (mut ids, mut last) = (Vec::with_capacity(all.len()), None);
    for said in all {
        let accepted = app.node.commands.say(said, &app.context()).await?;
        ids.push(accepted.message);
        last = last.max(accepted.position);
    }
    Ok(app.wrote(&Caller::Stranger, last, Answer::json(&Sent { ids })).await)
}

fn bad(problem: String) -> ApiError {
    ApiError::invalid("bad_stanza", problem)
}

/// The elements of a body, read under the limits that streams have.
fn stanzas(body: &[u8], chat: &Chat) -> Result<Vec<Element>, ApiError> {
    let text = std::str::from_utf8(body).map_err(|_| ApiError::invalid("bad_encoding", "the body is not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let text = match text.strip_prefix("<?xml") {
        Some(declared) => declared.split_once("?>").map_or(text, |(_, rest)| rest),
        None => text,
    };
    let caps = Caps::member(chat);
    // The framer reads one element, so they stand in one of ours.
    let whole = format!("<rest xmlns=\"{CLIENT}\">{text}</rest>");
    let caps = Caps { bytes: whole.len() + 1, depth: caps.depth + 1, ..caps };
    let read = Framer::new(Framing::Whole, caps).whole(&whole);
    let Ok(Some(Input::Element(root))) = read else {
        return Err(bad("the body is not well-formed, or asks for too much".to_owned()));
    };
    let too_large = |stanza: &&Element| String::from(*stanza).len() > chat.stanza_bytes;
    if root.children().any(|stanza| too_large(&stanza)) || root.texts().any(|text| !text.trim().is_empty()) {
        return Err(bad("the body is not made of stanzas, or one of them is too large".to_owned()));
    }
    Ok(root.children().cloned().collect())
}

/// What a stanza says, or what is wrong with it.
fn said(stanza: &Element, names: &Names) -> Result<Said, &'static str> {
    if !stanza.is("message", CLIENT) || stanza.attr("type") == Some("error") {
        return Err("only a <message/> can be sent");
    }
    let Ok(Address::Account { party: from, resource }) = names.read(stanza.attr("from").unwrap_or_default()) else {
        return Err("`from` must be a person or a shop of this server");
    };
    let to = match names.read(stanza.attr("to").unwrap_or_default()) {
        Ok(Address::Account { party, .. }) => party,
        Ok(Address::Room { shop, nick: None }) => Party::Room(shop),
        _ => return Err("`to` must be a person, a shop or a room of this server"),
    };
    let body = stanza.get_child("body", CLIENT).map(Element::text).filter(|body| !body.trim().is_empty());
    let Some(body) = body else { return Err("it has no <body/>") };
    if stanza.attr("type") == Some("groupchat") && !matches!(to, Party::Room(_)) {
        return Err("`groupchat` is for rooms");
    }
    let Some(xml) = relayed(stanza, to, names) else { return Err("it cannot be written") };
    let stanza_id = stanza.attr("id").map(str::to_owned);
    let resource = resource.unwrap_or_else(|| RESOURCE.to_owned());
    Ok(Said { from, to, kind: kind_of(&body), body, id: stanza_id, stanza: Stanza { resource, xml } })
}

/// The element as it is relayed; to a room it is for all.
fn relayed(stanza: &Element, to: Party, names: &Names) -> Option<String> {
    let mut stanza = stanza.clone();
    if matches!(to, Party::Room(_)) {
        stanza.set_attr(Namespace::NONE, NcName::try_from("type").ok()?, "groupchat");
    }
    messages::relayed(names, &stanza).ok()
}

#[cfg(test)]
mod tests {
    use dface_domain::ids::ShopId;

    use super::*;

    fn names() -> Names {
        Names { domain: "dface.cn".into(), rooms: "c.dface.cn".into() }
    }

    fn chat() -> Chat {
        crate::settings::Settings::load(None, &[]).unwrap().chat
    }

    fn read(body: &str) -> Result<Vec<Said>, String> {
        let stanzas = stanzas(body.as_bytes(), &chat()).map_err(|error| error.message.into_owned())?;
        stanzas.iter().map(|stanza| said(stanza, &names()).map_err(str::to_owned)).collect()
    }

    #[test]
    fn a_message_is_kept_as_it_came_but_for_what_only_the_server_says() {
        let body = "<?xml version='1.0'?>\n<message from='s6@dface.cn/ylt' to='7@dface.cn' id='a1' odd='1'>\
                    <body>a&lt;b</body><x xmlns='jabber:x:event'><delivered/></x><delay xmlns='urn:xmpp:delay' stamp='1'/>\
                    <stanza-id xmlns='urn:xmpp:sid:0' by='dface.cn' id='1'/></message>\n\
                    <message xmlns='jabber:client' from='7@dface.cn' to='6@c.dface.cn'><body>hello</body></message>";
        let said = read(body).unwrap();
        assert_eq!((said[0].from, said[0].to), (Party::Shop(ShopId(6)), "7".parse().unwrap()));
        assert_eq!((said[0].body.as_str(), said[0].stanza.resource.as_str()), ("a<b", "ylt"));
        let xml = &said[0].stanza.xml;
        assert!(xml.starts_with("<message xmlns=\"jabber:client\"") && xml.ends_with("</message>"), "{xml}");
        for (part, there) in [
            ("odd=", true),
            ("id='a1'", true),
            ("<delivered", true),
            ("delay", false),
            ("stanza-id", false),
            ("to=", false),
        ] {
            assert_eq!(xml.contains(part), there, "{part}: {xml}");
        }
        assert_eq!((said[1].to, said[1].stanza.resource.as_str()), (Party::Room(ShopId(6)), "rest"));
        assert!(said[1].stanza.xml.contains("type='groupchat'"), "{}", said[1].stanza.xml);
    }

    #[test]
    fn what_is_malformed_too_large_or_of_others_is_refused_as_a_whole() {
        let good = "<message from='7@dface.cn' to='8@dface.cn'><body>x</body></message>";
        let large = format!("<message from='7@dface.cn' to='8@dface.cn'><body>{}</body></message>", "x".repeat(70_000));
        let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
        for bad in [
            "<message",
            "x",
            "</rest><rest xmlns='jabber:client'>",
            "<!DOCTYPE a><message/>",
            "<message from='7@dface.cn' to='8@dface.cn'><body>&x;</body></message>",
            "<message from='7@example.org' to='8@dface.cn'><body>x</body></message>",
            "<message from='6@c.dface.cn' to='8@dface.cn'><body>x</body></message>",
            "<message to='8@dface.cn'><body>x</body></message>",
            "<message from='7@dface.cn' to='8@example.org'><body>x</body></message>",
            "<message from='7@dface.cn' to='6@c.dface.cn/anna'><body>x</body></message>",
            "<message from='7@dface.cn' to='8@dface.cn' type='groupchat'><body>x</body></message>",
            "<message from='7@dface.cn' to='8@dface.cn'/>",
            "<presence from='7@dface.cn' to='8@dface.cn'/>",
            &large,
            &deep,
        ] {
            let after = format!("{good}{bad}");
            assert!(read(&after).is_err(), "{}", bad.chars().take(90).collect::<String>());
        }
        assert_eq!(read(good).unwrap().len(), 1);
    }
}
