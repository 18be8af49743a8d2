//! The objects that the log needs, told by its events alone: for a look through all objects, also where no read model is at hand.

use std::collections::HashMap;

use dface_domain::{
    events::{Event, PhotoFiles},
    ids::{CampaignId, FileId, Imei, PhotoId, UserId},
    objects::ObjectKey,
    ports::Keys,
    reports::Actor,
    sealed::Sealed,
    watches::WatchDetails,
};

/// What is needed after the events so far.
#[derive(Debug, Default)]
pub struct Needed {
    photos: HashMap<PhotoId, Photo>,
    drawings: HashMap<CampaignId, [ObjectKey; 2]>,
    /// Pictures of watches in circles; none where they cannot be told.
    watches: HashMap<Imei, Option<Vec<ObjectKey>>>,
    /// Files of circles; none where they cannot be told.
    files: HashMap<FileId, (Actor, Option<ObjectKey>)>,
}

#[derive(Debug)]
struct Photo {
    user: UserId,
    /// None where they cannot be told: the keys are not here.
    objects: Option<Vec<ObjectKey>>,
}

impl Needed {
    /// Takes an event up.
    pub fn apply(&mut self, event: &Event, keys: &dyn Keys) {
        match event {
            Event::PhotoUploaded(event) => {
                let objects = keys.open(&event.upload).map(|upload| vec![upload]);
                self.photos.insert(event.photo, Photo { user: event.user, objects });
            }
            Event::PhotoProcessed(event) => self.change(event.photo, || opened(&event.files, keys)),
            Event::PhotoFailed(event) => self.change(event.photo, || Some(Vec::new())),
            Event::PhotoDeleted(event) => {
                self.photos.remove(&event.photo);
            }
            Event::PersonErased(event) => {
                self.photos.retain(|_, photo| photo.user != event.user);
                self.files.retain(|_, (from, _)| *from != Actor::User(event.user));
            }
            Event::CircleFileStored(event) => {
                self.files.insert(event.file, (event.from, keys.open(&event.object)));
            }
            Event::CampaignDrawn(event) => {
                self.drawings.insert(event.campaign, [event.full, event.small]);
            }
            Event::WatchBound(event) => {
                self.watches.insert(event.imei, image(&event.details, keys));
            }
            Event::WatchChanged(event) => {
                self.watches.insert(event.imei, image(&event.details, keys));
            }
            Event::WatchUnbound(event) => {
                self.watches.remove(&event.imei);
                self.files.retain(|_, (from, _)| *from != Actor::Watch(event.imei));
            }
            _ => {}
        }
    }

    fn change(&mut self, photo: PhotoId, objects: impl FnOnce() -> Option<Vec<ObjectKey>>) {
        if let Some(photo) = self.photos.get_mut(&photo) {
            photo.objects = objects();
        }
    }

    /// How many pictures cannot be opened with the keys that are here.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        let photos = self.photos.values().filter(|photo| photo.objects.is_none()).count();
        let files = self.files.values().filter(|(_, object)| object.is_none()).count();
        (photos + files + self.watches.values().filter(|image| image.is_none()).count()) as u64
    }

    /// The objects.
    pub fn objects(&self) -> impl Iterator<Item = ObjectKey> {
        let photos = self.photos.values().filter_map(|photo| photo.objects.as_ref()).flatten();
        let watches = self.watches.values().flatten().flatten();
        let files = self.files.values().filter_map(|(_, object)| object.as_ref());
        photos.chain(self.drawings.values().flatten()).chain(watches).chain(files).copied()
    }
}

fn image(details: &Sealed<WatchDetails>, keys: &dyn Keys) -> Option<Vec<ObjectKey>> {
    Some(keys.open(details)?.image.into_iter().collect())
}

fn opened(files: &Sealed<PhotoFiles>, keys: &dyn Keys) -> Option<Vec<ObjectKey>> {
    let files = keys.open(files)?;
    Some([Some(files.picture), files.small, Some(files.medium)].into_iter().flatten().collect())
}
