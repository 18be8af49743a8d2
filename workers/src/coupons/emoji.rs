//! Which parts of a text are emoji that are drawn in colour (Unicode UTS #51): shaping alone would take whatever font has the letter.

use unicode_properties::{EmojiStatus, UnicodeEmoji as _};
use unicode_segmentation::UnicodeSegmentation as _;

const AS_TEXT: char = '\u{fe0e}';
const AS_EMOJI: char = '\u{fe0f}';

/// The parts of `text` in turn, each with whether it is emoji.
pub(super) fn parts(text: &str) -> Vec<(&str, bool)> {
    let mut parts = Vec::new();
    let (mut from, mut was) = (0, false);
    for (at, cluster) in text.grapheme_indices(true) {
        let is = is_emoji(cluster);
        if is != was {
            parts.extend(text.get(from..at).filter(|part| !part.is_empty()).map(|part| (part, was)));
            (from, was) = (at, is);
        }
    }
    parts.extend(text.get(from..).filter(|part| !part.is_empty()).map(|part| (part, was)));
    parts
}

fn is_emoji(cluster: &str) -> bool {
    if cluster.contains(AS_TEXT) {
        return false;
    }
    let by_itself = |c: char| {
        matches!(
            c.emoji_status(),
            EmojiStatus::EmojiPresentation
                | EmojiStatus::EmojiPresentationAndModifierBase
                | EmojiStatus::EmojiPresentationAndEmojiComponent
                | EmojiStatus::EmojiPresentationAndModifierAndEmojiComponent
        )
    };
    cluster.chars().any(|c| c == AS_EMOJI || by_itself(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_told_from_text() {
        let found =
            |text| parts(text).into_iter().filter(|(_, emoji)| *emoji).map(|(part, _)| part).collect::<Vec<_>>();
        assert_eq!(found("咖啡☕5 折❤️"), ["☕", "❤️"]);
        assert_eq!(found("👨\u{200d}👩\u{200d}👧🇨🇳8️⃣👍🏽好"), ["👨\u{200d}👩\u{200d}👧🇨🇳8️⃣👍🏽"]);
        assert_eq!(found("12 # * © ™ ❤ ☕\u{fe0e} ①"), [""; 0]);
        assert_eq!(parts("").len(), 0);
        assert_eq!(parts("a😀b").iter().map(|(part, _)| *part).collect::<String>(), "a😀b");
    }
}
