//! All that is kept of the caller, as one JSON file (spec http.md, "Beyond the document").

use std::{io, sync::Arc};

use bytes::Bytes;
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{CodecError, Encoding},
    ids::UserId,
    ports::EventStore as _,
};
use futures::stream;
use http::{HeaderValue, header::CONTENT_DISPOSITION};
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::profiles::myself;
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Request, Route, route::Reply},
    replay::{Form, Format, Profile, Shaper},
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

/// All that is kept of the caller: the profile, and every event of what they did or what was noted of them, in the form
/// of the event log, with what is sealed opened. What others did (who follows or blocks the caller) is theirs.
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
    let head = format!("{{\"exported\":\"{}\",\"profile\":{profile},\"events\":[", app.now());
    let (keys, hash) = (Arc::clone(app.node.commands.keys()), app.node.commands.shared_secret());
    let form = Form::new(Format::Ndjson, false, Shaper::new(Profile::Full, false, keys, hash));
    let until = app.node.store.head();
    let run = Run { app, user, form, at: LogPosition(0), until, first: true, _permit: permit };
    let pieces = stream::try_unfold(State::Head(head, Box::new(run)), State::next);
    let name = HeaderValue::from_static("attachment; filename=\"dface.json\"");
    Ok(Answer::stream(HeaderValue::from_static("application/json"), pieces).header(CONTENT_DISPOSITION, name))
}

struct Run {
    app: Arc<App>,
    user: UserId,
    form: Form,
    at: LogPosition,
    until: LogPosition,
    first: bool,
    _permit: SemaphorePermit<'static>,
}

enum State {
    Head(String, Box<Run>),
    Events(Box<Run>),
    Over,
}

impl State {
    async fn next(self) -> io::Result<Option<(Bytes, Self)>> {
        match self {
            Self::Head(head, run) => Ok(Some((head.into(), Self::Events(run)))),
            Self::Events(run) => run.next().await.map(Some),
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
        Ok((Bytes::from_static(b"]}\n"), State::Over))
    }

    fn shown(&mut self, events: &[Recorded]) -> Result<Vec<u8>, CodecError> {
        let mut out = Vec::new();
        for event in events {
            if !is_of(event, self.user)? {
                continue;
            }
            out.extend_from_slice(if self.first { b"\n" } else { b"," });
            self.first = false;
            self.form.write(event, &mut out)?;
        }
        Ok(out)
    }
}

/// Whether the event is of what `user` did, or of what was noted of them.
fn is_of(event: &Recorded, user: UserId) -> Result<bool, CodecError> {
    #[derive(Deserialize)]
    struct Whose {
        user: Option<UserId>,
    }
    let json = event.data.decode()?.encode(Encoding::Json)?;
    // Where the field is no person's id, the event is nobody's.
    Ok(serde_json::from_slice::<Whose>(&json).is_ok_and(|whose| whose.user == Some(user)))
}
