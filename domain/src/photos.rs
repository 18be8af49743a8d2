//! Pictures: one of a room or between two is a stream of its own; those of an album are one stream, since they have an order.

use serde::{Deserialize, Serialize};

use crate::{
    aggregate::Aggregate,
    events::{
        AlbumOrdered, Event, PhotoDeleted, PhotoFailed, PhotoPlace, PhotoProcessed, PhotoUploaded, WeiboPostEnded,
    },
    ids::{PhotoId, UserId},
    rejection::Rejection,
    stream::StreamId,
};

/// Where the events of a picture stand.
#[must_use]
pub fn stream_of(place: PhotoPlace, photo: PhotoId, owner: UserId) -> StreamId {
    match place {
        PhotoPlace::Album => StreamId::album(owner),
        PhotoPlace::Room | PhotoPlace::Direct => StreamId::photo(photo),
    }
}

/// How far a picture has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Waiting,
    Processed,
    Failed,
    Deleted,
}

impl Stage {
    /// What an event makes of it. The first end of its processing counts, and nothing brings a deleted one back.
    fn after(self, event: &Event) -> Self {
        match (event, self) {
            (Event::PhotoDeleted(_), _) => Self::Deleted,
            (Event::PhotoProcessed(_), Self::Waiting) => Self::Processed,
            (Event::PhotoFailed(_), Self::Waiting) => Self::Failed,
            _ => self,
        }
    }
}

/// What can be asked of a picture.
#[derive(Debug, Clone)]
pub enum PhotoCommand {
    /// It came in. With it, how many an album may hold.
    Upload(PhotoUploaded, usize),
    /// Its files were made.
    Process(PhotoProcessed),
    /// It cannot be decoded.
    Fail(PhotoFailed),
    /// Its owner or an operator takes it away.
    Delete(PhotoDeleted),
    /// The album's order changes.
    Order(AlbumOrdered),
    /// Its post at Weibo came to an end.
    EndPost(WeiboPostEnded),
}

/// A picture of a room or between two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Photo {
    stage: Option<Stage>,
    owner: Option<UserId>,
    posted: bool,
}

impl Aggregate for Photo {
    type Command = PhotoCommand;

    fn decide(&self, command: &PhotoCommand) -> Result<Vec<Event>, Rejection> {
        let waiting = self.stage == Some(Stage::Waiting);
        Ok(match command {
            PhotoCommand::Upload(event, _) if self.stage.is_none() => vec![event.clone().into()],
            PhotoCommand::Process(event) if waiting => vec![event.clone().into()],
            PhotoCommand::Fail(event) if waiting => vec![event.clone().into()],
            PhotoCommand::Delete(event) => match self.stage {
                None => return Err(Rejection::PhotoUnknown(event.photo)),
                Some(Stage::Deleted) => vec![],
                Some(_) if self.owner != Some(event.user) => return Err(Rejection::PhotoNotYours(event.photo)),
                Some(_) => vec![event.clone().into()],
            },
            PhotoCommand::EndPost(event) if self.stage.is_some() && !self.posted => vec![event.clone().into()],
            _ => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::PhotoUploaded(event) => {
                (self.stage, self.owner) = (Some(Stage::Waiting), Some(event.user));
            }
            Event::WeiboPostEnded(_) => self.posted = true,
            event => self.stage = self.stage.map(|stage| stage.after(event)),
        }
    }
}

/// A person's album: its pictures in their order; the first one is the head portrait (§12).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Album {
    photos: Vec<(PhotoId, Stage)>,
    deleted: Vec<PhotoId>,
}

/// Ids of deleted pictures that an album remembers, so that a late repeat of an upload does not bring one back.
const REMEMBERED: usize = 100;

impl Album {
    /// Its pictures in their order.
    pub fn photos(&self) -> impl Iterator<Item = PhotoId> {
        self.photos.iter().map(|(photo, _)| *photo)
    }

    fn stage(&self, photo: PhotoId) -> Option<Stage> {
        self.photos.iter().find_map(|(known, stage)| (*known == photo).then_some(*stage))
    }

    fn order(&self, event: &AlbumOrdered) -> Result<Vec<Event>, Rejection> {
        let (mut asked, mut known): (Vec<_>, Vec<_>) = (event.photos.clone(), self.photos().collect());
        if asked == known {
            return Ok(vec![]);
        }
        asked.sort_unstable();
        known.sort_unstable();
        if asked != known {
            return Err(Rejection::NotTheAlbum);
        }
        Ok(vec![event.clone().into()])
    }
}

impl Aggregate for Album {
    type Command = PhotoCommand;

    fn decide(&self, command: &PhotoCommand) -> Result<Vec<Event>, Rejection> {
        let waiting = |photo| self.stage(photo) == Some(Stage::Waiting);
        Ok(match command {
            PhotoCommand::Upload(event, limit) => {
                if self.stage(event.photo).is_some() || self.deleted.contains(&event.photo) {
                    vec![]
                } else if self.photos.len() >= *limit {
                    return Err(Rejection::AlbumFull(*limit));
                } else {
                    vec![event.clone().into()]
                }
            }
            PhotoCommand::Process(event) if waiting(event.photo) => vec![event.clone().into()],
            PhotoCommand::Fail(event) if waiting(event.photo) => vec![event.clone().into()],
            PhotoCommand::Delete(event) if self.stage(event.photo).is_some() => vec![event.clone().into()],
            PhotoCommand::Delete(event) if self.deleted.contains(&event.photo) => vec![],
            PhotoCommand::Delete(event) => return Err(Rejection::PhotoUnknown(event.photo)),
            PhotoCommand::Order(event) => self.order(event)?,
            _ => vec![],
        })
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::PhotoUploaded(event) => self.photos.push((event.photo, Stage::Waiting)),
            Event::PhotoDeleted(event) => {
                self.photos.retain(|(photo, _)| *photo != event.photo);
                if self.deleted.len() == REMEMBERED {
                    self.deleted.remove(0);
                }
                self.deleted.push(event.photo);
            }
            Event::PhotoProcessed(PhotoProcessed { photo, .. }) | Event::PhotoFailed(PhotoFailed { photo, .. }) => {
                for (_, stage) in self.photos.iter_mut().filter(|(known, _)| known == photo) {
                    *stage = stage.after(event);
                }
            }
            Event::AlbumOrdered(event) => {
                let place = |photo: PhotoId| event.photos.iter().position(|known| *known == photo);
                self.photos.sort_by_key(|(photo, _)| place(*photo));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
