//! Exchanges and queues at the broker. All queues are quorum queues and all of it outlives a restart.
//!
//! | queue | holds | leads to |
//! |---|---|---|
//! | `dface.jobs.<kind>` | jobs that wait | `dface.dead`, where a message came back too often |
//! | `dface.retry.<n>` | jobs that wait n to 2n seconds | back to their own queue, by the routing key that they were put with |
//! | `dface.dead` | the dead, until an operator takes them out | |
//! | `dface.results` | reports | |
//!
//! Beside them stands the exchange `dface.signals` (`crate::signals::amqp`), whose queues are its own connections'.
//!
//! A message expires only at the head of its queue, so that delays of about the same length share one. Queues that lead on do so at least
//! once: the message stays until the next queue has confirmed it.

use dface_domain::jobs::JobKind;
use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use super::super::MOST_ATTEMPTS;

pub(super) const DEAD: &str = "dface.dead";
pub(super) const RESULTS: &str = "dface.results";
/// What nodes tell each other; hands all it gets to the queue of each.
pub(crate) const SIGNALS: &str = "dface.signals";
/// The longest delay is twice this less one; longer ones are cut to it.
const LONGEST_RETRY_S: u32 = 2048;
/// No limit: a broker of version 4 has one of its own where a queue says nothing.
const NO_LIMIT: u32 = 1 << 30;

pub(super) fn jobs_queue(kind: JobKind) -> String {
    format!("dface.jobs.{kind}")
}

/// The delays' lower bounds, seconds.
pub(super) fn retry_steps() -> impl Iterator<Item = u32> {
    std::iter::successors(Some(1), |step| Some(step * 2)).take_while(|step| *step <= LONGEST_RETRY_S)
}

/// The exchange, and queue, for a delay; and the delay, cut to the longest.
pub(super) fn retry_queue(after_seconds: u32) -> (String, u32) {
    let after = after_seconds.clamp(1, 2 * LONGEST_RETRY_S - 1);
    (format!("dface.retry.{}", 1 << after.ilog2()), after)
}

/// Whether messages come into a queue by an exchange of the same name.
pub(super) fn has_exchange(queue: &str) -> bool {
    queue == DEAD || queue.starts_with("dface.retry.")
}

fn arguments(given: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    for (name, value) in given {
        table.insert((*name).into(), value.clone());
    }
    table
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn limit(deliveries: u32) -> (&'static str, AMQPValue) {
    ("x-delivery-limit", AMQPValue::LongLongInt(i64::from(deliveries)))
}

/// Leads on at least once, which a queue does only where it refuses rather than drops when it is full.
fn leads_to(exchange: &str) -> [(&'static str, AMQPValue); 3] {
    [
        ("x-dead-letter-exchange", text(exchange)),
        ("x-dead-letter-strategy", text("at-least-once")),
        ("x-overflow", text("reject-publish")),
    ]
}

async fn queue(channel: &Channel, name: &str, given: &[(&str, AMQPValue)]) -> lapin::Result<()> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments(given)).await.map(drop)
}

/// An exchange that hands all it gets to all its queues.
async fn exchange(channel: &Channel, name: &str) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), ExchangeKind::Fanout, options, FieldTable::default()).await
}

/// An exchange that hands all it gets to the queue of the same name.
async fn fanout(channel: &Channel, name: &str, given: &[(&str, AMQPValue)]) -> lapin::Result<()> {
    exchange(channel, name).await?;
    queue(channel, name, given).await?;
    channel.queue_bind(name.into(), name.into(), "".into(), QueueBindOptions::default(), FieldTable::default()).await
}

/// Declares all of it; what is there already stays as it is, or fails where it is something else.
pub(super) async fn declare(channel: &Channel) -> lapin::Result<()> {
    fanout(channel, DEAD, &[limit(NO_LIMIT)]).await?;
    for step in retry_steps() {
        fanout(channel, &retry_queue(step).0, &leads_to("")).await?;
    }
    for kind in JobKind::ALL {
        let given = [leads_to(DEAD).to_vec(), vec![limit(MOST_ATTEMPTS)]].concat();
        queue(channel, &jobs_queue(kind), &given).await?;
    }
    queue(channel, RESULTS, &[limit(NO_LIMIT)]).await
}

/// Declares what signals go by.
pub(super) async fn declare_signals(channel: &Channel) -> lapin::Result<()> {
    exchange(channel, SIGNALS).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_goes_to_the_queue_of_about_its_length() {
        assert_eq!(retry_queue(0), ("dface.retry.1".to_owned(), 1));
        assert_eq!(retry_queue(7), ("dface.retry.4".to_owned(), 7));
        assert_eq!(retry_queue(8), ("dface.retry.8".to_owned(), 8));
        assert_eq!(retry_queue(100_000), ("dface.retry.2048".to_owned(), 4095));
        let declared: Vec<u32> = retry_steps().collect();
        assert_eq!(declared.len(), 12);
    }
}
