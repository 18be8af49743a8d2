//! `Idempotency-Key`: a phone whose answer was lost asks again and gets the first answer (spec http.md, "retries").

use dface_commands::{
    Context,
    requests::{RequestKey, Taken},
};
use dface_domain::{events, ids::UserId};
use http::StatusCode;

use crate::{
    app::{App, Caller},
    http::{Answer, ApiError, Request, route::Reply},
};

const HEADER: &str = "idempotency-key";
const MAX_KEY: usize = 255;

/// Does `work` once for each key of a person; without a key, each time.
///
/// `work` takes its time and its correlation from the context, so that a repeat after a crash comes to the same ids and is known for the
/// same request. Answers are kept
/// where they are final: successes and refusals, not failures of the machinery.
pub(super) async fn once(app: &App, request: &Request<Caller>, work: impl AsyncFnOnce(Context) -> Reply) -> Reply {
    once_by(app, request.caller.user()?, request, work).await
}

/// The same for whoever is no session: the key is one of `user`'s.
pub(crate) async fn once_by<C>(
    app: &App,
    user: UserId,
    request: &Request<C>,
    work: impl AsyncFnOnce(Context) -> Reply,
) -> Reply {
    let context = app.context();
    let Some(key) = request.head.header(HEADER) else { return work(context).await };
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(ApiError::parameter("Idempotency-Key", format_args!("must have 1 to {MAX_KEY} characters")));
    }
    let content = content(request);
    let key = RequestKey { user, key, content: &content };
    let commands = &app.node.commands;
    let at = match commands.take_request(&key, &context).await? {
        Taken::Answered(answer) => return Ok(again(answer)),
        Taken::Open(at) => at,
    };
    let answer = match work(Context { correlation: commands.request_id(&key), ..context.at(at) }).await {
        Ok(answer) => answer,
        Err(error) if error.status.is_server_error() => return Err(error),
        Err(error) => error.answer(),
    };
    let Some(body) = answer.text() else { return Ok(answer) };
    let kept = events::Answer { status: answer.status_code().as_u16(), body: body.to_owned() };
    commands.answer_request(&key, &kept, &context).await?;
    Ok(answer)
}

fn again(answer: events::Answer) -> Answer {
    Answer::ready_json(answer.body).status(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK))
}

/// Path and parameters in a stable order.
fn content<C>(request: &Request<C>) -> Vec<u8> {
    let mut pairs: Vec<(&str, &str)> = request.params.iter().collect();
    pairs.sort_unstable();
    let mut content = request.head.path.trim_end_matches(".json").as_bytes().to_vec();
    for (name, value) in pairs {
        for text in [name, value] {
            content.extend_from_slice(&(text.len() as u64).to_be_bytes());
            content.extend_from_slice(text.as_bytes());
        }
    }
    content
}
