//! What the node knows of each job that is not over: for operators, and so that none is forgotten between log and queue.
//!
//! A database of its own in `DIR/jobs`. All but the pauses is made anew where it is missing: the log says what is outstanding, and
//! reports say the rest.
//!
//! | keyspace | key | row |
//! |---|---|---|
//! | `jobs` | the job's id | [`Entry`] |
//! | `todo` | kind, 0, where the log asks for it, cause | what is to be put on the queue: since when, where it is not the first time |
//! | `meta` | `cursor` | how far the log was read |
//! | `pauses` | kind | nothing |

mod entry;
mod handover;

use std::{collections::BTreeSet, path::Path};

use dface_domain::{
    jobs::{JobId, JobKind, News, Report},
    time::Timestamp,
};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use parking_lot::Mutex;
use tokio::sync::watch;

pub use self::entry::{Entry, JobState};
use super::ports::{Asked, Trouble};

const JOURNAL: u64 = 64 << 20;
const CACHE: u64 = 8 << 20;
/// Bytes of rows in memory, of each keyspace; small rows take several times as much there.
const MEMTABLE: u64 = 4 << 20;
const CURSOR: &str = "cursor";

/// Jobs by kind and state.
pub type Counts = [[u64; JobState::ALL.len()]; JobKind::ALL.len()];

/// A job that is to be put on the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// Which.
    pub id: JobId,
    /// What stands in its row: another thing once it is to be put again.
    mark: Box<[u8]>,
}

struct Tally {
    counts: Counts,
    cursor: u64,
}

/// See the module.
pub struct Ledger {
    db: Database,
    jobs: Keyspace,
    todo: Keyspace,
    meta: Keyspace,
    pauses: Keyspace,
    tally: Mutex<Tally>,
    paused: watch::Sender<BTreeSet<JobKind>>,
}

impl From<fjall::Error> for Trouble {
    fn from(error: fjall::Error) -> Self {
        Self(format!("the jobs' ledger: {error}"))
    }
}

impl From<postcard::Error> for Trouble {
    fn from(error: postcard::Error) -> Self {
        Self(format!("a row of the jobs' ledger: {error}"))
    }
}

fn prefix(kind: JobKind) -> Vec<u8> {
    [kind.name().as_bytes(), &[0]].concat()
}

fn todo_key(id: JobId, cursor: u64) -> Vec<u8> {
    [&prefix(id.kind)[..], &cursor.to_be_bytes(), id.cause.as_bytes()].concat()
}

fn of_todo_key(kind: JobKind, key: &[u8]) -> Option<JobId> {
    let cause = key.get(prefix(kind).len() + 8..)?;
    Some(JobId { kind, cause: uuid::Uuid::from_slice(cause).ok()? })
}

fn of_key(key: &[u8]) -> Option<JobId> {
    std::str::from_utf8(key).ok()?.parse().ok()
}

