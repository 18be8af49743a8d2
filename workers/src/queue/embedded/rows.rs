//! The embedded queue's rows, and the steps from one state of a job to the next. Each step is one atomic write.
//!
//! | keyspace | key | row |
//! |---|---|---|
//! | `jobs` | the job's id | its message, how often it was begun, its state |
//! | `due` | kind, 0, due time, cause | nothing: the order in which jobs are taken |
//! | `running` | the job's id | nothing: what a start gives back |
//! | `reports` | a number that rises | a report |

use std::{collections::BTreeSet, path::Path};

use dface_domain::{
    jobs::{Job, JobId, JobKind},
    time::Timestamp,
};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::super::{NEWER_AFTER_S, wire};

/// Bytes of its journals, about; a start reads them again.
const JOURNAL: u64 = 64 << 20;
/// Bytes of blocks kept in memory.
const CACHE: u64 = 8 << 20;
/// Bytes of rows in memory, of each keyspace; small rows take several times as much there.
const MEMTABLE: u64 = 4 << 20;

#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error(transparent)]
    Database(#[from] fjall::Error),
    #[error("a row cannot be read or written: {0}")]
    Row(#[from] postcard::Error),
    #[error("a report cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

#[derive(Serialize, Deserialize)]
enum State {
    Waiting { due: i64 },
    Running,
    Dead { error: String },
}

#[derive(Serialize, Deserialize)]
struct Row {
    message: Vec<u8>,
    attempts: u32,
    state: State,
}

/// What taking found.
pub enum Taken {
    /// A job and which try this is.
    Job(Job, u32),
    /// It came too often or cannot be read, and is among the dead.
    Buried,
    /// The earliest one is due then.
    NotBefore(Timestamp),
    /// There is none.
    Nothing,
}

/// Where the search for the next one begins. What lies before was taken out, and to pass over that again and again would be slow.
#[derive(Default)]
struct Cursors {
    due: [Vec<u8>; JobKind::ALL.len()],
    /// The next report to give out.
    report: u64,
    /// The next report's key.
    next_report: u64,
}

pub struct Rows {
    db: Database,
    jobs: Keyspace,
    due: Keyspace,
    running: Keyspace,
    reports: Keyspace,
    cursors: Mutex<Cursors>,
}

fn due_key(id: JobId, due: i64) -> Vec<u8> {
    // Times before 1970 come first as well.
    let due = due.cast_unsigned() ^ (1 << 63);
    [id.kind.name().as_bytes(), &[0], &due.to_be_bytes(), id.cause.as_bytes()].concat()
}

/// The due time and the cause in a key.
fn of_due_key(kind: JobKind, key: &[u8]) -> Option<(i64, JobId)> {
    let (due, cause) = key.get(kind.name().len() + 1..)?.split_first_chunk::<8>()?;
    let cause = uuid::Uuid::from_slice(cause).ok()?;
    Some(((u64::from_be_bytes(*due) ^ (1 << 63)).cast_signed(), JobId { kind, cause }))
}

const fn place(kind: JobKind) -> usize {
    match kind {
        JobKind::Picture => 0,
        JobKind::Coupon => 1,
        JobKind::Weibo => 2,
        JobKind::Push => 3,
    }
}

impl Rows {
    /// Opens them; what was running when the process ended waits again, and that try counts.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, RowError> {
        let db = Database::builder(dir).cache_size(CACHE).max_journaling_size(JOURNAL).open()?;
        let keyspace = |name: &str| db.keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE));
        let (jobs, due) = (keyspace("jobs")?, keyspace("due")?);
        let (running, reports) = (keyspace("running")?, keyspace("reports")?);
        let rows = Self { db: db.clone(), jobs, due, running, reports, cursors: Mutex::default() };
        for guard in rows.running.iter() {
            let key = guard.key()?;
            if let Some(id) = std::str::from_utf8(&key).ok().and_then(|text| text.parse().ok()) {
                rows.wait(id, now, 0)?;
            }
        }
        if let Some(last) = rows.reports.last_key_value() {
            let key = last.key()?;
            rows.cursors.lock().next_report = key.as_ref().try_into().map_or(0, u64::from_be_bytes) + 1;
        }
        Ok(rows)
    }

    /// Makes durable all that was written.
    pub fn persist(&self) -> Result<(), RowError> {
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }

    fn row(&self, id: JobId) -> Result<Option<Row>, RowError> {
        let bytes = self.jobs.get(id.to_string())?;
        Ok(bytes.map(|bytes| postcard::from_bytes(&bytes)).transpose()?)
    }

    fn set(&self, batch: &mut OwnedWriteBatch, id: JobId, row: &Row) -> Result<(), RowError> {
        batch.insert(&self.jobs, id.to_string(), postcard::to_stdvec(row)?);
        Ok(())
    }

    /// A new job; one that waits or runs already is left as it is, a dead one begins anew.
    pub fn put(&self, id: JobId, message: Vec<u8>, now: Timestamp) -> Result<(), RowError> {
        let mut cursors = self.cursors.lock();
        if let Some(Row { state: State::Waiting { .. } | State::Running, .. }) = self.row(id)? {
            return Ok(());
        }
        let mut batch = self.db.batch();
        self.set(&mut batch, id, &Row { message, attempts: 0, state: State::Waiting { due: now.0 } })?;
        self.enter(&mut batch, &mut cursors, id, now.0);
        Ok(batch.commit()?)
    }

    fn enter(&self, batch: &mut OwnedWriteBatch, cursors: &mut Cursors, id: JobId, due: i64) {
        let key = due_key(id, due);
        let cursor = &mut cursors.due[place(id.kind)];
        if key < *cursor {
            cursor.clone_from(&key);
        }
        batch.insert(&self.due, key, []);
    }

    /// The first job of `kind` that is due.
    pub fn take(&self, kind: JobKind, most: u32, now: Timestamp) -> Result<Taken, RowError> {
        let mut cursors = self.cursors.lock();
        let prefix = [kind.name().as_bytes(), &[0]].concat();
        let from = cursors.due[place(kind)].clone().max(prefix);
        let end = [kind.name().as_bytes(), &[1]].concat();
        let Some(guard) = self.due.range(from..end).next() else { return Ok(Taken::Nothing) };
        let key = guard.key()?.to_vec();
        let mut batch = self.db.batch();
        let Some((due, id)) = of_due_key(kind, &key) else {
            batch.remove(&self.due, key);
            batch.commit()?;
            return Ok(Taken::Buried);
        };
        if due > now.0 {
            cursors.due[place(kind)] = key;
            return Ok(Taken::NotBefore(Timestamp(due)));
        }
        cursors.due[place(kind)].clone_from(&key);
        batch.remove(&self.due, key);
        let taken = match self.row(id)? {
            Some(row) => self.begin(&mut batch, &mut cursors, (id, row), most, now)?,
            None => Taken::Buried,
        };
        batch.commit()?;
        Ok(taken)
    }

    fn begin(
        &self,
        batch: &mut OwnedWriteBatch,
        cursors: &mut Cursors,
        (id, mut row): (JobId, Row),
        most: u32,
        now: Timestamp,
    ) -> Result<Taken, RowError> {
        let error = match wire::read::<Job>(&row.message) {
            wire::Read::Known(job) if row.attempts < most => {
                row.attempts += 1;
                row.state = State::Running;
                self.set(batch, id, &row)?;
                batch.insert(&self.running, id.to_string(), []);
                return Ok(Taken::Job(job, row.attempts));
            }
            wire::Read::Newer => {
                let due = now.plus_seconds(i64::from(NEWER_AFTER_S)).0;
                row.state = State::Waiting { due };
                self.set(batch, id, &row)?;
                self.enter(batch, cursors, id, due);
                return Ok(Taken::Buried);
            }
            wire::Read::Known(_) => wire::too_often(row.attempts),
            wire::Read::Bad(error) => error,
        };
        let report = wire::dead(id, row.attempts, error.clone(), now);
        self.append(batch, cursors, serde_json::to_vec(&report)?);
        row.state = State::Dead { error };
        self.set(batch, id, &row)?;
        Ok(Taken::Buried)
    }

    /// A running job waits until `due`; `uncount` tries are taken back. Nothing where it does not run.
    pub fn wait(&self, id: JobId, due: Timestamp, uncount: u32) -> Result<(), RowError> {
        let mut cursors = self.cursors.lock();
        let mut batch = self.db.batch();
        batch.remove(&self.running, id.to_string());
        if let Some(mut row) = self.row(id)?.filter(|row| matches!(row.state, State::Running)) {
            row.attempts = row.attempts.saturating_sub(uncount);
            row.state = State::Waiting { due: due.0 };
            self.set(&mut batch, id, &row)?;
            self.enter(&mut batch, &mut cursors, id, due.0);
        }
        Ok(batch.commit()?)
    }

    /// A running job is over: gone, or dead where there is an error.
    pub fn end(&self, id: JobId, error: Option<&str>) -> Result<(), RowError> {
        let _one_step_at_a_time = self.cursors.lock();
        let Some(mut row) = self.row(id)?.filter(|row| matches!(row.state, State::Running)) else { return Ok(()) };
        let mut batch = self.db.batch();
        batch.remove(&self.running, id.to_string());
        match error {
            Some(error) => {
                row.state = State::Dead { error: error.to_owned() };
                self.set(&mut batch, id, &row)?;
            }
            None => batch.remove(&self.jobs, id.to_string()),
        }
        Ok(batch.commit()?)
    }

    /// Takes out those of these jobs that do not run; which they are.
    pub fn remove(&self, jobs: BTreeSet<JobId>) -> Result<BTreeSet<JobId>, RowError> {
        let _one_step_at_a_time = self.cursors.lock();
        let (mut batch, mut there) = (self.db.batch(), BTreeSet::new());
        for id in jobs {
            match self.row(id)? {
                None | Some(Row { state: State::Running, .. }) => continue,
                Some(Row { state: State::Waiting { due }, .. }) => batch.remove(&self.due, due_key(id, due)),
                Some(Row { state: State::Dead { .. }, .. }) => {}
            }
            batch.remove(&self.jobs, id.to_string());
            there.insert(id);
        }
        batch.commit()?;
        Ok(there)
    }

    fn append(&self, batch: &mut OwnedWriteBatch, cursors: &mut Cursors, report: Vec<u8>) {
        batch.insert(&self.reports, cursors.next_report.to_be_bytes(), report);
        cursors.next_report += 1;
    }

    /// Keeps a report.
    pub fn report(&self, report: Vec<u8>) -> Result<(), RowError> {
        let mut cursors = self.cursors.lock();
        let mut batch = self.db.batch();
        self.append(&mut batch, &mut cursors, report);
        Ok(batch.commit()?)
    }

    /// The next report that nobody has in hands, with its key.
    pub fn next_report(&self) -> Result<Option<(u64, Vec<u8>)>, RowError> {
        let mut cursors = self.cursors.lock();
        let from = cursors.report.to_be_bytes();
        let Some(guard) = self.reports.range(from..).next() else { return Ok(None) };
        let (key, bytes) = guard.into_inner()?;
        let number = key.as_ref().try_into().map_or(cursors.report, u64::from_be_bytes);
        cursors.report = number + 1;
        Ok(Some((number, bytes.to_vec())))
    }

    /// A report was taken up.
    pub fn taken(&self, number: u64) -> Result<(), RowError> {
        Ok(self.reports.remove(number.to_be_bytes())?)
    }
}
