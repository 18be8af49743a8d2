//! From a parameter's text to its type. A refusal says what the value must be; the caller adds the parameter's name.

use dface_domain::{
    ids::{CampaignId, CheckinId, FileId, GroupId, Imei, MessageId, ObjectId, PhotoId, RecordId, ShopId, UserId},
    objects::ObjectKey,
    sealed::Subject,
    tokens::{Scope, TokenName},
};

/// What a value must be, to be read as "must be …".
pub type MustBe = &'static str;

/// A type that a parameter can have.
pub trait FromParam: Sized {
    /// Reads `text`.
    ///
    /// # Errors
    /// What the value must be, for the sentence "name: must be …".
    fn from_param(text: &str) -> Result<Self, MustBe>;
}

/// No number of ours needs more characters; longer ones (a million digits) are refused unread.
const MAX_NUMBER_LEN: usize = 64;

impl FromParam for String {
    fn from_param(text: &str) -> Result<Self, MustBe> {
        Ok(text.to_owned())
    }
}

impl FromParam for f64 {
    fn from_param(text: &str) -> Result<Self, MustBe> {
        let number = (text.len() <= MAX_NUMBER_LEN).then(|| text.parse::<Self>().ok()).flatten();
        number.filter(|n| n.is_finite()).ok_or("a finite number")
    }
}

impl FromParam for bool {
    fn from_param(text: &str) -> Result<Self, MustBe> {
        match text {
            "1" | "true" => Ok(true),
            "0" | "false" => Ok(false),
            _ => Err("0 or 1"),
        }
    }
}

/// A whole number, or a float's text with a whole value: phones send `100.0` where the seed says integer.
fn whole(text: &str) -> Option<i128> {
    if text.len() > MAX_NUMBER_LEN {
        return None;
    }
    text.parse().ok().or_else(|| {
        let (digits, fraction) = text.split_once('.')?;
        fraction.bytes().all(|b| b == b'0').then(|| digits.parse().ok())?
    })
}

macro_rules! integers {
    ($($type:ty: $must:literal),*) => {
        $(impl FromParam for $type {
            fn from_param(text: &str) -> Result<Self, MustBe> {
                whole(text).and_then(|n| Self::try_from(n).ok()).ok_or($must)
            }
        })*
    };
}

integers! {
    u8: "a whole number from 0 to 255",
    u16: "a whole number from 0 to 65535",
    u32: "a whole number from 0 to 4294967295",
    u64: "a whole number, not negative, below 2^64",
    i32: "a whole number between -2^31 and 2^31",
    i64: "a whole number between -2^63 and 2^63"
}

/// A number of which only the whole part matters (`accuracy` of §4): floats are rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rounded(pub i64);

impl FromParam for Rounded {
    fn from_param(text: &str) -> Result<Self, MustBe> {
        const MUST: MustBe = "a finite number between -2^53 and 2^53";
        let number = f64::from_param(text).map_err(|_| MUST)?.round();
        if number.abs() > 9_007_199_254_740_992.0 {
            return Err(MUST);
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53, checked above")]
        Ok(Self(number as i64))
    }
}

macro_rules! ids {
    ($($type:ty),*) => {
        $(impl FromParam for $type {
            fn from_param(text: &str) -> Result<Self, MustBe> {
                text.parse().map_err(|dface_domain::ids::InvalidId(what)| what)
            }
        })*
    };
}

ids!(
    CampaignId, CheckinId, FileId, GroupId, Imei, MessageId, ObjectId, ObjectKey, PhotoId, RecordId, ShopId, Subject,
    Scope, TokenName, UserId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_finite() {
        assert_eq!(f64::from_param("30.28"), Ok(30.28));
        for bad in ["", "NaN", "inf", "-inf", "1e309", "1e99999", "a", "0x10", " 1", &"9".repeat(1_000_000)] {
            assert!(f64::from_param(bad).is_err(), "{}", bad.len());
        }
        assert_eq!(f64::from_param("1e308"), Ok(1e308));
    }

    #[test]
    fn integers_take_whole_floats() {
        assert_eq!(u32::from_param("100"), Ok(100));
        assert_eq!(u32::from_param("100.0"), Ok(100));
        assert_eq!(i64::from_param("-5.00"), Ok(-5));
        for bad in ["", "100.5", "-1", "4294967296", ".", ".0", "1e3", &"1".repeat(1_000_000)] {
            assert!(u32::from_param(bad).is_err(), "{}", bad.len());
        }
        assert_eq!(u64::from_param("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn rounding_is_bounded() {
        assert_eq!(Rounded::from_param("65.4"), Ok(Rounded(65)));
        assert_eq!(Rounded::from_param("65"), Ok(Rounded(65)));
        assert!(Rounded::from_param("1e300").is_err());
        assert!(Rounded::from_param("NaN").is_err());
    }

    #[test]
    fn booleans_are_nought_and_one() {
        assert_eq!(bool::from_param("1"), Ok(true));
        assert_eq!(bool::from_param("0"), Ok(false));
        assert!(bool::from_param("yes").is_err());
    }

    #[test]
    fn ids_say_what_they_must_be() {
        assert_eq!(ShopId::from_param("7"), Ok(ShopId(7)));
        assert!(ShopId::from_param("7.5").is_err_and(|must| must.contains("shop")));
    }
}
