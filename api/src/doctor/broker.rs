//! Whether the queue's broker can be reached.

use std::{sync::Arc, time::Duration};

use dface_commands::system::SystemClock;

use super::Finding;
use crate::{jobs::queue, settings::Settings};

/// The broker that `queue` names; nothing where the queue is embedded.
pub async fn broker(settings: &Settings) -> Vec<Finding> {
    const REMEDY: &str = "start RabbitMQ, or correct `queue` (--queue) and [amqp]; jobs wait meanwhile";
    let patience = Duration::from_millis(settings.amqp.timeout_ms);
    match queue::reach(settings, Arc::new(SystemClock), patience).await {
        Ok(None) => Vec::new(),
        Ok(Some((at, health))) if health.connected => vec![Finding::ok("queue", at)],
        Ok(Some((at, health))) => {
            let error = health.error.unwrap_or_else(|| "no answer".to_owned());
            vec![Finding::error("queue", format!("{at}: {error}"), REMEDY)]
        }
        Err(error) => vec![Finding::error("queue", error.to_string(), REMEDY)],
    }
}
