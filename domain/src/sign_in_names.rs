//! Sign-in names and uids at Weibo: what leads to an account. Each is a stream named by a keyed hash.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, SignInNameClaimed},
    ids::UserId,
    rejection::Rejection,
};

/// A sign-in name: whoever claims it first has it, until they leave for good.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SignInName {
    /// Whose it is, or was where that account has ended.
    pub user: Option<UserId>,
}

/// Somebody wants a name.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimName {
    /// Who, and which.
    pub claim: SignInNameClaimed,
    /// The account that had it, where that has ended: an end is for good, so nobody can come back to the name between
    /// looking there and deciding here. Of two who want it at once the second one finds another owner than this.
    pub ended: Option<UserId>,
}

impl Aggregate for SignInName {
    type Command = ClaimName;

    fn decide(&self, ClaimName { claim, ended }: &ClaimName) -> Result<Vec<Event>, Rejection> {
        match self.user {
            Some(user) if user == claim.user => Ok(vec![]),
            Some(user) if Some(user) != *ended => Err(Rejection::NameTaken),
            _ => Ok(vec![claim.clone().into()]),
        }
    }

    fn apply(&mut self, event: &Event) {
        if let Event::SignInNameClaimed(event) = event {
            self.user = Some(event.user);
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

    const ANNA: UserId = UserId::Number(1);
    const BEN: UserId = UserId::Number(2);
    const CLEO: UserId = UserId::Number(3);

    fn claimed(user: UserId) -> SignInNameClaimed {
        SignInNameClaimed { user, name: Sealed::from_bytes(Subject::User(user), vec![1]) }
    }

    fn claim(user: UserId, ended: Option<UserId>) -> ClaimName {
        ClaimName { claim: claimed(user), ended }
    }

    #[test]
    fn a_name_has_one_owner() {
        given::<SignInName>([]).when(&claim(ANNA, None)).then([claimed(ANNA).into()]);
        given::<SignInName>([claimed(ANNA).into()]).when(&claim(ANNA, None)).then_nothing();
        given::<SignInName>([claimed(ANNA).into()]).when(&claim(BEN, None)).then_err(Rejection::NameTaken);
    }

    #[test]
    fn the_name_of_whoever_left_is_free_for_one() {
        let after = given::<SignInName>([claimed(ANNA).into()]);
        after.when(&claim(BEN, Some(ANNA))).then([claimed(BEN).into()]);
        // Cleo saw that Anna left, and Ben was faster.
        let after = given::<SignInName>([claimed(ANNA).into(), claimed(BEN).into()]);
        after.when(&claim(CLEO, Some(ANNA))).then_err(Rejection::NameTaken);
        after.when(&claim(BEN, Some(ANNA))).then_nothing();
        after.when(&claim(CLEO, Some(BEN))).then([claimed(CLEO).into()]);
    }
}
