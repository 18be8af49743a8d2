//! What counts as the same text in a search: Unicode NFKC (full and half width, ligatures, …), then lower case.

use unicode_normalization::UnicodeNormalization;

/// The text as it is compared.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for_each_char(text, |c| folded.push(c));
    folded
}

/// Whether the name has the needle in it. The needle is folded already; `buffer` is scratch space.
pub(super) fn contains(name: &str, folded_needle: &str, buffer: &mut String) -> bool {
    if name.chars().all(|c| simple(c) == Some(c)) {
        return name.contains(folded_needle);
    }
    buffer.clear();
    for_each_char(name, |c| buffer.push(c));
    buffer.contains(folded_needle)
}

/// Calls `each` with the characters of the folded text.
pub(super) fn for_each_char(text: &str, mut each: impl FnMut(char)) {
    if text.chars().all(|c| simple(c).is_some()) {
        text.chars().filter_map(simple).for_each(each);
        return;
    }
    for c in text.nfkc().flat_map(char::to_lowercase) {
        // A sigma at the end of a word has a lower-case form of its own, which a piece of text cannot know.
        each(if c == 'ς' { 'σ' } else { c });
    }
}

/// The folded form of characters that never combine with a neighbour: ASCII in both widths and Chinese. Most names
/// have nothing else, and need no tables then.
fn simple(c: char) -> Option<char> {
    match c {
        '\0'..='\x7f' => Some(c.to_ascii_lowercase()),
        '\u{3400}'..='\u{9fff}' => Some(c),
        '\u{3000}' => Some(' '),
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).map(|c| c.to_ascii_lowercase()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_agrees_with_the_tables() {
        for c in ('\0'..=char::MAX).filter(|c| simple(*c).is_some()) {
            let by_tables: Vec<_> = std::iter::once(c).nfkc().flat_map(char::to_lowercase).collect();
            assert_eq!(by_tables, [simple(c).unwrap()], "{c:?}");
        }
    }

    #[test]
    fn width_case_and_composition_do_not_matter() {
        for (a, b) in [
            ("ＫＦＣ（西湖店）", "kfc(西湖店)"),
            ("Café", "cafe\u{301}"),
            ("ΟΔΟΣ", "οδος"),
            ("ΌΔΟΣΑ", "όδοσα"),
            ("ﾌｧﾐﾏ", "ファミマ"),
            ("麦当劳　２４", "麦当劳 24"),
            ("№5", "no5"),
        ] {
            assert_eq!(fold(a), fold(b));
        }
        assert_ne!(fold("🍜"), fold("🍣"));
    }

    #[test]
    fn finds_any_part() {
        let mut buffer = String::new();
        for needle in ["", "k", "KFC", "西湖", "店🍜", "（西"] {
            assert!(contains("ＫＦＣ(西湖店🍜)", &fold(needle), &mut buffer), "{needle}");
        }
        for needle in ["kf西", "🍣", "Ｋ Ｆ"] {
            assert!(!contains("ＫＦＣ(西湖店🍜)", &fold(needle), &mut buffer), "{needle}");
        }
    }
}
