//! The event log for analysts: `GET /events` (NDJSON, CSV or server-sent events) and what there is in it.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use dface_domain::ports::EventStore as _;
use futures::stream;
use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::gate::{Admin, AdminAccess, Operator};
use crate::{
    http::{Answer, ApiError, Request, Route, params::read, route::Reply},
    node::Node,
    replay::{By, Format, Profile, ReplayError, Selection, Shaper, Step, Walk, schema},
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
    if selection.profile == Profile::Full {
        if !operator {
            return Err(ApiError::forbidden("forbidden", "profile: this token may read pseudonymous events alone"));
        }
        admin.audit(request.caller, "replay_full", &selection.to_query()).await?;
    }
    let format = selection.format;
    let node = Arc::clone(&admin.node);
    let begun = tokio::task::spawn_blocking(move || begin(&node, selection, (follow, operator))).await;
    let walk = begun.map_err(|e| ApiError::internal(e.to_string()))??;
    let stopping = request.head.peer.stopping.clone();
    let run = Run { node: Arc::clone(&admin.node), walk, format, stopping, sent: Instant::now() };
    let log = HeaderValue::try_from(log_id(&admin.node)).map_err(|error| ApiError::internal(error.to_string()))?;
    let pieces = stream::try_unfold(State::Running(Box::new(run)), State::next);
    Ok(Answer::stream(content_type(format), pieces).header(HeaderName::from_static("x-log"), log))
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

fn begin(node: &Node, selection: Selection, mode: (bool, bool)) -> Result<Walk, ApiError> {
    let (keys, hash) = (Arc::clone(node.commands.keys()), node.commands.shared_secret());
    let shaper = Shaper::new(selection.profile, selection.raw, keys, hash);
    Ok(Walk::begin(node.store.clone(), selection, shaper, mode, &node.settings.data)?)
}

const fn content_type(format: Format) -> HeaderValue {
    HeaderValue::from_static(match format {
        Format::Ndjson => "application/x-ndjson",
        Format::Csv => "text/csv; charset=utf-8",
        Format::Events => "text/event-stream",
    })
}

/// An answer under way.
struct Run {
    node: Arc<Node>,
    walk: Walk,
    format: Format,
    stopping: CancellationToken,
    sent: Instant,
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
        loop {
            let stepped = tokio::task::spawn_blocking(move || {
                let step = run.walk.step();
                (step, run)
            });
            let (step, back) = stepped.await.map_err(io::Error::other)?;
            run = back;
            match step {
                Ok(Step::End) => return Ok(None),
                Ok(Step::More(bytes)) if !bytes.is_empty() => return Ok(run.piece(bytes)),
                Ok(Step::More(_)) if run.stopping.is_cancelled() => return Err(io::Error::other("the server stops")),
                Ok(Step::More(_)) if run.sent.elapsed() < QUIET => {}
                Ok(Step::More(_)) => return Ok(run.still_here()),
                Ok(Step::Head(position)) => {
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

    fn piece(mut self: Box<Self>, bytes: Vec<u8>) -> Piece {
        self.sent = Instant::now();
        Some((Bytes::from(bytes), State::Running(self)))
    }

    fn still_here(self: Box<Self>) -> Piece {
        let quiet: &[u8] = if self.format == Format::Events { b":\n\n" } else { b"\n" };
        self.piece(quiet.to_vec())
    }

    /// The last piece tells why.
    fn broken(&self, error: ReplayError) -> Piece {
        tracing::error!(%error, "a replay broke off");
        let message = error.to_string();
        let code = match error {
            ReplayError::Store(error) => ApiError::from(error).code,
            ReplayError::Event { .. } | ReplayError::Sorting(_) => "internal",
        };
        let line = serde_json::json!({ "error": message, "code": code });
        let text = match self.format {
            Format::Ndjson => format!("{line}\n"),
            Format::Events => format!("event: error\ndata: {line}\n\n"),
            Format::Csv => String::new(),
        };
        Some((Bytes::from(text), State::Broken))
    }
}
