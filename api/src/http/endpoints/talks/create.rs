//! Saying something to a circle.

use std::sync::Arc;

use dface_commands::{CommandError, Context, talks::Sent as Said};
use dface_domain::{
    ids::{GroupId, MessageId, UserId},
    reports::{Actor, TalkContent},
    sealed::Subject,
    time::SECOND,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    super::{circles::seen_circle, idempotency::once},
    keep::{self, Kept, Wanted},
};
use crate::{
    app::{Access, App, Caller},
    http::{Answer, ApiError, Params, Request, Route, route::Reply},
    urls,
};

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::post("/talks/create", Access::Session, create).takes_file()]
}

/// Longest voice, seconds.
const MAX_LENGTH: u32 = 86_400;

/// What was said.
#[derive(Debug, Serialize, ToSchema)]
struct Created {
    #[schema(value_type = String)]
    id: MessageId,
    /// 1 voice, 2 picture, 3 text.
    r#type: u8,
    /// The words, or the URL of the voice or picture.
    content: String,
    /// Seconds of a voice.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u32>,
    /// Unix seconds.
    timestamp: f64,
}

/// What a request says.
enum What {
    Text(String),
    Voice(u32),
    Picture,
}

/// Says something to a circle: words, a voice (AMR, M4A, OGG) or a picture.
#[utoipa::path(
    post, path = "/talks/create", tag = "talks",
    request_body(
        content = String, content_type = "multipart/form-data",
        description = "`group_id`; `type`: 1 voice, 2 picture, 3 text; `content`: the words of a text; `file`: a voice or picture; `length`: \
                       seconds of a voice"
    ),
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer")),
    responses((status = 200, body = Created))
)]
pub(in super::super) async fn create(app: Arc<App>, mut request: Request<Caller>) -> Reply {
    let (user, group): (_, GroupId) = (request.caller.user()?, request.params.required("group_id")?);
    seen_circle(&app, user, group)?;
    let what = read(&request.params, app.node.settings.circles.text_chars)?;
    let sent = match what {
        What::Text(_) => None,
        What::Voice(_) => Some(keep::take(&app, &mut request, Wanted::Voice).await?),
        What::Picture => Some(keep::take(&app, &mut request, Wanted::Picture).await?),
    };
    once(&app, &request, async |context| {
        let about = Subject::User(user);
        let kept = match sent {
            Some(sent) => Some(keep::store(&app, sent, about).await?),
            None => None,
        };
        let (said, answer) = say(&app, user, group, what, kept, &context).await?;
        Ok(app.wrote(&request.caller, said.position, Answer::json(&answer)).await)
    })
    .await
}

fn read(params: &Params, most: usize) -> Result<What, ApiError> {
    match params.required::<u8>("type")? {
        1 => {
            let length: u32 = params.required("length")?;
            if length > MAX_LENGTH {
                return Err(ApiError::parameter("length", format_args!("must be at most {MAX_LENGTH} seconds")));
            }
            Ok(What::Voice(length))
        }
        2 => Ok(What::Picture),
        3 => {
            let text: String = params.required("content")?;
            if text.is_empty() || text.chars().count() > most {
                return Err(ApiError::parameter("content", format_args!("must have 1 to {most} characters")));
            }
            Ok(What::Text(text))
        }
        _ => Err(ApiError::parameter("type", "must be 1 (voice), 2 (picture) or 3 (text)")),
    }
}

async fn say(
    app: &App,
    user: UserId,
    group: GroupId,
    what: What,
    kept: Option<Kept>,
    context: &Context,
) -> Result<(Said, Created), ApiError> {
    let file = async |kept: Option<Kept>| {
        let Kept { object, media } = kept.ok_or_else(|| CommandError::Interrupted("no file".to_owned()))?;
        let owner = (Actor::User(user), Subject::User(user));
        Ok::<_, CommandError>(app.node.commands.store_file(owner, group, object, media, context).await?.0)
    };
    let url = |file| urls::circle_file(&app.node.settings.public_url, file);
    let (content, shown, kind, length) = match what {
        What::Text(text) => (TalkContent::Text(text.clone()), text, 3, None),
        What::Voice(length) => {
            let file = file(kept).await?;
            (TalkContent::Voice { file, length }, url(file), 1, Some(length))
        }
        What::Picture => {
            let file = file(kept).await?;
            (TalkContent::Picture(file), url(file), 2, None)
        }
    };
    let said = app.node.commands.send_talk(user, group, &content, context).await?;
    #[expect(clippy::cast_precision_loss, reason = "a float holds the microseconds of this century")]
    let timestamp = said.at.0 as f64 / SECOND as f64;
    Ok((said, Created { id: said.message, r#type: kind, content: shown, length, timestamp }))
}
