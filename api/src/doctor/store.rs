//! The event log, the secret it was begun with, the keys' records, and the read models.

use std::sync::Arc;

use dface_commands::{
    ServerSecret,
    keys::check as check_keys,
    system::{SystemClock, SystemEntropy},
};
use dface_domain::{
    envelope::LogPosition,
    events::{Event, SecretFingerprinted},
    ports::{Clock as _, EventStore as _},
    stream::{Category, StreamId},
};
use dface_projections::projector::positions;
use dface_workers::objects::open;
use serde_json::Value;
use tokio::runtime::Handle;

use super::{
    Finding,
    fonts::fonts,
    objects::{finding, look, orphans_before},
    verify::verify,
};
use crate::{settings::Settings, store::Store, writing_side::keys_to_read};

/// What stands in a stopped directory; with `thorough`, every record of it. Blocks on the disk.
#[must_use]
pub fn stored(settings: &Settings, thorough: bool) -> Vec<Finding> {
    if !settings.store.is_shared() && !settings.data.join("log").is_dir() {
        let mut found = vec![Finding::ok("log", "none yet; the first start makes it")];
        found.extend(fonts(settings, || false));
        return found;
    }
    let runtime = Handle::current();
    let store = match runtime.block_on(Store::open(settings, Arc::new(SystemClock))) {
        Ok(store) => store,
        Err(error) => {
            let remedy =
                if settings.store.is_shared() { "let dface reach one of the servers of `store`" } else { REPAIR };
            return vec![Finding::error("log", error.to_string(), remedy)];
        }
    };
    let mut found = vec![Finding::ok(
        "log",
        match store.stats() {
            Some(stats) if stats.gone > 0 => format!(
                "{} events in {} segments; {} are gone, for their retention was over",
                stats.events, stats.segments, stats.gone
            ),
            Some(stats) => format!("{} events in {} segments", stats.events, stats.segments),
            None => format!("{} answers; its log is at position {}", settings.store, store.head()),
        },
    )];
    found.extend(fingerprint(settings, &store));
    found.push(models_of_directory(settings, store.head()));
    found.extend(fonts(settings, || has_campaign(&store)));
    if thorough {
        found.extend(records(settings, &store));
        found.push(key_records(settings));
    }
    runtime.block_on(store.close());
    found
}

/// Every record of the log, and every object that it needs.
fn records(settings: &Settings, store: &Store) -> Vec<Finding> {
    let keys = match keys_to_read(settings) {
        Ok(keys) => keys,
        Err(error) => return vec![Finding::error("keys", error.to_string(), "name them with `keys`")],
    };
    let (all, needed) = match verify(store, &*keys) {
        Ok(verified) => verified,
        Err(error) => return vec![Finding::error("verify", error.to_string(), REPAIR)],
    };
    let whole = Finding::ok("verify", format!("{} events, {} bytes, every record is whole", all.events, all.bytes));
    let looked = open(Some(&settings.objects), &settings.data).map_err(|e| e.to_string()).and_then(|stored| {
        let before = orphans_before(settings, SystemClock.now());
        Handle::current().block_on(look(&*stored, &needed, before)).map_err(|e| e.to_string())
    });
    let objects = match looked {
        Ok(found) => finding(&found),
        Err(error) => Finding::error("objects", error, "let dface reach them, or name another place with `objects`"),
    };
    vec![whole, objects]
}

/// Whether any coupon was ever to be drawn. Asked only where that matters, since it reads the log.
fn has_campaign(store: &Store) -> bool {
    let mut at = LogPosition::default();
    while let Ok(page) = store.read_all_blocking(at, 4_096)
        && let Some(last) = page.last()
    {
        if page.iter().any(|recorded| recorded.data.type_name == "CampaignMade") {
            return true;
        }
        at = last.position;
    }
    false
}

const REPAIR: &str =
    "restore a backup into an empty directory; if it is the index alone, delete DIR/index and start again";

