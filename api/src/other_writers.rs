//! What a node does about others that write to the same log: it forgets aggregates that they have moved on, and finds out when a store that was
//! lost is back, though nobody asks it anything.

use std::{sync::Arc, time::Duration};

use dface_commands::Commands;
use dface_domain::{envelope::LogPosition, ports::EventStore as _};

use crate::store::Store;

/// Events read at once.
const BATCH: usize = 1_024;

/// Between two looks at a store that does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows the log from here on until the store closes. An embedded store has one writer, whose cache it is.
pub(crate) fn follow(store: &Store, commands: &Arc<Commands>) {
    if store.is_shared() {
        let (store, commands, from) = (store.clone(), Arc::clone(commands), store.head());
        tokio::spawn(async move {
            let closing = store.closing().clone();
            let both = async { tokio::join!(forget(&store, &commands, from), look(&store)) };
            closing.run_until_cancelled(both).await;
        });
    }
}

async fn forget(store: &Store, commands: &Commands, from: LogPosition) {
    let mut at = from;
    loop {
        match store.read_all(at, BATCH).await {
            Ok(batch) => {
                batch.iter().for_each(|recorded| commands.heard(recorded));
                match batch.last() {
                    Some(last) => at = last.position,
                    None => store.changed(at).await,
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the log cannot be followed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn look(store: &Store) {
    loop {
        tokio::time::sleep(PAUSE).await;
        if store.health().is_some_and(|health| !health.connected)
            && let Err(error) = store.look().await
        {
            tracing::debug!(%error, "the event store is still away");
        }
    }
}
