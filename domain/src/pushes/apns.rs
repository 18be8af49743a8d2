//! What Apple is given: `aps` as the seed has it, at most 4,096 bytes.

use serde::Serialize;

use super::Data;

/// Bytes of a payload that Apple takes.
pub const MOST: usize = 4_096;

#[derive(Serialize)]
struct Payload<'a> {
    aps: Aps<'a>,
    data: &'a Data,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Aps<'a> {
    Alert {
        alert: &'a str,
        sound: &'static str,
    },
    Silent {
        #[serde(rename = "content-available")]
        content_available: u8,
    },
}

/// The payload of a push that shows `alert`, or of a silent one. A longer `content` is cut at a character's border, and says so.
#[must_use]
pub fn payload(mut data: Data, alert: Option<&str>) -> String {
    let whole = write(&data, alert);
    if whole.len() <= MOST || data.content().is_none() {
        return whole;
    }
    // The longest beginning that fits; how many bytes one takes, escapes and all, only writing it tells.
    let content = data.content().unwrap_or_default().to_owned();
    let ends: Vec<usize> = content.char_indices().map(|(at, _)| at).collect();
    let fits = |end: usize, data: &mut Data| {
        data.shorten(content.get(..end).unwrap_or_default());
        write(data, alert).len() <= MOST
    };
    let fitting = ends.partition_point(|end| fits(*end, &mut data));
    let end = fitting.checked_sub(1).and_then(|last| ends.get(last)).copied().unwrap_or_default();
    data.shorten(content.get(..end).unwrap_or_default());
    write(&data, alert)
}

fn write(data: &Data, alert: Option<&str>) -> String {
    let aps = alert.map_or(Aps::Silent { content_available: 1 }, |alert| Aps::Alert { alert, sound: "default" });
    serde_json::to_string(&Payload { aps, data }).expect("a push has a JSON form")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pushes::{PushKind, Text, samples};

    fn words(content: &str) -> Data {
        Data::Text(Text::of(&samples::said(PushKind::Text), content.to_owned()))
    }

    #[test]
    fn aps_is_the_seeds() {
        let silent = payload(samples::data(PushKind::RequestUserLocate), None);
        assert_eq!(
            silent,
            r#"{"aps":{"content-available":1},"data":{"push_type":"request_user_locate","group_id":10001,"user_id":"7"}}"#
        );
        let alert = payload(samples::data(PushKind::Fall), Some("手表脱落告警"));
        assert!(
            alert.starts_with(r#"{"aps":{"alert":"手表脱落告警","sound":"default"},"data":{"push_type":"talk","#),
            "{alert}"
        );
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let shown = payload(words(&"脸".repeat(4_000)), None);
        assert!((MOST - 2..=MOST).contains(&shown.len()), "{}", shown.len());
        assert!(shown.ends_with("脸\",\"timestamp\":1354854259.5,\"truncated\":true}}"), "{shown}");
        let fits = payload(words(&"脸".repeat(1_000)), None);
        assert!(!fits.contains("truncated"), "{fits}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_words_make_a_payload_too_long(content in "[\\PC\"\\\\\n\u{1}脸🎈]{0,3000}") {
            let shown = payload(words(&content), None);
            prop_assert!(shown.len() <= MOST);
            let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
            let kept = read["data"]["content"].as_str().unwrap();
            prop_assert!(content.starts_with(kept));
            prop_assert_eq!(kept.len() < content.len(), read["data"]["truncated"] == true);
        }
    }
}
