//! Who may see what of whom: every list, count, trace, chat and push asks here and nowhere else.
//!
//! Pure: the caller brings the facts (`Ties`), this decides. Suspension hides nothing: it keeps an account out.

use crate::{envelope::LogPosition, events::Invisible, ids::UserId, messages::Party};

/// What is known of two people when one wants to see the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ties {
    /// Who looks.
    pub viewer: UserId,
    /// Who would be seen.
    pub subject: UserId,
    /// The subject follows the viewer: to the subject the viewer is no stranger.
    pub subject_follows: bool,
    /// One of the two blocks the other.
    pub blocked: bool,
}

impl Ties {
    /// For a list of profiles (§23 to §25): to it following is nothing.
    #[must_use]
    pub const fn on_a_list(viewer: UserId, subject: UserId, blocked: bool) -> Self {
        Self { viewer, subject, subject_follows: false, blocked }
    }
}

/// What somebody wants to see of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Where the subject is or was last (§6, §8, `last` of §10), which stands under this setting: the stricter of
    /// the one when it happened and the one of now.
    Place(Invisible),
    /// Name, sex, signature and the like (§10), and being listed at all (§23, §24).
    Profile,
    /// Where the subject has been (§14), and whom the subject blocks (§25): nobody but the subject.
    Own,
    /// A picture that the subject sent to a room (§29): rooms are open, and blocks do not filter them.
    RoomPicture,
    /// A picture that the subject sent to this person (§30).
    PictureFor(UserId),
}

/// Whether the viewer may see that of the subject.
#[must_use]
pub fn may_see(ties: &Ties, sight: Sight) -> bool {
    if ties.viewer == ties.subject {
        return true;
    }
    match sight {
        Sight::Own => false,
        Sight::RoomPicture => true,
        Sight::PictureFor(receiver) => ties.viewer == receiver,
        _ if ties.blocked => false,
        Sight::Profile => true,
        Sight::Place(invisible) => match invisible {
            Invisible::No => true,
            Invisible::ToStrangers => ties.subject_follows,
            Invisible::ToAll => false,
        },
    }
}

/// Who reads what was said (§32).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Somebody who is signed in.
    Person(UserId),
    /// The back end, with its token.
    Server,
}

/// Whether the history of these may be read: of a room by all, else by those who said it or were told. Blocks take nothing back that was
/// received.
#[must_use]
pub fn may_read(reader: Reader, parties: &[Party]) -> bool {
    let is_open = |party: &Party| match (reader, party) {
        (Reader::Server, _) | (_, Party::Room(_)) => true,
        (Reader::Person(reader), Party::User(user)) => reader == *user,
        (Reader::Person(_), Party::Shop(_)) => false,
    };
    parties.iter().any(is_open)
}

/// Whether what happens under this setting is counted and learned from where others see the sum (§4).
#[must_use]
pub fn counts_for_others(invisible: Invisible) -> bool {
    invisible == Invisible::No
}

/// Whether one may talk to another (chat.md, "one-to-one").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// Nothing stands between them; who is invisible can be talked to (seed §28.1).
    Allowed,
    /// The receiver blocks the sender, who is told no more than that nobody is there.
    BlockedByReceiver,
    /// The sender blocks the receiver: what nobody could answer is not sent.
    BlockedBySender,
}

/// Whether the sender may talk to the receiver. One's own block is told first: it tells nothing of the other's.
#[must_use]
pub const fn may_talk(sender_blocks: bool, receiver_blocks: bool) -> Talk {
    match (sender_blocks, receiver_blocks) {
        (true, _) => Talk::BlockedBySender,
        (_, true) => Talk::BlockedByReceiver,
        _ => Talk::Allowed,
    }
}

/// What somebody is in a circle (push.md). Blocks and the invisible settings count for nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Not in it: to them there is no such circle.
    Outside,
    /// In it.
    Member,
    /// In it, and deciding.
    Guardian,
}

/// Whether somebody sees that there is such a circle: its members and watches, where those are, what is said.
#[must_use]
pub fn may_see_circle(place: Place) -> bool {
    place >= Place::Member
}

/// Whether somebody lets others in and out, and binds, sets and unbinds watches.
#[must_use]
pub fn may_decide_in_circle(place: Place) -> bool {
    place == Place::Guardian
}

