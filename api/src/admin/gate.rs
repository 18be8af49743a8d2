//! Who may call the admin listener.

use std::sync::Arc;

use dface_commands::Context;
use dface_domain::envelope::LogPosition;
use tokio_util::sync::CancellationToken;

use super::{
    event_limits::EventLimits,
    tokens::{Tokens, same},
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
    pub event_limits: EventLimits,
    /// What the process counted.
    pub metrics: Exporter,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
}

/// What a route asks of its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminAccess {
    /// Nothing: the listener itself is not for everyone.
    Listener,
    /// An operator's token.
    Operator,
    /// An analyst's token, or an operator's.
    Analyst,
}

/// Who asks: the token's name, for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct Operator(pub &'static str);

impl Operator {
    /// Whether the whole of the log may be read, not its pseudonymous form alone.
    #[must_use]
    pub fn may_read_all(self) -> bool {
        self.0 == "admin-token"
    }
}

impl Gate for Admin {
    type Access = AdminAccess;
    type Caller = Operator;

    async fn admit(&self, access: AdminAccess, head: &Head) -> Result<Operator, ApiError> {
        if access == AdminAccess::Listener {
            return Ok(Operator("listener"));
        }
        let given = head.bearer().unwrap_or_default();
        if same(given, &self.tokens.admin) {
            return Ok(Operator("admin-token"));
        }
        if same(given, &self.tokens.analyst) {
            return match access {
                AdminAccess::Analyst => Ok(Operator("analyst-token")),
                _ => Err(ApiError::forbidden("forbidden", "this token is for /events alone")),
            };
        }
        let message = "this needs a header `Authorization: Bearer …` with the token in DIR/admin-token";
        Err(ApiError::unauthorized("token_required", message))
    }

    fn stale_s(&self) -> Option<u64> {
        self.node.stale_s()
    }
}

impl Admin {
    /// The context of a request's commands.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::new(self.node.commands.fresh_id())
    }

    /// Keeps what an operator did in the audit log.
    ///
    /// # Errors
    /// The store's.
    pub async fn audit(&self, who: Operator, action: &str, target: &str) -> Result<LogPosition, ApiError> {
        Ok(self.node.commands.record_act(who.0, action, target, &self.context()).await?)
    }

    /// Waits until reads show `position`, so that an operator sees what was just done.
    pub async fn shown(&self, position: LogPosition) {
        let limit = std::time::Duration::from_millis(self.node.settings.limits.read_after_ms);
        self.node.projector.wait_for(position, limit).await;
    }
}
