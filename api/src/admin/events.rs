//! The event log for analysts: `GET /events` (NDJSON, CSV or server-sent events) and what there is in it.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use dface_domain::{
    envelope::{LogPosition, Recorded},
    ports::EventStore as _,
};
use futures::stream;
use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    event_limits::Reading,
    gate::{Admin, AdminAccess, Operator},
};
use crate::{
    http::{Answer, ApiError, Request, Route, params::read, route::Reply},
    node::Node,
    replay::{By, Format, Profile, ReplayError, Selection, Shaper, Shown, Step, Text, Walk, schema},
};

/// So long at most is nothing sent; then an empty line, or a comment of server-sent events.
const QUIET: Duration = Duration::from_secs(20);

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/events", AdminAccess::Analyst, events),
        Route::get("/events/schema", AdminAccess::Analyst, schema),
    ]
}

/// The types of events: meaning, fields, and what each field is.
#[utoipa::path(get, path = "/events/schema", tag = "events", responses((status = 200, body = [schema::TypeSchema])))]
pub(super) async fn schema(_: Arc<Admin>, _: Request<Operator>) -> Reply {
    Ok(Answer::json(&schema::all()))
}

/// The events of the log, in order; the parameters are the flags of `dface replay`.
///
/// Ends at the head of the log, or goes on with `follow=1`. With `Accept: text/event-stream` server-sent events whose
/// ids are positions, always followed. Empty lines keep the connection open. An answer that is not whole breaks off,
/// after a line `{"error": …, "code": …}` where it is JSON.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(
        ("from" = Option<u64>, Query, description = "The first position"),
        ("to" = Option<u64>, Query, description = "The last position"),
        ("since" = Option<String>, Query, description = "The first time of append (of occurrence with by=occurred), RFC 3339"),
        ("until" = Option<String>, Query, description = "The last time"),
        ("type" = Option<String>, Query, description = "A type; may be given several times"),
        ("stream" = Option<String>, Query, description = "A stream, by the name that the profile shows"),
        ("by" = Option<String>, Query, description = "append (default) or occurred"),
        ("raw" = Option<bool>, Query, description = "Not upcast"),
        ("profile" = Option<String>, Query, description = "pseudonymous (default), or full for operators"),
        ("format" = Option<String>, Query, description = "ndjson (default) or csv"),
        ("log" = Option<String>, Query, description = "The log that positions are of, as `X-Log` of an earlier answer had it; in another one: 409"),
        ("follow" = Option<bool>, Query, description = "Goes on with new events as they come"),
        ("Last-Event-ID" = Option<u64>, Header, description = "Goes on after this position"),
    ),
    responses(
        (status = 200, body = String, content_type = "application/x-ndjson", headers(("X-Log" = String, description = "Which log it is"))),
    )
)]
pub(super) async fn events(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let mut selection = Selection::from_params(&request.params)?;
    let operator = request.caller.may_read_all();
    let sent_events = request.head.header("accept").is_some_and(|accept| accept.contains("text/event-stream"));
    if sent_events {
        selection.format = Format::Events;
    }
    same_log(&admin.node, &request)?;
    if let Some(last) = request.head.header("last-event-id") {
        selection.from = Some(read::<u64>("Last-Event-ID", last)?.saturating_add(1));
    }
    let follow = request.params.or("follow", sent_events)?;
    if follow && selection.by == By::Occurred {
        return Err(ApiError::parameter("by", "what is followed comes as it is appended; leave follow out"));
    }
    let reading = admin.event_limits.begin(request.caller.name())?;
    if selection.profile == Profile::Full {
        if !operator {
            return Err(ApiError::forbidden("forbidden", "profile: this token may read pseudonymous events alone"));
        }
        admin.audit(&request.caller, "replay_full", &selection.to_query()).await?;
    }
    let text = selection.format.text().ok_or_else(|| ApiError::parameter("format", "must be ndjson or csv"))?;
    let node = Arc::clone(&admin.node);
    let begun = tokio::task::spawn_blocking(move || begin(&node, selection, (follow, operator))).await;
    let (walk, shown) = begun.map_err(|e| ApiError::internal(e.to_string()))??;
    let stopping = request.head.peer.stopping.clone();
    let token = Held { admin: Arc::clone(&admin), caller: request.caller, _reading: reading };
    let (node, head) = (Arc::clone(&admin.node), text.head());
    let log = log_id(&node);
    let run = Run { node, walk, shown, text, head, stopping, sent: Instant::now(), token };
    let answer = Answer::stream(content_type(text), stream::try_unfold(State::Running(Box::new(run)), State::next));
    Ok(match HeaderValue::try_from(log) {
        Ok(log) => answer.header(HeaderName::from_static("x-log"), log),
        Err(_) => answer,
    })
}

fn log_id(node: &Node) -> String {
    hex::encode(node.store.log_id())
}

