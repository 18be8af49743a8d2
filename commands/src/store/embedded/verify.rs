//! Reads everything and says what it found: for `doctor --verify`.

use std::os::unix::fs::FileExt;

use dface_domain::ports::StoreError;

use super::{
    cursor::Found,
    frame::{HEADER, Payload},
    index::Index,
    log::{Log, Place},
    segment::Segment,
};

const CHUNK: usize = 1 << 20;

/// What a whole log holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verified {
    /// Events.
    pub events: u64,
    /// Events that are gone, for their retention was over.
    pub gone: u64,
    /// Bytes of their frames.
    pub bytes: u64,
    /// Segment files.
    pub segments: u64,
}

/// Reads all of the log and compares it with the index.
///
/// # Errors
/// The first damage: `Corrupt` with position 0 is the index, which is made anew when it is deleted.
pub fn verify(log: &Log, index: &Index) -> Result<Verified, StoreError> {
    let head = log.head();
    let segments = log.segments();
    let mut found = Verified { segments: segments.len() as u64, ..Verified::default() };
    for segment in segments.iter() {
        segment.check_header(log.id)?;
    }
    // Ends of the frames of each segment but the last, to see that nothing but zeros follows; how many events it has.
    let mut ends = vec![(super::segment::SEGMENT_HEADER as u64, 0); segments.len()];
    log.walk_all(1, head, CHUNK, |segment, met| {
        let at = segments.partition_point(|s| s.first < segment.first);
        let (offset, header, payload) = match met {
            Found::Event(offset, header, frame) => (offset, header, &frame[HEADER..]),
            Found::Gap(offset, count) => {
                found.gone += count;
                ends[at].0 = offset + HEADER as u64;
                return Ok(true);
            }
        };
        ends[at] = (offset + header.frame_len() as u64, ends[at].1 + 1);
        found.events += 1;
        found.bytes += header.frame_len() as u64;
        let stream = Payload::parse(payload).map_err(|what| segment.corrupt(header.position, offset, what))?;
        let name = format!("{}-{}", stream.category, stream.key);
        let places = index.places(&name, header.version, 1)?;
        if places.first() != Some(&(header.version, Place::of(segment.first, offset, &header))) {
            return Err(index.damaged(&name, header.version));
        }
        Ok(true)
    })?;
    for pair in segments.windows(2).zip(&ends) {
        let ([segment, next], (end, events)) = (pair.0, *pair.1) else { continue };
        check_zeros(segment, end, next.first)?;
        if segment.rewritten.is_some_and(|rewritten| u64::from(rewritten.events) != events) {
            return Err(segment.corrupt(segment.first, 0, format!("it has {events} events, not as many as it says")));
        }
    }
    let rows = index.count_rows(head)?;
    if rows != found.events {
        return Err(index.surplus(rows, found.events));
    }
    Ok(found)
}

fn check_zeros(segment: &Segment, end: u64, position: u64) -> Result<(), StoreError> {
    let mut chunk = vec![0; CHUNK];
    let mut at = end;
    while at < segment.size {
        let part = usize::try_from(segment.size - at).map_or(CHUNK, |left| left.min(CHUNK));
        let read = segment.file.read_exact_at(&mut chunk[..part], at);
        read.map_err(|e| super::cursor::unreadable(segment, position, at, &e))?;
        if let Some(dirty) = chunk[..part].iter().position(|byte| *byte != 0) {
            return Err(segment.corrupt(
                position,
                at + dirty as u64,
                "bytes after the segment's last event are not zero",
            ));
        }
        at += part as u64;
    }
    Ok(())
}
