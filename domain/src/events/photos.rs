//! Pictures of albums, rooms and talks between two (seed §12, §17 to §20, §29, §30), and posts at Weibo that came of requests.

use serde::{Deserialize, Serialize};

use super::macros::event;
use crate::{
    ids::{PhotoId, ShopId, UserId},
    objects::ObjectKey,
    sealed::Sealed,
};

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PhotoPlace {
    /// The owner's album (§17).
    Album,
    /// A shop's room (§29).
    Room,
    /// One other person (§30).
    Direct,
}

/// Where the files of a processed picture are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoFiles {
    /// Upright, without metadata, within 960x960.
    pub picture: ObjectKey,
    /// 100x100; albums have it alone.
    pub small: Option<ObjectKey>,
    /// 200x200.
    pub medium: ObjectKey,
}

event! {
    /// A picture came in and is stored as it came; what is shown of it is made by a job.
    PhotoUploaded, schema 1 {
        /// The picture.
        photo: PhotoId => Public,
        /// Whose.
        user: UserId => Person,
        /// What it is for.
        place: PhotoPlace => Public,
        /// The shop whose room it is for.
        room: Option<ShopId> => Public,
        /// The other person that it is for.
        to: Option<UserId> => Person,
        /// Bytes that came.
        bytes: u64 => Public,
        /// The object as it came.
        upload: Sealed<ObjectKey> => Personal,
        /// What the owner wrote to it.
        desc: Option<Sealed<String>> => Personal,
        /// Whether it is to be posted at Weibo too.
        weibo: bool => Public,
    }
}

event! {
    /// What is shown of a picture was made, and what came is gone.
    PhotoProcessed, schema 1 {
        /// The picture.
        photo: PhotoId => Public,
        /// Whose.
        user: UserId => Person,
        /// Width in pixels of what is shown.
        width: u32 => Public,
        /// Height in pixels of what is shown.
        height: u32 => Public,
        /// Bytes of what is shown.
        bytes: u64 => Public,
        /// The objects.
        files: Sealed<PhotoFiles> => Personal,
    }
}

event! {
    /// What came cannot be decoded; it is not tried again.
    PhotoFailed, schema 1 {
        /// The picture.
        photo: PhotoId => Public,
        /// Whose.
        user: UserId => Person,
        /// What is wrong with it; nothing of it.
        reason: String => Public,
    }
}

event! {
    /// A picture was taken away.
    PhotoDeleted, schema 1 {
        /// The picture.
        photo: PhotoId => Public,
        /// Whose.
        user: UserId => Person,
        /// By an operator, not its owner.
        moderated: bool => Public,
    }
}

event! {
    /// A person put the own album in another order (seed §19).
    AlbumOrdered, schema 1 {
        /// Whose.
        user: UserId => Person,
        /// All its pictures, the head portrait first.
        photos: Vec<PhotoId> => Public,
    }
}

event! {
    /// A post at Weibo that was asked for came to an end.
    WeiboPostEnded, schema 1 {
        /// In whose name.
        user: UserId => Person,
        /// The picture posted with it.
        photo: Option<PhotoId> => Public,
        /// Whether it stands there now.
        posted: bool => Public,
        /// Why it does not; nothing personal.
        reason: Option<String> => Public,
    }
}
