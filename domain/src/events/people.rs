//! Accounts (seed §2).

use serde::{Deserialize, Serialize};

use super::macros::event;
use crate::{ids::UserId, sealed::Sealed};

/// 未设置0男1女2 (seed §6, §16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Gender {
    /// Not set.
    #[default]
    Unset,
    /// 男.
    Male,
    /// 女.
    Female,
}

impl From<Gender> for u8 {
    fn from(gender: Gender) -> Self {
        gender as Self
    }
}

impl TryFrom<u8> for Gender {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Self::Unset),
            1 => Ok(Self::Male),
            2 => Ok(Self::Female),
            _ => Err("gender is 0 (unset), 1 (male) or 2 (female)"),
        }
    }
}

/// Who vouches for an account's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A name and password kept here.
    Local,
    /// Sina Weibo.
    Weibo,
}

event! {
    /// An account was made.
    UserRegistered, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// Who vouches for it.
        provider: Provider => Public,
        /// The name shown.
        name: Sealed<String> => Personal,
        /// 0 unset, 1 male, 2 female.
        gender: Gender => Public,
        /// The import that made it, or null.
        source: Option<String> => Public,
    }
}

event! {
    /// A local account got a sign-in password.
    PasswordSet, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// Its argon2id hash in PHC form.
        hash: Sealed<String> => Secret,
    }
}

event! {
    /// The derived chat password changed, because the old one leaked.
    ChatPasswordReset, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// The generation that counts from now on, from 1.
        generation: u32 => Public,
    }
}

event! {
    /// A sign-in name belongs to an account from now on. The stream is named by the name's keyed hash.
    SignInNameClaimed, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// The name itself.
        name: Sealed<String> => Personal,
    }
}
