//! What the log holds: events by type and day, streams, sizes, lag. Counted from the log, whose envelopes alone are read, but for
//! those that count starts of the app.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::Path,
};

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::Event,
    ports::StoreError,
    stream::{Category, StreamId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::Store;

const BATCH: usize = 8_192;

/// Events of a type.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfType {
    /// The type.
    #[serde(rename = "type")]
    pub name: String,
    /// How many.
    pub events: u64,
    /// Bytes of their data.
    pub bytes: u64,
    /// When the first of them was appended.
    pub first: String,
    /// When the last of them was appended.
    pub last: String,
}

/// Events of a type on a day.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfDay {
    /// The day of append, UTC.
    pub day: String,
    /// The type.
    #[serde(rename = "type")]
    pub name: String,
    /// How many.
    pub events: u64,
}

/// Streams of a category.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfCategory {
    /// The first part of their names.
    pub category: String,
    /// How many.
    pub streams: u64,
}

/// A part of the data directory.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Part {
    /// Its folder: log, index, read or objects.
    pub part: String,
    /// Bytes of its files.
    pub bytes: u64,
}

/// How far a read model is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Lag {
    /// Its name.
    pub name: String,
    /// The last event that it shows.
    pub position: u64,
    /// Events between that and the head.
    pub lag: u64,
}

/// Starts of the app on a day (seed §1).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OfPhones {
    /// The day of the starts, UTC.
    pub day: String,
    /// Version of the app, or empty.
    pub version: String,
    /// The phone's model.
    pub model: String,
    /// Its operating system.
    pub os: String,
    /// How many.
    pub boots: u64,
}

/// All of it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Stats {
    /// Position of the last event.
    pub head: u64,
    /// All events.
    pub events: u64,
    /// By type.
    pub types: Vec<OfType>,
    /// By day and type.
    pub days: Vec<OfDay>,
    /// By category of streams.
    pub streams: Vec<OfCategory>,
    /// The data directory.
    pub sizes: Vec<Part>,
    /// The read models.
    pub lag: Vec<Lag>,
    /// Starts of the app, by day, version, model and system.
    #[serde(default)]
    pub boots: Vec<OfPhones>,
}

struct Count {
    events: u64,
    bytes: u64,
    first: Timestamp,
    last: Timestamp,
}

#[derive(Default)]
struct Tally {
    events: u64,
    types: BTreeMap<String, Count>,
    /// By days since 1970 and type.
    days: BTreeMap<(i64, String), u64>,
    streams: BTreeMap<&'static str, u64>,
    /// Streams that were met, of categories whose streams may have lost their first events.
    begun: HashSet<StreamId>,
    /// By days since 1970, version, model and system.
    boots: BTreeMap<(i64, String, String, String), u64>,
}

const DAY: i64 = 86_400;

impl Tally {
    /// Whether it is the first event of its stream. Of streams with more than one, whose first may be gone, the first that is left is it.
    fn begins(&mut self, event: &Recorded) -> bool {
        let may_lack = matches!(event.stream.category, Category::Focus | Category::Receipt);
        if may_lack { self.begun.insert(event.stream.clone()) } else { event.version == 0 }
    }

    fn add(&mut self, event: &Recorded) {
        self.events += 1;
        let (name, time) = (&*event.data.type_name, event.time);
        if !self.types.contains_key(name) {
            self.types.insert(name.to_owned(), Count { events: 0, bytes: 0, first: time, last: time });
        }
        if let Some(count) = self.types.get_mut(name) {
            count.events += 1;
            count.bytes += event.data.bytes.len() as u64;
            count.last = time;
        }
        *self.days.entry((time.seconds().div_euclid(DAY), name.to_owned())).or_default() += 1;
        if self.begins(event) {
            *self.streams.entry(event.stream.category.name()).or_default() += 1;
        }
        if name == "BootsCounted"
            && let Ok(Event::BootsCounted(counted)) = event.data.decode()
        {
            let day = counted.hour.seconds().div_euclid(DAY);
            for one in counted.boots {
                *self.boots.entry((day, one.version, one.model, one.os)).or_default() += one.count;
            }
        }
    }
}

/// Counts everything in the log, and measures `data`. Blocks on the disk; some 2 million events a second where the store is embedded.
///
/// # Errors
/// The log's.
pub fn count(store: &Store, data: &Path, models: Vec<(String, LogPosition)>) -> Result<Stats, StoreError> {
    let (mut tally, mut at, mut behind) = (Tally::default(), LogPosition(0), vec![0; models.len()]);
    loop {
        let batch = store.read_all_blocking(at, BATCH)?;
        let Some(last) = batch.last() else { break };
        at = last.position;
        // Counted, for positions of a log elsewhere are no numbers of events.
        for ((_, position), behind) in models.iter().zip(&mut behind) {
            let shown = batch.partition_point(|event| event.position <= *position);
            *behind += (batch.len() - shown) as u64;
        }
        batch.iter().for_each(|event| tally.add(event));
    }
    let types = tally.types.into_iter().map(|(name, count)| OfType {
        name,
        events: count.events,
        bytes: count.bytes,
        first: count.first.to_string(),
        last: count.last.to_string(),
    });
    let days = tally.days.into_iter().map(|((day, name), events)| OfDay { day: day_of(day), name, events });
    let streams = tally.streams.into_iter();
    let sizes = ["log", "index", "read", "objects"].into_iter().filter(|part| data.join(part).is_dir());
    let models = models.into_iter().zip(behind);
    let lag = models.map(|((name, position), lag)| Lag { name, position: position.0, lag });
    let phones = |((day, version, model, os), boots)| OfPhones { day: day_of(day), version, model, os, boots };
    Ok(Stats {
        head: at.0,
        events: tally.events,
        types: types.collect(),
        days: days.collect(),
        streams: streams.map(|(category, streams)| OfCategory { category: category.to_owned(), streams }).collect(),
        sizes: sizes.map(|part| Part { part: part.to_owned(), bytes: size(&data.join(part)).unwrap_or(0) }).collect(),
        lag: lag.collect(),
        boots: tally.boots.into_iter().map(phones).collect(),
    })
}

/// As in `2012-12-07`.
fn day_of(day: i64) -> String {
    Timestamp::from_seconds(day.saturating_mul(DAY)).to_string().chars().take_while(|c| *c != 'T').collect()
}

/// Bytes that the files below `dir` take on the disk.
fn size(dir: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { size(&entry.path()).unwrap_or(0) } else { about.blocks() * 512 };
    }
    Ok(bytes)
}
