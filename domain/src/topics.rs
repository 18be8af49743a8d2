//! MQTT topics: their names, and who may read and write which (spec push.md, "MQTT accounts").
//!
//! Pure: the caller says who is in which circle. A filter names its circle, its person or its watch in full: wildcards stand
//! behind the id alone, so that nobody hears of a circle by asking for all.

use std::{fmt, str::FromStr};

use crate::ids::{GroupId, Imei, UserId};

/// Where apps say whether they are open.
pub const STATUS: &str = "xunqun/app/status";

/// Where apps acknowledge messages.
pub const RECEIPT: &str = "xunqun/app/receipt";

/// The name, and the password, of the account for all.
pub const SHARED: &str = "xunqun";

/// Levels of the longest filter that anybody needs, and some more.
const LEVELS: usize = 8;

/// Who signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Somebody of a circle, by the id.
    User(UserId),
    /// A watch, by its imei: 15 digits are always one, for no id made here is that long.
    Watch(Imei),
    /// The seed's account for all.
    Shared,
}

impl Account {
    /// The account of a name, written as we write it: `7`, `502e6303421aa918ba000001`, `865000000000001`, `xunqun`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if name == SHARED {
            return Some(Self::Shared);
        }
        let watch = name.parse().ok().map(Self::Watch);
        let account = watch.or_else(|| name.parse().ok().map(Self::User))?;
        (account.to_string() == name).then_some(account)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Watch(imei) => imei.fmt(f),
            Self::Shared => f.write_str(SHARED),
        }
    }
}

/// Whom a topic is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Who is in a circle.
    Group(GroupId),
    /// One person.
    User(UserId),
    /// One watch.
    Watch(Imei),
}

/// What a watch is told.
#[must_use]
pub fn down(imei: Imei) -> String {
    format!("xunqun/watch/{imei}/down")
}

/// What a watch tells.
#[must_use]
pub fn up(imei: Imei) -> String {
    format!("xunqun/watch/{imei}/up")
}

/// Whom a topic or a filter is for, where that is one circle, person or watch.
#[must_use]
pub fn scope(filter: &str) -> Option<Scope> {
    let mut levels = filter.strip_prefix("xunqun/")?.splitn(3, '/');
    let (kind, id, rest) = (levels.next()?, levels.next()?, levels.next()?);
    match kind {
        "group" => exact::<GroupId>(id).map(Scope::Group),
        "user" => exact::<UserId>(id).map(Scope::User),
        "watch" if rest == "down" => exact::<Imei>(id).map(Scope::Watch),
        _ => None,
    }
}

/// An id written as we write it: `007` is another topic than `7`.
fn exact<I: FromStr + ToString>(text: &str) -> Option<I> {
    text.parse().ok().filter(|id: &I| id.to_string() == text)
}

/// Whether wildcards stand where they may.
fn is_well_formed(filter: &str) -> bool {
    let levels: Vec<&str> = filter.split('/').collect();
    let plain = |level: &str| !level.contains(['#', '+', '\0']);
    let Some((last, before)) = levels.split_last() else { return false };
    levels.len() <= LEVELS
        && (*last == "#" || *last == "+" || plain(last))
        && before.iter().all(|level| *level == "+" || plain(level))
}

/// Whether an account may subscribe to a filter now.
#[must_use]
pub fn may_subscribe(account: Account, filter: &str, is_member: impl FnOnce(UserId, GroupId) -> bool) -> bool {
    if !is_well_formed(filter) {
        return false;
    }
    if account == Account::Shared {
        return filter.starts_with("xunqun/group/") || filter.starts_with("xunqun/user/");
    }
    may_read(account, filter, is_member)
}

/// Whether an account may be told what is published on a topic now: asked again for each message, for whoever has left may
/// still have a subscription, or messages that wait.
#[must_use]
pub fn may_read(account: Account, topic: &str, is_member: impl FnOnce(UserId, GroupId) -> bool) -> bool {
    match (account, scope(topic)) {
        (Account::User(user), Some(Scope::User(of))) => user == of,
        (Account::User(user), Some(Scope::Group(group))) => is_member(user, group),
        (Account::Watch(imei), Some(Scope::Watch(of))) => imei == of,
        (Account::Shared, Some(Scope::Group(_) | Scope::User(_))) => true,
        _ => false,
    }
}

