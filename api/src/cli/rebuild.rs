//! `dface rebuild`: read models made anew from the log, or listed.

use std::{sync::Arc, time::Duration};

use dface_projections::projector::Projector;
use serde_json::{Value, json};

use super::{
    Common, Failure, print_json,
    progress::Progress,
    target::{Server, Target},
};
use crate::node::Node;

/// `dface rebuild`
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples: dface rebuild            lists them with position, lag and size\n          \
                        dface rebuild trace      makes one anew\n          \
                        dface rebuild all --dry-run")]
pub struct Args {
    /// Read models, or `all`; without a name, lists them
    names: Vec<String>,
    /// Makes them anew beside the serving ones, prints how they differ, and drops them; exit 1 where they do
    #[arg(long)]
    dry_run: bool,
}

/// Runs it.
pub async fn run(common: &Common, args: Args) -> Result<(), Failure> {
    let settings = common.settings(&[])?;
    super::logging::start("warn")?;
    let target = Target::of_existing(settings).await?;
    let done = match &target {
        Target::Server(server) => on_server(server, &args).await,
        Target::Directory(node) => on_directory(&node.projector, &args).await,
    };
    target.close().await;
    done
}

fn chosen(names: &[String], known: &[String]) -> Result<Vec<String>, Failure> {
    if names.iter().any(|name| name == "all") {
        return Ok(known.to_vec());
    }
    match names.iter().find(|name| !known.contains(name)) {
        Some(unknown) => {
            Err(Failure::Usage(format!("there is no read model `{unknown}`; there are {}", known.join(", "))))
        }
        None => Ok(names.to_vec()),
    }
}

async fn on_server(server: &Server, args: &Args) -> Result<(), Failure> {
    let standings: Vec<Value> = server.get_json("/admin/projections").await?;
    let known: Vec<String> = standings.iter().filter_map(|one| Some(one["name"].as_str()?.to_owned())).collect();
    if args.names.is_empty() {
        return standings.iter().try_for_each(print_json);
    }
    let mut differ = false;
    for name in chosen(&args.names, &known)? {
        if args.dry_run {
            let found: Value = server.post(&format!("/admin/projections/{name}/compare"), &json!({})).await?;
            differ |= ["only_serving", "only_rebuilt", "unequal"].iter().any(|key| found[key] != 0);
            print_json(&found)?;
        } else {
            let _: Value = server.post(&format!("/admin/projections/{name}/rebuild"), &json!({})).await?;
            follow(server, &name).await?;
        }
    }
    if differ { Err(Failure::Work("read models differ from what the log says".to_owned())) } else { Ok(()) }
}

async fn follow(server: &Server, name: &str) -> Result<(), Failure> {
    let mut shown: Option<Progress> = None;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let standings: Vec<Value> = server.get_json("/admin/projections").await?;
        let Some(one) = standings.into_iter().find(|one| one["name"] == name) else { return Ok(()) };
        let head = one["position"].as_u64().unwrap_or(0) + one["lag"].as_u64().unwrap_or(0);
        let bar = shown.get_or_insert_with(|| super::progress::bar(name, head));
        if one["state"] != "rebuilding" {
            bar.finish();
            return print_json(&one);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of the log, to be shown"
        )]
        bar.set((one["progress"].as_f64().unwrap_or(0.0) * head as f64) as u64);
    }
}

async fn on_directory(projector: &Arc<Projector>, args: &Args) -> Result<(), Failure> {
    if args.names.is_empty() {
        return projector.standings().iter().try_for_each(print_json);
    }
    let known: Vec<String> = projector.names().into_iter().map(str::to_owned).collect();
    let names = chosen(&args.names, &known)?;
    if args.dry_run { compare_all(projector, names).await } else { rebuild_all(projector, names).await }
}

async fn compare_all(projector: &Arc<Projector>, names: Vec<String>) -> Result<(), Failure> {
    let mut differ = false;
    for name in names {
        let worker = Arc::clone(projector);
        let found = tokio::task::spawn_blocking(move || worker.compare(&name)).await.map_err(Failure::work)?;
        let found = found.map_err(Failure::work)?;
        differ |= !found.is_none();
        print_json(&found)?;
    }
    if differ { Err(Failure::Work("read models differ from what the log says".to_owned())) } else { Ok(()) }
}

/// All side by side; the bar shows the one that is furthest behind.
async fn rebuild_all(projector: &Arc<Projector>, names: Vec<String>) -> Result<(), Failure> {
    let bar = super::progress::bar(&names.join(" "), projector.head().0);
    let (worker, of) = (Arc::clone(projector), names.clone());
    let mut rebuilt =
        tokio::task::spawn_blocking(move || worker.rebuild_all(&of.iter().map(String::as_str).collect::<Vec<_>>()));
    let rebuilt = loop {
        tokio::select! {
            rebuilt = &mut rebuilt => break rebuilt,
            () = tokio::time::sleep(Duration::from_millis(100)) => {
                bar.set(names.iter().map(|name| projector.built(name).0).min().unwrap_or_default());
            }
        }
    };
    rebuilt.map_err(Failure::work)?.map_err(Failure::work)?;
    bar.finish();
    let standings = projector.standings();
    standings.iter().filter(|one| names.iter().any(|name| name == one.name)).try_for_each(print_json)
}

/// Rebuilds that a stop or a crash cut off go on beside what is served.
fn go_on(node: &Node, done: &[String]) {
    let unfinished = node.projector.unfinished().into_iter().map(|(name, _)| name);
    let unfinished: Vec<&'static str> = unfinished.filter(|name| !done.iter().any(|one| one == name)).collect();
    if unfinished.is_empty() {
        return;
    }
    let projector = Arc::clone(&node.projector);
    tokio::task::spawn_blocking(move || match projector.rebuild_all(&unfinished) {
        Ok(()) => tracing::info!(models = ?unfinished, "rebuilt"),
        Err(error) => {
            tracing::error!(models = ?unfinished, %error, "could not be rebuilt; the old generations serve on")
        }
    });
}

/// `serve --rebuild`: these first, then the server serves.
pub(super) async fn at_start(node: &Node, names: &[String]) -> Result<(), Failure> {
    let all = names.iter().any(|name| name == "all");
    let names: Vec<String> =
        if all { node.projector.names().into_iter().map(str::to_owned).collect() } else { names.to_vec() };
    for name in &names {
        let (projector, of) = (Arc::clone(&node.projector), name.clone());
        let rebuilt = tokio::task::spawn_blocking(move || projector.rebuild(&of)).await.map_err(Failure::work)?;
        let position = rebuilt.map_err(|e| Failure::Usage(format!("--rebuild: {e}")))?;
        tracing::info!(model = name, position, "rebuilt");
    }
    go_on(node, &names);
    Ok(())
}
