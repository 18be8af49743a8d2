//! A check-in: one stream each, so that the same person, shop and minute meet in one place (spec http.md §9).

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    envelope::LogPosition,
    events::{CheckedIn, CheckinDeleted, Event},
    geo::Position,
    ids::{CheckinId, ShopId, UserId},
    ports::PortFuture,
    rejection::Rejection,
    time::Timestamp,
};

/// Metres beyond the phone's accuracy from which a check-in counts as far (spec http.md §9).
pub const FAR_MARGIN_M: f64 = 2_000.0;

/// Whether a phone at `phone` with `accuracy` metres is too far from `shop` to teach the ranking.
#[must_use]
pub fn is_far(phone: &Position, accuracy: u32, shop: &Position) -> bool {
    phone.distance_m(shop) > f64::from(accuracy) + FAR_MARGIN_M
}

/// The start of the minute that `moment` is in: check-ins of one minute are one.
#[must_use]
pub const fn minute_of(moment: Timestamp) -> i64 {
    moment.seconds().div_euclid(60) * 60
}

/// Who was where cannot be told now; works again later.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct VisitsUnknown(pub String);

/// Who was where: asked by the process that greets, answered by a read model.
pub trait Visits: Send + Sync {
    /// Whether `user` checked in at `shop` within the `seconds` before `at`, once all events up to `as_of` count.
    fn was_there(
        &self,
        user: UserId,
        shop: ShopId,
        at: Timestamp,
        seconds: i64,
        as_of: LogPosition,
    ) -> PortFuture<'_, Result<bool, VisitsUnknown>>;
}

/// What is known of one check-in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkin {
    made: Option<Made>,
    deleted: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Made {
    user: UserId,
    shop: ShopId,
    od: u32,
}

impl Checkin {
    /// The place in the list that was picked, as first recorded.
    #[must_use]
    pub fn od(&self) -> Option<u32> {
        self.made.as_ref().map(|made| made.od)
    }
}

/// What can be asked of a check-in.
#[derive(Debug, Clone)]
pub enum CheckinCommand {
    /// A person arrives.
    CheckIn(CheckedIn),
    /// A person takes it out of the own trace.
    Delete {
        /// The check-in.
        checkin: CheckinId,
        /// Who asks.
        by: UserId,
    },
}

impl Aggregate for Checkin {
    type Command = CheckinCommand;

    fn decide(&self, command: &CheckinCommand) -> Result<Vec<Event>, Rejection> {
        match (command, &self.made) {
            (CheckinCommand::CheckIn(_), Some(_)) if !self.deleted => Ok(vec![]),
            (CheckinCommand::CheckIn(event), _) => Ok(vec![event.clone().into()]),
            (CheckinCommand::Delete { checkin, .. }, None) => Err(Rejection::CheckinUnknown(*checkin)),
            (CheckinCommand::Delete { checkin, by }, Some(made)) if made.user != *by => {
                Err(Rejection::CheckinNotYours(*checkin))
            }
            (CheckinCommand::Delete { .. }, Some(_)) if self.deleted => Ok(vec![]),
            (CheckinCommand::Delete { checkin, by }, Some(made)) => {
                Ok(vec![CheckinDeleted { checkin: *checkin, user: *by, shop: made.shop }.into()])
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::CheckedIn(event) => {
                self.made = Some(Made { user: event.user, shop: event.shop, od: event.od });
                self.deleted = false;
            }
            Event::CheckinDeleted(_) => self.deleted = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aggregate::testing::given,
        ids::ObjectId,
        sealed::{Sealed, Subject},
    };

    const ID: CheckinId = CheckinId(ObjectId([7; 12]));
    const ANNA: UserId = UserId::Number(1);
    const SHOP: ShopId = ShopId(9);

    fn checked_in() -> CheckedIn {
        let fix = Sealed::from_bytes(Subject::User(ANNA), vec![1]);
        CheckedIn { checkin: ID, user: ANNA, shop: SHOP, od: 2, far: false, fix, bssid: None }
    }

    fn deleted() -> Event {
        CheckinDeleted { checkin: ID, user: ANNA, shop: SHOP }.into()
    }

    #[test]
    fn the_same_minute_again_adds_nothing() {
        let check_in = CheckinCommand::CheckIn(checked_in());
        given::<Checkin>([]).when(&check_in).then([checked_in().into()]);
        given::<Checkin>([checked_in().into()]).when(&check_in).then_nothing();
        given::<Checkin>([checked_in().into(), deleted()]).when(&check_in).then([checked_in().into()]);
    }

    #[test]
    fn only_its_owner_deletes_it_and_once() {
        let delete = |by| CheckinCommand::Delete { checkin: ID, by };
        given::<Checkin>([]).when(&delete(ANNA)).then_err(Rejection::CheckinUnknown(ID));
        given::<Checkin>([checked_in().into()])
            .when(&delete(UserId::Number(2)))
            .then_err(Rejection::CheckinNotYours(ID));
        given::<Checkin>([checked_in().into()]).when(&delete(ANNA)).then([deleted()]);
        given::<Checkin>([checked_in().into(), deleted()]).when(&delete(ANNA)).then_nothing();
    }

    #[test]
    fn far_is_beyond_accuracy_and_two_kilometres() {
        let shop = Position::new(30.0, 120.0).unwrap();
        let phone = Position::new(30.019, 120.0).unwrap();
        assert!(is_far(&phone, 100, &shop));
        assert!(!is_far(&phone, 120, &shop));
    }

    #[test]
    fn minutes_round_down_before_1970_too() {
        assert_eq!(minute_of(Timestamp::from_seconds(119)), 60);
        assert_eq!(minute_of(Timestamp::from_seconds(-1)), -60);
    }
}
