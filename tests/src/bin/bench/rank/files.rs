//! Reads the files, each known by its header.

use std::{collections::HashMap, fs, io::Read as _, path::Path, path::PathBuf};

use dface_domain::geo::Position;

use crate::Failed;

/// A place to check in.
pub struct Venue {
    /// Absent where only check-ins know it.
    pub name: Option<String>,
    pub category: String,
    pub place: Position,
}

/// A check-in.
pub struct Visit {
    pub user: usize,
    pub venue: usize,
    /// Unix seconds.
    pub at: i64,
}

/// All files together, with numbers from 0 for users and venues.
#[derive(Default)]
pub struct Data {
    pub venues: Vec<Venue>,
    pub users: usize,
    /// In time order, exact repeats left out.
    pub visits: Vec<Visit>,
    pub follows: Vec<(usize, usize)>,
}

#[derive(Default)]
struct Reading {
    data: Data,
    venues: HashMap<String, usize>,
    users: HashMap<String, usize>,
}

type Row<'a> = HashMap<&'a str, &'a str>;

/// Venues before check-ins, so that named ones keep their own place, then follows.
pub fn read(files: &[PathBuf]) -> Result<Data, Failed> {
    let mut texts = files.iter().map(|path| text_of(path)).collect::<Result<Vec<_>, _>>()?;
    texts.sort_by_key(|text| (has(text, "follows"), has(text, "venue_id")));
    let mut reading = Reading::default();
    for text in &texts {
        let take: fn(&mut Reading, &Row<'_>) -> Option<()> = match () {
            () if has(text, "venue_id") => Reading::checkin,
            () if has(text, "follows") => Reading::follow,
            () if has(text, "name") => Reading::venue,
            () => return Err("a file has neither venues nor check-ins nor follows".into()),
        };
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
        for (number, line) in lines.enumerate() {
            let row: Row<'_> = head.iter().copied().zip(line.split('\t')).collect();
            take(&mut reading, &row).ok_or_else(|| format!("line {} cannot be read: {line}", number + 2))?;
        }
    }
    let Reading { mut data, users, .. } = reading;
    data.users = users.len();
    data.visits.sort_by_key(|visit| visit.at);
    let mut known = std::collections::HashSet::new();
    data.visits.retain(|visit| known.insert((visit.user, visit.venue, visit.at)));
    Ok(data)
}

fn has(text: &str, field: &str) -> bool {
    text.lines().next().is_some_and(|head| head.split('\t').any(|name| name == field))
}

fn text_of(path: &Path) -> Result<String, Failed> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(String::from_utf8(bytes)?);
    }
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text)?;
    Ok(text)
}

fn place(row: &Row<'_>) -> Option<Position> {
    Position::new(row.get("lat")?.parse().ok()?, row.get("lng")?.parse().ok()?).ok()
}

impl Reading {
    fn user(&mut self, id: &str) -> usize {
        let next = self.users.len();
        *self.users.entry(id.to_owned()).or_insert(next)
    }

    fn put_venue(&mut self, id: &str, venue: impl FnOnce() -> Option<Venue>) -> Option<usize> {
        if let Some(known) = self.venues.get(id) {
            return Some(*known);
        }
        let number = self.data.venues.len();
        self.data.venues.push(venue()?);
        self.venues.insert(id.to_owned(), number);
        Some(number)
    }

    fn venue(&mut self, row: &Row<'_>) -> Option<()> {
        let (name, category) = (Some((*row.get("name")?).to_owned()), (*row.get("category")?).to_owned());
        self.put_venue(row.get("id")?, || Some(Venue { name, category, place: place(row)? })).map(|_| ())
    }

    fn checkin(&mut self, row: &Row<'_>) -> Option<()> {
        let category = row.get("category").copied().unwrap_or_default().to_owned();
        let venue =
            self.put_venue(row.get("venue_id")?, || Some(Venue { name: None, category, place: place(row)? }))?;
        let user = self.user(row.get("user_id")?);
        let at: jiff::Timestamp = row.get("utc_time")?.parse().ok()?;
        self.data.visits.push(Visit { user, venue, at: at.as_second() });
        Some(())
    }

    fn follow(&mut self, row: &Row<'_>) -> Option<()> {
        let (user, other) = (self.user(row.get("user")?), self.user(row.get("follows")?));
        self.data.follows.push((user, other));
        Some(())
    }
}
