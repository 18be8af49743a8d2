//! Opens the broker of the settings and starts what goes with it.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    broker::Broker,
    downs,
    embedded::{Embedded, Listening},
    inbound::Inbound,
    revocations,
};
use crate::app::App;

/// Starts the embedded broker on `listening`.
///
/// # Errors
/// The disk's.
pub async fn embedded(
    app: &Arc<App>,
    listening: Listening,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Result<(), fjall::Error> {
    let (inbound, focus_log) = Inbound::new(Arc::clone(&app.node));
    let (broker, listening_watches) = Embedded::open(Arc::clone(app), inbound).await?;
    let shown = Arc::clone(&broker) as Arc<dyn Broker>;
    let shown = Arc::clone(app.node.mqtt.get_or_init(|| shown));
    tasks.spawn(revocations::follow(Arc::clone(&app.node), Arc::clone(&shown), stop.clone()));
    tasks.spawn(downs::run(Arc::clone(&app.node), shown, listening_watches, stop.clone()));
    tasks.spawn(focus_log.run(stop.clone()));
    tasks.spawn(Arc::clone(&broker).keep_marks(stop.clone()));
    tasks.spawn(broker.serve(listening, stop.clone()));
    Ok(())
}
