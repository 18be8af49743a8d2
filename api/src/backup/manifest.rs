//! What a backup holds: the file `manifest`, of JSON lines. The first says what it is a backup of, each other one a file, the last the hash of
//! all before.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{BackupError, settings};

/// Its name in a backup.
pub const NAME: &str = "manifest";

/// Where segments of the log are in a backup, and objects.
pub const LOG: &str = "log/";
pub const OBJECTS: &str = "objects/";

/// The form of backups that this program writes and reads.
const FORM: u32 = 1;

/// What a backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The form of the backup.
    pub dface_backup: u32,
    /// This backup, 32 hex digits.
    pub id: String,
    /// The program that made it.
    pub version: String,
    /// When.
    pub made: String,
    /// The log, 32 hex digits.
    pub log: String,
    /// The log's last event that is in it.
    pub position: u64,
    /// Whether objects are in it; else they are in a bucket, which has backups of its own.
    pub objects: bool,
    /// The backups that hold some of its files, where it holds only what is new.
    pub bases: Vec<Base>,
}

/// A backup that another one builds on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Which.
    pub id: String,
    /// Where it was then.
    pub path: PathBuf,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its path in the backup.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
    /// Their hash.
    pub sha256: String,
    /// The backup that holds it; none where it is this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Of a segment of the log: its events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentEntry>,
}

/// Which events a segment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentEntry {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// Whether nothing more came into it.
    pub full: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    sha256: String,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What it is of.
    pub head: Head,
    /// Its files, by path.
    pub files: BTreeMap<String, Entry>,
}

impl Head {
    /// Of a backup of this program.
    #[must_use]
    pub fn new(id: [u8; 16], made: String, log: [u8; 16], position: u64) -> Self {
        Self {
            dface_backup: FORM,
            id: hex::encode(id),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made,
            log: hex::encode(log),
            position,
            objects: true,
            bases: Vec::new(),
        }
    }
}

/// The hash of some bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

impl Manifest {
    /// As it stands in a backup.
    ///
    /// # Errors
    /// The encoder's.
    pub fn to_text(&self) -> Result<String, BackupError> {
        let failed = |e: serde_json::Error| BackupError::Failed(e.to_string());
        let mut text = serde_json::to_string(&self.head).map_err(failed)? + "\n";
        for entry in self.files.values() {
            text.push_str(&serde_json::to_string(entry).map_err(failed)?);
            text.push('\n');
        }
        let end = serde_json::to_string(&End { sha256: sha256(text.as_bytes()) }).map_err(failed)?;
        // Writing into a text does not fail.
        let _ = writeln!(text, "{end}");
        Ok(text)
    }

    /// Reads what `to_text` wrote.
    ///
    /// # Errors
    /// `Damaged` with the line; a form that this program does not know.
    pub fn parse(bytes: &[u8]) -> Result<Self, BackupError> {
        let damaged = |line: usize, what: &str| BackupError::Damaged(format!("{NAME}, line {line}: {what}"));
        let text = std::str::from_utf8(bytes).map_err(|_| damaged(1, "it is no text"))?;
        let lines: Vec<&str> = text.lines().collect();
        let [first, entries @ .., last] = lines.as_slice() else { return Err(damaged(lines.len(), "it ends here")) };
        let end: End =
            serde_json::from_str(last).map_err(|_| damaged(lines.len(), "the hash of all before is not there"))?;
        let before = text.len() - last.len() - usize::from(text.ends_with('\n'));
        if sha256(&bytes[..before]) != end.sha256 {
            return Err(damaged(lines.len(), "the lines before it are not those that were written"));
        }
        // Whatever the form, it ends with the hash: a number that changed is damage, not another form.
        if let Some(form) = form_of(first).filter(|form| *form != FORM) {
            return Err(BackupError::Refused(format!(
                "the backup has form {form}, but this dface knows form {FORM}; use a newer one"
            )));
        }
        let head = serde_json::from_str(first).map_err(|error| damaged(1, &error.to_string()))?;
        let mut files = BTreeMap::new();
        for (at, line) in entries.iter().enumerate() {
            let entry: Entry = serde_json::from_str(line).map_err(|error| damaged(at + 2, &error.to_string()))?;
            let is_known = entry.path != NAME && is_a_name(&entry.path);
            if !is_known || entry.segment.is_some() != entry.path.starts_with(LOG) {
                return Err(damaged(at + 2, &format!("{:?} is nothing that a backup holds", entry.path)));
            }
            if let Some(twice) = files.insert(entry.path.clone(), entry) {
                return Err(damaged(at + 2, &format!("{} is there twice", twice.path)));
            }
        }
        Ok(Self { head, files })
    }
}

