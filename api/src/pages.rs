//! Lists that change while somebody pages through them.
//!
//! A page number alone counts people, so that whoever leaves a list in between moves all after them to the page before,
//! and the next page misses one. The lists here are in the order of ids, which never changes, and a session's next page
//! goes on after the last person of its page before, whatever happened meanwhile. Any other page is counted.

use std::hash::{BuildHasher, Hash, RandomState};

use dface_domain::ids::{SessionId, UserId};
use quick_cache::sync::Cache;

/// Lists whose pages are remembered; the least used make room, and their next page is counted.
const REMEMBERED: usize = 100_000;

/// A list as a session asks for it: all that tells it from another one.
#[derive(Debug, Clone, Copy, Hash)]
pub struct ListKey<'a> {
    /// Who pages.
    pub session: SessionId,
    /// Which list.
    pub list: &'static str,
    /// Whose list.
    pub whose: UserId,
    /// What is searched in it.
    pub name: &'a str,
    /// How long its pages are.
    pub pcount: u32,
}

/// The page that a session asked for last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turned {
    /// Its number, from 1.
    pub page: u32,
    /// After whom it begins; none is the beginning of the list.
    pub after: Option<UserId>,
    /// After whom the next one begins.
    pub last: Option<UserId>,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// After somebody, or at the beginning of the list.
    After(Option<UserId>),
    /// Behind as many as the pages before it hold.
    Counted,
}

/// What sessions asked for last. Names and sessions are kept as a hash alone.
pub struct Pages {
    turned: Cache<u64, Turned>,
    hasher: RandomState,
}

impl Default for Pages {
    fn default() -> Self {
        Self { turned: Cache::new(REMEMBERED), hasher: RandomState::new() }
    }
}

impl Pages {
    /// Where `page` of a list begins.
    #[must_use]
    pub fn begin(&self, key: ListKey<'_>, page: u32) -> Begin {
        if page == 1 {
            return Begin::After(None);
        }
        match self.turned.get(&self.hasher.hash_one(key)) {
            Some(turned) if turned.page == page => Begin::After(turned.after),
            Some(turned) if turned.page.checked_add(1) == Some(page) => Begin::After(turned.last),
            _ => Begin::Counted,
        }
    }

    /// Notes a page that is answered.
    pub fn turned(&self, key: ListKey<'_>, turned: Turned) {
        self.turned.insert(self.hasher.hash_one(key), turned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(session: u8, name: &str) -> ListKey<'_> {
        ListKey { session: SessionId([session; 32]), list: "followers", whose: UserId::Number(1), name, pcount: 20 }
    }

    #[test]
    fn the_next_page_begins_where_the_last_one_ended() {
        let (pages, seven, nine) = (Pages::default(), Some(UserId::Number(7)), Some(UserId::Number(9)));
        assert_eq!(pages.begin(key(1, ""), 2), Begin::Counted, "nobody asked for page 1");
        pages.turned(key(1, ""), Turned { page: 1, after: None, last: seven });
        assert_eq!(pages.begin(key(1, ""), 1), Begin::After(None));
        assert_eq!(pages.begin(key(1, ""), 2), Begin::After(seven));
        assert_eq!(pages.begin(key(1, ""), 3), Begin::Counted);
        for other in
            [key(2, ""), key(1, "wang"), ListKey { pcount: 5, ..key(1, "") }, ListKey { list: "friends", ..key(1, "") }]
        {
            assert_eq!(pages.begin(other, 2), Begin::Counted, "another list");
        }
        pages.turned(key(1, ""), Turned { page: 2, after: seven, last: nine });
        assert_eq!(pages.begin(key(1, ""), 2), Begin::After(seven), "asked again");
        assert_eq!(pages.begin(key(1, ""), 3), Begin::After(nine));
        assert_eq!(pages.begin(key(1, ""), 1), Begin::After(None));
    }
}
