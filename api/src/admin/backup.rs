//! Backups of the running server, and the end of a restore.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::stream;
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use tokio::{runtime::Handle, sync::mpsc, time::timeout};
use utoipa::ToSchema;

use super::gate::{Admin, AdminAccess, Operator};
use crate::{
    backup::{
        BackupError,
        make::{Made, Source, make},
        release::{Released, release as let_go},
    },
    http::{Answer, ApiError, Request, Route, route::Reply},
    node::Node,
};

/// So long at most is nothing sent; then an empty line: a slow disk takes its time for one file, or to say that all is on it.
const QUIET: Duration = Duration::from_secs(10);

/// Lines that wait for the caller.
const WAITING: usize = 16;

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::post("/admin/backup", AdminAccess::Operator, backup).raw_body(),
        Route::post("/admin/release", AdminAccess::Operator, release),
    ]
}

/// Where a backup goes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupTo {
    /// A path on the server's machine, whole: a directory that is empty or not there, or a file that ends with `.tar`.
    #[schema(value_type = String)]
    pub to: PathBuf,
    /// An earlier backup: what it has already is left out.
    #[schema(value_type = Option<String>)]
    pub since: Option<PathBuf>,
}

/// A line of the answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackupLine {
    /// So much of so much is done.
    Progress {
        /// What is being written: `log` or `objects`.
        of: String,
        /// Positions of the log, or objects.
        done: u64,
        /// All of them, as far as it is known.
        all: u64,
    },
    /// It is made.
    Made(Made),
    /// It is not.
    Failed {
        /// Why.
        error: String,
        /// `refused`, `store_damaged` or `internal`.
        code: String,
    },
}

/// Makes a backup of log, objects and settings on the server's machine, while the server runs. Answers with JSON lines: `progress` now and then (an empty line where there is none for long), at
/// last `made` or `failed`. Ends when nobody reads them any more.
#[utoipa::path(
    post, path = "/admin/backup", tag = "backup", request_body = BackupTo,
    responses((status = 200, content_type = "application/x-ndjson", body = BackupLine))
)]
pub(super) async fn backup(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let wanted: BackupTo = serde_json::from_slice(&request.body).map_err(|error| {
        ApiError::invalid("bad_body", format!("the body is no JSON object of to and since: {error}"))
    })?;
    for (name, path) in [("to", Some(&wanted.to)), ("since", wanted.since.as_ref())] {
        if path.is_some_and(|path| !path.is_absolute()) {
            return Err(ApiError::parameter(name, "must be a whole path, as in /var/backups/dface"));
        }
    }
    if admin.node.store.embedded().is_none() {
        let message = "the log is at EventStoreDB or KurrentDB: back it up by that server's own means";
        return Err(ApiError::conflict("conflict", message));
    }
    admin.audit(&request.caller, "backup", "").await?;
    let (lines, heard) = mpsc::channel(WAITING);
    let node = Arc::clone(&admin.node);
    tokio::task::spawn_blocking(move || write(&node, &wanted, &lines));
    let pieces = stream::unfold(heard, |mut heard| async move {
        let Ok(line) = timeout(QUIET, heard.recv()).await else { return Some((Ok(Bytes::from_static(b"\n")), heard)) };
        let bytes = serde_json::to_vec(&line?).map(|mut bytes| {
            bytes.push(b'\n');
            Bytes::from(bytes)
        });
        Some((bytes.map_err(io::Error::other), heard))
    });
    Ok(Answer::stream(HeaderValue::from_static("application/x-ndjson"), pieces))
}

/// In a thread of its own; who reads the lines is waited for, and where nobody does it ends.
fn write(node: &Node, wanted: &BackupTo, lines: &mpsc::Sender<BackupLine>) {
    let _under_way = node.backups.begin();
    let Some(store) = node.store.embedded() else { return };
    let source = Source {
        store,
        objects: &*node.objects,
        settings: &node.settings,
        clock: &**node.commands.clock(),
        entropy: &**node.commands.entropy(),
        runtime: Handle::current(),
    };
    let mut told = |of: &'static str, done, all| {
        let line = BackupLine::Progress { of: of.to_owned(), done, all };
        lines.blocking_send(line).map_err(|_| BackupError::GivenUp)
    };
    let last = match make(&source, &wanted.to, wanted.since.as_deref(), &mut told) {
        Ok(made) => {
            tracing::info!(position = made.position, bytes = made.new_bytes, "a backup was made");
            BackupLine::Made(made)
        }
        Err(error) => {
            tracing::warn!(%error, "there is no backup");
            let code = match error {
                BackupError::Refused(_) => "refused",
                BackupError::Damaged(_) => "store_damaged",
                BackupError::Failed(_) | BackupError::GivenUp => "internal",
            };
            BackupLine::Failed { error: error.to_string(), code: code.to_owned() }
        }
    };
    // Nobody hears it: nobody waits for it.
    let _ = lines.blocking_send(last);
}

/// Lets a restored log go: pushes, posts and coupons go out again. Pushes and posts that were due before the restore are dropped.
#[utoipa::path(post, path = "/admin/release", tag = "backup", responses((status = 200, body = Released)))]
pub(super) async fn release(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    admin.audit(&request.caller, "release", "").await?;
    let released = let_go(&admin.node, &admin.context()).await;
    Ok(Answer::json(&released.map_err(|error| ApiError::unavailable("unavailable", error.to_string()))?))
}
