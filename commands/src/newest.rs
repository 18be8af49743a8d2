//! The last event of a stream of which only that counts. Streams are read forward alone, so its place is looked for.

use dface_domain::{
    envelope::Recorded,
    ports::{EventStore, StoreError},
    stream::StreamId,
};

/// Events that are read at once; the search begins where there are more.
const PAGE: usize = 64;

/// The last event of `stream`, none where it has none. `known` is a version that it has reached.
///
/// # Errors
/// The store's.
pub async fn newest(store: &dyn EventStore, stream: &StreamId, known: u64) -> Result<Option<Recorded>, StoreError> {
    let mut page = store.read_stream(stream, known, PAGE).await?;
    while page.len() == PAGE {
        // Too many to be read one after the other, perhaps.
        let version = furthest(store, stream, page.last().map_or(known, |last| last.version)).await?;
        page = store.read_stream(stream, version, PAGE).await?;
    }
    Ok(page.pop())
}

/// A version that the stream has, close to its last one: ever longer steps forward, then by halves.
async fn furthest(store: &dyn EventStore, stream: &StreamId, from: u64) -> Result<u64, StoreError> {
    let (mut there, mut step) = (from, PAGE as u64);
    while let Some(found) = store.read_stream(stream, there + step, 1).await?.first() {
        (there, step) = (found.version, step * 2);
    }
    let mut beyond = there + step;
    while beyond - there > PAGE as u64 / 2 {
        let middle = there + (beyond - there) / 2;
        match store.read_stream(stream, middle, 1).await?.first() {
            Some(found) => there = found.version,
            None => beyond = middle,
        }
    }
    Ok(there)
}
