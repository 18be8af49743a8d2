//! Taking a watch into a circle.

use std::sync::Arc;

use dface_commands::{
    CommandError, Context,
    watches::{Binding, BoundWatch},
};
use dface_domain::{
    ids::{GroupId, Imei},
    rejection::Rejection,
    watches::WatchDetails,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    MAX_NAME, MAX_NUMBER,
    picture::{self, Sent},
};
use crate::{
    app::{Access, App, Caller},
    code_limits::Guess,
    http::{
        Answer, ApiError, Request, Route,
        endpoints::{
            circles::{change::refuse_if_closed, line, required_line},
            idempotency::once,
        },
        route::Reply,
    },
};

/// Characters of a version of the consent's text, and of a code.
const MAX_CONSENT: usize = 40;
const MAX_CODE: usize = 128;

pub(super) fn routes() -> Vec<Route<App>> {
    vec![Route::post("/watches/bind", Access::Session, bind).takes_file()]
}

/// A watch that is in the circle now.
#[derive(Debug, Serialize, ToSchema)]
struct Answered {
    #[schema(value_type = String)]
    imei: Imei,
    /// What it signs in with, where it was made now; it is told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

struct Asked {
    imei: Imei,
    group: GroupId,
    code: Option<String>,
    consent: String,
    details: WatchDetails,
}

fn asked(request: &Request<Caller>) -> Result<Asked, ApiError> {
    let params = &request.params;
    let number = |name: &str| Ok::<_, ApiError>(line(params, name, MAX_NUMBER)?.unwrap_or_default());
    let details = WatchDetails {
        mac: number("mac")?,
        dev_name: required_line(params, "dev_name", MAX_NAME)?,
        phone: number("phone")?,
        fast_call_phone: number("fast_call_phone")?,
        image: None,
    };
    Ok(Asked {
        imei: params.required("imei")?,
        group: params.required("group_id")?,
        code: line(params, "code", MAX_CODE)?,
        consent: required_line(params, "consent", MAX_CONSENT)?,
        details,
    })
}

/// Takes a watch into a circle. The code that is printed on it shows that it is in the guardian's hands.
#[utoipa::path(
    post, path = "/watches/bind", tag = "watches",
    request_body(content = Option<String>, content_type = "multipart/form-data", description = "`image`: a JPEG, GIF or PNG file, where there is one"),
    params(
        ("group_id" = u64, Query, description = "The circle; the caller is a guardian of it"),
        ("imei" = String, Query, description = "The watch, 15 digits"),
        ("code" = Option<String>, Query, description = "As it is printed on the watch"),
        ("consent" = String, Query, description = "Version of the text that the guardian agreed to"),
        ("dev_name" = String, Query, description = "What the child is called"),
        ("mac" = Option<String>, Query, description = "The watch's network address"),
        ("phone" = Option<String>, Query, description = "The watch's phone number"),
        ("fast_call_phone" = Option<String>, Query, description = "The number of its one button"),
        ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key gets the first answer"),
    ),
    responses((status = 200, body = Answered))
)]
pub(in super::super) async fn bind(app: Arc<App>, mut request: Request<Caller>) -> Reply {
    let (user, asked) = (request.caller.user()?, asked(&request)?);
    let guess = Guess { user, from: request.head.client, imei: Some(asked.imei) };
    refuse_if_closed(&app, &guess)?;
    let image = picture::take(&app, &mut request).await?;
    let binding = Binding {
        imei: asked.imei,
        group: asked.group,
        by: user,
        code: asked.code.as_deref(),
        open: app.node.settings.watches.open_binding,
    };
    once(&app, &request, async |context| {
        let number = app.node.commands.may_bind(&binding, &context).await.inspect_err(|error| {
            if matches!(error, CommandError::Rejected(Rejection::WrongCode)) {
                app.code_limits.failed(&guess, app.now());
            }
        })?;
        let done = bound(&app, &binding, number, &asked, image, &context).await?;
        let answer = Answer::json(&Answered { imei: asked.imei, key: done.key });
        Ok(app.wrote(&request.caller, done.position, answer).await)
    })
    .await
}

async fn bound(
    app: &App,
    binding: &Binding<'_>,
    number: u16,
    asked: &Asked,
    image: Option<Sent>,
    context: &Context,
) -> Result<BoundWatch, ApiError> {
    let circle = super::super::circles::seen_circle(app, binding.by, binding.group)?;
    let most = app.node.settings.circles.watches;
    if circle.watches.len() >= most && !circle.watches.contains(&binding.imei) {
        return Err(Rejection::TooManyWatches(most).into());
    }
    let mut details = asked.details.clone();
    if let Some(sent) = image {
        details.image = Some(picture::store(app, sent, binding.imei, number).await?);
    }
    Ok(app.node.commands.bind_watch(binding, number, asked.consent.clone(), &details, context).await?)
}
