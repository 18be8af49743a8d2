//! Taking some jobs out of the queues.
//!
//! RabbitMQ can hand out the first message of a queue and nothing else. So each queue is gone through once: those that are sought are
//! acknowledged, every other one is put at the end before it is acknowledged. Giving them back instead would count as a try.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use dface_domain::jobs::{JobId, JobKind, QueueError};
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

/// Takes `jobs` out wherever they wait; those that were there.
pub(super) async fn everywhere(
    link: &Arc<Link>,
    jobs: &BTreeSet<JobId>,
    now_ms: i64,
    patience: Duration,
) -> Result<BTreeSet<JobId>, QueueError> {
    if jobs.is_empty() {
        return Ok(BTreeSet::new());
    }
    let going = go_through_all(link, jobs, now_ms, patience);
    link.broken.run_until_cancelled(going).await.unwrap_or_else(|| Err(lost_meanwhile()))
}

async fn go_through_all(
    link: &Arc<Link>,
    jobs: &BTreeSet<JobId>,
    now_ms: i64,
    patience: Duration,
) -> Result<BTreeSet<JobId>, QueueError> {
    let channel = link.connection.create_channel().await.map_err(|e| unavailable(&e))?;
    let kinds: BTreeSet<JobKind> = jobs.iter().map(|job| job.kind).collect();
    let queues = [topology::DEAD.to_owned()].into_iter().chain(kinds.into_iter().map(topology::jobs_queue));
    let mut walk = Walk {
        link,
        channel: &channel,
        sought: jobs.iter().map(|job| (job.to_string(), *job)).collect(),
        found: BTreeSet::new(),
        now_ms,
        patience,
    };
    for queue in queues.chain(topology::retry_steps().map(|step| topology::retry_queue(step).0)) {
        walk.through(&queue).await?;
    }
    let found = walk.found;
    // It has nothing open; that it is gone for sure is of no use to anybody.
    let _ = channel.close(200, "over".into()).await;
    Ok(found)
}

struct Walk<'a> {
    link: &'a Arc<Link>,
    channel: &'a Channel,
    sought: BTreeMap<String, JobId>,
    found: BTreeSet<JobId>,
    now_ms: i64,
    patience: Duration,
}

impl Walk<'_> {
    async fn through(&mut self, queue: &str) -> Result<(), QueueError> {
        let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let declared = self.channel.queue_declare(queue.into(), look, FieldTable::default());
        let counted = declared.await.map_err(|e| unavailable(&e))?;
        for _ in 0..counted.message_count() {
            let got = self.channel.basic_get(queue.into(), BasicGetOptions::default());
            let Some(got) = got.await.map_err(|e| unavailable(&e))? else { break };
            let message = Message::of(&got.delivery, self.now_ms);
            if let Some(job) = self.sought.get(&message.id) {
                self.found.insert(*job);
            } else {
                // As it came: through an exchange with the key that leads it on, or straight into its queue.
                let exchange = if topology::has_exchange(queue) { queue } else { "" };
                let key = if exchange.is_empty() { queue } else { got.delivery.routing_key.as_str() };
                publish(self.link, (exchange, key), &message, self.patience).await?;
            }
            Came { delivery: got.delivery, broken: self.link.broken.clone() }.settle().await?;
        }
        Ok(())
    }
}
