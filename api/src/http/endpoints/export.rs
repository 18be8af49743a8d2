//! All that is kept of the caller, as one JSON file (spec http.md, "Beyond the document").

use std::{io, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{CodecError, Encoding, Event, PhotoPlace},
    ids::{FileId, GroupId, PhotoId, UserId},
    messages::Party,
    objects::{ObjectError, ObjectKey},
    ports::EventStore as _,
    reports::Actor,
    sealed::Subject,
};
use dface_projections::{families::FileRow, photos::Standing};
use futures::stream;
use http::{HeaderValue, header::CONTENT_DISPOSITION};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{circles::show::circles_of, profiles::myself};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
    replay::{Profile, Shaper, Shown, Text},
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::post("/user_info/export", Access::Session, export)]
}

/// Events read at once.
const BATCH: usize = 4_096;

/// Each reads the whole log, so only so many do at once.
static UNDER_WAY: Semaphore = Semaphore::const_new(2);

/// Seconds after which to ask again.
const AGAIN_S: u32 = 30;

/// All that is kept of the caller: the profile, the circles, every event of what they did (also what they said) or what was noted of them, in
/// the form of the event log, with what is sealed opened, and the own pictures: as they are shown, or as they came where they are
/// not processed yet; and the voices and pictures that they sent to circles. What others did (who follows or blocks the caller) is theirs.
#[utoipa::path(
    post, path = "/user_info/export", tag = "account",
    responses((status = 200, body = String, content_type = "application/json"))
)]
pub(super) async fn export(app: Arc<App>, request: Request<Caller>) -> Reply {
    let user = request.caller.user()?;
    let Ok(permit) = UNDER_WAY.try_acquire() else {
        return Err(ApiError::too_many("too_many_requests", "others are exporting; try again later", AGAIN_S));
    };
    let mut profile = serde_json::to_value(myself(&app, user)?).map_err(|e| ApiError::internal(e.to_string()))?;
    if let Some(fields) = profile.as_object_mut() {
        // Derived, not kept; and a file is no place for it.
        fields.remove("password");
    }
    let circles = serde_json::to_value(circles_of(&app, user)).map_err(|e| ApiError::internal(e.to_string()))?;
    let head = format!("{{\"exported\":\"{}\",\"profile\":{profile},\"circles\":{circles},\"events\":[", app.now());
    let (keys, hash) = (Arc::clone(app.node.commands.keys()), app.node.commands.shared_secret());
    let events = Shown::new(false, Shaper::new(Profile::Full, false, keys, hash));
    let until = app.node.store.head();
    let run = Run { app, user, events, at: LogPosition(0), until, first: true, _permit: permit };
    let pieces = stream::try_unfold(State::Head(head, Box::new(run)), State::next);
    let name = HeaderValue::from_static("attachment; filename=\"dface.json\"");
    Ok(Answer::stream(HeaderValue::from_static("application/json"), pieces).header(CONTENT_DISPOSITION, name))
}

struct Run {
    app: Arc<App>,
    user: UserId,
    events: Shown,
    at: LogPosition,
    until: LogPosition,
    first: bool,
    _permit: SemaphorePermit<'static>,
}

enum State {
    Head(String, Box<Run>),
    Events(Box<Run>),
    /// Those that are still to be sent, the next one last.
    Pictures(Box<Run>, Vec<PhotoId>),
    /// Voices and pictures of circles, likewise.
    Files(Box<Run>, Vec<(FileId, FileRow)>),
    Over,
}

/// A voice or picture that the caller sent to a circle, in the file.
#[derive(Serialize)]
struct CircleFile {
    id: FileId,
    group_id: GroupId,
    media_type: &'static str,
    base64: String,
}

/// A picture of the caller's, in the file.
#[derive(Serialize)]
struct Picture {
    id: PhotoId,
    place: PhotoPlace,
    media_type: &'static str,
    base64: String,
}

impl State {
    async fn next(self) -> io::Result<Option<(Bytes, Self)>> {
        match self {
            Self::Head(head, run) => Ok(Some((head.into(), Self::Events(run)))),
            Self::Events(run) => run.next().await.map(Some),
            Self::Pictures(run, left) => run.next_picture(left).await.map(Some),
            Self::Files(run, left) => run.next_file(left).await.map(Some),
            Self::Over => Ok(None),
        }
    }
}

impl Run {
    async fn next(mut self: Box<Self>) -> io::Result<(Bytes, State)> {
        while self.at < self.until {
            let mut events = self.app.node.store.read_all(self.at, BATCH).await.map_err(io::Error::other)?;
            events.retain(|event| event.position <= self.until);
            let Some(last) = events.last() else { break };
            self.at = last.position;
            let shown = tokio::task::spawn_blocking(move || {
                let out = self.shown(&events);
                (out, self)
            });
            let (out, back) = shown.await.map_err(io::Error::other)?;
            self = back;
            let out = out.map_err(io::Error::other)?;
            if !out.is_empty() {
                return Ok((out.into(), State::Events(self)));
            }
        }
        let all = self.app.views().photos.view().all_of(self.user).map_err(io::Error::other)?;
        let pictures: Vec<PhotoId> = all.iter().rev().map(|entry| entry.photo).collect();
        self.first = true;
        Ok((Bytes::from_static(b"],\"pictures\":["), State::Pictures(self, pictures)))
    }

