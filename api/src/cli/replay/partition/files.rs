//! The files of a run: which one a row goes into, and what is noted of it.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use dface_domain::{
    events::{Class, TypeInfo},
    time::{SECOND, Timestamp},
};

use super::{
    By, make_dirs,
    open::{Open, Writing},
    runs::{About, Entry},
};
use crate::{
    cli::replay::{
        out::{Out, Written},
        sink::Sink,
    },
    replay::{self, Format, Profile, Row, Selection, table::Table},
};

/// Microseconds of a day.
const DAY: i64 = 86_400 * SECOND;

/// Bytes that all open files may hold.
const HELD: usize = 64 << 20;

/// Where files go, and in which form.
#[derive(Clone)]
pub struct Layout {
    dir: PathBuf,
    by: Vec<By>,
    order: replay::By,
    format: Format,
    profile: Profile,
    raw: bool,
}

impl Layout {
    /// For an export of `selection` into `dir`.
    pub fn new(dir: &Path, selection: &Selection, by: &[By]) -> Self {
        let Selection { by: order, format, profile, raw, .. } = *selection;
        Self { dir: dir.to_owned(), by: by.to_vec(), order, format, profile, raw }
    }

    fn day(&self, row: &Row<'_>) -> Option<i64> {
        let time = if self.order == replay::By::Append { row.time } else { row.occurred_at };
        self.by.contains(&By::Date).then(|| time.0.div_euclid(DAY))
    }

    fn folder(&self, type_name: &str, day: Option<i64>) -> String {
        let part = |by: &By| match by {
            By::Type => format!("type={type_name}"),
            By::Date => format!("date={}", date(day.unwrap_or(0))),
        };
        self.by.iter().map(part).collect::<Vec<_>>().join("/")
    }

    /// The fields of a type that say whom what is opened in it is about; none where the profile opens nothing of it.
    fn people(&self, type_name: &str) -> Vec<usize> {
        let Some(info) = TypeInfo::named(type_name) else { return Vec::new() };
        let opened = |class: Class| match self.profile {
            Profile::Pseudonymous => class == Class::Position,
            Profile::Full => matches!(class, Class::Position | Class::Personal),
        };
        if !info.fields.iter().any(|field| opened(field.class)) {
            return Vec::new();
        }
        (0..).zip(info.fields).filter(|(_, field)| field.class == Class::Person).map(|(at, _)| at).collect()
    }
}

/// The first moment of a day, and its last.
pub fn bounds(day: i64) -> (Timestamp, Timestamp) {
    (Timestamp(day.saturating_mul(DAY)), Timestamp(day.saturating_mul(DAY).saturating_add(DAY - 1)))
}

fn date(day: i64) -> String {
    bounds(day).0.to_string().chars().take_while(|c| *c != 'T').collect()
}

/// Writes the files of a run.
pub struct PartitionSink {
    layout: Layout,
    run: String,
    /// Those of the day under way, by type (or of all types, by an empty name).
    open: HashMap<String, Open>,
    day: Option<i64>,
    done: Vec<(Written, Entry)>,
    /// How many files each folder has.
    names: HashMap<String, u32>,
    /// The fields of each type that say whom it is about.
    people: HashMap<String, Vec<usize>>,
}

impl PartitionSink {
    /// Files of the run of that name.
    pub fn new(layout: Layout, run: String) -> Self {
        let (names, people) = (HashMap::new(), HashMap::new());
        Self { layout, run, open: HashMap::new(), day: None, done: Vec::new(), names, people }
    }

    /// All files, each written and without its name.
    ///
    /// # Errors
    /// The disk's.
    pub fn whole(mut self) -> io::Result<(Vec<Written>, Vec<Entry>)> {
        self.close()?;
        Ok(self.done.into_iter().unzip())
    }

    fn close(&mut self) -> io::Result<()> {
        for (_, open) in self.open.drain() {
            self.done.push(open.whole()?);
        }
        Ok(())
    }

    fn begin(&mut self, type_name: &str) -> io::Result<Open> {
        let layout = &self.layout;
        let folder = layout.folder(type_name, self.day);
        let count = self.names.entry(folder.clone()).or_default();
        *count += 1;
        // A day comes again where the clock was set back.
        let again = if *count > 1 { format!("_{}", *count - 1) } else { String::new() };
        let name = format!("{}{again}.{}", self.run, layout.format.extension());
        let path = layout.dir.join(&folder);
        make_dirs(&path)?;
        let out = Out::part(&path.join(&name))?;
        let one = layout.by.contains(&By::Type);
        let writing = match layout.format.text() {
            Some(text) => Writing::Text(out, text.head()),
            None => {
                let info = TypeInfo::named(type_name).filter(|_| one && !layout.raw);
                let table = Table::new(layout.profile, info);
                Writing::Table(Box::new(if one { table.without_type() } else { table }), Some(out), None)
            }
        };
        let entry = Entry {
            folder,
            name,
            one_type: one.then(|| type_name.to_owned()),
            day: self.day,
            first: u64::MAX,
            last: 0,
            rows: 0,
            about: About::default(),
        };
        Ok(Open::new(entry, writing))
    }

    /// Where all open files hold too much, the greatest goes on.
    fn let_go(&mut self) -> io::Result<()> {
        if self.open.values().map(Open::held).sum::<usize>() > HELD
            && let Some(greatest) = self.open.values_mut().max_by_key(|open| open.held())
        {
            greatest.flush()?;
        }
        Ok(())
    }
}

impl Sink for PartitionSink {
    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let day = self.layout.day(row);
        if day != self.day {
            self.close()?;
            self.day = day;
        }
        let key = if self.layout.by.contains(&By::Type) { row.type_name } else { "" };
        if !self.open.contains_key(key) {
            let begun = self.begin(row.type_name)?;
            self.open.insert(key.to_owned(), begun);
        }
        if !self.people.contains_key(row.type_name) {
            self.people.insert(row.type_name.to_owned(), self.layout.people(row.type_name));
        }
        let (Some(open), Some(people)) = (self.open.get_mut(key), self.people.get(row.type_name)) else {
            return Ok(());
        };
        open.row(self.layout.format, row, people)?;
        if open.is_full() {
            open.encode()?;
            self.let_go()?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.whole().map(drop)
    }
}