/// Whether an account may publish on a topic. About whom the message speaks is looked at when it is read.
#[must_use]
pub fn may_publish(account: Account, topic: &str) -> bool {
    match account {
        Account::User(_) | Account::Shared => topic == STATUS || topic == RECEIPT,
        Account::Watch(imei) => topic == up(imei),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pushes::{circle_topic, user_topic};

    const ANNA: Account = Account::User(UserId::Number(7));

    fn watch() -> Imei {
        "865000000000001".parse().unwrap()
    }

    /// Anna is in circle 3 alone.
    fn member(user: UserId, group: GroupId) -> bool {
        user == UserId::Number(7) && group == GroupId(3)
    }

    fn may(account: Account, filter: &str) -> bool {
        may_subscribe(account, filter, member)
    }

    #[test]
    fn a_user_reads_their_own_topic_and_those_of_their_circles() {
        for filter in
            ["xunqun/user/7/#", "xunqun/user/7/talk", "xunqun/group/3/#", "xunqun/group/3/+", "xunqun/group/3/talk"]
        {
            assert!(may(ANNA, filter), "{filter}");
        }
    }

    #[test]
    fn nobody_reads_what_is_not_theirs() {
        let others = [
            "#",
            "+/#",
            "xunqun/#",
            "xunqun/+/3/#",
            "xunqun/group/#",
            "xunqun/group/+/#",
            "xunqun/group/4/#",
            "xunqun/group/03/#",
            "xunqun/group/3",
            "xunqun/group/3#",
            "xunqun/group/3/#/talk",
            "xunqun/group/3/ta+",
            "xunqun/user/8/#",
            "xunqun/user/+/talk",
            "xunqun/app/status",
            "xunqun/watch/865000000000001/up",
            "xunqun/watch/865000000000001/down",
            "$share/all/xunqun/group/3/#",
            "$share/all/xunqun/user/7/#",
            "$SYS/#",
            "$exclusive/xunqun/user/7/#",
            "/xunqun/user/7/#",
            "",
        ];
        for filter in others {
            assert!(!may(ANNA, filter), "{filter}");
        }
    }

    #[test]
    fn a_watch_reads_what_it_is_told_and_writes_what_it_tells() {
        let account = Account::Watch(watch());
        assert!(may(account, &down(watch())) && may_publish(account, &up(watch())));
        for filter in ["xunqun/watch/865000000000001/#", "xunqun/watch/865000000000002/down", "xunqun/group/3/#", "#"] {
            assert!(!may(account, filter), "{filter}");
        }
        for topic in ["xunqun/watch/865000000000002/up", "xunqun/watch/865000000000001/down", STATUS, RECEIPT] {
            assert!(!may_publish(account, topic), "{topic}");
        }
    }

    #[test]
    fn a_user_writes_status_and_receipts_alone() {
        assert!(may_publish(ANNA, STATUS) && may_publish(ANNA, RECEIPT));
        for topic in
            ["xunqun/group/3/talk", "xunqun/user/7/talk", "xunqun/app/other", "xunqun/watch/865000000000001/up"]
        {
            assert!(!may_publish(ANNA, topic), "{topic}");
        }
    }

    #[test]
    fn the_account_for_all_reads_all_circles_and_people_and_no_watch() {
        for filter in ["xunqun/group/#", "xunqun/group/+/#", "xunqun/group/9/#", "xunqun/user/+/talk"] {
            assert!(may(Account::Shared, filter), "{filter}");
        }
        for filter in ["#", "xunqun/#", "xunqun/watch/+/up", "$share/g/xunqun/group/#", STATUS] {
            assert!(!may(Account::Shared, filter), "{filter}");
        }
    }

    #[test]
    fn a_name_is_one_account_and_written_one_way() {
        assert_eq!(Account::named("7"), Some(ANNA));
        assert_eq!(Account::named("865000000000001"), Some(Account::Watch(watch())));
        assert_eq!(Account::named("xunqun"), Some(Account::Shared));
        for name in ["007", "", "7 ", "anna", "7/x", "502E6303421AA918BA000001"] {
            assert_eq!(Account::named(name), None, "{name}");
        }
    }

    /// What MQTT calls a match (§4.7 of 3.1.1).
    fn matches(filter: &str, topic: &str) -> bool {
        let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
        loop {
            match (filter.next(), topic.next()) {
                (Some("#"), _) | (None, None) => return true,
                (Some("+"), Some(_)) => {}
                (Some(level), Some(of)) if level == of => {}
                _ => return false,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn whatever_is_subscribed_matches_no_topic_that_may_not_be_read(
            levels in prop::collection::vec(
                prop::sample::select(vec![
                    "xunqun", "group", "user", "watch", "3", "4", "7", "8", "talk", "down", "up", "+", "#", "$share", "",
                    "865000000000001",
                ]),
                1..6,
            ),
        ) {
            let filter = levels.join("/");
            let topics = [
                circle_topic(GroupId(3), "talk"),
                circle_topic(GroupId(4), "talk"),
                user_topic(UserId::Number(7), "merge"),
                user_topic(UserId::Number(8), "merge"),
                down(watch()),
                up(watch()),
                STATUS.to_owned(),
            ];
            for account in [ANNA, Account::Watch(watch())] {
                if may(account, &filter) {
                    for topic in topics.iter().filter(|topic| matches(&filter, topic)) {
                        prop_assert!(may_read(account, topic, member), "{filter} lets {account} read {topic}");
                    }
                }
            }
        }
    }
}