    /// One picture after the other, so that only one is in memory.
    async fn next_picture(mut self: Box<Self>, mut left: Vec<PhotoId>) -> io::Result<(Bytes, State)> {
        while let Some(photo) = left.pop() {
            if let Some(picture) = self.picture(photo).await? {
                return Ok((self.item(&picture)?, State::Pictures(self, left)));
            }
        }
        let view = self.app.views().families.view();
        let mut files = view.files_of(Actor::User(self.user)).map_err(io::Error::other)?;
        files.reverse();
        self.first = true;
        Ok((Bytes::from_static(b"],\"files\":["), State::Files(self, files)))
    }

    async fn next_file(mut self: Box<Self>, mut left: Vec<(FileId, FileRow)>) -> io::Result<(Bytes, State)> {
        while let Some((id, row)) = left.pop() {
            let Some(object) = row.object else { continue };
            if let Some(base64) = self.opened(object).await? {
                let (group_id, media_type) = (row.group, object.format.media_type());
                return Ok((self.item(&CircleFile { id, group_id, media_type, base64 })?, State::Files(self, left)));
            }
        }
        Ok((Bytes::from_static(b"]}\n"), State::Over))
    }

    fn item(&mut self, item: &impl Serialize) -> io::Result<Bytes> {
        let mut out = if self.first { b"\n".to_vec() } else { b",\n".to_vec() };
        self.first = false;
        serde_json::to_writer(&mut out, item)?;
        Ok(out.into())
    }

    /// A picture's file; none where it cannot be decoded, or was taken away meanwhile.
    async fn picture(&self, photo: PhotoId) -> io::Result<Option<Picture>> {
        // It may have been processed since the list was made.
        let Some(entry) = self.app.views().photos.view().get(photo).map_err(io::Error::other)? else { return Ok(None) };
        let object = match entry.standing {
            Standing::Waiting(upload) => upload,
            Standing::Ready(files) => files.picture,
            Standing::Failed(_) => return Ok(None),
        };
        let media_type = object.format.media_type();
        let base64 = self.opened(object).await?;
        Ok(base64.map(|base64| Picture { id: photo, place: entry.place, media_type, base64 }))
    }

    /// An object of the caller's, in base64; none where it was taken away meanwhile.
    async fn opened(&self, object: ObjectKey) -> io::Result<Option<String>> {
        let stored = match self.app.node.objects.get(object).await {
            Ok(stored) => stored,
            Err(ObjectError::Missing(_)) => return Ok(None),
            Err(error) => return Err(io::Error::other(error)),
        };
        let (keys, user) = (Arc::clone(self.app.node.commands.keys()), self.user);
        let opened = tokio::task::spawn_blocking(move || {
            keys.open_bytes(Subject::User(user), &stored).map(|bytes| STANDARD.encode(bytes))
        });
        opened.await.map_err(io::Error::other)
    }

    fn shown(&mut self, events: &[Recorded]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        for event in events {
            if !is_of(event, self.user).map_err(io::Error::other)? {
                continue;
            }
            out.extend_from_slice(if self.first { b"\n" } else { b"," });
            self.first = false;
            self.events.row(event, |row| Text::Ndjson.write(row, &mut out)).map_err(io::Error::other)??;
        }
        Ok(out)
    }
}

/// Whether the event is of what `user` did or said, or of what was noted of them.
fn is_of(event: &Recorded, user: UserId) -> Result<bool, CodecError> {
    #[derive(Deserialize)]
    struct Whose {
        user: Option<UserId>,
    }
    let decoded = event.data.decode()?;
    let party = match &decoded {
        Event::MessageSent(event) => Some(event.from),
        Event::MessageReceipted(event) => Some(event.to),
        Event::MessageMissed(event) => Some(event.to),
        Event::InboxTaken(event) => Some(event.owner),
        _ => None,
    };
    if let Some(party) = party {
        return Ok(party == Party::User(user));
    }
    if let Some(actors) = of_circles(&decoded) {
        return Ok(actors.contains(&Actor::User(user)));
    }
    let json = decoded.encode(Encoding::Json)?;
    // Where the field is no person's id, the event is nobody's.
    Ok(serde_json::from_slice::<Whose>(&json).is_ok_and(|whose| whose.user == Some(user)))
}

/// Who did something in a circle or was the one it was done to; none where the event's `user` tells it. What is said of a watch is the child's.
fn of_circles(event: &Event) -> Option<Vec<Actor>> {
    Some(match event {
        Event::TalkSent(event) => vec![event.from],
        Event::TalkReceipted(event) => vec![event.by],
        Event::CircleFileStored(event) => vec![event.from],
        Event::CircleInvited(event) => vec![event.by.into()],
        Event::CircleLeft(event) => vec![event.user.into(), event.operator.into()],
        Event::GuardianChanged(event) => vec![event.user.into(), event.by.into()],
        Event::LocationRequested(event) => vec![event.user.into(), event.by.into()],
        Event::WatchLocationRequested(event) => vec![event.by.into()],
        Event::StorySent(event) => vec![event.by.into()],
        _ => return None,
    })
}
