//! Samples of pictures.

use super::{ANNA, SHOP, Seal, sealed};
use crate::{
    events::{
        AlbumOrdered, Event, PhotoDeleted, PhotoFailed, PhotoFiles, PhotoPlace, PhotoProcessed, PhotoUploaded,
        WeiboPostEnded,
    },
    ids::{ObjectId, PhotoId},
    objects::{Format, ObjectKey},
};

/// The picture of the document's example (§29.1).
pub(super) fn photo() -> PhotoId {
    PhotoId(ObjectId([0x50, 0x9a, 0x1f, 0xfc, 0xbe, 0x4b, 0x19, 0x82, 0xa4, 0, 0, 2]))
}

fn object(n: u8) -> ObjectKey {
    ObjectKey { hash: [n; 32], format: Format::Jpeg }
}

/// One event of every type of this feature.
pub(super) fn of_pictures(seal: &mut dyn Seal) -> Vec<Event> {
    let (photo, user) = (photo(), ANNA);
    let files = PhotoFiles { picture: object(2), small: None, medium: object(3) };
    let uploaded = PhotoUploaded {
        photo,
        user,
        place: PhotoPlace::Room,
        room: Some(SHOP),
        to: None,
        bytes: 2_483_112,
        upload: sealed(seal, &object(1)),
        desc: Some(sealed(seal, &"窗边的座位".to_owned())),
        weibo: true,
    };
    vec![
        uploaded.into(),
        PhotoProcessed { photo, user, width: 960, height: 720, bytes: 148_220, files: sealed(seal, &files) }.into(),
        PhotoFailed { photo, user, reason: "the JPEG ends in the middle".to_owned() }.into(),
        PhotoDeleted { photo, user, moderated: false }.into(),
        AlbumOrdered { user, photos: vec![photo] }.into(),
        WeiboPostEnded { user, photo: Some(photo), posted: true, reason: None }.into(),
    ]
}
