//! Rooms over a node, with clients whose outbox is read.

mod joining;
mod staff;
mod talking;

use dface_commands::people::NewAccount;
use dface_domain::{
    events::{Gender, ShopStaffAdded},
    ids::{ShopId, UserId},
    shops::ShopCommand,
};
use minidom::Element;

use super::super::xml::ns;
use crate::xmpp::testing::{Client, Stage};

/// How a client joins; `inside` is what `<x/>` holds.
fn join(shop: ShopId, nick: &str, inside: &str) -> String {
    format!("<presence to='{shop}@c.dface.cn/{nick}'><x xmlns='{}'>{inside}</x></presence>", ns::MUC)
}

/// Somebody who is in a room, with all read that they were told at first.
async fn within(stage: &Stage, user: UserId, shop: ShopId) -> Client {
    let client = stage.client(user, "phone").await;
    client.send(&join(shop, "x", "")).await;
    client.all();
    client
}

/// Somebody else who is shown by that name, too.
async fn namesake(stage: &Stage, name: &str) -> UserId {
    let (sign_in, gender) = (format!("not {name}"), Gender::default());
    let new = NewAccount { name: sign_in, password: None, gender, source: None };
    let (user, _) = stage.chat.node.commands.register_shown(new, name, &stage.chat.context()).await.unwrap();
    stage.settled().await;
    user
}

async fn employ(stage: &Stage, shop: ShopId, user: UserId) {
    let add = ShopCommand::AddStaff(ShopStaffAdded { shop, user });
    stage.chat.node.commands.change_shop(shop, &add, &stage.chat.context()).await.unwrap();
    stage.settled().await;
}

async fn say(client: &Client, shop: ShopId, id: &str, body: &str) {
    client
        .send(&format!("<message to='{shop}@c.dface.cn' type='groupchat' id='{id}'><body>{body}</body></message>"))
        .await;
}

/// The nick in a stanza's `from`.
fn nick(stanza: &Element) -> &str {
    stanza.attr("from").and_then(|from| from.split_once('/')).map_or("", |(_, nick)| nick)
}

fn body(message: &Element) -> String {
    message.get_child("body", ns::CLIENT).map(Element::text).unwrap_or_default()
}

fn subject(message: &Element) -> Option<String> {
    message.get_child("subject", ns::CLIENT).map(Element::text)
}

fn statuses(presence: &Element) -> Vec<u16> {
    let user = presence.get_child("x", ns::MUC_USER).unwrap();
    let codes = user.children().filter(|child| child.name() == "status");
    codes.map(|status| status.attr("code").unwrap().parse().unwrap()).collect()
}

/// The item of muc#user that a stanza has: affiliation, role and address.
fn item(stanza: &Element) -> (&str, &str, &str) {
    let item = stanza.get_child("x", ns::MUC_USER).and_then(|user| user.get_child("item", ns::MUC_USER)).unwrap();
    let [affiliation, role, address] = ["affiliation", "role", "jid"].map(|name| item.attr(name).unwrap_or_default());
    (affiliation, role, address)
}

/// The condition of the error that a stanza is; empty where it is none.
fn error(stanza: &Element) -> String {
    let error = stanza.get_child("error", ns::CLIENT);
    error.and_then(|error| error.children().next()).map(|condition| condition.name().to_owned()).unwrap_or_default()
}
