//! Who lives in the demo. All of them are made up.

use dface_domain::events::Gender;

/// Somebody of the demo.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// The sign-in name.
    pub sign_in: &'static str,
    /// The name shown.
    pub shown: &'static str,
    /// 1 or 2.
    pub gender: Gender,
    /// The sign-in password; hashing one takes as long as it should, so few have one.
    pub password: Option<&'static str>,
    /// Shops that this person goes to time and again, by their line in the file.
    pub favourites: &'static [usize],
}

const fn person(
    sign_in: &'static str,
    shown: &'static str,
    gender: Gender,
    password: Option<&'static str>,
    favourites: &'static [usize],
) -> Person {
    Person { sign_in, shown, gender, password, favourites }
}

use Gender::{Female, Male};

/// All of them; the first one is whom the README signs in.
pub const PEOPLE: [Person; 12] = [
    person("linwei", "林薇", Female, Some("westlake"), &[88, 118, 215]),
    person("chenhao", "陈浩", Male, Some("longjing"), &[88, 119, 41]),
    person("wangfang", "王芳", Female, Some("leifeng"), &[88, 74, 569]),
    person("zhangrui", "张睿", Male, None, &[215, 318, 11]),
    person("liumeng", "刘萌", Female, None, &[118, 207]),
    person("zhaoqian", "赵倩", Female, None, &[394, 216]),
    person("sunjie", "孙洁", Female, None, &[147, 514]),
    person("zhoukai", "周凯", Male, None, &[41, 119, 217]),
    person("wuyue", "吴悦", Female, None, &[74, 288]),
    person("xulei", "徐磊", Male, None, &[88, 218]),
    person("heting", "何婷", Female, None, &[255, 246]),
    person("maxin", "马昕", Male, None, &[405, 206, 318]),
];

/// Who follows whom, by place in `PEOPLE`.
pub const FOLLOWS: [(usize, usize); 20] = [
    (0, 1),
    (0, 2),
    (0, 4),
    (1, 0),
    (1, 7),
    (2, 0),
    (2, 8),
    (3, 1),
    (3, 11),
    (4, 0),
    (5, 2),
    (5, 10),
    (6, 5),
    (7, 1),
    (7, 3),
    (8, 2),
    (9, 1),
    (9, 0),
    (10, 5),
    (11, 3),
];

/// Who checked in during the last hours: person, shop (by its line), minutes ago. Nobody is there twice, and the first
/// person is not among them, so that the README's check-in is the first one of that day.
pub const LATELY: [(usize, usize, i64); 10] = [
    (1, 88, 12),
    (9, 88, 35),
    (2, 88, 50),
    (4, 118, 20),
    (8, 74, 65),
    (3, 215, 90),
    (5, 216, 110),
    (7, 119, 5),
    (10, 246, 140),
    (11, 318, 165),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_sign_in_names_can_be_typed_anywhere() {
        let names: BTreeSet<_> = PEOPLE.iter().map(|one| one.sign_in).collect();
        assert_eq!(names.len(), PEOPLE.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase())));
    }

    #[test]
    fn nobody_follows_oneself_or_is_in_two_places() {
        assert!(FOLLOWS.iter().all(|(one, other)| one != other && *one.max(other) < PEOPLE.len()));
        let present: BTreeSet<_> = LATELY.iter().map(|(person, ..)| person).collect();
        assert_eq!(present.len(), LATELY.len());
        assert!(!present.contains(&0));
    }
}
