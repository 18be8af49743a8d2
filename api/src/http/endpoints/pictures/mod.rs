//! Pictures: what albums, rooms and talks between two share (seed §11, §12, §17 to §20, §29, §30).

pub(super) mod album;
pub(super) mod direct;
pub(super) mod portrait;
mod receive;
pub(super) mod room;
mod show;
pub(super) mod tmp;

pub(super) use self::receive::refused;
use dface_domain::ids::{PhotoId, UserId};

use crate::{
    app::App,
    http::{ApiError, Route},
    urls,
};

pub(super) fn routes() -> Vec<Route<App>> {
    [album::routes(), direct::routes(), portrait::routes(), room::routes(), tmp::routes()]
        .into_iter()
        .flatten()
        .collect()
}

/// Which of a picture's files (§18, §29.3, §30.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    /// Within 960x960.
    Original = 0,
    /// 100x100; albums alone.
    Small = 1,
    /// 200x200.
    Medium = 2,
}

/// The stable URL of an album's picture.
pub(super) fn album_url(app: &App, photo: PhotoId, size: Size) -> String {
    urls::portrait(&app.node.settings.public_url, photo, size as u8)
}

/// The stable URL of a picture of a room.
pub(super) fn room_url(app: &App, photo: PhotoId, size: Size) -> String {
    format!("{}/photos/show?id={photo}&size={}", app.node.settings.public_url, size as u8)
}

/// Somebody's head portrait in two sizes: in full and 100x100; empty where there is none.
pub(super) fn head_urls(app: &App, user: UserId) -> Result<[String; 2], ApiError> {
    let head = app.views().photos.view().head(user)?;
    Ok([Size::Original, Size::Small].map(|size| head.map_or_else(String::new, |photo| album_url(app, photo, size))))
}