/// Whether somebody sees what stands at `position` of the log, who came into the circle by the event at `joined`: nothing from before.
#[must_use]
pub fn may_see_of_circle(place: Place, joined: LogPosition, position: LogPosition) -> bool {
    may_see_circle(place) && position >= joined
}

/// Whether somebody sees where a member of the circle is: only while that one shows it there. A watch always shows it.
#[must_use]
pub fn may_see_member_place(place: Place, shares: bool) -> bool {
    may_see_circle(place) && shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ties(viewer: u64, subject: u64) -> Ties {
        let (viewer, subject) = (UserId::Number(viewer), UserId::Number(subject));
        Ties { viewer, subject, subject_follows: false, blocked: false }
    }

    #[test]
    fn what_is_ones_own_is_for_oneself_alone() {
        assert!(may_see(&ties(1, 1), Sight::Own));
        assert!(!may_see(&Ties { subject_follows: true, ..ties(1, 2) }, Sight::Own));
    }

    #[test]
    fn the_invisible_settings_hide_places_and_nothing_else() {
        let known = Ties { subject_follows: true, ..ties(1, 2) };
        for (invisible, stranger, friend) in
            [(Invisible::No, true, true), (Invisible::ToStrangers, false, true), (Invisible::ToAll, false, false)]
        {
            assert_eq!(may_see(&ties(1, 2), Sight::Place(invisible)), stranger, "{invisible:?}");
            assert_eq!(may_see(&known, Sight::Place(invisible)), friend, "{invisible:?}");
            assert!(may_see(&ties(2, 2), Sight::Place(invisible)));
            assert!(may_see(&ties(1, 2), Sight::Profile));
        }
    }

    #[test]
    fn pictures_are_for_those_they_were_sent_to() {
        let blocked = Ties { blocked: true, ..ties(1, 2) };
        assert!(may_see(&blocked, Sight::RoomPicture));
        assert!(may_see(&blocked, Sight::PictureFor(UserId::Number(1))), "what was received stays received");
        assert!(!may_see(&Ties { subject_follows: true, ..ties(1, 2) }, Sight::PictureFor(UserId::Number(3))));
    }

    #[test]
    fn what_was_said_is_for_those_who_said_it_or_were_told() {
        let [anna, ben] = [1, 2].map(|user| Party::User(UserId::Number(user)));
        let (shop, room) = (Party::Shop(crate::ids::ShopId(3)), Party::Room(crate::ids::ShopId(3)));
        let reader = Reader::Person(UserId::Number(1));
        assert!(may_read(reader, &[anna]) && may_read(reader, &[ben, anna]) && may_read(reader, &[room]));
        assert!(!may_read(reader, &[ben]) && !may_read(reader, &[ben, shop]) && !may_read(reader, &[shop]));
        assert!(may_read(Reader::Server, &[ben, shop]));
    }

    #[test]
    fn a_circle_is_for_who_is_in_it_and_its_guardians_decide() {
        let places = [Place::Outside, Place::Member, Place::Guardian];
        assert_eq!(places.map(may_see_circle), [false, true, true]);
        assert_eq!(places.map(may_decide_in_circle), [false, false, true]);
        assert_eq!(places.map(|place| may_see_member_place(place, true)), [false, true, true]);
        assert!(places.iter().all(|place| !may_see_member_place(*place, false)));
    }

    #[test]
    fn newcomers_see_nothing_from_before_they_came() {
        let [before, joined, after] = [4, 5, 6].map(LogPosition);
        let seen = |position| may_see_of_circle(Place::Member, joined, position);
        assert!(!seen(before) && seen(joined) && seen(after));
        assert!(!may_see_of_circle(Place::Outside, joined, after));
    }

    #[test]
    fn a_block_hides_each_from_the_other() {
        let blocked = Ties { subject_follows: true, blocked: true, ..ties(1, 2) };
        for sight in [Sight::Place(Invisible::No), Sight::Profile, Sight::Own] {
            assert!(!may_see(&blocked, sight), "{sight:?}");
        }
    }

    #[test]
    fn a_block_ends_talking_both_ways_and_ones_own_is_told_first() {
        assert_eq!(may_talk(false, false), Talk::Allowed);
        assert_eq!(may_talk(false, true), Talk::BlockedByReceiver);
        assert_eq!(may_talk(true, false), Talk::BlockedBySender);
        assert_eq!(may_talk(true, true), Talk::BlockedBySender);
    }
}
