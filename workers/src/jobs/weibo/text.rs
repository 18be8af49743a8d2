//! How long a post is to Weibo, and how one that is too long is cut.

use unicode_segmentation::UnicodeSegmentation;

/// What Weibo takes, in halves of a character: 140 characters, of which two of ASCII are one.
const MOST: usize = 280;

/// Where something was cut off.
const CUT: &str = "…";

/// Halves of a character. Weibo counts as JavaScript does, so that an emoji is two or more.
fn halves(text: &str) -> usize {
    text.chars().map(|one| if one.is_ascii() { 1 } else { 2 * one.len_utf16() }).sum()
}

/// The text where it is short enough, else as much of its beginning as leaves room for an ellipsis; never half of an emoji.
pub(super) fn fit(text: &str) -> String {
    let text = text.trim();
    if halves(text) <= MOST {
        return text.to_owned();
    }
    let mut room = MOST - halves(CUT);
    let fits = text.graphemes(true).take_while(|one| {
        let left = room.checked_sub(halves(one));
        room = left.unwrap_or(0);
        left.is_some()
    });
    let mut cut: String = fits.collect();
    cut.truncate(cut.trim_end().len());
    cut + CUT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_enough_stays() {
        for text in ["我在用脸脸", &"长".repeat(140), &"a".repeat(280), &"长a".repeat(93), &"😀".repeat(70)] {
            assert_eq!(fit(text), *text);
        }
        assert_eq!(fit("  a \n"), "a");
    }

    #[test]
    fn what_is_too_long_is_cut_with_an_ellipsis() {
        assert_eq!(fit(&"长".repeat(141)), "长".repeat(139) + "…");
        assert_eq!(fit(&"a".repeat(281)), "a".repeat(278) + "…");
        assert_eq!(fit(&("长".repeat(138) + " 長長")), "长".repeat(138) + "…", "no blank before it");
    }

    #[test]
    fn no_emoji_is_torn() {
        let family = "👨‍👩‍👧";
        let cut = fit(&("长".repeat(136) + family + "长"));
        assert_eq!(cut, "长".repeat(136) + "…");
        assert!(halves(&cut) <= MOST);
    }
}
