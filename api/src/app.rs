//! The public listener's state, and who may call what.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use dface_commands::{Context, sessions::session_id};
use dface_domain::{
    envelope::LogPosition,
    ids::{Imei, SessionId, UserId},
    ports::EventStore as _,
    privacy::Ties,
    stream::StreamId,
    time::Timestamp,
};
use dface_projections::sessions::SessionRow;
use jiff::tz::TimeZone;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{
    boots::Boots,
    code_limits::CodeLimits,
    http::{Answer, ApiError, Gate, Head, endpoints::InitLimits, request::Peer},
    node::{Node, Views},
    pages::Pages,
    settings::{BadSettings, Regions},
    sign_in_limits::SignInLimits,
    watch_gate::WatchGate,
    weibo::Weibo,
};

/// The session cookie (spec http.md).
pub const COOKIE: &str = "_session_id";

const DAY_S: i64 = 86_400;

/// What endpoints work with.
pub struct App {
    /// The node behind them.
    pub node: Arc<Node>,
    /// Signing in too often.
    pub sign_in_limits: SignInLimits,
    /// What `/init/init` tells; read again while the server runs.
    pub regions: ArcSwap<Regions>,
    /// Calls of `/init/init`.
    pub init_limits: InitLimits,
    /// Codes of circles and watches that are wrong.
    pub code_limits: CodeLimits,
    /// Watches that sign in.
    pub watch_gate: WatchGate,
    /// Starts of the app.
    pub boots: Arc<Boots>,
    /// Sina Weibo, where the settings name it.
    pub weibo: Option<Weibo>,
    /// Where the document's own times are local.
    pub zone: TimeZone,
    /// Pictures that are taken in at once.
    pub receiving: Semaphore,
    /// Where each session is in the lists that it pages through.
    pub pages: Pages,
    /// Cookies that are looked up in the log at once.
    looking_up: Semaphore,
    /// What each session wrote last: its next request sees it.
    written: Cache<SessionId, LogPosition>,
}

/// What a route asks of its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A session.
    Session,
    /// A watch: its imei and key (HTTP Basic).
    Watch,
    /// Either of the two.
    SessionOrWatch,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Caller {
    /// Nobody knows.
    Stranger,
    /// Somebody with a session.
    User {
        /// Who.
        user: UserId,
        /// By which session.
        session: SessionId,
    },
    /// A watch, with its key.
    Watch(Imei),
}

impl Caller {
    /// Who asks, where a session was asked for.
    ///
    /// # Errors
    /// 401.
    pub fn user(&self) -> Result<UserId, ApiError> {
        match self {
            Self::User { user, .. } => Ok(*user),
            Self::Stranger | Self::Watch(_) => Err(session_required()),
        }
    }

    /// Checks that a `user_id` that came with the request is the caller's own (spec http.md, "whose data").
    ///
    /// # Errors
    /// 403.
    pub fn must_be(&self, user: Option<UserId>) -> Result<UserId, ApiError> {
        let own = self.user()?;
        match user {
            Some(other) if other != own => {
                Err(ApiError::forbidden("not_your_account", "user_id: this is not the account that is signed in"))
            }
            _ => Ok(own),
        }
    }
}

fn session_required() -> ApiError {
    ApiError::unauthorized("session_required", "sign in first: there is no valid _session_id cookie")
}

/// Sessions whose last write is remembered.
const WRITERS: usize = 100_000;

/// Cookies that this node does not know and that are looked up in the log at once.
const LOOKED_UP: usize = 16;

/// Events of a session, at most: one a day until it ends.
const SESSION_EVENTS: usize = 1_000;

impl App {
    /// The state over a node.
    ///
    /// # Errors
    /// The time zone is unknown.
    pub fn new(node: Arc<Node>) -> Result<Self, BadSettings> {
        let limits = &node.settings.limits;
        let (sign_in_limits, zone) = (SignInLimits::new(limits), node.settings.zone()?);
        let (init_limits, boots) = (InitLimits::new(limits.init_per_minute), Arc::new(Boots::new(limits.boot_kinds)));
        let code_limits = CodeLimits::new(node.settings.circles.joins_per_hour);
        let receiving = Semaphore::new(limits.uploads_at_once);
        let weibo = Weibo::of(&node.settings).map_err(|e| BadSettings(format!("settings `weibo`: {e}")))?;
        let (pages, written) = (Pages::default(), Cache::new(WRITERS));
        Ok(Self {
            regions: ArcSwap::from_pointee(node.settings.regions.clone()),
            node,
            sign_in_limits,
            init_limits,
            code_limits,
            watch_gate: WatchGate::default(),
            boots,
            weibo,
            zone,
            receiving,
            pages,
            looking_up: Semaphore::new(LOOKED_UP),
            written,
        })
    }

