//! What stands in a message's body where it is more than words (chat.md, bodies).

use super::MessageKind;
use crate::{
    ids::{CampaignId, PhotoId},
    time::Timestamp,
};

/// The body of a picture's message (§29.2, §30.2).
#[must_use]
pub fn photo_body(photo: PhotoId, desc: &str) -> String {
    format!("[img:{photo}]{desc}")
}

/// The body of a coupon's message (§31.1). A `:` in a name is written `：`, since it parts the fields.
#[must_use]
pub fn coupon_body(name: &str, shop: &str, campaign: CampaignId, at: Timestamp) -> String {
    let plain = |text: &str| text.replace(':', "：");
    format!("[优惠券:{}:{}:{campaign}:{}]", plain(name), plain(shop), at.seconds())
}

/// The body of a shake (§28.3), in the account's name.
#[must_use]
pub fn shake_body(name: &str) -> String {
    format!("[摇一摇:{}]", within_brackets(name))
}

/// The body of a greeting (chat.md), in the account's name.
#[must_use]
pub fn greeting_body(name: &str) -> String {
    format!("[打招呼:{}]", within_brackets(name))
}

/// A name without what ends or parts a body's fields, and without marks that turn the writing direction.
fn within_brackets(name: &str) -> String {
    let turns =
        |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().filter(|c| !matches!(c, '[' | ']' | ':') && !turns(*c) && !c.is_control()).collect()
}

/// What sort of body this is. Spaces before it are passed over, as clients may.
#[must_use]
pub fn kind_of(body: &str) -> MessageKind {
    const KINDS: [(&str, MessageKind); 4] = [
        ("[img:", MessageKind::Photo),
        ("[优惠券:", MessageKind::Coupon),
        ("[摇一摇:", MessageKind::Shake),
        ("[打招呼:", MessageKind::Greeting),
    ];
    let body = body.trim_start();
    KINDS.iter().find(|(mark, _)| body.starts_with(mark)).map_or(MessageKind::Text, |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sort_a_body_is_stands_before_its_first_colon() {
        for (body, kind) in [
            ("你好", MessageKind::Text),
            ("[img:502fd10abe4b19ed48000002]窗边", MessageKind::Photo),
            (" \n[优惠券:八折:二所:502fd10abe4b19ed48000002:1354854259]", MessageKind::Coupon),
            ("[摇一摇:Anna]", MessageKind::Shake),
            ("[打招呼:Anna]", MessageKind::Greeting),
            ("see [img:502fd10abe4b19ed48000002]", MessageKind::Text),
            ("", MessageKind::Text),
        ] {
            assert_eq!(kind_of(body), kind, "{body}");
        }
        assert_eq!(shake_body("a]b:[c\u{202e}"), "[摇一摇:abc]");
        assert_eq!(greeting_body("小红"), "[打招呼:小红]");
    }

    #[test]
    fn bodies_are_as_the_document_has_them() {
        let id = "502fd10abe4b19ed48000002".parse().unwrap();
        assert_eq!(photo_body(PhotoId(id), ""), "[img:502fd10abe4b19ed48000002]");
        let body = coupon_body("八折:仅今天", "海洋:二所", CampaignId(id), Timestamp(1_354_854_259_999_999));
        assert_eq!(body, "[优惠券:八折：仅今天:海洋：二所:502fd10abe4b19ed48000002:1354854259]");
    }
}
