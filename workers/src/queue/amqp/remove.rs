//! Taking one job out of the queues, for an operator.
//!
//! RabbitMQ can hand out the first message of a queue and nothing else. So each queue is gone through once: the one that is sought is
//! acknowledged, every other one is put at the end before it is acknowledged. Giving them back instead would count as a try.

use std::{sync::Arc, time::Duration};

use dface_domain::jobs::{JobId, QueueError};
use lapin::{
    Channel,
    options::{BasicGetOptions, QueueDeclareOptions},
    types::FieldTable,
};

use super::{
    hands::Came,
    link::{Link, lost_meanwhile},
    message::{Message, publish},
    topology,
};

fn unavailable(error: &lapin::Error) -> QueueError {
    QueueError::Unavailable(error.to_string())
}

/// Takes `job` out wherever it waits; whether it was there.
pub(super) async fn everywhere(
    link: &Arc<Link>,
    job: JobId,
    now_ms: i64,
    patience: Duration,
) -> Result<bool, QueueError> {
    let going = go_through_all(link, job, now_ms, patience);
    link.broken.run_until_cancelled(going).await.unwrap_or_else(|| Err(lost_meanwhile()))
}

async fn go_through_all(link: &Arc<Link>, job: JobId, now_ms: i64, patience: Duration) -> Result<bool, QueueError> {
    let channel = link.connection.create_channel().await.map_err(|e| unavailable(&e))?;
    let queues = [topology::DEAD.to_owned(), topology::jobs_queue(job.kind)].into_iter();
    let mut found = false;
    for queue in queues.chain(topology::retry_steps().map(|step| topology::retry_queue(step).0)) {
        found |= from(link, &channel, &queue, job, now_ms, patience).await?;
    }
    // It has nothing open; that it is gone for sure is of no use to anybody.
    let _ = channel.close(200, "over".into()).await;
    Ok(found)
}

async fn from(
    link: &Arc<Link>,
    channel: &Channel,
    queue: &str,
    job: JobId,
    now_ms: i64,
    patience: Duration,
) -> Result<bool, QueueError> {
    let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let counted =
        channel.queue_declare(queue.into(), look, FieldTable::default()).await.map_err(|e| unavailable(&e))?;
    let (sought, mut found) = (job.to_string(), false);
    for _ in 0..counted.message_count() {
        let got = channel.basic_get(queue.into(), BasicGetOptions::default()).await.map_err(|e| unavailable(&e))?;
        let Some(got) = got else { break };
        let message = Message::of(&got.delivery, now_ms);
        if message.id == sought {
            found = true;
        } else {
            // As it came: through an exchange with the key that leads it on, or straight into its queue.
            let exchange = if topology::has_exchange(queue) { queue } else { "" };
            let key = if exchange.is_empty() { queue } else { got.delivery.routing_key.as_str() };
            publish(link, (exchange, key), &message, patience).await?;
        }
        Came { delivery: got.delivery, broken: link.broken.clone() }.settle().await?;
    }
    Ok(found)
}
