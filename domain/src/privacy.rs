//! Who may see what of whom: every list, count, trace, chat and push asks here and nowhere else.
//!
//! Pure: the caller brings the facts (`Ties`), this decides. Issue B adds the invisible settings and blocks to the
//! facts; the questions stay.

use crate::ids::UserId;

/// What is known of two people when one wants to see the other.
#[derive(Debug, Clone, Copy)]
pub struct Ties {
    /// Who looks.
    pub viewer: UserId,
    /// Who would be seen.
    pub subject: UserId,
}

/// What somebody wants to see of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// That the subject is at a shop now (§8).
    Presence,
    /// Name, sex and the like.
    Profile,
    /// Where the subject has been (§14): nobody but the subject.
    Trace,
    /// Whom the subject follows and by whom the subject is followed.
    Follows,
}

/// Whether the viewer may see that of the subject.
#[must_use]
pub fn may_see(ties: &Ties, sight: Sight) -> bool {
    ties.viewer == ties.subject
        || match sight {
            Sight::Trace => false,
            Sight::Presence | Sight::Profile | Sight::Follows => true,
        }
}

/// Whether what the subject does is counted and learned from where others see the sum (§4).
#[must_use]
pub const fn counts_for_others(_subject: UserId) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_for_its_owner_alone() {
        let ties = |viewer, subject| Ties { viewer: UserId::Number(viewer), subject: UserId::Number(subject) };
        assert!(may_see(&ties(1, 1), Sight::Trace));
        assert!(!may_see(&ties(1, 2), Sight::Trace));
        for sight in [Sight::Presence, Sight::Profile, Sight::Follows] {
            assert!(may_see(&ties(1, 2), sight));
        }
    }
}
