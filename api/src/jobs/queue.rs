//! The queue that the settings name.

use std::{sync::Arc, time::Duration};

use dface_domain::{
    jobs::{JobQueue, QueueHealth},
    ports::Clock,
};
use dface_workers::queue::{
    amqp::AmqpQueue,
    embedded::{EmbeddedQueue, EmbeddedQueueConfig},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    node::StartError,
    settings::{QueueAddress, Settings},
};

/// Opens it. A broker that is away is no error: it is tried on and on. Must be called within a runtime.
///
/// # Errors
/// The directory or the certificates cannot be used.
pub fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn JobQueue>, StartError> {
    Ok(match &settings.queue {
        QueueAddress::Embedded => {
            let config = EmbeddedQueueConfig {
                dir: settings.data.join("queue"),
                limits: settings.jobs.limits(),
                // As the read models: what the log acknowledged last still gets its jobs.
                min_free_bytes: settings.limits.min_free_bytes / 4,
            };
            Arc::new(EmbeddedQueue::open(config, clock).map_err(|e| StartError::Failed(e.to_string()))?)
        }
        QueueAddress::Amqp { url, .. } => Arc::new(AmqpQueue::connect(settings.amqp_config(url)?, clock)),
    })
}

/// Whether the broker can be reached within `patience`; none where there is none to reach.
///
/// # Errors
/// As `open`.
pub async fn reach(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    patience: Duration,
) -> Result<Option<(String, QueueHealth)>, StartError> {
    let QueueAddress::Amqp { url, .. } = &settings.queue else { return Ok(None) };
    let queue = AmqpQueue::connect(settings.amqp_config(url)?, clock);
    queue.reached(patience).await;
    Ok(Some((url.to_string(), queue.health())))
}

/// How the queue does, for operators.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueStatus {
    /// Whether it can be used now.
    connected: bool,
    /// Since when that is so; RFC 3339, UTC.
    since: String,
    /// What went wrong last, where it cannot.
    error: Option<String>,
}

impl From<QueueHealth> for QueueStatus {
    fn from(health: QueueHealth) -> Self {
        Self { connected: health.connected, since: health.since.to_string(), error: health.error }
    }
}
