//! Retention: which segments are written anew, when, and together with which.
//!
//! A category goes out of a segment once all of it there is over, and never before it went out of the segments before: so what is left of a
//! category is all that stands behind one position, its low-water mark. Small rewritten segments are put together with their neighbours, a
//! larger one only with one of about its size, so that each byte is written a few times and the files stay few.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use dface_domain::{ports::StoreError, retention::Retained, time::Timestamp};

use super::{
    Inner,
    header::GAPS_FORMAT,
    index::Index,
    log::Log,
    rewrite::{self, Source},
    segment::{self, Segment},
    summary::{Pace, Summary},
    writer::Message,
};

/// A segment that takes events is closed for the sake of what is over in it once it is so old: else a quiet installation would keep it until
/// the segment is full, and closing it each day would make many files.
const OLD_S: i64 = 7 * 86_400;

/// A rewritten segment goes with the one after it where it is at most so many times as large.
const TIMES: u64 = 4;

/// What is smaller than that is small.
const SMALL: u64 = 16 << 10;

/// Segments that are put together at once, at most.
const TOGETHER: usize = 16;

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Events that are gone.
    pub events: u64,
    /// Bytes that the files of the log are smaller by.
    pub bytes: u64,
    /// Files that were written anew or put together.
    pub segments: u64,
    /// Where each category begins.
    pub low_water: BTreeMap<Retained, LowWater>,
}

/// Where what is left of a category begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LowWater {
    /// Nothing of it stands before that position.
    pub position: u64,
    /// When the oldest of it in a segment that is full was appended.
    pub oldest: Option<Timestamp>,
}

/// One segment on its way into a new one.
struct Part {
    source: Source,
    /// Bytes that will be left, about.
    left: u64,
}

/// Neighbours that become one.
#[derive(Default)]
struct Group {
    parts: Vec<Part>,
    left: u64,
}

impl Group {
    /// Whether it is worth the writing.
    fn wanted(&self) -> bool {
        self.parts.len() > 1 || self.parts.iter().any(|part| !part.source.without.is_empty())
    }

    fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.source.segment.size).sum()
    }
}

impl Inner {
    /// Leaves out of the log what was appended before the moment of its category, as far as whole segments allow.
    pub(super) fn expire(&self, before: &BTreeMap<Retained, Timestamp>, pace: Pace<'_>) -> Result<Swept, StoreError> {
        let _alone = self.sweeping.lock();
        self.close_old(before, pace)?;
        let Some((groups, low_water)) = self.plan(before, pace)? else { return Ok(Swept::default()) };
        let mut swept = Swept { low_water, ..Swept::default() };
        for group in groups.into_iter().filter(Group::wanted) {
            if !self.raised()? {
                break;
            }
            let sources: Vec<_> = group.parts.into_iter().map(|part| part.source).collect();
            self.space.check(group.left)?;
            let Some((new, summary)) = rewrite::rewrite(&self.log, &sources, pace)? else { break };
            self.index.keep_summary(&new.name, &summary)?;
            let new = Arc::new(new);
            let old: Vec<_> = sources.into_iter().map(|source| source.segment).collect();
            swept.segments += 1;
            swept.events += new.gone() - old.iter().map(|old| old.gone()).sum::<u64>();
            swept.bytes += old.iter().map(|old| old.size).sum::<u64>().saturating_sub(new.size);
            let _still = self.still.lock();
            self.log.replace(&new);
            // Not to be stopped any more: until it is over, the old files stay.
            take_over(self, &old, &new, &mut |bytes| {
                pace(bytes);
                true
            })?;
        }
        Ok(swept)
    }

    /// Closes the segment that takes events where something in it is over and it is old.
    fn close_old(&self, before: &BTreeMap<Retained, Timestamp>, pace: Pace<'_>) -> Result<(), StoreError> {
        let (segments, head) = (self.log.segments(), self.log.head());
        let Some(last) = segments.last().filter(|last| last.first <= head && !before.is_empty()) else { return Ok(()) };
        let Some(summary) = Summary::read(last, head, pace)? else { return Ok(()) };
        let old = summary.first < self.clock.now().plus_seconds(-OLD_S);
        let over = |(category, before): (&Retained, &Timestamp)| {
            summary.of(*category).is_some_and(|share| share.oldest < *before)
        };
        if old && before.iter().any(over) { self.seal() } else { Ok(()) }
    }

    /// Whether older programs are kept out: before the first segment is rewritten, one is begun that they refuse.
    fn raised(&self) -> Result<bool, StoreError> {
        let raised =
            || self.log.segments().iter().any(|segment| segment.rewritten.is_none() && segment.format == GAPS_FORMAT);
        if !raised() {
            self.seal()?;
        }
        Ok(raised())
    }

    fn seal(&self) -> Result<(), StoreError> {
        let closed = || StoreError::Unavailable("the event store is closed".to_owned());
        let (answer, answered) = crossbeam_channel::bounded(1);
        self.queue.send(Message::Seal(answer)).map_err(|_| closed())?;
        answered.recv().map_err(|_| closed())?
    }