    /// The read models.
    #[must_use]
    pub fn views(&self) -> &Views {
        &self.node.views
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.node.commands.clock().now()
    }

    /// The document's own form of a moment: `2012-06-11 11:11:11`, local.
    #[must_use]
    pub fn local_time(&self, at: Timestamp) -> String {
        at.to_jiff().to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The context of a request's commands.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::new(self.node.commands.fresh_id())
    }

    /// Marks an answer with what its request wrote, once everybody sees it. Where that takes too long the answer goes
    /// out all the same, and the session's next request waits again.
    pub async fn wrote(&self, caller: &Caller, position: Option<LogPosition>, answer: Answer) -> Answer {
        let Some(position) = position else { return answer };
        if !self.node.projector.wait_for(position, self.patience()).await
            && let Caller::User { session, .. } = caller
        {
            self.written.insert(*session, position);
        }
        answer.position(position.0)
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.node.settings.limits.read_after_ms)
    }

    /// Waits until reads show `position`.
    ///
    /// # Errors
    /// 503 `behind` where they do not in time.
    pub async fn catch_up(&self, position: LogPosition) -> Result<(), ApiError> {
        let projector = &self.node.projector;
        if projector.reached(position) {
            return Ok(());
        }
        // Another node may have written what this one is about to hear of.
        let may_come = position <= projector.head() || self.node.store.is_shared();
        if may_come && projector.wait_for(position, self.patience()).await {
            return Ok(());
        }
        let message = "what this request asks to see is not there yet; try again";
        Err(ApiError::unavailable("behind", message).retry_after(1))
    }

    /// What two people are to each other, for the privacy module.
    ///
    /// # Errors
    /// The disk's.
    pub fn ties(&self, viewer: UserId, subject: UserId) -> Result<Ties, ApiError> {
        let views = self.views();
        let subject_follows = views.follows.view().follows(subject, viewer)?;
        let blocked = views.blocks.view().between(viewer, subject)?;
        Ok(Ties { viewer, subject, subject_follows, blocked })
    }

    async fn session(&self, head: &Head) -> Result<Caller, ApiError> {
        let cookie = head.cookie(COOKIE).filter(|cookie| cookie.len() == 32).ok_or_else(session_required)?;
        let session = session_id(cookie);
        if let Some(position) = self.written.get(&session) {
            self.catch_up(position).await?;
        }
        let row = match self.views().sessions.view().get(session) {
            Some(row) => row,
            None => self.opened_elsewhere(session).await?,
        };
        let unused_s = self.now().seconds_since(row.used);
        if unused_s > self.node.settings.sessions.days * DAY_S {
            return Err(session_required());
        }
        if unused_s > DAY_S {
            self.renew(session, row.user);
        }
        Ok(Caller::User { user: row.user, session })
    }

    /// A session that another node opened a moment ago: a phone may come here with its cookie before this node has heard of it.
    async fn opened_elsewhere(&self, session: SessionId) -> Result<SessionRow, ApiError> {
        if self.node.store.is_shared() {
            // Whoever tries cookies waits for others who do.
            let _one_of_a_few = self.looking_up.acquire().await;
            let told = self.node.store.read_stream(&StreamId::session(session), 0, SESSION_EVENTS).await?;
            if let Some(last) = told.last() {
                self.catch_up(last.position).await?;
            }
        }
        self.views().sessions.view().get(session).ok_or_else(session_required)
    }

    /// Notes the use in the background: it needs no answer, and a failure is noted with the next request.
    fn renew(&self, session: SessionId, user: UserId) {
        let commands = Arc::clone(&self.node.commands);
        tokio::spawn(async move {
            let context = Context::new(Uuid::nil());
            if let Err(error) = commands.renew_session(session, user, &context).await {
                tracing::warn!(%error, "a session's use could not be noted");
            }
        });
    }
}

impl Gate for App {
    type Access = Access;
    type Caller = Caller;

    async fn admit(&self, access: Access, head: &Head) -> Result<Caller, ApiError> {
        if let Some(text) = head.header("x-read-after") {
            let position = crate::http::params::read("X-Read-After", text)?;
            self.catch_up(LogPosition(position)).await?;
        }
        match access {
            Access::Public => Ok(Caller::Stranger),
            Access::Session => self.session(head).await,
            Access::Watch => self.watch_gate.admit(self, head),
            Access::SessionOrWatch if WatchGate::is_meant(head) => self.watch_gate.admit(self, head),
            Access::SessionOrWatch => self.session(head).await,
        }
    }

    fn stale_s(&self) -> Option<u64> {
        self.node.stale_s()
    }
}

/// Whether cookies must say `Secure`.
#[must_use]
pub fn secure_cookies(node: &Node, peer: &Peer) -> bool {
    node.settings.public_url.starts_with("https://") || peer.tls
}
