//! From a picture to the URL of one of its files.

use dface_domain::{
    events::PhotoPlace,
    ids::{PhotoId, UserId},
    privacy::{self, Sight},
    sealed::Subject,
};
use dface_projections::photos::{PhotoEntry, Standing};

use super::{super::objects, Size};
use crate::{
    app::App,
    http::{ApiError, Params, Reply},
};

pub(super) fn unknown(photo: PhotoId) -> ApiError {
    ApiError::not_found("photo_unknown", format!("id: there is no picture {photo}"))
}

/// A picture of that place, where there is one.
pub(super) fn find(app: &App, photo: PhotoId, place: PhotoPlace) -> Result<PhotoEntry, ApiError> {
    let found = app.views().photos.view().get(photo)?.filter(|entry| entry.place == place);
    found.ok_or_else(|| unknown(photo))
}

/// The same, where `viewer` may see it.
pub(super) fn seen(app: &App, viewer: UserId, photo: PhotoId, place: PhotoPlace) -> Result<PhotoEntry, ApiError> {
    let entry = find(app, photo, place)?;
    let sight = match (place, entry.to) {
        (PhotoPlace::Album, _) => Sight::Profile,
        (PhotoPlace::Room, _) => Sight::RoomPicture,
        (PhotoPlace::Direct, Some(to)) => Sight::PictureFor(to),
        (PhotoPlace::Direct, None) => Sight::Own,
    };
    if privacy::may_see(&app.ties(viewer, entry.user)?, sight) { Ok(entry) } else { Err(unknown(photo)) }
}

/// `size`, of those that a section lists.
pub(super) fn size(params: &Params, known: &[Size], usual: Size) -> Result<Size, ApiError> {
    let asked: u8 = params.or("size", usual as u8)?;
    known.iter().copied().find(|size| *size as u8 == asked).ok_or_else(|| {
        let listed: Vec<String> = known.iter().map(|size| (*size as u8).to_string()).collect();
        ApiError::parameter("size", format_args!("must be one of {}", listed.join(", ")))
    })
}

/// 302 to a file of a picture that `viewer` may see; what is not ready is told.
pub(super) fn redirect(app: &App, viewer: UserId, entry: &PhotoEntry, size: Size) -> Reply {
    match &entry.standing {
        Standing::Waiting(_) => Err(processing()),
        Standing::Failed(reason) if entry.user == viewer => {
            Err(ApiError::unprocessable("undecodable", format!("id: this picture cannot be decoded: {reason}")))
        }
        Standing::Failed(_) => Err(unknown(entry.photo)),
        Standing::Ready(files) => {
            let object = match size {
                Size::Original => Some(files.picture),
                Size::Small => files.small,
                Size::Medium => Some(files.medium),
            };
            let object = object.ok_or_else(|| unknown(entry.photo))?;
            objects::redirect(app, object, Some(Subject::User(entry.user)))
        }
    }
}

/// 404: not ready yet.
pub(in super::super) fn processing() -> ApiError {
    ApiError::not_found("processing", "id: this picture is being made; ask again").retry_after(1)
}
