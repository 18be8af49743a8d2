//! Which runs are whole, and what their files hold.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{By, lock, make_dirs};
use crate::{
    cli::{
        Failure,
        replay::out::{Out, sync_dir},
    },
    replay::Selection,
};

/// What is kept of the export itself; readers of Parquet folders pass over what begins with `_`.
const OWN: &str = "_dface";

/// A whole run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    /// The first position that it looked at.
    pub from: u64,
    /// The last.
    pub to: u64,
    /// Its files.
    pub files: Vec<Entry>,
}

/// A file of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its folder in `DIR`.
    pub folder: String,
    /// Its name.
    pub name: String,
    /// Its type, where all are of one.
    pub one_type: Option<String>,
    /// Its day, in days since 1970, where all are of one.
    pub day: Option<i64>,
    /// The first position in it.
    pub first: u64,
    /// The last position in it.
    pub last: u64,
    /// Events in it.
    pub rows: u64,
    /// Whom what is opened in it may be about.
    pub about: About,
}

/// People and watches, as hashes of how the profile shows their ids.
#[derive(Debug, Clone, Default)]
pub struct About(pub Vec<u64>);

impl Serialize for About {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for About {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = STANDARD_NO_PAD.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)?;
        Ok(Self(bytes.as_chunks().0.iter().map(|hash| u64::from_le_bytes(*hash)).collect()))
    }
}

/// The runs of a directory, which nobody else adds to meanwhile.
pub struct Runs {
    own: PathBuf,
    /// First and last position of each, in order.
    spans: Vec<(u64, u64)>,
    _lock: File,
}

/// What files of a run are called.
pub fn name_of(from: u64, to: u64) -> String {
    format!("{from:020}-{to:020}")
}

/// The positions of a name; none for files that are not ours.
fn span_of(name: &str) -> Option<(u64, u64)> {
    let (span, _) = name.split_once('.')?;
    let (from, to) = span.split_once('-')?;
    // A run may have more than one file of a day, where the clock was set back.
    let to = to.split_once('_').map_or(to, |(to, _)| to);
    let number = |text: &str| (text.len() == 20).then(|| text.parse().ok()).flatten();
    Some((number(from)?, number(to)?))
}

impl Runs {
    /// Opens `dir`, which is made where there is none, and takes away what a run that was cut off left.
    ///
    /// # Errors
    /// Something else is exported there, or the disk's.
    pub fn open(dir: &Path, log: &str, selection: &Selection, by: &[By]) -> Result<Self, Failure> {
        let own = dir.join(OWN);
        let fails = |error: io::Error| Failure::Usage(format!("--out: {}: {error}", dir.display()));
        make_dirs(&own).map_err(fails)?;
        let lock = lock(&own)?;
        let what = Selection { to: None, ..selection.clone() }.to_query();
        let what = format!("{what}&partition={by:?}&log={log}\n");
        let path = own.join("what");
        match fs::read_to_string(&path) {
            Ok(kept) if kept == what => {}
            Ok(kept) => {
                let text = format!(
                    "--out: {} is an export of something else; name another directory. It is {}, not {}",
                    dir.display(),
                    kept.trim(),
                    what.trim()
                );
                return Err(Failure::Usage(text));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => write(&path, what.as_bytes()).map_err(fails)?,
            Err(error) => return Err(fails(error)),
        }
        let names = fs::read_dir(&own).map_err(fails)?;
        let names = names.map_while(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut spans: Vec<(u64, u64)> =
            names.filter(|name| name.ends_with(".json")).filter_map(|name| span_of(&name)).collect();
        spans.sort_unstable();
        let runs = Self { own, spans, _lock: lock };
        sweep(dir, runs.last()).map_err(fails)?;
        Ok(runs)
    }

    /// The last position that was looked at; 0 before the first run.
    pub fn last(&self) -> u64 {
        self.spans.last().map_or(0, |(_, to)| *to)
    }

    /// The files that may show something of one of them.
    ///
    /// # Errors
    /// The disk's, and a run's file that is none.
    pub fn about(&self, hashes: &HashSet<u64>) -> Result<Vec<Entry>, Failure> {
        let mut found = Vec::new();
        for (from, to) in &self.spans {
            let path = self.own.join(name_of(*from, *to) + ".json");
            let broken = |error: &dyn std::fmt::Display| Failure::Work(format!("{}: {error}", path.display()));
            let text = fs::read(&path).map_err(|e| broken(&e))?;
            let run: Run = serde_json::from_slice(&text).map_err(|e| broken(&e))?;
            found.extend(run.files.into_iter().filter(|file| file.about.0.iter().any(|hash| hashes.contains(hash))));
        }
        Ok(found)
    }

    /// The run is whole.
    ///
    /// # Errors
    /// The disk's.
    pub fn add(&self, run: &Run) -> io::Result<()> {
        let path = self.own.join(name_of(run.from, run.to) + ".json");
        write(&path, &serde_json::to_vec(run)?)
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut out = Out::part(path)?;
    out.write_all(bytes)?;
    let written = out.written()?;
    written.name()?;
    sync_dir(written.folder())
}

/// Takes away files of ours that are under way, or beyond `last`; other people's files stay.
fn sweep(dir: &Path, last: u64) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            if name.starts_with("type=") || name.starts_with("date=") {
                sweep(&entry.path(), last)?;
            }
        } else if span_of(&name).is_some_and(|(_, to)| to > last || name.ends_with(".part")) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path, selection: &Selection) -> Result<Runs, Failure> {
        Runs::open(dir, "log", selection, &[By::Type])
    }

