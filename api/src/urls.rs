//! Stable URLs that stand in pushes and answers: absolute, of this API, and checked when they are fetched.

use dface_domain::ids::{FileId, Imei, PhotoId};

/// A picture of an album, `size` as in §11: 0 is in full.
#[must_use]
pub fn portrait(base: &str, photo: PhotoId, size: u8) -> String {
    format!("{base}/user_logos/show?id={photo}&size={size}")
}

/// A voice or picture of a circle.
#[must_use]
pub fn circle_file(base: &str, file: FileId) -> String {
    format!("{base}/talks/file?id={file}")
}

/// A watch's picture.
#[must_use]
pub fn watch_picture(base: &str, imei: Imei) -> String {
    format!("{base}/watches/image?imei={imei}")
}