/// Refuses positions of another log, where the caller says of which they are, or where they cannot be of this one.
fn same_log(node: &Node, request: &Request<Operator>) -> Result<(), ApiError> {
    let named: Option<String> = request.params.optional("log")?;
    let last = request.head.header("last-event-id").map(|last| read::<u64>("Last-Event-ID", last)).transpose()?;
    if named.is_some_and(|named| named != log_id(node)) || last.is_some_and(|last| last > node.store.head().0) {
        return Err(ApiError::conflict("other_log", "the position is of another log; begin again from the beginning"));
    }
    Ok(())
}

fn begin(node: &Node, selection: Selection, mode: (bool, bool)) -> Result<(Walk, Shown), ApiError> {
    let (keys, hash) = (Arc::clone(node.commands.keys()), node.commands.shared_secret());
    let shaper = Shaper::new(selection.profile, selection.raw, keys, hash);
    let shown = Shown::new(selection.raw, shaper.clone());
    Ok((Walk::begin(node.store.clone(), selection, shaper, mode, &node.settings.data)?, shown))
}

const fn content_type(text: Text) -> HeaderValue {
    HeaderValue::from_static(match text {
        Text::Ndjson => "application/x-ndjson",
        Text::Csv => "text/csv; charset=utf-8",
        Text::Events => "text/event-stream",
    })
}

/// What a step brought, written.
enum Stepped {
    More(Vec<u8>),
    Head(LogPosition),
    End,
}

/// An answer under way.
struct Run {
    node: Arc<Node>,
    walk: Walk,
    shown: Shown,
    text: Text,
    /// What is to be sent first.
    head: Vec<u8>,
    stopping: CancellationToken,
    sent: Instant,
    token: Held,
}

/// Whose answer it is: it ends with the token, and counts among those that the token reads at once.
struct Held {
    admin: Arc<Admin>,
    caller: Operator,
    _reading: Reading,
}

enum State {
    Running(Box<Run>),
    /// The reason is out; the declared end never comes, so that nobody takes it for the whole.
    Broken,
}

type Piece = Option<(Bytes, State)>;

impl State {
    async fn next(self) -> io::Result<Piece> {
        match self {
            Self::Running(run) => run.next().await,
            Self::Broken => Err(io::Error::other("the replay broke off")),
        }
    }
}

impl Run {
    async fn next(self: Box<Self>) -> io::Result<Piece> {
        let mut run = self;
        if !run.head.is_empty() {
            let head = std::mem::take(&mut run.head);
            return Ok(run.piece(head));
        }
        loop {
            if !run.token.admin.still_holds(&run.token.caller) {
                return Err(io::Error::other("the token has ended"));
            }
            let stepped = tokio::task::spawn_blocking(move || {
                let step = run.step();
                (step, run)
            });
            let (step, back) = stepped.await.map_err(io::Error::other)?;
            run = back;
            match step {
                Ok(Stepped::End) => return Ok(None),
                Ok(Stepped::More(bytes)) if !bytes.is_empty() => return Ok(run.piece(bytes)),
                Ok(Stepped::More(_)) if run.stopping.is_cancelled() => {
                    return Err(io::Error::other("the server stops"));
                }
                Ok(Stepped::More(_)) if run.sent.elapsed() < QUIET => {}
                Ok(Stepped::More(_)) => return Ok(run.still_here()),
                Ok(Stepped::Head(position)) => {
                    let (node, stopping) = (Arc::clone(&run.node), run.stopping.clone());
                    tokio::select! {
                        () = node.store.changed(position) => {}
                        () = stopping.cancelled() => return Ok(None),
                        () = tokio::time::sleep(QUIET) => return Ok(run.still_here()),
                    }
                }
                Err(error) => return Ok(run.broken(error)),
            }
        }
    }

    fn step(&mut self) -> Result<Stepped, ReplayError> {
        Ok(match self.walk.step()? {
            Step::More(events) => Stepped::More(self.written(&events)?),
            Step::Head(position) => Stepped::Head(position),
            Step::End => Stepped::End,
        })
    }

    fn written(&mut self, events: &[Recorded]) -> Result<Vec<u8>, ReplayError> {
        let mut out = Vec::new();
        for event in events {
            self.shown.row(event, |row| self.text.write(row, &mut out))?.map_err(ReplayError::Writing)?;
        }
        Ok(out)
    }

    fn piece(mut self: Box<Self>, bytes: Vec<u8>) -> Piece {
        self.sent = Instant::now();
        Some((Bytes::from(bytes), State::Running(self)))
    }

    fn still_here(self: Box<Self>) -> Piece {
        let quiet: &[u8] = if self.text == Text::Events { b":\n\n" } else { b"\n" };
        self.piece(quiet.to_vec())
    }

    /// The last piece tells why.
    fn broken(&self, error: ReplayError) -> Piece {
        tracing::error!(%error, "a replay broke off");
        let message = error.to_string();
        let code = match error {
            ReplayError::Store(error) => ApiError::from(error).code,
            ReplayError::Event { .. } | ReplayError::Sorting(_) | ReplayError::Writing(_) => "internal",
        };
        let line = serde_json::json!({ "error": message, "code": code });
        let text = match self.text {
            Text::Ndjson => format!("{line}\n"),
            Text::Events => format!("event: error\ndata: {line}\n\n"),
            Text::Csv => String::new(),
        };
        Some((Bytes::from(text), State::Broken))
    }
}
