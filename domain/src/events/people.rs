//! Accounts (seed §2).

use serde::{Deserialize, Serialize};

use super::macros::event;
use crate::{ids::UserId, sealed::Sealed, time::Timestamp};

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

/// Who does not see the person (seed §16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum Invisible {
    /// 不隐身: nobody is kept out.
    #[default]
    No,
    /// 对陌生人隐身: only those whom the person follows see where.
    ToStrangers,
    /// 全部隐身: nobody sees where.
    ToAll,
}

impl From<Invisible> for u8 {
    fn from(invisible: Invisible) -> Self {
        invisible as Self
    }
}

impl TryFrom<u8> for Invisible {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            0 => Ok(Self::No),
            1 => Ok(Self::ToStrangers),
            2 => Ok(Self::ToAll),
            _ => Err("invisible is 0 (no), 1 (to strangers) or 2 (to all)"),
        }
    }
}

/// What a person says of themselves (seed §16).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name shown.
    pub name: Option<String>,
    /// `2012-06-01`.
    pub birthday: Option<String>,
    /// 签名档.
    pub signature: Option<String>,
    /// 职业.
    pub job: Option<String>,
    /// 职业类别.
    pub jobtype: Option<i64>,
    /// 爱好.
    pub hobby: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
}

/// An account at Sina Weibo, as signing in there told it (seed §2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeiboAccount {
    /// The uid there.
    pub uid: u64,
    /// The access token.
    pub token: String,
    /// When the token ends.
    pub expires_at: Timestamp,
}

event! {
    /// A person changed what they say of themselves; the whole of it as it is now.
    ProfileChanged, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// Name, birthday, signature, job, hobby, phone.
        profile: Sealed<Profile> => Personal,
        /// 0 unset, 1 male, 2 female.
        gender: Gender => Public,
    }
}

event! {
    /// A person became visible or invisible.
    VisibilityChanged, schema 1 {
        /// Who.
        user: UserId => Person,
        /// 0 visible, 1 not to strangers, 2 to nobody.
        invisible: Invisible => Public,
    }
}

event! {
    /// A person signed in at Weibo; the token there is this one from now on.
    WeiboLinked, schema 1 {
        /// Whose account here.
        user: UserId => Person,
        /// The account there.
        account: Sealed<WeiboAccount> => Personal,
    }
}

event! {
    /// A post at Weibo is to be made in a person's name (seed §3).
    WeiboPostRequested, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// The version of the app that asked.
        ver: String => Public,
        /// What is to be posted.
        text: Sealed<String> => Personal,
    }
}

event! {
    /// An operator suspended an account.
    UserSuspended, schema 1 {
        /// Whose.
        user: UserId => Person,
    }
}

event! {
    /// An operator let an account in again.
    UserResumed, schema 1 {
        /// Whose.
        user: UserId => Person,
    }
}

event! {
    /// A person left for good: their key is destroyed, and what it sealed reads as null.
    PersonErased, schema 1 {
        /// Who.
        user: UserId => Person,
    }
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
