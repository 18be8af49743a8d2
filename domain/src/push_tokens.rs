//! Push tokens: which device gets whose pushes (seed §33). One stream for each token, so that it has one owner; the newest token of a person
//! is theirs, which the read model says.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, PushTokenBound, PushTokenUnbound},
    ids::UserId,
    rejection::Rejection,
};

/// A device's token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushToken {
    owner: Option<UserId>,
}

/// What can be asked of a token.
#[derive(Debug, Clone)]
pub enum PushTokenCommand {
    /// It is somebody's from now on, and of nobody else.
    Bind(PushTokenBound),
    /// It is this person's no more.
    Unbind(UserId),
}

impl Aggregate for PushToken {
    type Command = PushTokenCommand;

    fn decide(&self, command: &PushTokenCommand) -> Result<Vec<Event>, Rejection> {
        Ok(match command {
            PushTokenCommand::Bind(event) => {
                let former = self.owner.filter(|owner| *owner != event.user);
                former.map(|user| PushTokenUnbound { user }.into()).into_iter().chain([event.clone().into()]).collect()
            }
            PushTokenCommand::Unbind(user) if self.owner == Some(*user) => {
                vec![PushTokenUnbound { user: *user }.into()]
            }
            PushTokenCommand::Unbind(_) => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::PushTokenBound(event) => self.owner = Some(event.user),
            Event::PushTokenUnbound(_) => self.owner = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aggregate::testing::given,
        sealed::{Sealed, Subject},
    };

    #[test]
    fn a_token_is_taken_from_its_former_owner_and_given_up_by_its_owner_alone() {
        let (anna, ben) = (UserId::Number(7), UserId::Number(8));
        let bound = |user| {
            let token = Sealed::from_bytes(Subject::User(user), vec![1]);
            PushTokenBound { user, environment: 1, token }
        };
        let unbound = |user| PushTokenUnbound { user };
        let bens = given::<PushToken>([bound(ben).into()]);
        given::<PushToken>([]).when(&PushTokenCommand::Bind(bound(anna))).then([bound(anna).into()]);
        bens.when(&PushTokenCommand::Bind(bound(anna))).then([unbound(ben).into(), bound(anna).into()]);
        bens.when(&PushTokenCommand::Unbind(anna)).then_nothing();
        bens.when(&PushTokenCommand::Unbind(ben)).then([unbound(ben).into()]);
        given::<PushToken>([bound(ben).into(), unbound(ben).into()])
            .when(&PushTokenCommand::Unbind(ben))
            .then_nothing();
    }
}
