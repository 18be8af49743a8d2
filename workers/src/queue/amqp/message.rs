//! Messages as the broker has them: properties, headers, publishing with confirmation.

use std::{sync::Arc, time::Duration};

use dface_domain::jobs::QueueError;
use lapin::{
    BasicProperties, Confirmation,
    message::Delivery,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable},
};
use tokio::time::timeout;

use super::link::{Link, lost_meanwhile};

/// Tries before this message was put; those of the message itself are counted by the broker.
const TRIES: &str = "dface-attempts";
/// Why it is dead.
const ERROR: &str = "dface-error";
/// When it is due, milliseconds since 1970.
const DUE: &str = "dface-due";
/// Deliveries of this message that came back.
const RETURNS: &str = "x-delivery-count";

const PERSISTENT: u8 = 2;

/// A message to be put, or one that was fetched.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    pub body: Vec<u8>,
    /// The job's id; empty for reports.
    pub id: String,
    /// Tries that it has behind it.
    pub tries: u32,
    pub error: Option<String>,
    /// When it may come again, milliseconds since 1970, and in how many of them.
    pub due: Option<(i64, u32)>,
}

fn number(headers: Option<&FieldTable>, name: &str) -> Option<i64> {
    match headers?.inner().get(name)? {
        AMQPValue::ShortShortInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortShortUInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortUInt(n) => Some(i64::from(*n)),
        AMQPValue::LongInt(n) => Some(i64::from(*n)),
        AMQPValue::LongUInt(n) => Some(i64::from(*n)),
        AMQPValue::LongLongInt(n) => Some(*n),
        _ => None,
    }
}

fn text(headers: Option<&FieldTable>, name: &str) -> Option<String> {
    match headers?.inner().get(name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        _ => None,
    }
}

impl Message {
    /// What was fetched, with all tries that it has behind it.
    pub(super) fn of(delivery: &Delivery, now_ms: i64) -> Self {
        let headers = delivery.properties.headers().as_ref();
        let tries = number(headers, TRIES).unwrap_or(0).saturating_add(number(headers, RETURNS).unwrap_or(0));
        let due = number(headers, DUE).map(|due| (due, u32::try_from(due - now_ms).unwrap_or(0)));
        Self {
            body: delivery.data.clone(),
            id: delivery.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default(),
            tries: u32::try_from(tries).unwrap_or(0),
            error: text(headers, ERROR),
            due,
        }
    }

    fn properties(&self) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert(TRIES.into(), AMQPValue::LongLongInt(i64::from(self.tries)));
        if let Some(error) = &self.error {
            headers.insert(ERROR.into(), AMQPValue::LongString(error.as_str().into()));
        }
        let mut properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_message_id(self.id.as_str().into());
        if let Some((at, after)) = self.due {
            headers.insert(DUE.into(), AMQPValue::LongLongInt(at));
            properties = properties.with_expiration(after.to_string().into());
        }
        properties.with_headers(headers)
    }
}

/// Puts a message; it is in a queue, on disk at a majority, when this answers.
pub(super) async fn publish(
    link: &Arc<Link>,
    (exchange, key): (&str, &str),
    message: &Message,
    patience: Duration,
) -> Result<(), QueueError> {
    if link.connection.status().blocked() {
        return Err(QueueError::Unavailable("the broker takes nothing for now (a memory or disk alarm)".to_owned()));
    }
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let confirmed = timeout(patience, async {
        let put =
            link.publisher.basic_publish(exchange.into(), key.into(), options, &message.body, message.properties());
        put.await?.await
    });
    let Some(confirmed) = link.broken.run_until_cancelled(confirmed).await else { return Err(lost_meanwhile()) };
    let wrong = match confirmed {
        Ok(Ok(Confirmation::Ack(None))) => return Ok(()),
        Ok(Ok(Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)))) => {
            format!("the broker has no queue for it: {}", returned.reply_text)
        }
        Ok(Ok(_)) => "the broker did not take it".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("the broker did not confirm in {} ms", patience.as_millis()),
    };
    // A fresh connection declares what is missing, and whatever else is wrong with this one ends with it.
    link.breaks(format!("a message for {}: {wrong}", if exchange.is_empty() { key } else { exchange }));
    Err(QueueError::Unavailable(wrong))
}
