//! Opening, renewing and ending sessions (seed §2.2, §2.3). The cookie itself is never stored, only its hash.

use aws_lc_rs::digest::{SHA256, digest};
use dface_domain::{
    envelope::LogPosition,
    events::{EndReason, SessionEnded, SessionOpened, SessionRenewed, SignInClosed},
    ids::{SessionId, UserId},
    sealed::Subject,
    sessions::{Session, SessionCommand},
    stream::{Category, StreamId},
    time::Timestamp,
};

use crate::{CommandError, Commands, Context, Guess};

/// The session that a cookie stands for.
#[must_use]
pub fn session_id(cookie: &str) -> SessionId {
    let mut id = [0; 32];
    id.copy_from_slice(digest(&SHA256, cookie.as_bytes()).as_ref());
    SessionId(id)
}

/// A session that was just opened.
#[derive(Debug)]
pub struct Opened {
    /// 32 lower-case hex digits for the cookie.
    pub cookie: String,
    /// Where in the log.
    pub position: LogPosition,
}

impl Commands {
    /// Opens a session for `user`, who came from `address`.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn open_session(&self, user: UserId, address: &str, context: &Context) -> Result<Opened, CommandError> {
        let cookie = hex::encode(self.entropy().bytes::<16>());
        let session = session_id(&cookie);
        let address = self.keys.seal(Subject::User(user), &address.to_owned())?;
        let open = SessionCommand::Open(SessionOpened { session, user, address });
        let outcome = self.session(session, &open, context, Guess::New).await?;
        Ok(Opened { cookie, position: outcome.unwrap_or_default() })
    }

    /// Notes that a session is still used.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn renew_session(
        &self,
        session: SessionId,
        user: UserId,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let renew = SessionCommand::Renew(SessionRenewed { session, user });
        self.session(session, &renew, context, Guess::Known).await
    }

    /// Ends a session; twice is as once.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn end_session(
        &self,
        session: SessionId,
        user: UserId,
        reason: EndReason,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let end = SessionCommand::End(SessionEnded { session, user, reason });
        self.session(session, &end, context, Guess::Known).await
    }

    /// Tells all nodes that signing in is closed for `closed` until `until`.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn close_sign_in(
        &self,
        closed: [u8; 16],
        until: Timestamp,
        context: &Context,
    ) -> Result<LogPosition, CommandError> {
        let stream = StreamId::new(Category::Closure, self.fresh_id().simple());
        Ok(self.executor.append_first(&stream, SignInClosed { closed, until }.into(), context).await?.position)
    }

    async fn session(
        &self,
        session: SessionId,
        command: &SessionCommand,
        context: &Context,
        guess: Guess,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = StreamId::session(session);
        Ok(self.executor.execute::<Session>(&stream, command, context, guess).await?.position)
    }
}
