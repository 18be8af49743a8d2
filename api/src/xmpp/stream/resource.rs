//! Resources (RFC 7622 §3.4): the OpaqueString profile, as far as it says what is refused and what is the same.

use dface_domain::ports::Entropy;
use unicode_normalization::UnicodeNormalization as _;

/// Bytes of a resource.
const MOST: usize = 1023;

/// A resource that a client asked for, prepared; none where it cannot be one.
pub(super) fn prepared(asked: &str) -> Option<String> {
    if asked.len() > MOST {
        return None;
    }
    let spaced = asked.chars().map(|c| if c.is_whitespace() && !c.is_control() { ' ' } else { c });
    let prepared: String = spaced.nfc().collect();
    let fits = !prepared.is_empty() && prepared.len() <= MOST;
    (fits && !prepared.chars().any(is_refused)).then_some(prepared)
}

/// Control characters, those for private use, and what is no character.
fn is_refused(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || matches!(code, 0xE000..=0xF8FF | 0xF_0000.. | 0xFDD0..=0xFDEF | 0x200B..=0x200F | 0x2028..=0x202E)
        || matches!(code, 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB | 0xE_0000..=0xE_0FFF)
        || code & 0xFFFE == 0xFFFE
}

/// A resource for a client that asked for none.
pub(super) fn made(entropy: &dyn Entropy) -> String {
    hex::encode(entropy.bytes::<8>())
}

#[cfg(test)]
mod tests {
    use super::prepared;

    #[test]
    fn what_looks_the_same_is_the_same_and_what_cannot_be_seen_is_refused() {
        assert_eq!(prepared("phone").as_deref(), Some("phone"));
        assert_eq!(prepared("e\u{301}\u{3000}1").as_deref(), Some("é 1"));
        for bad in ["", "a\u{0}", "a\u{7f}", "a\u{202e}b", "\u{FEFF}", &"a".repeat(1024)] {
            assert_eq!(prepared(bad), None, "{bad:?}");
        }
        assert!(prepared(&"a".repeat(1023)).is_some());
    }
}
