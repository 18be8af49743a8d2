//! What must happen once however many nodes there are (ARCHITECTURE.md, "Once over several nodes").
//!
//! A node has a **term**: events in a stream of its own, which it renews. Who sees a term unrenewed for long enough, by a clock of their own,
//! ends it at the version that they saw: so of renewing and ending one wins. A **duty** is taken by a term, and is free when that term is over.
//! No two clocks are compared: a node acts for shorter after it *sent* a renewal than others wait after they *saw* it.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    events::{DutyTaken, Event},
    ids::InvalidId,
    rejection::Rejection,
};

/// Something that one node at a time does for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Putting jobs on the queue and taking up what came of them; asking for pushes to devices.
    Jobs,
    /// Noting which messages of the chat nobody took.
    Missed,
    /// Publishing to an external MQTT broker, and taking what it forwards.
    Mqtt,
    /// What happens because of an event, over more than one stream.
    Processes,
    /// What happens by time alone: to watches, and to objects that nothing needs.
    Timers,
}

impl Duty {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Jobs, Self::Missed, Self::Mqtt, Self::Processes, Self::Timers];

    /// Its name for operators, and in its stream's.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Missed => "missed",
            Self::Mqtt => "mqtt",
            Self::Processes => "processes",
            Self::Timers => "timers",
        }
    }
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Duty {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::ALL.into_iter().find(|duty| duty.name() == text).ok_or(InvalidId("a known duty"))
    }
}

/// How long is what. The same on all nodes, else two could act at once: so no setting.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How long a term is seen unrenewed before another node ends it.
    pub lease: Duration,
    /// How much earlier its own node ends what it does.
    pub margin: Duration,
    /// Between two renewals.
    pub renew: Duration,
    /// Between two looks at duties that others have.
    pub look: Duration,
}

/// What nodes keep to: a duty is handed over within 12 seconds of a death, and two renewals may fail before one is.
pub const TIMING: Timing = Timing {
    lease: Duration::from_secs(10),
    margin: Duration::from_secs(2),
    renew: Duration::from_secs(3),
    look: Duration::from_secs(1),
};

/// A term of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// The node.
    pub node: Uuid,
    /// Which of its terms.
    pub number: u64,
}

/// How the newest term of a node stands, by the last event of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The term.
    pub term: Term,
    /// Whether it is over.
    pub over: bool,
}

impl Standing {
    /// What an event of a node's stream says; none of other events.
    #[must_use]
    pub const fn of(event: &Event) -> Option<Self> {
        match event {
            Event::NodeRenewed(event) => {
                Some(Self { term: Term { node: event.node, number: event.term }, over: false })
            }
            Event::NodeEnded(event) => Some(Self { term: Term { node: event.node, number: event.term }, over: true }),
            _ => None,
        }
    }

    /// Whether an earlier term of the node, or this one, is over.
    #[must_use]
    pub const fn has_ended(&self, number: u64) -> bool {
        self.term.number > number || (self.term.number == number && self.over)
    }
}

/// Who has a duty: one stream for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    holder: Option<Term>,
}

/// Takes a duty.
#[derive(Debug, Clone, Copy)]
pub struct TakeDuty {
    /// What.
    pub duty: Duty,
    /// Whose it is to be.
    pub by: Term,
    /// Whose it was, in a term that is over; none where it was nobody's.
    pub from: Option<Term>,
}

impl Assignment {
    /// Whose it is, as long as that term lasts.
    #[must_use]
    pub const fn holder(&self) -> Option<Term> {
        self.holder
    }
}

impl Aggregate for Assignment {
    type Command = TakeDuty;

    /// Nothing where somebody else has taken it meanwhile.
    fn decide(&self, command: &TakeDuty) -> Result<Vec<Event>, Rejection> {
        let TakeDuty { duty, by, from } = *command;
        let is_free = self.holder == from && self.holder != Some(by);
        Ok(if is_free { vec![DutyTaken { duty, node: by.node, term: by.number }.into()] } else { vec![] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::DutyTaken(event) = event {
            self.holder = Some(Term { node: event.node, number: event.term });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::testing::given;

    const fn term(node: u128, number: u64) -> Term {
        Term { node: Uuid::from_u128(node), number }
    }

    fn taken(by: Term) -> Event {
        DutyTaken { duty: Duty::Jobs, node: by.node, term: by.number }.into()
    }

    #[test]
    fn a_duty_goes_from_the_term_that_is_over_to_who_is_first() {
        let (anna, ben, cleo) = (term(1, 1), term(2, 4), term(3, 1));
        let take = |by, from| TakeDuty { duty: Duty::Jobs, by, from };
        given::<Assignment>([]).when(&take(anna, None)).then([taken(anna)]);
        given::<Assignment>([taken(anna)]).when(&take(anna, None)).then_nothing();
        given::<Assignment>([taken(anna)]).when(&take(ben, None)).then_nothing();
        given::<Assignment>([taken(anna)]).when(&take(ben, Some(anna))).then([taken(ben)]);
        given::<Assignment>([taken(anna), taken(ben)]).when(&take(cleo, Some(anna))).then_nothing();
        given::<Assignment>([taken(anna)]).when(&take(term(1, 2), Some(anna))).then([taken(term(1, 2))]);
    }

    #[test]
    fn a_term_is_over_when_that_is_said_or_a_later_one_began() {
        let standing = |number, over| Standing { term: term(1, number), over };
        assert!(!standing(3, false).has_ended(3) && standing(3, true).has_ended(3));
        assert!(standing(3, false).has_ended(2) && !standing(3, true).has_ended(4));
    }

    #[test]
    fn who_acts_stops_before_others_may_begin() {
        let Timing { lease, margin, renew, look } = TIMING;
        assert!(lease - margin > 2 * renew + look, "two renewals may fail");
        assert!(lease + 2 * look < Duration::from_secs(15), "handed over within 15 seconds");
    }
}
