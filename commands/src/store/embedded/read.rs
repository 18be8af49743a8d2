//! Reading a stream: by the index, then the log.

use dface_domain::{envelope::Recorded, ports::StoreError, retention::Retained, stream::StreamId};

use super::Inner;

impl Inner {
    /// The events of a stream from `version` on that are there, each with how many of its batch follow.
    pub(super) fn read_stream(
        &self,
        stream: &StreamId,
        version: u64,
        limit: usize,
    ) -> Result<Vec<(Recorded, u32)>, StoreError> {
        let name = stream.to_string();
        let may_lack = Retained::of_stream(&name).is_some();
        let (mut found, mut next) = (Vec::new(), version);
        loop {
            let wanted = limit - found.len();
            let places = self.index.places(&name, next, wanted)?;
            for (version, place) in &places {
                match self.log.read_at(place)? {
                    Some((event, header)) if event.stream == *stream && event.version == *version => {
                        found.push((event, header.following));
                    }
                    // Gone, and the index is about to hear of it.
                    None if may_lack && found.is_empty() => {}
                    _ => return Err(self.index.damaged(&name, *version)),
                }
            }
            let Some((last, _)) = places.last() else { break };
            next = last + 1;
            if places.len() < wanted || found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }
}
