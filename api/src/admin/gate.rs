//! Who may call the admin listener.

use std::{borrow::Cow, sync::Arc};

use dface_commands::{Context, tokens::hash};
use dface_domain::{
    envelope::LogPosition,
    time::Timestamp,
    tokens::{Scope, TokenHash},
};
use tokio_util::sync::CancellationToken;

use super::{
    event_limits::EventLimits,
    files::{Tokens, same},
};
use crate::{
    app::App,
    http::{ApiError, Gate, Head},
    metrics::Exporter,
    node::Node,
};

/// The admin listener's state.
pub struct Admin {
    /// The node behind it.
    pub node: Arc<Node>,
    /// What the public doors are made of.
    pub app: Arc<App>,
    /// Who may come in.
    pub tokens: Tokens,
    /// How much each token may read of the log.
    pub(super) event_limits: EventLimits,
    /// What the process counted.
    pub metrics: Exporter,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
}

/// What a route asks of its callers. This is the one place that says which scope opens what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminAccess {
    /// Nothing: the listener itself is not for everyone.
    Listener,
    /// Any token.
    Anyone,
    /// An operator's token.
    Operator,
    /// One that may deal with what people do, or an operator's.
    Moderator,
    /// One that may read events, or an operator's.
    Analyst,
    /// One that may see how the node stands, or an operator's.
    Health,
    /// The same, where `tokens.metrics` asks for one; else nothing.
    Metrics,
}

impl AdminAccess {
    /// The scopes of which one is needed, beside `admin`; none where any token will do.
    const fn scopes(self) -> Option<&'static [Scope]> {
        match self {
            Self::Listener | Self::Anyone => None,
            Self::Operator => Some(&[]),
            Self::Moderator => Some(&[Scope::Moderate]),
            Self::Analyst => Some(&[Scope::Events, Scope::EventsFull]),
            Self::Health | Self::Metrics => Some(&[Scope::Metrics]),
        }
    }
}

/// Who asks: the token's name, for the audit log, and what it opens.
#[derive(Debug, Clone)]
pub struct Operator {
    name: Cow<'static, str>,
    scopes: Vec<Scope>,
    /// Of a named one: its hash and its end.
    named: Option<(TokenHash, Timestamp)>,
}

impl Operator {
    fn built_in(name: &'static str, scopes: Vec<Scope>) -> Self {
        Self { name: Cow::Borrowed(name), scopes, named: None }
    }

    /// The token's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it opens.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// When it ends; those of the data directory do not.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.named.map(|(_, until)| until)
    }

    /// Whether the whole of the log may be read, not its pseudonymous form alone.
    #[must_use]
    pub fn may_read_all(&self) -> bool {
        self.has_any(&[Scope::EventsFull])
    }

    fn has_any(&self, scopes: &[Scope]) -> bool {
        self.scopes.iter().any(|scope| *scope == Scope::Admin || scopes.contains(scope))
    }

    fn may(&self, access: AdminAccess) -> bool {
        access.scopes().is_none_or(|scopes| self.has_any(scopes))
    }
}

impl Gate for Admin {
    type Access = AdminAccess;
    type Caller = Operator;

    async fn admit(&self, access: AdminAccess, head: &Head) -> Result<Operator, ApiError> {
        let open = access == AdminAccess::Metrics && !self.node.settings.tokens.metrics;
        if access == AdminAccess::Listener || open {
            return Ok(Operator::built_in("listener", Vec::new()));
        }
        let Some(caller) = head.bearer().and_then(|given| self.caller(given)) else {
            let message = "this needs a header `Authorization: Bearer …` with the token in DIR/admin-token, or one made by an operator that has not ended";
            return Err(ApiError::unauthorized("token_required", message));
        };
        if !caller.may(access) {
            let opens: Vec<&str> = caller.scopes.iter().map(|scope| scope.name()).collect();
            return Err(ApiError::forbidden("forbidden", format!("this token is for {} alone", opens.join(", "))));
        }
        Ok(caller)
    }

    fn stale_s(&self) -> Option<u64> {
        self.node.stale_s()
    }
}

impl Admin {
    /// With the limits of the node's settings.
    #[must_use]
    pub fn new(node: Arc<Node>, app: Arc<App>, tokens: Tokens, metrics: Exporter, stopping: CancellationToken) -> Self {
        let event_limits = EventLimits::new(&node.settings.limits);
        Self { node, app, tokens, event_limits, metrics, stopping }
    }

    /// The context of a request's commands.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::new(self.node.commands.fresh_id())
    }

    /// Whose token that is, while it holds.
    fn caller(&self, given: &str) -> Option<Operator> {
        if same(given, &self.tokens.admin) {
            return Some(Operator::built_in("admin-token", vec![Scope::Admin]));
        }
        if same(given, &self.tokens.analyst) {
            return Some(Operator::built_in("analyst-token", vec![Scope::Events]));
        }
        // Found by its hash: how long that takes says nothing of the token.
        let hash = hash(given);
        let token = self.node.views.audit.view().token(hash)?;
        let (name, named) = (token.name.to_string().into(), Some((hash, token.until)));
        Some(Operator { name, scopes: token.scopes, named }).filter(|caller| self.still_holds(caller))
    }

    /// Whether a caller's token has neither ended nor been taken back meanwhile: for answers that go on.
    #[must_use]
    pub fn still_holds(&self, caller: &Operator) -> bool {
        let now = self.node.commands.clock().now();
        caller.named.is_none_or(|(hash, until)| until > now && self.node.views.audit.view().token(hash).is_some())
    }

    /// Keeps what an operator did in the audit log.
    ///
    /// # Errors
    /// The store's.
    pub async fn audit(&self, who: &Operator, action: &str, target: &str) -> Result<LogPosition, ApiError> {
        Ok(self.node.commands.record_act(who.name(), action, target, &self.context()).await?)
    }

    /// Waits until reads show `position`, so that an operator sees what was just done.
    pub async fn shown(&self, position: LogPosition) {
        let limit = std::time::Duration::from_millis(self.node.settings.limits.read_after_ms);
        self.node.projector.wait_for(position, limit).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_opens_what_is_its_own_and_admin_opens_all() {
        use AdminAccess::{Analyst, Anyone, Health, Metrics, Moderator, Operator as Operators};
        let all = [Anyone, Operators, Moderator, Analyst, Health, Metrics];
        let opened = |scope| {
            let operator = Operator::built_in("one", vec![scope]);
            all.into_iter().filter(|access| operator.may(*access)).collect::<Vec<_>>()
        };
        assert_eq!(opened(Scope::Admin), all);
        assert_eq!(opened(Scope::Moderate), [Anyone, Moderator]);
        assert_eq!(opened(Scope::Events), [Anyone, Analyst]);
        assert_eq!(opened(Scope::EventsFull), [Anyone, Analyst]);
        assert_eq!(opened(Scope::Metrics), [Anyone, Health, Metrics]);
        let full = |scope| Operator::built_in("one", vec![scope]).may_read_all();
        assert_eq!(Scope::ALL.map(full), [true, false, false, true, false]);
    }
}
