//! How long what is kept is kept: categories of streams whose events go after so many days, and up to when they have gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{Event, EventsExpired},
    rejection::Rejection,
    stream::Category,
    time::Timestamp,
};

/// What may have a retention. All else is kept for ever, for decisions are made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retained {
    /// Where watches and members were.
    Positions,
    /// What watches got as SMS.
    Sms,
    /// Who had the app open.
    Focus,
    /// Who received which message of a circle.
    Receipts,
    /// Starts of the app, counted by the hour.
    Boots,
}

impl Retained {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Positions, Self::Sms, Self::Focus, Self::Receipts, Self::Boots];

    /// Its name in settings and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Positions => "positions",
            Self::Sms => "sms",
            Self::Focus => "focus",
            Self::Receipts => "receipts",
            Self::Boots => "boots",
        }
    }

    /// The streams that it is kept in.
    #[must_use]
    pub const fn category(self) -> Category {
        match self {
            Self::Positions => Category::Position,
            Self::Sms => Category::Sms,
            Self::Focus => Category::Focus,
            Self::Receipts => Category::Receipt,
            Self::Boots => Category::Boots,
        }
    }

    /// The one whose streams have that name's first part; none where they are kept for ever.
    #[must_use]
    pub fn of_category(category: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|retained| retained.category().name() == category)
    }

    /// The one of a stream with that whole name.
    #[must_use]
    pub fn of_stream(name: &str) -> Option<Self> {
        name.split_once('-').and_then(|(category, _)| Self::of_category(category))
    }
}

/// Up to when events of each category have gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// None appended before that moment is kept or shown.
    pub before: BTreeMap<Retained, Timestamp>,
}

/// Lets what was appended before a moment go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expire {
    /// Of which category.
    pub category: Retained,
    /// The moment.
    pub before: Timestamp,
}

impl Aggregate for Retention {
    type Command = Expire;

    /// What has gone does not come back, so a moment further back changes nothing.
    fn decide(&self, &Expire { category, before }: &Expire) -> Result<Vec<Event>, Rejection> {
        let known = self.before.get(&category).is_some_and(|known| *known >= before);
        Ok(if known { vec![] } else { vec![EventsExpired { category, before }.into()] })
    }

    fn apply(&mut self, event: &Event) {
        if let Event::EventsExpired(event) = event {
            self.before.insert(event.category, event.before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::testing::given;

    #[test]
    fn events_expire_up_to_a_moment_that_only_rises_for_each_category_by_itself() {
        let expire = |category, seconds| Expire { category, before: Timestamp::from_seconds(seconds) };
        let expired = |Expire { category, before }| Event::from(EventsExpired { category, before });
        let (first, second) = (expire(Retained::Positions, 100), expire(Retained::Positions, 200));
        given::<Retention>([]).when(&first).then([expired(first)]);
        given::<Retention>([expired(first)]).when(&first).then_nothing();
        given::<Retention>([expired(first)]).when(&second).then([expired(second)]);
        given::<Retention>([expired(second)]).when(&first).then_nothing();
        let sms = expire(Retained::Sms, 50);
        given::<Retention>([expired(second)]).when(&sms).then([expired(sms)]);
    }

    #[test]
    fn streams_are_known_by_the_first_part_of_their_names() {
        assert_eq!(Retained::of_stream("position-0123"), Some(Retained::Positions));
        assert_eq!(Retained::of_stream("receipt-0123-7"), Some(Retained::Receipts));
        assert_eq!(Retained::of_stream("pos-1"), None);
        assert_eq!(Retained::of_stream("talk-position"), None);
    }
}
