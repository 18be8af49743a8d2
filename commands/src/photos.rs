//! Pictures: coming in, coming out of their jobs, their order, and their end (seed §17 to §20, §29, §30).

use dface_domain::{
    envelope::LogPosition,
    events::{
        AlbumOrdered, PhotoDeleted, PhotoFailed, PhotoFiles, PhotoPlace, PhotoProcessed, PhotoUploaded, WeiboPostEnded,
    },
    ids::{PhotoId, ShopId, UserId},
    jobs::MadeFile,
    objects::ObjectKey,
    photos::{Album, Photo, PhotoCommand, stream_of},
    rejection::Rejection,
    relations::Relation,
    sealed::Subject,
    shops::Shop,
    stream::StreamId,
    time::Timestamp,
};

use crate::{CommandError, Commands, Context, Guess};

/// Where a picture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The owner's album; with how many it may hold.
    Album(usize),
    /// The room of a shop.
    Room(ShopId),
    /// One other person.
    Person(UserId),
}

impl Destination {
    /// What the picture is for.
    #[must_use]
    pub const fn place(self) -> PhotoPlace {
        match self {
            Self::Album(_) => PhotoPlace::Album,
            Self::Room(_) => PhotoPlace::Room,
            Self::Person(_) => PhotoPlace::Direct,
        }
    }
}

/// A picture that is stored as it came.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Whose.
    pub user: UserId,
    /// Where it goes.
    pub destination: Destination,
    /// Where its bytes are, sealed.
    pub object: ObjectKey,
    /// Bytes that came.
    pub bytes: u64,
    /// What the owner wrote to it.
    pub desc: Option<String>,
    /// To be posted at Weibo too.
    pub weibo: bool,
}

/// Which picture a job was about.
#[derive(Debug, Clone, Copy)]
pub struct PhotoRef {
    /// The picture.
    pub photo: PhotoId,
    /// Whose.
    pub user: UserId,
    /// What it is for.
    pub place: PhotoPlace,
}

/// What came of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    /// Its id: the same for the same person, place, bytes and minute.
    pub photo: PhotoId,
    /// What was written; none where it was there already.
    pub position: Option<LogPosition>,
}

impl Commands {
    /// Whether a picture may go there, to be asked before its bytes are stored.
    ///
    /// # Errors
    /// There is no such shop or person, or one of the two blocks the other.
    pub async fn may_upload(&self, user: UserId, destination: Destination) -> Result<(), CommandError> {
        match destination {
            Destination::Album(_) => Ok(()),
            Destination::Room(shop) => {
                let known = self.executor.load::<Shop>(&StreamId::shop(shop)).await?;
                known.details().map(|_| ()).ok_or_else(|| Rejection::ShopUnknown(shop).into())
            }
            Destination::Person(other) => {
                if other == user || !self.user_exists(other).await? {
                    return Err(Rejection::ReceiverUnknown(other).into());
                }
                let relation = self.executor.load::<Relation>(&StreamId::relation(user, other)).await?;
                let blocked = relation.block_of(user).or(relation.block_of(other)).is_some();
                if blocked { Err(Rejection::ReceiverBlocked.into()) } else { Ok(()) }
            }
        }
    }

