//! Requests with an `Idempotency-Key`: taken up once, answered the same each time.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Answer, Event, RequestAccepted, RequestAnswered},
    rejection::Rejection,
    sealed::Sealed,
    time::Timestamp,
};

/// A request with a key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KeyedRequest {
    accepted: Option<([u8; 16], Timestamp)>,
    answer: Option<Sealed<Answer>>,
}

impl KeyedRequest {
    /// When it was first taken up: repeats take their time from here, so that they come to the same ids.
    #[must_use]
    pub fn accepted_at(&self) -> Option<Timestamp> {
        self.accepted.map(|(_, at)| at)
    }

    /// What was answered, where it was.
    #[must_use]
    pub fn answer(&self) -> Option<&Sealed<Answer>> {
        self.answer.as_ref()
    }
}

/// What can be asked of it.
#[derive(Debug, Clone)]
pub enum RequestCommand {
    /// It is taken up.
    Accept(RequestAccepted),
    /// It was answered.
    Answer(RequestAnswered),
}

impl Aggregate for KeyedRequest {
    type Command = RequestCommand;

    fn decide(&self, command: &RequestCommand) -> Result<Vec<Event>, Rejection> {
        Ok(match (command, self.accepted) {
            (RequestCommand::Accept(event), None) => vec![event.clone().into()],
            (RequestCommand::Accept(event), Some((first, _))) if first != event.fingerprint => {
                return Err(Rejection::KeyReused);
            }
            (RequestCommand::Answer(event), Some(_)) if self.answer.is_none() => vec![event.clone().into()],
            _ => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::RequestAccepted(event) => self.accepted = Some((event.fingerprint, event.at)),
            Event::RequestAnswered(event) => self.answer = Some(event.answer.clone()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aggregate::testing::given, ids::UserId, sealed::Subject};

    #[test]
    fn the_first_answer_stays_and_the_key_is_for_one_request() {
        let user = UserId::Number(1);
        let accepted = |n| RequestAccepted { user, fingerprint: [n; 16], at: Timestamp(5) };
        let answered = |n| RequestAnswered { user, answer: Sealed::from_bytes(Subject::User(user), vec![n]) };
        given::<KeyedRequest>([]).when(&RequestCommand::Accept(accepted(1))).then([accepted(1).into()]);
        let taken = given::<KeyedRequest>([accepted(1).into()]);
        taken.when(&RequestCommand::Accept(accepted(1))).then_nothing();
        taken.when(&RequestCommand::Accept(accepted(2))).then_err(Rejection::KeyReused);
        taken.when(&RequestCommand::Answer(answered(1))).then([answered(1).into()]);
        given::<KeyedRequest>([accepted(1).into(), answered(1).into()])
            .when(&RequestCommand::Answer(answered(2)))
            .then_nothing();
    }
}
