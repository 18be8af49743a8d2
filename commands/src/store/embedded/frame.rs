//! One event as bytes: a fixed header, then the payload. Numbers are little-endian.
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | length of the payload |
//! | 4..8 | CRC-32C over the payload, then over all other bytes of the header |
//! | 8..16 | position in the log |
//! | 16..24 | version in the stream |
//! | 24..32 | time of append, microseconds since 1970 |
//! | 32..40 | the durable mark when this frame's group was written |
//! | 40..44 | how many events of the same batch follow |
//!
//! The payload is first in the checksum so that callers can take it over their payload before the writer knows the rest.
//!
//! A frame without a payload stands for events that are gone: its position is that of the first of them, its version how many they are. Only
//! rewritten segments have any.

use dface_domain::{
    envelope::{EventData, LogPosition, NewEvent, Recorded},
    events::Encoding,
    stream::StreamId,
    time::Timestamp,
};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

/// Bytes of a frame's header.
pub const HEADER: usize = 44;

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the payload.
    pub len: u32,
    /// Checksum over all of the frame but itself.
    pub crc: u32,
    /// Place in the log.
    pub position: u64,
    /// Place in the stream.
    pub version: u64,
    /// Time of append in microseconds.
    pub time: i64,
    /// The last position known to be durable when this was written.
    pub durable: u64,
    /// Events of the same batch that follow.
    pub following: u32,
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

impl Header {
    /// Reads the first [`HEADER`] bytes of `bytes`, which must have as many.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        Self {
            len: u32::from_le_bytes(array(bytes, 0)),
            crc: u32::from_le_bytes(array(bytes, 4)),
            position: u64::from_le_bytes(array(bytes, 8)),
            version: u64::from_le_bytes(array(bytes, 16)),
            time: i64::from_le_bytes(array(bytes, 24)),
            durable: u64::from_le_bytes(array(bytes, 32)),
            following: u32::from_le_bytes(array(bytes, 40)),
        }
    }

    /// Bytes of the whole frame.
    #[must_use]
    pub const fn frame_len(&self) -> usize {
        HEADER + self.len as usize
    }

    /// How many events are gone from here on, where this stands for events that are.
    #[must_use]
    pub const fn gap(&self) -> Option<u64> {
        if self.len == 0 { Some(self.version) } else { None }
    }
}

/// The frame that stands for `count` events that are gone, the first of them at `position`.
#[must_use]
pub fn gap(position: u64, count: u64) -> [u8; HEADER] {
    let mut frame = [0; HEADER];
    let crc = crc32c::crc32c(&[]);
    seal(&mut frame, &Header { len: 0, crc, position, version: count, time: 0, durable: 0, following: 0 });
    frame
}

/// Whether the checksum of a whole frame is right.
#[must_use]
pub fn intact(frame: &[u8]) -> bool {
    let stored = u32::from_le_bytes(array(frame, 4));
    seal_crc(crc32c::crc32c(&frame[HEADER..]), frame) == stored
}

fn seal_crc(payload_crc: u32, frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(payload_crc, &frame[..4]), &frame[8..HEADER])
}

/// Writes the fields that only the writer knows into a frame whose `len` is right and whose `crc` is that of its payload.
pub fn seal(frame: &mut [u8], header: &Header) {
    frame[8..16].copy_from_slice(&header.position.to_le_bytes());
    frame[16..24].copy_from_slice(&header.version.to_le_bytes());
    frame[24..32].copy_from_slice(&header.time.to_le_bytes());
    frame[32..40].copy_from_slice(&header.durable.to_le_bytes());
    frame[40..HEADER].copy_from_slice(&header.following.to_le_bytes());
    let crc = seal_crc(header.crc, frame);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
}

/// The part of an event that does not depend on where it comes to stand.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload<'a> {
    /// The event's id.
    pub id: Uuid,
    /// First part of the stream's name.
    pub category: &'a str,
    /// Second part of the stream's name.
    pub key: &'a str,
    /// The type's stable name.
    pub type_name: &'a str,
    /// The type's schema version.
    pub schema: u16,
    /// When it happened, microseconds since 1970.
    pub occurred_at: i64,
    /// What it belongs to.
    pub correlation: Uuid,
    /// What led to it.
    pub causation: Option<Uuid>,
    /// The event's fields, in postcard.
    #[serde(serialize_with = "as_bytes")]
    pub data: &'a [u8],
}

fn as_bytes<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

impl<'a> Payload<'a> {
    /// Reads a payload, all of it.
    ///
    /// # Errors
    /// What is wrong with it; after a right checksum that is a newer program's work.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        match postcard::take_from_bytes(bytes) {
            Ok((payload, [])) => Ok(payload),
            Ok((_, rest)) => Err(format!("{} bytes are left over after the event", rest.len())),
            Err(error) => Err(format!("the event's envelope cannot be read: {error}")),
        }
    }

    /// The event as the port has it.
    ///
    /// # Errors
    /// A category of streams that this program does not know.
    pub fn into_recorded(self, header: &Header) -> Result<Recorded, String> {
        let category = self
            .category
            .parse()
            .map_err(|_| format!("unknown stream category `{}`; was it written by a newer dface?", self.category))?;
        Ok(Recorded {
            position: LogPosition(header.position),
            stream: StreamId { category, key: self.key.into() },
            version: header.version,
            id: self.id,
            time: Timestamp(header.time),
            occurred_at: Timestamp(self.occurred_at),
            correlation: self.correlation,
            causation: self.causation,
            data: EventData::new(self.type_name, self.schema, Encoding::Postcard, self.data.to_vec()),
        })
    }
}

/// Appends the frame of `event` to `out`, with the writer's fields left at zero and the payload's checksum as `crc`.
///
/// # Errors
/// An event that postcard cannot write, or one above 4 GiB.
pub fn encode(stream: &StreamId, event: &NewEvent, out: Vec<u8>) -> Result<Vec<u8>, String> {
    let data = event.data(Encoding::Postcard).map_err(|e| e.to_string())?;
    let payload = Payload {
        id: event.id,
        category: stream.category.name(),
        key: &stream.key,
        type_name: &data.type_name,
        schema: data.schema,
        occurred_at: event.occurred_at.0,
        correlation: event.correlation,
        causation: event.causation,
        data: &data.bytes,
    };
    encode_payload(&payload, out)
}

/// As `encode`, for a payload that is made already.
///
/// # Errors
/// As `encode`.
pub fn encode_payload(payload: &Payload<'_>, mut out: Vec<u8>) -> Result<Vec<u8>, String> {
    let start = out.len();
    out.resize(start + HEADER, 0);
    let mut out = postcard::to_extend(payload, out).map_err(|e| e.to_string())?;
    let bytes = &out[start + HEADER..];
    let len = u32::try_from(bytes.len()).map_err(|_| "an event above 4 GiB".to_owned())?;
    let crc = crc32c::crc32c(bytes);
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
    out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    Ok(out)
}
