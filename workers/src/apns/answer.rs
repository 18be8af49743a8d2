//! What Apple's answers mean: <https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns>.

use a2::response::{ErrorBody, ErrorReason};
use dface_domain::time::Timestamp;
use http::{HeaderMap, Response, StatusCode, header::RETRY_AFTER};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Bytes, Incoming};

use super::line::Lost;

/// Bytes of an answer that are read.
const ANSWER_BYTES: usize = 4096;

/// The longest pause that Apple is believed.
const LONGEST_PAUSE_S: u32 = 3600;

/// What came of sending a push. The texts hold nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Apple has it.
    Accepted,
    /// The device is not known any more, since then where Apple says so.
    Gone(Option<Timestamp>),
    /// It will never be taken.
    Refused(String),
    /// Another try may help.
    Again(String),
    /// Another try may help, after so many seconds.
    Later(String, u32),
    /// The provider's token has expired.
    TokenExpired,
}

/// Seconds that Apple asks us to wait.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<u32> {
    let seconds: u32 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.min(LONGEST_PAUSE_S))
}

pub(super) async fn body(answer: Response<Incoming>) -> Result<Bytes, Lost> {
    let read = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
    read.map(http_body_util::Collected::to_bytes)
        .map_err(|_| Lost("an answer of Apple's that cannot be read".to_owned()))
}

pub(super) fn meaning(status: StatusCode, after: Option<u32>, body: &[u8]) -> Answer {
    let told = serde_json::from_slice::<ErrorBody>(body).ok();
    let since = told.as_ref().and_then(|told| told.timestamp).and_then(|ms| i64::try_from(ms).ok());
    let reason = told.map(|told| told.reason);
    // The name of the reason is Apple's own; the body may hold anything.
    let text = match &reason {
        Some(reason) => format!("Apple: status {}, {reason:?}", status.as_u16()),
        None => format!("Apple: status {}", status.as_u16()),
    };
    match (status.as_u16(), reason) {
        (200, _) => Answer::Accepted,
        (410, _) => Answer::Gone(since.map(|ms| Timestamp(ms.saturating_mul(1000)))),
        (400, Some(ErrorReason::BadDeviceToken)) => Answer::Gone(None),
        (403, Some(ErrorReason::ExpiredProviderToken)) => Answer::TokenExpired,
        // The key or its rights are an operator's to mend: pushes wait for that.
        (403 | 429 | 500.., _) | (400, Some(ErrorReason::IdleTimeout)) => match after {
            Some(seconds) => Answer::Later(text, seconds),
            None => Answer::Again(text),
        },
        _ => Answer::Refused(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> Answer {
        meaning(StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
    }

    #[test]
    fn what_apple_says_is_an_end_or_another_try() {
        assert_eq!(told(200, ""), Answer::Accepted);
        let gone = Answer::Gone(Some(Timestamp(1_700_000_000_000_000)));
        assert_eq!(told(410, r#"{"reason":"Unregistered","timestamp":1700000000000}"#), gone);
        assert_eq!(told(400, r#"{"reason":"BadDeviceToken"}"#), Answer::Gone(None));
        assert_eq!(told(403, r#"{"reason":"ExpiredProviderToken"}"#), Answer::TokenExpired);
        for refused in [(400, "BadTopic"), (413, "PayloadTooLarge"), (400, "DeviceTokenNotForTopic"), (404, "BadPath")]
        {
            let answer = told(refused.0, &format!(r#"{{"reason":"{}"}}"#, refused.1));
            assert!(matches!(&answer, Answer::Refused(text) if text.contains(refused.1)), "{answer:?}");
        }
        for again in
            [(429, "TooManyRequests"), (500, "InternalServerError"), (503, "Shutdown"), (403, "InvalidProviderToken")]
        {
            assert!(matches!(told(again.0, &format!(r#"{{"reason":"{}"}}"#, again.1)), Answer::Again(_)), "{again:?}");
        }
        assert!(matches!(told(503, "<html>"), Answer::Again(_)));
        let unheard = told(400, r#"{"reason":"a secret"}"#);
        assert_eq!(unheard, Answer::Refused("Apple: status 400".to_owned()), "an unknown reason is not told");
    }

    #[test]
    fn a_pause_that_apple_asks_for_is_kept_within_an_hour() {
        let busy = |after| meaning(StatusCode::TOO_MANY_REQUESTS, after, br#"{"reason":"TooManyRequests"}"#);
        assert!(matches!(busy(Some(30)), Answer::Later(_, 30)));
        let headers = |text: &str| HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
        assert_eq!(retry_after(&headers("7")), Some(7));
        assert_eq!(retry_after(&headers("999999")), Some(LONGEST_PAUSE_S));
        assert_eq!(retry_after(&headers("Sun, 06 Nov 1994 08:49:37 GMT")), None);
    }
}