    #[test]
    fn what_was_cut_off_goes_and_what_is_others_stays() {
        let dir = tempfile::tempdir().unwrap();
        let selection = Selection::default();
        let folder = dir.path().join("type=CheckedIn");
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str| folder.join(name);
        let (whole, under_way, beyond, foreign) =
            (name_of(1, 5) + ".csv", name_of(1, 5) + ".csv.part", name_of(6, 9) + "_1.csv", "notes.csv".to_owned());
        for name in [&whole, &under_way, &beyond, &foreign] {
            fs::write(file(name), "").unwrap();
        }
        {
            let runs = open(dir.path(), &selection);
            assert!(!file(&whole).exists(), "no run is whole yet");
            fs::write(file(&whole), "").unwrap();
            runs.unwrap().add(&Run { from: 1, to: 5, files: Vec::new() }).unwrap();
        }
        fs::write(file(&beyond), "").unwrap();
        fs::write(file(&under_way), "").unwrap();
        let runs = open(dir.path(), &selection).unwrap();
        assert_eq!(runs.last(), 5);
        assert!(file(&whole).exists() && file(&foreign).exists());
        assert!(!file(&under_way).exists() && !file(&beyond).exists());
    }

    #[test]
    fn one_directory_has_one_export_and_one_writer() {
        let dir = tempfile::tempdir().unwrap();
        let runs = open(dir.path(), &Selection::default()).unwrap();
        assert!(
            matches!(open(dir.path(), &Selection::default()), Err(Failure::Usage(text)) if text.contains("another replay"))
        );
        drop(runs);
        let other = Selection { raw: true, ..Selection::default() };
        assert!(matches!(open(dir.path(), &other), Err(Failure::Usage(text)) if text.contains("something else")));
        open(dir.path(), &Selection { to: Some(7), ..Selection::default() }).unwrap();
    }

    #[test]
    fn files_are_found_by_whom_they_are_about() {
        let dir = tempfile::tempdir().unwrap();
        let entry = |name: &str, about: &[u64]| Entry {
            folder: "type=CheckedIn".to_owned(),
            name: name.to_owned(),
            one_type: None,
            day: None,
            first: 1,
            last: 5,
            rows: 2,
            about: About(about.to_vec()),
        };
        let files = vec![entry("a", &[1, u64::MAX]), entry("b", &[2])];
        open(dir.path(), &Selection::default()).unwrap().add(&Run { from: 1, to: 5, files }).unwrap();
        let runs = open(dir.path(), &Selection::default()).unwrap();
        let found = runs.about(&HashSet::from([u64::MAX, 7])).unwrap();
        assert_eq!(found.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