    /// Records a picture whose bytes are stored. The same again in the same minute is the same picture.
    ///
    /// # Errors
    /// As [`Commands::may_upload`]; the album is full; or the machinery failed.
    pub async fn upload_photo(&self, upload: Upload, context: &Context) -> Result<Uploaded, CommandError> {
        let Upload { user, destination, object, bytes, desc, weibo } = upload;
        self.may_upload(user, destination).await?;
        let about = Subject::User(user);
        let at = context.occurred_at.unwrap_or_else(|| self.clock().now());
        let photo = self.photo_id(user, destination, object, at);
        let (room, to, limit) = match destination {
            Destination::Album(limit) => (None, None, limit),
            Destination::Room(shop) => (Some(shop), None, 0),
            Destination::Person(other) => (None, Some(other), 0),
        };
        let (place, upload) = (destination.place(), self.keys.seal(about, &object)?);
        let desc = desc.filter(|text| !text.is_empty()).map(|text| self.keys.seal(about, &text)).transpose()?;
        let event = PhotoUploaded { photo, user, place, room, to, bytes, upload, desc, weibo };
        let (command, context) = (PhotoCommand::Upload(event, limit), context.at(at));
        let guess = if place == PhotoPlace::Album { Guess::Known } else { Guess::New };
        let position = self.change_photo(PhotoRef { photo, user, place }, &command, &context, guess).await?;
        Ok(Uploaded { photo, position })
    }

    /// Records the files that a job made. Only the first end of a picture's job counts.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn photo_processed(
        &self,
        of: PhotoRef,
        shown: MadeFile,
        files: &PhotoFiles,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let PhotoRef { photo, user, .. } = of;
        let files = self.keys.seal(Subject::User(user), files)?;
        let MadeFile { width, height, bytes, .. } = shown;
        let command = PhotoCommand::Process(PhotoProcessed { photo, user, width, height, bytes, files });
        self.change_photo(of, &command, context, Guess::Known).await
    }

    /// Records that a picture cannot be decoded.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn photo_failed(
        &self,
        of: PhotoRef,
        reason: String,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = PhotoCommand::Fail(PhotoFailed { photo: of.photo, user: of.user, reason });
        self.change_photo(of, &command, context, Guess::Known).await
    }

    /// Takes a picture away; twice is as once.
    ///
    /// # Errors
    /// There is none, it is somebody else's, or the machinery failed.
    pub async fn delete_photo(
        &self,
        of: PhotoRef,
        moderated: bool,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = PhotoCommand::Delete(PhotoDeleted { photo: of.photo, user: of.user, moderated });
        self.change_photo(of, &command, context, Guess::Known).await
    }

    /// Puts somebody's album in another order.
    ///
    /// # Errors
    /// These are not its pictures, each once; or the machinery failed.
    pub async fn order_album(
        &self,
        user: UserId,
        photos: Vec<PhotoId>,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let command = PhotoCommand::Order(AlbumOrdered { user, photos });
        let stream = StreamId::album(user);
        Ok(self.executor.execute::<Album>(&stream, &command, context, Guess::Known).await?.position)
    }

    /// Records what came of a picture's post at Weibo.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn photo_post_ended(
        &self,
        of: PhotoRef,
        reason: Option<String>,
        context: &Context,
    ) -> Result<Option<LogPosition>, CommandError> {
        let (photo, posted) = (Some(of.photo), reason.is_none());
        let command = PhotoCommand::EndPost(WeiboPostEnded { user: of.user, photo, posted, reason });
        self.change_photo(of, &command, context, Guess::Known).await
    }

    async fn change_photo(
        &self,
        of: PhotoRef,
        command: &PhotoCommand,
        context: &Context,
        guess: Guess,
    ) -> Result<Option<LogPosition>, CommandError> {
        let stream = stream_of(of.place, of.photo, of.user);
        Ok(match of.place {
            PhotoPlace::Album => self.executor.execute::<Album>(&stream, command, context, guess).await?.position,
            _ => self.executor.execute::<Photo>(&stream, command, context, guess).await?.position,
        })
    }

    fn photo_id(&self, user: UserId, destination: Destination, object: ObjectKey, at: Timestamp) -> PhotoId {
        let minute = Timestamp::from_seconds(dface_domain::checkins::minute_of(at));
        let (user, to) = (user.to_string(), format!("{destination:?}"));
        let parts: [&[u8]; 4] = [user.as_bytes(), to.as_bytes(), &object.hash, &minute.0.to_be_bytes()];
        PhotoId(self.object_id("photo-id", &parts, minute))
    }
}