impl Ledger {
    /// Opens it in `dir`.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn open(dir: &Path) -> Result<Self, Trouble> {
        let db = Database::builder(dir).cache_size(CACHE).max_journaling_size(JOURNAL).open()?;
        let keyspace = |name: &str| db.keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE));
        let (jobs, todo, meta, pauses) = (keyspace("jobs")?, keyspace("todo")?, keyspace("meta")?, keyspace("pauses")?);
        let mut counts = Counts::default();
        for guard in jobs.iter() {
            let (key, row) = guard.into_inner()?;
            let entry: Entry = postcard::from_bytes(&row)?;
            if let Some(id) = of_key(&key) {
                counts[id.kind as usize][entry.state as usize] += 1;
            }
        }
        let cursor = meta.get(CURSOR)?.and_then(|bytes| Some(u64::from_be_bytes(bytes.as_ref().try_into().ok()?)));
        let named = JobKind::ALL.into_iter().map(|kind| Ok((kind, pauses.contains_key(kind.name())?)));
        let named: Result<Vec<(JobKind, bool)>, Trouble> = named.collect();
        let paused = named?.into_iter().filter(|(_, paused)| *paused).map(|(kind, _)| kind).collect();
        let tally = Mutex::new(Tally { counts, cursor: cursor.unwrap_or(0) });
        Ok(Self { db: db.clone(), jobs, todo, meta, pauses, tally, paused: watch::channel(paused).0 })
    }

    /// A job as it is known.
    ///
    /// # Errors
    /// The disk's.
    pub fn get(&self, id: JobId) -> Result<Option<Entry>, Trouble> {
        Ok(self.jobs.get(id.to_string())?.map(|bytes| postcard::from_bytes(&bytes)).transpose()?)
    }

    fn set(
        &self,
        batch: &mut OwnedWriteBatch,
        tally: &mut Tally,
        id: JobId,
        entry: Option<&Entry>,
    ) -> Result<(), Trouble> {
        let counts = &mut tally.counts[id.kind as usize];
        if let Some(before) = self.get(id)? {
            counts[before.state as usize] = counts[before.state as usize].saturating_sub(1);
        }
        match entry {
            Some(entry) => {
                counts[entry.state as usize] += 1;
                batch.insert(&self.jobs, id.to_string(), postcard::to_stdvec(entry)?);
            }
            None => batch.remove(&self.jobs, id.to_string()),
        }
        Ok(())
    }

    /// Changes a job where it is known, together with its row among what is to be put on the queue: as that stood goes in, as it shall comes out.
    fn change(
        &self,
        id: JobId,
        change: impl FnOnce(&mut Entry, Option<&[u8]>) -> Option<Vec<u8>>,
    ) -> Result<bool, Trouble> {
        let mut tally = self.tally.lock();
        let Some(mut entry) = self.get(id)? else { return Ok(false) };
        let key = todo_key(id, entry.cursor);
        let mark = self.todo.get(&key)?;
        let mut batch = self.db.batch();
        match change(&mut entry, mark.as_deref()) {
            Some(mark) => batch.insert(&self.todo, key, mark),
            None => batch.remove(&self.todo, key),
        }
        self.set(&mut batch, &mut tally, id, Some(&entry))?;
        batch.commit()?;
        Ok(true)
    }

    /// How far the log was read.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.tally.lock().cursor
    }

    /// Takes up what the log asks for, and how far it was read.
    ///
    /// # Errors
    /// The disk's.
    pub fn asked(&self, asked: &[Asked]) -> Result<(), Trouble> {
        self.asked_and_put(asked, |_| 0, Timestamp::default())
    }

    /// The same; those of a kind up to `put` are on the queue already, and news of them is waited for from `at` on.
    ///
    /// # Errors
    /// The disk's.
    pub fn asked_and_put(&self, asked: &[Asked], put: impl Fn(JobKind) -> u64, at: Timestamp) -> Result<(), Trouble> {
        let mut tally = self.tally.lock();
        for one in asked {
            let mut batch = self.db.batch();
            let is_put = one.death.is_some() || one.cursor <= put(one.id.kind);
            if self.get(one.id)?.is_none() {
                self.set(&mut batch, &mut tally, one.id, Some(&Entry::of(one, is_put, at)))?;
                if !is_put {
                    batch.insert(&self.todo, todo_key(one.id, one.cursor), []);
                }
            }
            batch.insert(&self.meta, CURSOR, one.cursor.to_be_bytes());
            batch.commit()?;
            tally.cursor = one.cursor;
        }
        Ok(())
    }

    /// Jobs of kinds that are not paused that are to be put on the queue, the oldest of each kind first.
    ///
    /// # Errors
    /// The disk's.
    pub fn todo(&self, limit: usize) -> Result<Vec<Todo>, Trouble> {
        let paused = self.paused.borrow().clone();
        let mut found = Vec::new();
        for kind in JobKind::ALL.into_iter().filter(|kind| !paused.contains(kind)) {
            for guard in self.todo.prefix(prefix(kind)).take(limit) {
                let (key, mark) = guard.into_inner()?;
                found.extend(of_todo_key(kind, &key).map(|id| Todo { id, mark: Box::from(&*mark) }));
            }
        }
        Ok(found)
    }

    /// It is on the queue as it was asked for then; what was to be put again since still is.
    ///
    /// # Errors
    /// The disk's.
    pub fn put(&self, todo: &Todo, at: Timestamp) -> Result<(), Trouble> {
        self.change(todo.id, |entry, mark| {
            entry.was_put(at);
            mark.filter(|mark| **mark != *todo.mark).map(<[u8]>::to_vec)
        })?;
        Ok(())
    }

    /// It is on the queue once more, whatever is to be put besides.
    ///
    /// # Errors
    /// The disk's.
    pub fn put_besides(&self, id: JobId, at: Timestamp) -> Result<(), Trouble> {
        self.change(id, |entry, mark| {
            entry.was_put(at);
            mark.map(<[u8]>::to_vec)
        })?;
        Ok(())
    }

    /// It is to be put on the queue, as if anew where an operator says so; whether it was known.
    ///
    /// # Errors
    /// The disk's.
    pub fn again(&self, id: JobId, anew: bool, at: Timestamp) -> Result<bool, Trouble> {
        self.change(id, |entry, _| {
            entry.heard = at;
            if anew {
                (entry.state, entry.attempts, entry.puts) = (JobState::Waiting, 0, 0);
            }
            Some(at.0.to_be_bytes().to_vec())
        })
    }

    /// It cannot be done at all.
    ///
    /// # Errors
    /// The disk's.
    pub fn dead(&self, id: JobId, error: &str) -> Result<(), Trouble> {
        self.change(id, |entry, _| {
            (entry.state, entry.error) = (JobState::Dead, Some(error.to_owned()));
            None
        })?;
        Ok(())
    }

    /// It is over.
    ///
    /// # Errors
    /// The disk's.
    pub fn over(&self, id: JobId) -> Result<(), Trouble> {
        let mut tally = self.tally.lock();
        let Some(entry) = self.get(id)? else { return Ok(()) };
        let mut batch = self.db.batch();
        batch.remove(&self.todo, todo_key(id, entry.cursor));
        self.set(&mut batch, &mut tally, id, None)?;
        Ok(batch.commit()?)
    }

    /// News of a job, other than that it is done.
    ///
    /// # Errors
    /// The disk's.
    pub fn heard(&self, report: &Report) -> Result<(), Trouble> {
        let mut tally = self.tally.lock();
        let mut entry = self.get(report.job)?.unwrap_or(Entry {
            state: JobState::Waiting,
            attempts: 0,
            error: None,
            since: report.at,
            cursor: 0,
            puts: 1,
            heard: report.at,
        });
        entry.attempts = report.attempt;
        entry.heard = report.at;
        match &report.news {
            News::Started => entry.state = JobState::Running,
            News::Failed { error, again_at } => {
                (entry.state, entry.error) = (JobState::Waiting, Some(error.clone()));
                entry.heard = *again_at;
            }
            News::Dead { error } => (entry.state, entry.error) = (JobState::Dead, Some(error.clone())),
            News::Done(_) => return Ok(()),
        }
        let mut batch = self.db.batch();
        self.set(&mut batch, &mut tally, report.job, Some(&entry))?;
        Ok(batch.commit()?)
    }

    /// Jobs in the order of their ids that `wanted` holds of: `take` of them after the first `skip`.
    ///
    /// # Errors
    /// The disk's.
    pub fn list(
        &self,
        (skip, take): (usize, usize),
        wanted: impl Fn(JobId, &Entry) -> bool,
    ) -> Result<Vec<(JobId, Entry)>, Trouble> {
        let all = self.jobs.iter().map(|guard| {
            let (key, row) = guard.into_inner()?;
            Ok(of_key(&key).zip(Some(postcard::from_bytes::<Entry>(&row)?)))
        });
        let known = all.filter_map(Result::transpose);
        known.filter(|one| one.as_ref().map_or(true, |(id, entry)| wanted(*id, entry))).skip(skip).take(take).collect()
    }

    /// Jobs by kind (as `JobKind::ALL`) and state (as `JobState::ALL`).
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.tally.lock().counts
    }

    /// Kinds that are not to be begun.
    #[must_use]
    pub fn paused(&self) -> watch::Receiver<BTreeSet<JobKind>> {
        self.paused.subscribe()
    }

    /// Pauses or resumes a kind; durable when it answers.
    ///
    /// # Errors
    /// The disk's.
    pub fn pause(&self, kind: JobKind, paused: bool) -> Result<(), Trouble> {
        if paused {
            self.pauses.insert(kind.name(), [])?;
        } else {
            self.pauses.remove(kind.name())?;
        }
        self.db.persist(PersistMode::SyncAll)?;
        self.paused.send_modify(|kinds| {
            if paused {
                kinds.insert(kind)
            } else {
                kinds.remove(&kind)
            };
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
