//! What the back end may do (seed §32.4).

use std::sync::Arc;

use dface_commands::{CommandError, messages::Announcement};
use dface_domain::{
    ids::{ADMINISTRATOR, MessageId, RecordId, ShopId, UserId},
    messages::Party,
    rejection::Rejection,
    sealed::Subject,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Speaker, Web, WebAccess, WebCaller};
use crate::{
    app::Caller,
    http::{Answer, ApiError, Request, Route, endpoints::once_by, route::Reply},
};

pub(super) fn routes() -> Vec<Route<Web>> {
    vec![
        Route::any("/api/room", WebAccess::Internal, room).changes(),
        Route::any("/api/block", WebAccess::Internal, block).changes(),
        Route::any("/api/unblock", WebAccess::Internal, unblock).changes(),
    ]
}

#[derive(Debug, Serialize, ToSchema)]
struct Sent {
    /// The message.
    #[schema(value_type = String)]
    id: MessageId,
}

/// Says something in a room, in the name of a person or a shop.
#[utoipa::path(
    method(get, post), path = "/api/room", tag = "back end",
    params(
        ("roomid" = u64, Query, description = "The shop whose room it is"),
        ("message" = String, Query, description = "What is said"),
        ("uid" = String, Query, description = "In whose name: a user's id, or `s` and a shop's"),
    ),
    responses((status = 200, body = Sent))
)]
pub(super) async fn room(web: Arc<Web>, request: Request<WebCaller>) -> Reply {
    let roomid: ShopId = request.params.required("roomid")?;
    let Speaker(from) = request.params.required("uid")?;
    let body: String = request.params.required("message")?;
    if body.trim().is_empty() {
        return Err(ApiError::parameter("message", "must not be empty"));
    }
    let app = &web.app;
    web.must_be_there("roomid", Party::Room(roomid)).await?;
    web.must_be_there("uid", from).await?;
    // Repeats of the back end are kept as the administrator's.
    app.node.commands.keys().ensure(&[Subject::User(ADMINISTRATOR)]).map_err(CommandError::from)?;
    once_by(app, ADMINISTRATOR, &request, async |context| {
        let at = context.occurred_at.unwrap_or_else(|| app.now());
        let said = Announcement { cause: context.correlation, at, from, to: Party::Room(roomid), body };
        let (id, position) = app.node.commands.announce(said, &context).await?;
        Ok(app.wrote(&Caller::Stranger, position, Answer::json(&Sent { id })).await)
    })
    .await
}

#[derive(Debug, Serialize, ToSchema)]
struct Made {
    #[schema(value_type = u64)]
    id: RecordId,
    #[schema(value_type = u64)]
    uid: UserId,
    #[schema(value_type = u64)]
    bid: UserId,
}

/// Blocks somebody in the name of a person, as §26 does; twice answers the first record again.
#[utoipa::path(
    method(get, post), path = "/api/block", tag = "back end",
    params(
        ("uid" = u64, Query, description = "Who blocks"),
        ("bid" = u64, Query, description = "Who is blocked"),
    ),
    responses((status = 200, body = Made))
)]
pub(super) async fn block(web: Arc<Web>, request: Request<WebCaller>) -> Reply {
    let (uid, bid): (UserId, UserId) = (request.params.required("uid")?, request.params.required("bid")?);
    web.must_be_there("uid", Party::User(uid)).await?;
    web.must_be_there("bid", Party::User(bid)).await?;
    let (block, position) = web.app.node.commands.block(uid, bid, false, &web.app.context()).await?;
    let made = Made { id: block.record, uid, bid };
    Ok(web.app.wrote(&Caller::Stranger, position, Answer::json(&made)).await)
}

#[derive(Debug, Serialize, ToSchema)]
struct Deleted {
    #[schema(value_type = u64)]
    deleted: UserId,
}

/// Blocks somebody no more, as §27 does; absent or repeated is the same.
#[utoipa::path(
    method(get, post), path = "/api/unblock", tag = "back end",
    params(
        ("uid" = u64, Query, description = "Who blocks"),
        ("bid" = u64, Query, description = "Who is blocked"),
    ),
    responses((status = 200, body = Deleted))
)]
pub(super) async fn unblock(web: Arc<Web>, request: Request<WebCaller>) -> Reply {
    let (uid, bid): (UserId, UserId) = (request.params.required("uid")?, request.params.required("bid")?);
    let position = web.app.node.commands.unblock(uid, bid, &web.app.context()).await?;
    Ok(web.app.wrote(&Caller::Stranger, position, Answer::json(&Deleted { deleted: bid })).await)
}

impl Web {
    /// Checks that somebody in whose name something is done, or to whom, is there.
    ///
    /// # Errors
    /// 404, which names the parameter.
    pub(super) async fn must_be_there(&self, parameter: &str, party: Party) -> Result<(), ApiError> {
        match party {
            // The administrator always is (§28.2).
            Party::User(ADMINISTRATOR) => Ok(()),
            Party::User(user) if !self.app.node.commands.user_exists(user).await? => Err(ApiError::not_found(
                Rejection::UserUnknown(user).code(),
                format!("{parameter}: there is no user {user}"),
            )),
            Party::Shop(shop) | Party::Room(shop) if self.app.views().shops.view().get(shop)?.is_none() => {
                Err(ApiError::not_found("shop_unknown", format!("{parameter}: there is no shop {shop}")))
            }
            _ => Ok(()),
        }
    }
}
