//! What Weibo's answer to a post means: <https://open.weibo.com/wiki/Error_code>.

use dface_domain::jobs::Outcome;
use serde::{Deserialize, de::IgnoredAny};

use crate::runner::Fault;

/// "repeat content": the same text of the same person, a moment ago. It is what a second try meets whose first answer was lost.
const REPEATED: u32 = 20_019;

/// What passes: the system is broken or busy (10001 to 10003, 10009 to 10011), too many requests (10004, 10022 to 10024), too many
/// posts (20016).
const PASSING: [u32; 11] = [10_001, 10_002, 10_003, 10_004, 10_009, 10_010, 10_011, 10_022, 10_023, 10_024, 20_016];

#[derive(Deserialize)]
struct Answer {
    error_code: Option<Code>,
    id: Option<IgnoredAny>,
}

/// Weibo sends codes as numbers and as strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u32),
    Text(String),
}

impl Code {
    fn number(&self) -> Option<u32> {
        match self {
            Self::Number(code) => Some(*code),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// Of Weibo's words only the code is told: they may repeat the post.
pub(super) fn meaning(status: u16, body: &[u8]) -> Result<Outcome, Fault> {
    let answer = serde_json::from_slice::<Answer>(body).ok();
    let code = answer.as_ref().and_then(|answer| answer.error_code.as_ref()?.number());
    let posted = answer.is_some_and(|answer| answer.error_code.is_none() && answer.id.is_some());
    match (status, code) {
        (200..=299, None) if posted => Ok(Outcome::Posted),
        (_, Some(REPEATED)) => Ok(Outcome::Posted),
        (429 | 500.., Some(code)) => Err(Fault::Again(format!("Weibo: status {status}, error_code {code}"))),
        (_, None) => Err(Fault::Again(format!("Weibo: status {status}, and nothing that it says of a post"))),
        (_, Some(code)) => of_code(code),
    }
}

fn of_code(code: u32) -> Result<Outcome, Fault> {
    let told = format!("Weibo: error_code {code}");
    match code {
        code if PASSING.contains(&code) => Err(Fault::Again(told)),
        // What is wrong with the person, the post (20…) or the permission (213…) stays wrong.
        10_013 | 20_000..=20_999 | 21_300..=21_399 => Ok(Outcome::Refused { reason: told }),
        // What is wrong with the app there is an operator's to mend; the post waits for that.
        _ => Err(Fault::Never(told)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> Result<Outcome, Fault> {
        meaning(status, body.as_bytes())
    }

    fn error(code: u32) -> String {
        format!(r#"{{"request": "/2/statuses/update.json", "error": "words", "error_code": {code}}}"#)
    }

    #[test]
    fn what_is_there_was_posted() {
        assert_eq!(told(200, r#"{"id": 3487463829, "idstr": "3487463829", "text": "x"}"#), Ok(Outcome::Posted));
        for status in [200, 400, 403, 503] {
            assert_eq!(told(status, &error(20_019)), Ok(Outcome::Posted), "{status}");
        }
    }

    #[test]
    fn what_passes_is_tried_again() {
        for code in PASSING {
            assert_eq!(told(403, &error(code)), Err(Fault::Again(format!("Weibo: error_code {code}"))));
        }
        for (status, body) in
            [(502, "<html>"), (429, "{}"), (200, "<html>"), (200, "{}"), (403, ""), (302, ""), (503, &error(21_327))]
        {
            assert!(matches!(told(status, body), Err(Fault::Again(_))), "{status} {body}");
        }
    }

    #[test]
    fn what_stays_is_refused_and_only_the_code_is_told() {
        for code in [20_017, 20_018, 20_020, 20_021, 20_006, 21_314, 21_327, 21_332] {
            let reason = format!("Weibo: error_code {code}");
            assert_eq!(told(400, &error(code)), Ok(Outcome::Refused { reason }), "{code}");
        }
        let text = r#"{"error": "expired_token", "error_code": "21327"}"#;
        assert_eq!(told(401, text), Ok(Outcome::Refused { reason: "Weibo: error_code 21327".to_owned() }));
    }

    #[test]
    fn what_an_operator_must_mend_is_dead() {
        for code in [10_005, 10_014, 10_017] {
            assert_eq!(told(403, &error(code)), Err(Fault::Never(format!("Weibo: error_code {code}"))));
        }
    }
}
