//! Stanza errors (RFC 6120 §8.3): all are made here.

use dface_commands::CommandError;
use dface_domain::{
    ports::{KeyError, StoreError},
    rejection::Rejection,
};
use dface_projections::projector::{ModelError, ProjectorError};
use minidom::Element;

use super::xml::{Text, ns};
use crate::xmpp::session::Session;

/// What is wrong, as RFC 6120 §8.3.3 names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in RFC 6120 §8.3.3, which says what they are")]
pub enum Condition {
    BadRequest,
    FeatureNotImplemented,
    Forbidden,
    InternalServerError,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
    NotAllowed,
    PolicyViolation,
    RemoteServerNotFound,
    ResourceConstraint,
    ServiceUnavailable,
    UnexpectedRequest,
}

impl Condition {
    /// Its element, and its usual type.
    #[must_use]
    pub const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", "modify"),
            Self::FeatureNotImplemented => ("feature-not-implemented", "cancel"),
            Self::Forbidden => ("forbidden", "auth"),
            Self::InternalServerError => ("internal-server-error", "wait"),
            Self::ItemNotFound => ("item-not-found", "cancel"),
            Self::JidMalformed => ("jid-malformed", "modify"),
            Self::NotAcceptable => ("not-acceptable", "modify"),
            Self::NotAllowed => ("not-allowed", "cancel"),
            Self::PolicyViolation => ("policy-violation", "wait"),
            Self::RemoteServerNotFound => ("remote-server-not-found", "cancel"),
            Self::ResourceConstraint => ("resource-constraint", "wait"),
            Self::ServiceUnavailable => ("service-unavailable", "cancel"),
            Self::UnexpectedRequest => ("unexpected-request", "modify"),
        }
    }
}

/// Why a stanza is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub condition: Condition,
    /// Another type than the condition's usual one.
    pub kind: Option<&'static str>,
    /// What a XEP wants beside it, XML.
    pub more: &'static str,
}

/// Done, or refused.
pub type Handled = Result<(), Refused>;

impl From<Condition> for Refused {
    fn from(condition: Condition) -> Self {
        Self { condition, kind: None, more: "" }
    }
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        match &error {
            CommandError::Rejected(Rejection::UserUnknown(_)) => Condition::ItemNotFound.into(),
            CommandError::Rejected(_) => Condition::NotAllowed.into(),
            CommandError::Keys(KeyError::Destroyed(_)) => Condition::ServiceUnavailable.into(),
            CommandError::Store(StoreError::Full(_)) | CommandError::Contended(_) => {
                Condition::ResourceConstraint.into()
            }
            _ => failed(&error),
        }
    }
}

impl From<ModelError> for Refused {
    fn from(error: ModelError) -> Self {
        failed(&error)
    }
}

impl From<ProjectorError> for Refused {
    fn from(error: ProjectorError) -> Self {
        failed(&error)
    }
}

fn failed(error: &dyn std::error::Error) -> Refused {
    tracing::error!(%error, "a stanza failed");
    Condition::InternalServerError.into()
}

/// The answer to a stanza that is refused; none to one that is an error or an answer itself.
#[must_use]
pub fn error_reply(session: &Session, stanza: &Element, refused: Refused) -> Option<String> {
    let kind = stanza.attr("type");
    if kind == Some("error") || (stanza.name() == "iq" && kind == Some("result")) {
        return None;
    }
    let (condition, usual) = refused.condition.name();
    let mut reply = format!("<{} xmlns=\"jabber:client\" type=\"error\"", stanza.name());
    if let Some(id) = stanza.attr("id") {
        reply.push_str(&format!(" id=\"{}\"", Text(id)));
    }
    if let Some(to) = stanza.attr("to") {
        reply.push_str(&format!(" from=\"{}\"", Text(to)));
    }
    // Clients know by it that it was a room that they could not join (XEP-0045, section 7.2).
    let join = stanza.name() == "presence" && stanza.has_child("x", ns::MUC);
    let about = if join { format!("<x xmlns=\"{}\"/>", ns::MUC) } else { String::new() };
    reply.push_str(&format!(
        " to=\"{}\">{about}<error type=\"{}\"><{condition} xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/>{}</error></{}>",
        Text(&session.full()),
        refused.kind.unwrap_or(usual),
        refused.more,
        stanza.name(),
    ));
    Some(reply)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dface_domain::{ids::UserId, messages::Party};

    use super::*;
    use crate::xmpp::outbox::Outbox;

    #[test]
    fn an_error_is_never_answered_by_an_error() {
        let session = Session::new(Party::User(UserId::Number(7)), "a<b", "dface.cn", Arc::new(Outbox::new(1000)));
        let reply = |xml: &str| error_reply(&session, &xml.parse().unwrap(), Condition::ItemNotFound.into());
        assert_eq!(
            reply("<iq xmlns='jabber:client' type='get' id='a&amp;b' to='dface.cn'/>").unwrap(),
            "<iq xmlns=\"jabber:client\" type=\"error\" id=\"a&amp;b\" from=\"dface.cn\" to=\"7@dface.cn/a&lt;b\">\
             <error type=\"cancel\"><item-not-found xmlns=\"urn:ietf:params:xml:ns:xmpp-stanzas\"/></error></iq>"
        );
        assert_eq!(reply("<iq xmlns='jabber:client' type='result' id='a'/>"), None);
        assert_eq!(reply("<message xmlns='jabber:client' type='error' id='a'/>"), None);
        assert!(reply("<presence xmlns='jabber:client'/>").is_some());
    }

    #[test]
    fn who_cannot_join_a_room_is_told_that_it_was_a_room() {
        let session = Session::new(Party::User(UserId::Number(7)), "a", "dface.cn", Arc::new(Outbox::new(1000)));
        let join = "<presence xmlns='jabber:client' to='1@c.dface.cn/x'><x xmlns='http://jabber.org/protocol/muc'/></presence>";
        let reply = error_reply(&session, &join.parse().unwrap(), Condition::ItemNotFound.into()).unwrap();
        assert!(reply.contains("><x xmlns=\"http://jabber.org/protocol/muc\"/><error "), "{reply}");
    }
}