    /// What is to be done; none where it was told to stop.
    #[expect(clippy::type_complexity, reason = "read once, just above")]
    fn plan(
        &self,
        before: &BTreeMap<Retained, Timestamp>,
        pace: Pace<'_>,
    ) -> Result<Option<(Vec<Group>, BTreeMap<Retained, LowWater>)>, StoreError> {
        let (segments, head) = (self.log.segments(), self.log.head());
        // The newest event stays, whatever it is: who reads the log to its head finds something there.
        let sealed = segments.windows(2).map(|pair| (&pair[0], pair[1].first - 1)).take_while(|(_, last)| *last < head);
        let mut marks: BTreeMap<_, _> =
            Retained::ALL.map(|category| (category, LowWater { position: 1, oldest: None })).into();
        let mut groups: Vec<Group> = Vec::new();
        for (segment, last) in sealed {
            let Some(summary) = Summary::of_sealed(segment, last, &self.index, pace)? else { return Ok(None) };
            let without = over(&summary, last, before, &mut marks);
            if without.is_empty() && segment.rewritten.is_none() {
                continue;
            }
            let gone: u64 = without.iter().filter_map(|c| summary.of(*c)).map(|share| share.bytes).sum();
            let source = Source { segment: Arc::clone(segment), last, without };
            let part = Part { left: summary.bytes - gone, source };
            let group = Group { left: part.left, parts: vec![part] };
            groups.push(group);
            while merged(&mut groups, self.config.segment_bytes) {}
        }
        Ok(Some((groups, marks)))
    }
}

/// Which categories go out of a segment; moves their marks behind it.
fn over(
    summary: &Summary,
    last: u64,
    before: &BTreeMap<Retained, Timestamp>,
    marks: &mut BTreeMap<Retained, LowWater>,
) -> BTreeSet<Retained> {
    let mut without = BTreeSet::new();
    for (category, mark) in marks.iter_mut().filter(|(_, mark)| mark.oldest.is_none()) {
        match summary.of(*category) {
            None => mark.position = last + 1,
            Some(share) if before.get(category).is_some_and(|before| share.newest < *before) => {
                without.insert(*category);
                mark.position = last + 1;
            }
            Some(share) => *mark = LowWater { position: share.first, oldest: Some(share.oldest) },
        }
    }
    without
}

/// Puts the last two groups together where they fit. Whether they did.
fn merged(groups: &mut Vec<Group>, segment_bytes: u64) -> bool {
    let [.., one, other] = &groups[..] else { return false };
    let adjacent = one.parts.last().zip(other.parts.first());
    let adjacent = adjacent.is_some_and(|(one, other)| one.source.last + 1 == other.source.segment.first);
    let alike = one.left <= (TIMES * other.left).max(SMALL);
    let fits = one.left + other.left <= segment_bytes
        && one.bytes() + other.bytes() < u64::from(u32::MAX)
        && one.parts.len() + other.parts.len() <= TOGETHER;
    if !(adjacent && alike && fits) {
        return false;
    }
    let Some(other) = groups.pop() else { return false };
    if let Some(one) = groups.last_mut() {
        one.left += other.left;
        one.parts.extend(other.parts);
    }
    true
}

/// Brings the index to what `new` has in the place of `old`, then takes the old files away.
fn take_over(inner: &Inner, old: &[Arc<Segment>], new: &Segment, pace: Pace<'_>) -> Result<(), StoreError> {
    let covered = new.rewritten.map_or(new.first, |rewritten| rewritten.last);
    let ends = old.iter().skip(1).map(|next| next.first - 1).chain([covered]);
    for (old, last) in old.iter().zip(ends) {
        inner.index.take_over(old, last, new, pace)?;
    }
    // Whoever remembers where a stream stood asks again.
    let _ = inner.queue.send(Message::Forget);
    for old in old {
        remove(&inner.log.dir, old, &inner.index)?;
    }
    Ok(())
}

/// Takes a file away whose place another one took, once the index knows that durably.
fn remove(dir: &Path, old: &Segment, index: &Index) -> Result<(), StoreError> {
    index.let_go(&old.name)?;
    let removed = fs::remove_file(dir.join(&old.name)).and_then(|()| segment::sync_dir(dir));
    removed.map_err(|error| StoreError::Unavailable(format!("segment {} cannot be removed: {error}", old.name)))
}

/// Ends what a kill cut off between a rewritten segment's name and the old files' end.
///
/// # Errors
/// As `Index::take_over`.
pub(super) fn take_over_at_start(log: &Log, index: &Index, superseded: &[Arc<Segment>]) -> Result<(), StoreError> {
    let segments = log.segments();
    for (at, old) in superseded.iter().enumerate() {
        let covering = segments.partition_point(|segment| segment.first <= old.first);
        let Some(new) = segments[..covering].last() else { continue };
        let covered = new.rewritten.map_or(old.first, |rewritten| rewritten.last);
        // They go in their order, so what is left of them follows each other.
        let next = superseded.get(at + 1).map_or(covered, |next| covered.min(next.first - 1));
        let last = old.rewritten.map_or(next, |rewritten| rewritten.last);
        index.take_over(old, last, new, &mut |_| true)?;
    }
    for old in superseded {
        remove(&log.dir, old, index)?;
    }
    Ok(())
}
