//! What is asked of the domain of the rooms. Every shop has a room, and there may be very many: those with somebody in them are listed, page by page (XEP-0059).

use std::fmt::Write as _;

use dface_domain::ids::ShopId;
use minidom::Element;

use super::{
    disco::{self, ROOMS_IDENTITY},
    features, shared,
};
use crate::xmpp::{
    chat::Chat,
    stanzas::{
        errors::{Condition, Refused},
        xml::{Text, ns},
    },
};

pub(super) fn answer(chat: &Chat, query: &Element, set: bool) -> Result<String, Refused> {
    let node = query.attr("node");
    match (query.name(), query.ns().as_str(), set) {
        ("query", ns::DISCO_INFO | ns::DISCO_ITEMS, false) if node.is_some() => Err(Condition::ItemNotFound.into()),
        ("query", ns::DISCO_INFO, false) => Ok(disco::info(&ROOMS_IDENTITY, features::ROOMS, None, "")),
        ("query", ns::DISCO_ITEMS, false) => occupied(chat, query.get_child("set", ns::RSM)),
        _ => shared(query, set),
    }
}

fn occupied(chat: &Chat, page: Option<&Element>) -> Result<String, Refused> {
    let asked = |name: &str| page.and_then(|page| page.get_child(name, ns::RSM)).map(Element::text);
    let after = asked("after").filter(|after| !after.is_empty()).map(|after| after.parse::<ShopId>());
    let after = after.transpose().map_err(|_| Condition::ItemNotFound)?;
    let page = chat.node.settings.chat.rooms.page;
    let most = asked("max").and_then(|max| max.parse().ok()).map_or(page, |max: usize| max.min(page));
    let (shops, count) = chat.rooms.occupied(after, most);
    let mut items = String::new();
    for shop in &shops {
        let name = chat.node.views.shops.view().name(*shop).unwrap_or_default();
        let _ = write!(items, "<item jid=\"{shop}@{}\" name=\"{}\"/>", chat.names.rooms, Text(&name));
    }
    let _ = write!(items, "<set xmlns=\"{}\">", ns::RSM);
    if let (Some(first), Some(last)) = (shops.first(), shops.last()) {
        let _ = write!(items, "<first>{first}</first><last>{last}</last>");
    }
    let _ = write!(items, "<count>{count}</count></set>");
    Ok(disco::items(None, &items))
}
