//! What signing in is closed for, over several nodes: each counts failures by itself, and tells the others by an event what it closed. A node that
//! starts meanwhile does not know what was closed before.

use std::{sync::Arc, time::Duration};

use dface_commands::Context;
use dface_domain::{envelope::Recorded, events::Event, ports::EventStore as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{app::App, sign_in_limits::Closure};

/// Closures that wait to be told; further ones are for this node alone.
const WAITING: usize = 1_000;

/// Events read at once.
const BATCH: usize = 1_024;

/// After a failure of the store.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells and hears of closures until it is stopped. A node that is alone needs none of it.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    if !app.node.store.is_shared() {
        return;
    }
    let (tell, told) = mpsc::channel(WAITING);
    app.sign_in_limits.share(app.node.commands.shared_secret(), tell);
    stop.run_until_cancelled(async { tokio::join!(tell_others(&app, told), hear_others(&app)) }).await;
}

async fn tell_others(app: &App, mut told: mpsc::Receiver<Closure>) {
    while let Some(Closure { closed, until }) = told.recv().await {
        let context = Context::new(app.node.commands.fresh_id());
        if let Err(error) = app.node.commands.close_sign_in(closed, until, &context).await {
            tracing::warn!(%error, "other nodes are not told that signing in is closed");
        }
    }
}

async fn hear_others(app: &App) {
    let store = &app.node.store;
    let mut at = store.head();
    loop {
        match store.read_all(at, BATCH).await {
            Ok(batch) => {
                batch.iter().filter_map(closure).for_each(|closure| app.sign_in_limits.close(closure));
                match batch.last() {
                    Some(last) => at = last.position,
                    None => store.changed(at).await,
                }
            }
            Err(error) => {
                tracing::debug!(%error, "closures of other nodes cannot be read");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn closure(recorded: &Recorded) -> Option<Closure> {
    if recorded.data.type_name != "SignInClosed" {
        return None;
    }
    match recorded.data.decode() {
        Ok(Event::SignInClosed(event)) => Some(Closure { closed: event.closed, until: event.until }),
        _ => None,
    }
}