fn fingerprint(settings: &Settings, store: &Store) -> Option<Finding> {
    let path = settings.secret_path();
    let secret = path.is_file().then(|| ServerSecret::load_or_create(&path, &SystemEntropy).ok()).flatten()?;
    let stream = StreamId::new(Category::System, "secret");
    let first = store.read_stream_blocking(&stream, 0, 1).ok()?.into_iter().next()?;
    let ours = Event::from(SecretFingerprinted { fingerprint: secret.fingerprint() });
    (first.data.decode() != Ok(ours)).then(|| {
        let found = format!("{} is not the secret that this log was begun with", path.display());
        Finding::error("secret", found, "bring the right one back from its backup, or name it with `secret_file`")
    })
}

/// Every record of the key store; changes nothing, so it may be asked while a server runs.
#[must_use]
pub fn key_records(settings: &Settings) -> Finding {
    if settings.keys.is_shared() {
        return Finding::ok("keys", "each is checked when it is used; all nodes have the same");
    }
    match check_keys(&settings.key_dir()) {
        Ok(all) => Finding::ok("keys", format!("{} keys and {} destroyed ones are whole", all.alive, all.destroyed)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Finding::warning(
            "keys",
            "there are no keys: the log's checksums were verified, but sealed fields cannot be read",
            "bring the key directory back from its own backup, or name it with `keys`",
        ),
        Err(error) => Finding::error("keys", error.to_string(), "bring the key directory back from its own backup"),
    }
}

/// The read models of a stopped directory, by their checkpoints.
#[must_use]
fn models_of_directory(settings: &Settings, head: LogPosition) -> Finding {
    let dir = settings.data.join("read");
    if !dir.is_dir() {
        return Finding::ok("read models", "none yet; the next start makes them from the log");
    }
    match positions(&dir) {
        Ok(models) => match models.iter().find(|(_, position)| *position > head) {
            Some((name, position)) => Finding::warning(
                "read models",
                format!("{name} is at {position}, beyond the log's end {head}: it is of another log"),
                format!("dface rebuild {name}"),
            ),
            None => {
                let behind = models.iter().map(|(_, position)| head.0 - position.0).max().unwrap_or(0);
                let found = format!("{} of them, at most {behind} events behind; a start catches up", models.len());
                Finding::ok("read models", found)
            }
        },
        Err(error) => {
            let remedy = format!("delete {}; the next start makes them from the log", dir.display());
            Finding::error("read models", error.to_string(), remedy)
        }
    }
}

/// The read models of a running server, from `GET /admin/projections`.
#[must_use]
pub fn models_of_server(standings: &[Value]) -> Vec<Finding> {
    let stopped = standings.iter().filter(|one| one["state"] == "failed").map(|one| {
        let (name, error) = (one["name"].as_str().unwrap_or_default(), one["error"].as_str().unwrap_or_default());
        let remedy =
            format!("repair the cause, then POST /admin/projections/{name}/retry; or skip the event, with a reason");
        Finding::error("read models", format!("{name} stopped: {error}"), remedy)
    });
    let stopped: Vec<Finding> = stopped.collect();
    if !stopped.is_empty() {
        return stopped;
    }
    let greatest = |key: &str| standings.iter().filter_map(|one| one[key].as_u64()).max();
    let (count, lag) = (standings.len(), greatest("lag").unwrap_or(0));
    vec![Finding::ok(
        "read models",
        match greatest("lag_s") {
            Some(seconds) => format!("{count} of them, {lag} events or more behind, the first for {seconds} s"),
            None => format!("{count} of them, at most {lag} events behind"),
        },
    )]
}

/// What a running server says of its sweeps, from `GET /admin/status`.
#[must_use]
pub fn retention_of_server(retention: &Value) -> Finding {
    if let Some(error) = retention["error"].as_str() {
        let remedy = "repair the cause; the next sweep goes on (`retention.every_s`)";
        return Finding::warning("retention", format!("the last sweep did not come to its end: {error}"), remedy);
    }
    let limited = retention["categories"].as_array().into_iter().flatten().filter_map(|one| {
        let (name, days) = (one["name"].as_str()?, one["days"].as_i64()?);
        Some(
            one["before"].as_str().map_or(format!("{name} for {days} days"), |before| format!("{name} since {before}")),
        )
    });
    let kept: Vec<String> = limited.collect();
    Finding::ok("retention", if kept.is_empty() { "all is kept for ever".to_owned() } else { kept.join(", ") })
}
