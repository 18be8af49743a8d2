//! Sessions of phones (seed §2): 180 days after their last use they are over (spec http.md).

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, SessionEnded, SessionOpened, SessionRenewed},
    rejection::Rejection,
};

/// A session.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    open: bool,
}

/// What can be asked of a session.
#[derive(Debug, Clone)]
pub enum SessionCommand {
    /// A person signs in.
    Open(SessionOpened),
    /// It is used after a day or more.
    Renew(SessionRenewed),
    /// It is over.
    End(SessionEnded),
}

impl Aggregate for Session {
    type Command = SessionCommand;

    fn decide(&self, command: &SessionCommand) -> Result<Vec<Event>, Rejection> {
        Ok(match command {
            SessionCommand::Open(event) => vec![event.clone().into()],
            SessionCommand::Renew(event) if self.open => vec![event.clone().into()],
            SessionCommand::End(event) if self.open => vec![event.clone().into()],
            SessionCommand::Renew(_) | SessionCommand::End(_) => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::SessionOpened(_) => self.open = true,
            Event::SessionEnded(_) => self.open = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aggregate::testing::given,
        events::EndReason,
        ids::{SessionId, UserId},
        sealed::{Sealed, Subject},
    };

    #[test]
    fn what_is_over_is_not_renewed_nor_ended_again() {
        let (session, user) = (SessionId([1; 32]), UserId::Number(1));
        let opened = SessionOpened { session, user, address: Sealed::from_bytes(Subject::User(user), vec![1]) };
        let ended = SessionEnded { session, user, reason: EndReason::SignedOut };
        let renewed = SessionRenewed { session, user };
        let (end, renew) = (SessionCommand::End(ended.clone()), SessionCommand::Renew(renewed.clone()));
        let open = given::<Session>([opened.clone().into()]);
        open.when(&renew).then([renewed.into()]);
        open.when(&end).then([ended.clone().into()]);
        let over = given::<Session>([opened.into(), ended.into()]);
        over.when(&renew).then_nothing();
        over.when(&end).then_nothing();
    }
}
