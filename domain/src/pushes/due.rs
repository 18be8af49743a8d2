//! One push to one person: it is asked for once and ends once, whatever is repeated meanwhile.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, PushDue, PushEnded},
    rejection::Rejection,
};

/// A push to a person's device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    due: bool,
    ended: bool,
}

/// What can be asked of it.
#[derive(Debug, Clone)]
pub enum PushCommand {
    /// The device is to be told.
    Due(PushDue),
    /// It is over. A push of the chat is asked for by its message alone, so it may end without having been due.
    End(PushEnded),
}

impl Aggregate for Push {
    type Command = PushCommand;

    fn decide(&self, command: &PushCommand) -> Result<Vec<Event>, Rejection> {
        Ok(match command {
            PushCommand::Due(event) if !self.due && !self.ended => vec![event.clone().into()],
            PushCommand::End(event) if !self.ended => vec![event.clone().into()],
            PushCommand::Due(_) | PushCommand::End(_) => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::PushDue(_) => self.due = true,
            Event::PushEnded(_) => self.ended = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aggregate::testing::given,
        ids::UserId,
        pushes::{PushEnd, PushKind},
    };

    #[test]
    fn a_push_is_asked_for_once_and_ends_once() {
        let (message, user) = ("509a1ffcbe4b1982a4000002".parse().unwrap(), UserId::Number(7));
        let due = PushDue { message, user, kind: PushKind::Fall, alert: true };
        let ended = |end| PushEnded { message, user, end };
        let ask = PushCommand::Due(due.clone());
        given::<Push>([]).when(&ask).then([due.clone().into()]);
        given::<Push>([due.clone().into()]).when(&ask).then_nothing();
        let accepted = PushCommand::End(ended(PushEnd::Accepted));
        given::<Push>([due.clone().into()]).when(&accepted).then([ended(PushEnd::Accepted).into()]);
        let over = given::<Push>([due.into(), ended(PushEnd::Accepted).into()]);
        over.when(&ask).then_nothing();
        over.when(&PushCommand::End(ended(PushEnd::Expired))).then_nothing();
        given::<Push>([]).when(&accepted).then([ended(PushEnd::Accepted).into()]);
    }
}
