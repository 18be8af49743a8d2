//! `dface copy`: a log into another store.

use std::{path::PathBuf, sync::Arc};

use dface_commands::{
    format, restores,
    store::{
        digest::{self, LogDigest},
        embedded::{EmbeddedStore, OpenError},
        esdb::{ConnectError, Copying, EsdbConfig},
    },
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::LogPosition,
    ports::{EventStore, StoreError},
};
use serde::Serialize;

use super::{Common, Failure, print_json, progress};
use crate::{node::refuse_half_restored, settings::Settings, store::embedded_config};

/// Events that are read at once.
const PAGE: usize = 1000;

/// `dface copy`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: dface copy --from embedded:./data --to esdb://admin:changeit@es1:2113,es2:2113\n\n\
                        Ids, times and order stay, positions are new. No server may run on the directory. Cut off, run it again: it goes on \
                        where it was. At its end both sides are read and compared; until then no node takes the copy for its log. Keys and \
                        secret are not in the log: nodes need them too.")]
pub struct Args {
    /// The store to copy: embedded:DIR
    #[arg(long, value_name = "STORE")]
    from: String,
    /// The store to fill: the connection string of an EventStoreDB or KurrentDB
    #[arg(long, value_name = "STORE")]
    to: String,
}

#[derive(Debug, Serialize)]
struct Done {
    /// Events in the copy.
    events: u64,
    /// Those that this run added.
    copied: u64,
    /// Hash of all events, the same on both sides.
    sha256: String,
    /// The copy's own id.
    log: String,
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Config(_) | ConnectError::Unsuitable(_) => Self::Usage(format!("--to: {error}")),
            ConnectError::Store(_) => Self::Work(format!("--to: {error}")),
        }
    }
}

/// Runs it.
pub async fn run(common: &Common, args: Args) -> Result<(), Failure> {
    super::logging::start("warn")?;
    let settings = common.settings(&[("data", directory(&args.from)?)])?;
    if !EsdbConfig::is_url(&args.to) {
        return Err(Failure::Usage("--to takes a connection string, as in esdb://HOST:2113".to_owned()));
    }
    let target = EsdbConfig { max_event_bytes: usize::MAX, ..EsdbConfig::new(args.to) };
    let source = tokio::task::spawn_blocking(move || open(&settings)).await.map_err(Failure::work)??;
    let done = copy(&source, target).await;
    tokio::task::spawn_blocking(move || source.close()).await.map_err(Failure::work)?;
    print_json(&done?)
}

fn directory(from: &str) -> Result<String, Failure> {
    let wrong = |text: String| Err(Failure::Usage(text));
    let Some(dir) = from.strip_prefix("embedded:").filter(|dir| !dir.is_empty()) else {
        return wrong("--from takes a directory of the embedded store, as in embedded:./data".to_owned());
    };
    if !PathBuf::from(dir).join("log").is_dir() {
        return wrong(format!("--from: there is no event log in {dir}"));
    }
    Ok(dir.to_owned())
}

fn open(settings: &Settings) -> Result<EmbeddedStore, Failure> {
    refuse_half_restored(&settings.data)?;
    let opened = EmbeddedStore::open(embedded_config(settings), Arc::new(SystemClock), &SystemEntropy);
    opened.map_err(|error| match error {
        OpenError::InUse(_) => {
            Failure::Usage(format!("--from: {error}; stop it first, for what it wrote meanwhile would be missing"))
        }
        OpenError::Config(_) => Failure::Usage(format!("--from: {error}")),
        other => Failure::Work(format!("--from: {other}")),
    })
}

async fn copy(source: &EmbeddedStore, target: EsdbConfig) -> Result<Done, Failure> {
    let from = |error: StoreError| Failure::Work(format!("--from: {error}"));
    let to = |error: StoreError| Failure::Work(format!("--to: {error}; run it again to go on"));
    let format = format::of_log(source).await.map_err(|error| Failure::Work(format!("--from: {error}")))?;
    let restored = restores::of_log(source).await.map_err(|error| Failure::Work(format!("--from: {error}")))?;
    if restored.is_some_and(|restored| restored.is_held) {
        let text = "--from: this log was restored and is not let go yet; serve it and POST /admin/release first";
        return Err(Failure::Usage(text.to_owned()));
    }
    let source_log = (source.log_id(), format);
    let mut copying = Copying::begin(target, Arc::new(SystemClock), &SystemEntropy, source_log).await?;
    let (head, begun) = (source.head(), copying.reached());
    if begun > head {
        return Err(Failure::Usage(
            "--to: the copy holds more than this log; is the directory an older one?".to_owned(),
        ));
    }
    let (shown, mut copied) = (progress::bar("copying", head.0), 0);
    while copying.reached() < head {
        let page = source.read_all(copying.reached(), PAGE).await.map_err(from)?;
        copying.take(&page).await.map_err(to)?;
        copied += page.len() as u64;
        shown.set(copying.reached().0);
    }
    shown.finish();
    let ours = told("reading the source", source, head, head).await.map_err(from)?;
    let theirs = told("reading the copy", copying.store(), copying.store().head(), head).await.map_err(to)?;
    if ours != theirs {
        return Err(Failure::Work(format!("the copy is not as the source: {theirs} there, {ours} here")));
    }
    copying.end(&theirs).await?;
    let log = hex::encode(copying.store().log_id());
    copying.store().close().await;
    Ok(Done { events: theirs.events, copied, sha256: theirs.sha256, log })
}

/// The digest of a store up to `end`, shown as it goes on towards `events`.
async fn told(
    what: &str,
    store: &dyn EventStore,
    end: LogPosition,
    events: LogPosition,
) -> Result<LogDigest, StoreError> {
    let shown = progress::bar(what, events.0);
    let digest = digest::of(store, end, |events| shown.set(events)).await?;
    shown.finish();
    Ok(digest)
}
