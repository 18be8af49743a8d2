//! Events put into the stand-in without a client, in the form in which the adapter writes them: for logs of a million events.

use dface_domain::{
    envelope::NewEvent,
    events::{CodecError, Encoding, Event},
    format::Format,
    stream::StreamId,
    time::Timestamp,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    StandIn,
    wire::{self, Proposed},
};

/// The next event of a stream.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Its stream.
    pub stream: StreamId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

impl StandIn {
    /// Puts events at the ends of their streams, in this order; how many.
    ///
    /// # Errors
    /// An event cannot be written.
    pub fn fill<E: From<CodecError>>(&self, facts: impl Iterator<Item = Result<Fact, E>>) -> Result<u64, E> {
        let mut count = 0;
        for fact in facts {
            let Fact { stream, at, event } = fact?;
            let (id, format) = (Uuid::now_v7(), Format::default());
            let new = NewEvent { id, occurred_at: at, correlation: id, causation: None, event, format };
            let proposed = proposed(&new)?;
            self.cluster.log.lock().put(&format!("dface-{stream}"), vec![proposed]);
            count += 1;
        }
        self.cluster.tell();
        Ok(count)
    }
}

/// Bytes that the adapter sends of an event: its fields, what stands around them, and the names of its stream and type.
///
/// # Errors
/// The event cannot be written.
pub fn bytes_of(stream: &StreamId, new: &NewEvent) -> Result<usize, CodecError> {
    let proposed = proposed(new)?;
    let named = format!("dface-{stream}").len() + proposed.metadata.get("type").map_or(0, String::len);
    Ok(proposed.data.len() + proposed.custom_metadata.len() + named)
}

fn proposed(new: &NewEvent) -> Result<Proposed, CodecError> {
    let data = new.data(Encoding::Json)?;
    let around = json!({
        "$correlationId": new.correlation,
        "schema": data.schema,
        "occurredAt": new.occurred_at,
        "following": 0,
    });
    let metadata = [("type", &*data.type_name), ("content-type", "application/json")];
    Ok(Proposed {
        id: Some(wire::Uuid::of(new.id)),
        metadata: metadata.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        custom_metadata: around.to_string().into(),
        data: data.bytes.into(),
    })
}