/// Whether a file of a backup may be called so: nothing that leads out of it.
#[must_use]
pub fn is_a_name(path: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
    };
    let within = path.strip_prefix(LOG).or_else(|| path.strip_prefix(OBJECTS));
    path == NAME || path == settings::NAME || within.is_some_and(|path| path.split('/').all(is_plain))
}

fn form_of(first: &str) -> Option<u32> {
    let first: serde_json::Value = serde_json::from_str(first).ok()?;
    u32::try_from(first.get("dface_backup")?.as_u64()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let head = Head::new([1; 16], "2026-11-22T00:00:00Z".to_owned(), [2; 16], 40);
        let segment = Some(SegmentEntry { first: 1, last: 40, full: false });
        let entry = Entry { path: "log/1.seg".to_owned(), bytes: 9, sha256: sha256(b"x"), base: None, segment };
        let object =
            Entry { path: "objects/ab".to_owned(), segment: None, base: Some("03".repeat(16)), ..entry.clone() };
        Manifest { head, files: [entry, object].map(|entry| (entry.path.clone(), entry)).into() }
    }

    #[test]
    fn it_is_read_as_it_was_written_and_any_byte_that_changed_is_damage() {
        let text = manifest().to_text().unwrap();
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap(), manifest());
        for at in 0..text.len() - 1 {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let parsed = Manifest::parse(&bytes);
                assert!(matches!(&parsed, Err(BackupError::Damaged(_))), "byte {at}, bit {bit}: {parsed:?}");
            }
            assert!(Manifest::parse(&text.as_bytes()[..at]).is_err(), "cut at {at}");
        }
    }

    /// With a hash that fits, as a program makes it.
    fn parsed(lines: &[&str]) -> Result<Manifest, BackupError> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let end = serde_json::to_string(&End { sha256: sha256(text.as_bytes()) }).unwrap();
        Manifest::parse(format!("{text}{end}\n").as_bytes())
    }

    #[test]
    fn a_newer_form_is_named() {
        let newer = manifest().to_text().unwrap().replacen("\"dface_backup\":1", "\"dface_backup\":2", 1);
        let lines: Vec<&str> = newer.lines().collect();
        let error = parsed(&lines[..lines.len() - 1]).unwrap_err();
        assert!(matches!(&error, BackupError::Refused(text) if text.contains("form 2")), "{error}");
    }

    #[test]
    fn names_that_lead_elsewhere_or_are_there_twice_are_refused() {
        let text = manifest().to_text().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(parsed(&lines[..3]).unwrap(), manifest());
        for odd in ["log/../../x.seg", "log/", "log//x", "/etc/passwd", "log/.hidden", "other", "manifest", "log/a\\nb"]
        {
            let line = lines[1].replace("log/1.seg", odd);
            let error = parsed(&[lines[0], &line, lines[2]]).unwrap_err().to_string();
            assert!(error.contains("manifest, line 2"), "{odd}: {error}");
        }
        let twice = parsed(&[lines[0], lines[1], lines[1]]).unwrap_err().to_string();
        assert!(twice.contains("log/1.seg is there twice"), "{twice}");
        let no_segment = lines[2].replace("objects/ab", "log/2.seg");
        assert!(parsed(&[lines[0], &no_segment]).is_err());
    }
}
