//! Which log it is: a stream of its own on the server. Its first event is the log's id, made by whoever comes first; where the log is a copy
//! of another one, the second says that all of it is there.

use dface_domain::ports::{Entropy, StoreError};
use eventstore::{
    AppendToStreamOptions, Error, EventData, ReadStreamOptions, RecordedEvent, StreamPosition, StreamState,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Shared,
    error::{ConnectError, Trouble},
    link::{Session, asking},
};

const BEGUN: &str = "LogBegun";
const COPIED: &str = "LogCopied";

/// The first event.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    /// The log's id, in hex digits.
    id: String,
    /// The id of the log that it is a copy of.
    #[serde(rename = "copyOf", default, skip_serializing_if = "Option::is_none")]
    copy_of: Option<String>,
}

/// The second event of a copy: it is whole.
#[derive(Debug, Serialize, Deserialize)]
struct Copied {
    events: u64,
    sha256: String,
}

/// Which log it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// Its id.
    pub id: [u8; 16],
    /// The log that it is a copy of.
    pub copy_of: Option<[u8; 16]>,
    /// Whether all of that was copied.
    pub copied: bool,
}

/// Reads which log this is, or begins one.
pub(super) async fn identify(
    shared: &Shared,
    entropy: &dyn Entropy,
    copy_of: Option<[u8; 16]>,
) -> Result<Identity, ConnectError> {
    if let Some(known) = read(shared).await? {
        return Ok(known);
    }
    let id = entropy.bytes::<16>();
    let begun = Begun { id: hex::encode(id), copy_of: copy_of.map(hex::encode) };
    write(shared, BEGUN, &begun, StreamState::NoStream, Uuid::from_bytes(id)).await?;
    let known = read(shared).await?;
    known.ok_or_else(|| ConnectError::Unsuitable("what was begun cannot be read".to_owned()))
}

/// Says that the copy is whole.
pub(super) async fn copied(shared: &Shared, id: Uuid, events: u64, sha256: &str) -> Result<(), ConnectError> {
    let copied = Copied { events, sha256: sha256.to_owned() };
    write(shared, COPIED, &copied, StreamState::StreamRevision(0), id).await
}

/// Reads which log this is; none where nobody began one.
pub(super) async fn read(shared: &Shared) -> Result<Option<Identity>, ConnectError> {
    let name = shared.names.log();
    let options = ReadStreamOptions::default().position(StreamPosition::Start).max_count(2);
    let reading = async |session: Session, _| {
        let options = asking!(session, options.clone());
        let events = async {
            let mut reading = session.client.read_stream(name.as_str(), &options).await.map_err(|e| Trouble::of(&e))?;
            let mut events = Vec::new();
            loop {
                match reading.next().await {
                    Ok(Some(found)) => events.extend(found.event),
                    Ok(None) | Err(Error::ResourceNotFound) => return Ok(events),
                    Err(error) => return Err(Trouble::of(&error)),
                }
            }
        };
        timeout(session.patience, events).await.unwrap_or_else(|_| Err(Trouble::silence()))
    };
    let events = shared.link.call(reading).await?;
    let Some(first) = events.first() else { return Ok(None) };
    if first.position.commit > i64::MAX as u64 {
        return Err(ConnectError::Unsuitable(
            "this server does not say where the events of a stream stand in the log; a newer one does".to_owned(),
        ));
    }
    let begun: Begun = parse(first, BEGUN)?;
    let copied = events.get(1).map(|second| parse::<Copied>(second, COPIED)).transpose()?.is_some();
    let copy_of = begun.copy_of.as_deref().map(id_of).transpose()?;
    Ok(Some(Identity { id: id_of(&begun.id)?, copy_of, copied }))
}

fn parse<T: DeserializeOwned>(event: &RecordedEvent, of: &str) -> Result<T, ConnectError> {
    let wrong = |what: String| ConnectError::Unsuitable(format!("stream {}: {what}", event.stream_id()));
    if event.event_type != of {
        return Err(wrong(format!("{} stands where {of} should", event.event_type)));
    }
    event.as_json().map_err(|error| wrong(format!("{of} cannot be read: {error}")))
}

fn id_of(text: &str) -> Result<[u8; 16], ConnectError> {
    let mut id = [0; 16];
    match hex::decode_to_slice(text, &mut id) {
        Ok(()) => Ok(id),
        Err(error) => Err(ConnectError::Unsuitable(format!("its id cannot be read: {error}"))),
    }
}

/// Writes an event of the log's own stream, unless somebody else was faster.
async fn write<T: Serialize>(
    shared: &Shared,
    of: &str,
    event: &T,
    at: StreamState,
    id: Uuid,
) -> Result<(), ConnectError> {
    let name = shared.names.log();
    let event = EventData::json(of, event).map_err(|e| StoreError::Refused(e.to_string()))?.id(id);
    let options = AppendToStreamOptions::default().stream_state(at);
    let writing = async |session: Session, _| {
        let options = asking!(session, options.clone()).deadline(session.patience);
        let sent = session.client.append_to_stream(name.as_str(), &options, event.clone());
        match timeout(session.patience, sent).await {
            Ok(Ok(_) | Err(Error::WrongExpectedVersion { .. })) => Ok(()),
            Ok(Err(error)) => Err(Trouble::of(&error)),
            Err(_) => Err(Trouble::silence()),
        }
    };
    Ok(shared.link.call(writing).await?)
}
