//! What somebody is called in a room: the account's name, as every client library takes it in an address.

use dface_domain::messages::Party;
use stringprep::{resourceprep, tables::bidi_r_or_al};

/// Characters of a name that a nick has; an address has room for many more.
const LONGEST: usize = 100;

/// A name as a nick: without what resourceprep (RFC 3920) refuses or changes, since clients compare nicks after it, and
/// libraries fail at an address that it refuses. Among that is what Unicode 3.2 did not know, emoji above all. Nothing is left of some names: then
/// it is the id.
pub(super) fn nick(name: &str, of: Party) -> String {
    let name = name.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut taken = String::new();
    for c in name.take(LONGEST) {
        let alone = c.to_string();
        // A letter of a script that runs from right to left is in order by itself; the whole is looked at below.
        taken.push_str(resourceprep(&alone).as_deref().unwrap_or_default());
    }
    let words = taken.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match resourceprep(&words) {
        Ok(nick) if !nick.is_empty() => nick.into_owned(),
        _ => of.to_string(),
    }
}

/// The first of `nick`, `nick (2)`, `nick (3)`… that nobody has.
pub(super) fn unique(nick: String, of: Party, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(&nick) {
        return nick;
    }
    // Resourceprep lets a number end no text that runs from right to left.
    let stem = if nick.chars().any(bidi_r_or_al) { of.to_string() } else { nick };
    let numbered = (2_u32..).map(|n| format!("{stem} ({n})"));
    std::iter::once(stem.clone()).chain(numbered).find(|nick| !is_taken(nick)).unwrap_or(stem)
}

/// The nick of somebody who has to give this one up: all nodes come to the same.
pub(super) fn settled(nick: &str, of: Party) -> String {
    // Resourceprep lets a number end no text that runs from right to left.
    if nick.chars().any(bidi_r_or_al) { of.to_string() } else { format!("{nick} ({of})") }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use dface_domain::ids::UserId;

    use super::*;

    const ANNA: Party = Party::User(UserId::Number(7));

    #[test]
    fn a_nick_is_the_name_as_far_as_addresses_take_it() {
        for (name, nick_of_it) in [
            ("小红", "小红"),
            ("  Anna \t Maria ", "Anna Maria"),
            ("Anna/B@c<d>&\"", "Anna/B@c<d>&\""),
            ("小红🌸", "小红"),
            ("ＡＢＣ①", "ABC1"),
            ("a\u{202e}b\u{0}c\u{200b}", "abc"),
            ("שלום", "שלום"),
            ("שלום Anna", "7"),
            ("🌸", "7"),
            ("", "7"),
        ] {
            let nick = nick(name, ANNA);
            assert_eq!(nick, nick_of_it, "{name}");
            assert_eq!(resourceprep(&nick).unwrap(), nick, "{name}");
        }
        assert_eq!(nick(&"长".repeat(500), ANNA).chars().count(), LONGEST);
    }

    #[test]
    fn a_nick_that_somebody_has_gets_the_next_number() {
        let mut taken = HashSet::new();
        for expected in ["Anna", "Anna (2)", "Anna (3)"] {
            let nick = unique("Anna".to_owned(), ANNA, |nick| taken.contains(nick));
            assert_eq!(nick, expected);
            taken.insert(nick);
        }
        taken.insert("שלום".to_owned());
        let nick = unique("שלום".to_owned(), ANNA, |nick| taken.contains(nick));
        assert_eq!((resourceprep(&nick).unwrap().as_ref(), nick.as_str()), ("7", "7"));
    }
}
