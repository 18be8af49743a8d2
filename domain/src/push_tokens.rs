//! Push tokens: which device gets whose pushes (seed §33). One stream for each token, so that it has one owner; the newest token of a person
//! is theirs, which the read model says.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, PushTokenBound, PushTokenUnbound},
    ids::UserId,
    rejection::Rejection,
    sealed::Sealed,
};

/// A device's token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushToken {
    owner: Option<UserId>,
    /// As it was sealed when it was bound last, which no other binding is equal to.
    bound: Option<Sealed<String>>,
}

/// What can be asked of a token.
#[derive(Debug, Clone)]
pub enum PushTokenCommand {
    /// It is somebody's from now on, and of nobody else.
    Bind(PushTokenBound),
    /// It is this person's no more.
    Unbind(UserId),
    /// Apple refused it as this binding has it: where it was bound again meanwhile, that stays.
    Refused(Sealed<String>),
}

impl Aggregate for PushToken {
    const SCHEMA: u8 = 2;

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
            PushTokenCommand::Refused(token) if self.bound.as_ref() == Some(token) => {
                self.owner.map(|user| PushTokenUnbound { user }.into()).into_iter().collect()
            }
            PushTokenCommand::Unbind(_) | PushTokenCommand::Refused(_) => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::PushTokenBound(event) => {
                (self.owner, self.bound) = (Some(event.user), Some(event.token.clone()));
            }
            Event::PushTokenUnbound(_) => (self.owner, self.bound) = (None, None),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, sealed::Subject};

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

    #[test]
    fn a_refusal_ends_the_binding_that_was_refused_and_no_later_one() {
        let (anna, token) =
            (UserId::Number(7), |nonce| Sealed::from_bytes(Subject::User(UserId::Number(7)), vec![nonce]));
        let bound = |nonce| PushTokenBound { user: anna, environment: 1, token: token(nonce) };
        let refused = PushTokenCommand::Refused(token(1));
        given::<PushToken>([bound(1).into()]).when(&refused).then([PushTokenUnbound { user: anna }.into()]);
        given::<PushToken>([bound(1).into(), bound(2).into()]).when(&refused).then_nothing();
        given::<PushToken>([bound(1).into(), PushTokenUnbound { user: anna }.into()]).when(&refused).then_nothing();
    }
}
