//! The listener of §32: the history of rooms and talks, and what the back end may do. A session of the app, or the token in
//! `DIR/internal-token`.

mod history;
mod internal;
mod rest;

use std::sync::Arc;

use dface_domain::{
    ids::UserId,
    messages::Party,
    privacy::{Reader, may_read},
};
use utoipa::{OpenApi, openapi};

use crate::{
    admin::same,
    app::{Access, App, Caller},
    http::{
        ApiError, Gate, Head, Route,
        openapi::complete,
        value::{FromParam, MustBe},
    },
    xmpp::address::Names,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "dface chat",
        description = "The history of rooms and talks (a session of the app, or the internal token), and what the back end may do \
                       (the internal token, `Authorization: Bearer`)."
    ),
    paths(
        history::room,
        history::own,
        history::between,
        internal::room,
        internal::block,
        internal::unblock,
        rest::rest
    )
)]
struct Documented;

/// The OpenAPI document of this listener.
#[must_use]
pub fn document() -> openapi::OpenApi {
    let mut document = Documented::openapi();
    complete(&mut document);
    document
}

/// All routes of this listener but for its documents.
#[must_use]
pub fn routes() -> Vec<Route<Web>> {
    [history::routes(), internal::routes(), rest::routes()].into_iter().flatten().collect()
}

/// The listener's state.
pub struct Web {
    /// What the public listener works with.
    pub app: Arc<App>,
    /// The back end's token.
    pub token: String,
}

/// What a route asks of its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebAccess {
    /// Nothing.
    Public,
    /// A session, or the internal token.
    Reader,
    /// The internal token.
    Internal,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum WebCaller {
    /// Nobody knows.
    Stranger,
    /// A person of the app.
    Person(UserId),
    /// The back end.
    Internal,
}

impl Web {
    /// How parties are addressed.
    fn names(&self) -> Names {
        let chat = &self.app.node.settings.chat;
        Names { domain: chat.domain.as_str().into(), rooms: chat.rooms_domain.as_str().into() }
    }
}

impl WebCaller {
    /// Checks that the caller may read what these said, of whom a person must be one (spec http.md §32).
    ///
    /// # Errors
    /// 403.
    fn must_be_one_of(self, parties: &[Party]) -> Result<(), ApiError> {
        let reader = match self {
            Self::Internal => Reader::Server,
            Self::Person(user) => Reader::Person(user),
            Self::Stranger => return Err(ApiError::internal("a reader without a name")),
        };
        if may_read(reader, parties) {
            return Ok(());
        }
        Err(ApiError::forbidden("not_your_account", "what others said to each other is for them alone"))
    }
}

impl Gate for Web {
    type Access = WebAccess;
    type Caller = WebCaller;

    async fn admit(&self, access: WebAccess, head: &Head) -> Result<WebCaller, ApiError> {
        let is_internal = head.bearer().is_some_and(|token| same(token, &self.token));
        match access {
            _ if is_internal => self.app.admit(Access::Public, head).await.map(|_| WebCaller::Internal),
            WebAccess::Public => Ok(WebCaller::Stranger),
            WebAccess::Reader => match self.app.admit(Access::Session, head).await? {
                Caller::User { user, .. } => Ok(WebCaller::Person(user)),
                Caller::Stranger | Caller::Watch(_) => Ok(WebCaller::Stranger),
            },
            WebAccess::Internal => {
                let message = "this needs a header `Authorization: Bearer …` with the token in DIR/internal-token";
                Err(ApiError::unauthorized("token_required", message))
            }
        }
    }

    fn stale_s(&self) -> Option<u64> {
        self.app.stale_s()
    }
}

/// Who talks, in a parameter: a person's id, or `s` and a shop's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Speaker(Party);

impl FromParam for Speaker {
    fn from_param(text: &str) -> Result<Self, MustBe> {
        match text.parse() {
            Ok(party @ (Party::User(_) | Party::Shop(_))) => Ok(Self(party)),
            _ => Err("a user's id, or s and a shop's id"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_documented_and_nothing_else_is() {
        let differences = crate::http::openapi::differences(&document(), &routes());
        assert!(differences.is_empty(), "{differences:#?}");
    }

    #[test]
    fn who_talks_is_a_person_or_a_shop() {
        let user = Party::User(UserId::Number(7));
        assert_eq!(Speaker::from_param("7"), Ok(Speaker(user)));
        assert_eq!(Speaker::from_param("s9").map(|Speaker(party)| party.to_string()), Ok("s9".to_owned()));
        for text in ["", "r9", "s", "anna", "7@dface.cn"] {
            assert!(Speaker::from_param(text).is_err(), "{text}");
        }
    }
}
