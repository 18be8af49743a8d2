//! What an event asks for.

use dface_domain::{
    events::PhotoPlace,
    ids::{MessageId, PhotoId, UserId},
    jobs::{CouponTask, JobKind},
    objects::ObjectKey,
    pushes::PushKind,
    sealed::Sealed,
};
use serde::{Deserialize, Serialize};

use super::{campaign_key, message_key};
use crate::keys::KeyBuf;

/// What an event asked for; with it and the other read models the job's message is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// A picture is to be made fit for showing.
    Picture {
        /// The picture.
        photo: PhotoId,
        /// Whose.
        user: UserId,
        /// What it is for.
        place: PhotoPlace,
        /// What came.
        upload: Sealed<ObjectKey>,
        /// Whether a post at Weibo follows.
        weibo: bool,
    },
    /// A picture of a room is to be posted at Weibo.
    PhotoPost {
        /// The picture.
        photo: PhotoId,
        /// Whose.
        user: UserId,
        /// What it is for.
        place: PhotoPlace,
    },
    /// A post at Weibo about the app (§3).
    Share {
        /// In whose name.
        user: UserId,
        /// For which version of the app.
        ver: String,
        /// The text.
        text: Sealed<String>,
    },
    /// A coupon is to be drawn: the job's own task.
    Coupon(CouponTask),
    /// A person's device is to be told of a message.
    Push {
        /// The message.
        message: MessageId,
        /// Whose device.
        user: UserId,
        /// What sort of push.
        kind: PushKind,
        /// Shown at once, or silent.
        alert: bool,
    },
}

impl Ask {
    pub(super) const fn kind(&self) -> JobKind {
        match self {
            Self::Picture { .. } => JobKind::Picture,
            Self::PhotoPost { .. } | Self::Share { .. } => JobKind::Weibo,
            Self::Coupon(_) => JobKind::Coupon,
            Self::Push { .. } => JobKind::Push,
        }
    }

    pub(super) const fn user(&self) -> Option<UserId> {
        match self {
            Self::Picture { user, .. }
            | Self::PhotoPost { user, .. }
            | Self::Share { user, .. }
            | Self::Push { user, .. } => Some(*user),
            Self::Coupon(_) => None,
        }
    }

    pub(super) const fn photo(&self) -> Option<PhotoId> {
        match self {
            Self::Picture { photo, .. } | Self::PhotoPost { photo, .. } => Some(*photo),
            Self::Share { .. } | Self::Coupon(_) | Self::Push { .. } => None,
        }
    }

    /// The other key that its position is found by, where it has one.
    pub(super) fn other_key(&self) -> Option<KeyBuf> {
        match self {
            Self::Coupon(task) => Some(campaign_key(task.campaign)),
            Self::Push { message, user, .. } => Some(message_key(*message, *user)),
            Self::Picture { .. } | Self::PhotoPost { .. } | Self::Share { .. } => None,
        }
    }
}
