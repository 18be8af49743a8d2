//! A post at Weibo about the app: once for each person and version of the app (seed §3).

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, WeiboPostEnded, WeiboPostRequested},
    rejection::Rejection,
};

/// A post that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    requested: bool,
    ended: bool,
}

/// What can be asked of it.
#[derive(Debug, Clone)]
pub enum ShareCommand {
    /// It is to be made.
    Request(WeiboPostRequested),
    /// It came to an end.
    End(WeiboPostEnded),
}

impl Aggregate for Share {
    type Command = ShareCommand;

    fn decide(&self, command: &ShareCommand) -> Result<Vec<Event>, Rejection> {
        Ok(match command {
            ShareCommand::Request(event) if !self.requested => vec![event.clone().into()],
            ShareCommand::End(event) if self.requested && !self.ended => vec![event.clone().into()],
            _ => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::WeiboPostRequested(_) => self.requested = true,
            Event::WeiboPostEnded(_) => self.ended = true,
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
        sealed::{Sealed, Subject},
    };

    #[test]
    fn a_post_is_asked_for_once_and_ends_once() {
        let user = UserId::Number(7);
        let text = Sealed::from_bytes(Subject::User(user), vec![1]);
        let requested = WeiboPostRequested { user, ver: "1".to_owned(), text };
        let ended = WeiboPostEnded { user, photo: None, posted: true, reason: None };
        let (request, end) = (ShareCommand::Request(requested.clone()), ShareCommand::End(ended.clone()));
        given::<Share>([]).when(&request).then([requested.clone().into()]);
        given::<Share>([]).when(&end).then_nothing();
        let asked = given::<Share>([requested.clone().into()]);
        asked.when(&request).then_nothing();
        asked.when(&end).then([ended.clone().into()]);
        given::<Share>([requested.into(), ended.into()]).when(&end).then_nothing();
    }
}
