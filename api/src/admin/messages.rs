//! What is said in rooms, as who moderates reads it, and messages that are taken away, whoever's they are (seed §28).

use std::sync::Arc;

use dface_domain::{
    ids::{MessageId, ShopId},
    messages::{Conversation, MessageKind, Party},
    rejection::Rejection,
};
use dface_projections::messages::{Archive, MessageEntry, Range};
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, ApiError, Methods, Request, Route, route::Reply};

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/shops/{id}/messages", AdminAccess::Moderator, of_room),
        Route::new(Methods::DELETE, "/admin/messages/{id}", AdminAccess::Moderator, delete),
    ]
}

/// A message of a room.
#[derive(Debug, Serialize, ToSchema)]
struct SaidInRoom {
    #[schema(value_type = String)]
    id: MessageId,
    /// Who said it: a person's id, or `s` and a shop's.
    #[schema(value_type = String)]
    from: Party,
    /// The name of whoever said it; null for a shop.
    name: Option<String>,
    /// text, photo, coupon, shake or greeting.
    #[schema(value_type = String)]
    kind: MessageKind,
    body: String,
    /// RFC 3339, UTC.
    time: String,
}

impl SaidInRoom {
    /// None where who said it has left meanwhile.
    fn of(admin: &Admin, entry: &MessageEntry) -> Result<Option<Self>, ApiError> {
        let Some(body) = admin.node.commands.keys().open(&entry.body) else { return Ok(None) };
        let name = match entry.from {
            Party::User(user) => admin.node.views.people.view().get(user)?.and_then(|one| one.profile.name.clone()),
            Party::Shop(_) | Party::Room(_) => None,
        };
        let MessageEntry { message, from, kind, at, .. } = entry;
        Ok(Some(Self { id: *message, from: *from, name, kind: *kind, body, time: at.to_string() }))
    }
}

/// What was said in a shop's room, oldest first: the newest page, or the one before a message. Everybody who is signed in may read it.
#[utoipa::path(
    get, path = "/admin/shops/{id}/messages", tag = "messages",
    params(
        ("id" = u64, Path, description = "The shop's id"),
        ("before" = Option<String>, Query, description = "The page before this message"),
        ("pcount" = Option<u32>, Query, description = "1 to 100, 20 by default"),
    ),
    responses((status = 200, body = [SaidInRoom]))
)]
pub(super) async fn of_room(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let room: ShopId = request.head.segment("id")?;
    let messages = admin.node.views.messages.view();
    let before = match request.params.optional::<MessageId>("before")? {
        Some(id) => Some(messages.message(id)?.ok_or(Rejection::MessageUnknown(id))?.position),
        None => None,
    };
    let (of, range) = (Archive::Conversation(Conversation::Room(room)), Range { before, ..Range::default() });
    let mut said = Vec::new();
    for entry in messages.newest(of, range, None, request.params.page()?.limit())? {
        said.extend(SaidInRoom::of(&admin, &entry)?);
    }
    Ok(Answer::json(&said))
}

#[derive(Debug, Serialize, ToSchema)]
struct DeletedMessage {
    #[schema(value_type = String)]
    deleted: MessageId,
}

/// Takes a message of a room or between two out of every history, archive and inbox. A picture is taken away by itself (`/admin/photos`).
#[utoipa::path(
    delete, path = "/admin/messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "The message")),
    responses((status = 200, body = DeletedMessage))
)]
pub(super) async fn delete(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let message: MessageId = request.head.segment("id")?;
    admin.node.commands.remove_message(message, &admin.context()).await?;
    let position = admin.audit(&request.caller, "message_delete", &message.to_string()).await?;
    admin.shown(position).await;
    Ok(Answer::json(&DeletedMessage { deleted: message }).position(position.0))
}
