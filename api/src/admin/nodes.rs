//! The nodes of this log: who is there, who does what of all that is once; and the end of an upgrade.

use std::{collections::HashMap, sync::Arc};

use dface_commands::nodes::Known;
use dface_domain::{
    leases::{Duty, TIMING},
    time::Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::gate::{Admin, AdminAccess, Operator};
use crate::http::{Answer, ApiError, Request, Route, route::Reply};

/// Nodes that are shown: those that joined last.
const MOST: u64 = 200;

pub(super) fn routes() -> Vec<Route<Admin>> {
    vec![
        Route::get("/admin/nodes", AdminAccess::Health, list),
        Route::post("/admin/finalize", AdminAccess::Operator, finalize),
    ]
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
struct ListedNode {
    /// Its id.
    id: String,
    /// What it is called.
    name: String,
    /// up; silent (not heard of for ten seconds); lost (another node took its place); stopped.
    state: &'static str,
    /// The version of its program.
    version: String,
    /// The newest format of the log that its program writes.
    format: u32,
    /// What it does of all that is once.
    owns: Vec<&'static str>,
    /// When it was heard of last; RFC 3339, UTC.
    heard: String,
    /// Whether it answers this.
    this: bool,
}

impl ListedNode {
    fn of(known: Known, now: Timestamp, owns: Vec<&'static str>, this: Uuid) -> Self {
        let lease = i64::try_from(TIMING.lease.as_secs()).unwrap_or(i64::MAX);
        let state = match known.ended {
            Some(true) => "lost",
            Some(false) => "stopped",
            None if now.seconds_since(known.heard) > lease => "silent",
            None => "up",
        };
        let (name, version, format) = known.said.map_or_else(Default::default, |s| (s.name, s.version, s.format));
        let (id, heard) = (known.node.simple().to_string(), known.heard.to_string());
        Self { id, name, state, version, format, owns, heard, this: known.node == this }
    }

    fn may_write(&self) -> bool {
        matches!(self.state, "up" | "silent")
    }
}

async fn nodes(admin: &Admin) -> Result<Vec<ListedNode>, ApiError> {
    let (commands, leases) = (&admin.node.commands, &admin.node.leases);
    let (identity, now) = (leases.identity(), commands.clock().now());
    if leases.is_alone() {
        return Ok(vec![ListedNode {
            id: identity.node.simple().to_string(),
            name: identity.name.clone(),
            state: "up",
            version: env!("CARGO_PKG_VERSION").to_owned(),
            format: commands.newest_format(),
            owns: leases.duties().into_iter().map(Duty::name).collect(),
            heard: now.to_string(),
            this: true,
        }]);
    }
    let mut owned = HashMap::<(Uuid, u64), Vec<&'static str>>::new();
    for duty in Duty::ALL {
        if let Some(term) = commands.duty_holder(duty).await? {
            owned.entry((term.node, term.number)).or_default().push(duty.name());
        }
    }
    let known = commands.nodes(MOST).await?.into_iter().map(|known| {
        let term = known.said.as_ref().filter(|_| known.ended.is_none()).map(|said| (known.node, said.term));
        let owns = term.and_then(|term| owned.remove(&term)).unwrap_or_default();
        ListedNode::of(known, now, owns, identity.node)
    });
    Ok(known.collect())
}

/// The nodes of this log, those that joined last; on the embedded store there is this one alone.
#[utoipa::path(get, path = "/admin/nodes", tag = "node", responses((status = 200, body = [ListedNode])))]
pub(super) async fn list(admin: Arc<Admin>, _: Request<Operator>) -> Reply {
    Ok(Answer::json(&nodes(&admin).await?))
}

/// The format of the log.
#[derive(Debug, Serialize, ToSchema)]
struct RaisedFormat {
    /// What it is now.
    format: u32,
    /// What it was before.
    was: u32,
}

/// Ends an upgrade: from now on events are written as this version has them, and older programs write no more. Not while an older one may be at work.
#[utoipa::path(
    post, path = "/admin/finalize", tag = "node",
    responses(
        (status = 200, body = RaisedFormat),
        (status = 409, description = "A node of an older version is there (`older_node`)"),
    )
)]
pub(super) async fn finalize(admin: Arc<Admin>, request: Request<Operator>) -> Reply {
    let commands = &admin.node.commands;
    let (was, newest) = (commands.read_format().await?, commands.newest_format());
    if was < newest {
        if let Some(older) = nodes(&admin).await?.into_iter().find(|node| node.may_write() && node.format < newest) {
            return Err(ApiError::conflict("older_node", older_node(&older, newest)));
        }
        commands.raise_format(&admin.context()).await?;
    }
    admin.audit(&request.caller, "finalize", &newest.to_string()).await?;
    Ok(Answer::json(&RaisedFormat { format: commands.format(), was }))
}

fn older_node(node: &ListedNode, newest: u32) -> String {
    let ListedNode { name, version, format, .. } = node;
    format!(
        "node {name} ({version}) writes formats up to {format}, and this would be {newest}; replace it first, or wait until /admin/nodes calls it \
         stopped or lost"
    )
}
