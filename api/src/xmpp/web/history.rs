//! What was said (seed §32.1 to §32.3).

use std::sync::Arc;

use dface_domain::{
    ids::{MessageId, ObjectId, ShopId},
    messages::{Conversation, MessageState, Party},
};
use dface_projections::messages::{Archive, MessageEntry, Range};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Speaker, Web, WebAccess, WebCaller};
use crate::{
    http::{Answer, ApiError, Request, Route, route::Reply},
    xmpp::address::Names,
};

pub(super) fn routes() -> Vec<Route<Web>> {
    vec![
        Route::any("/api/gchat", WebAccess::Reader, room),
        Route::any("/api/chat", WebAccess::Reader, own),
        Route::any("/api/chat2", WebAccess::Reader, between),
    ]
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
struct Said {
    #[schema(value_type = String)]
    id: MessageId,
    /// Who said it: `7@dface.cn`, or `s12@dface.cn` for a shop.
    from: String,
    /// To whom; `12@c.dface.cn` for a room.
    to: String,
    body: String,
    /// RFC 3339, UTC.
    time: String,
    /// How far it is: `sent`, `delivered` or `displayed`.
    #[schema(value_type = String)]
    status: MessageState,
}

/// What was said in a room, oldest first: the newest page, or the one before a message.
#[utoipa::path(
    method(get, post), path = "/api/gchat", tag = "history",
    params(
        ("room" = u64, Query, description = "The shop whose room it is"),
        ("before" = Option<String>, Query, description = "The page before this message"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = Vec<Said>))
)]
pub(super) async fn room(web: Arc<Web>, request: Request<WebCaller>) -> Reply {
    let room: ShopId = request.params.required("room")?;
    web.must_be_there("room", Party::Room(room)).await?;
    request.caller.must_be_one_of(&[Party::Room(room)])?;
    page(&web, &request, Archive::Conversation(Conversation::Room(room)))
}

/// All that somebody said to others, or was told: not what was said in rooms.
#[utoipa::path(
    method(get, post), path = "/api/chat", tag = "history",
    params(
        ("uid" = String, Query, description = "The caller; with the internal token anybody, or `s` and a shop's id"),
        ("before" = Option<String>, Query, description = "The page before this message"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = Vec<Said>))
)]
pub(super) async fn own(web: Arc<Web>, request: Request<WebCaller>) -> Reply {
    let Speaker(party) = request.params.required("uid")?;
    request.caller.must_be_one_of(&[party])?;
    page(&web, &request, Archive::Of(party))
}

/// What two said to each other.
#[utoipa::path(
    method(get, post), path = "/api/chat2", tag = "history",
    params(
        ("uid1" = String, Query, description = "One of the two; a user's id, or `s` and a shop's"),
        ("uid2" = String, Query, description = "The other. One of them is the caller, but for the internal token"),
        ("before" = Option<String>, Query, description = "The page before this message"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = Vec<Said>))
)]
pub(super) async fn between(web: Arc<Web>, request: Request<WebCaller>) -> Reply {
    let (Speaker(one), Speaker(other)) = (request.params.required("uid1")?, request.params.required("uid2")?);
    request.caller.must_be_one_of(&[one, other])?;
    page(&web, &request, Archive::Conversation(Conversation::of(one, other)))
}

fn page(web: &Web, request: &Request<WebCaller>, of: Archive) -> Reply {
    let most = request.params.page()?.limit();
    let messages = web.app.views().messages.view();
    let before = match request.params.optional::<ObjectId>("before")?.map(MessageId) {
        None => None,
        Some(id) => {
            let unknown = || ApiError::not_found("message_unknown", format!("before: there is no message {id}"));
            Some(messages.message(id)?.ok_or_else(unknown)?.position)
        }
    };
    let entries = messages.newest(of, Range { before, ..Range::default() }, None, most)?;
    let names = web.names();
    let said: Vec<Said> = entries.iter().filter_map(|entry| said(web, &names, entry)).collect();
    Ok(Answer::json(&said))
}

/// None where who said it has left meanwhile.
fn said(web: &Web, names: &Names, entry: &MessageEntry) -> Option<Said> {
    Some(Said {
        id: entry.message,
        from: names.bare(entry.from),
        to: names.bare(entry.to),
        body: web.app.node.commands.keys().open(&entry.body)?,
        time: entry.at.to_string(),
        status: entry.state,
    })
}
