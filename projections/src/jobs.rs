//! Jobs that events asked for and that none has ended yet, in the order of the log: what is to be put on the queue, and what is dead.
//!
//! Rows: `j position kind` → the job, `i kind cause` → its position, `p photo kind`, `c campaign`, `m message user` and `u user position kind` →
//! its position, `t user` → the stream of the token of the device that gets the person's pushes.

mod ask;

use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{CampaignMade, Event, JobDied, PhotoPlace},
    ids::{CampaignId, MessageId, PhotoId, UserId},
    jobs::{CouponTask, JobId, JobKind},
    messages::Party,
    pushes::PushKind,
    stream::StreamId,
    time::Timestamp,
};
use fjall::Keyspace;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

pub use self::ask::Ask;
use crate::{
    keys::{KeyBuf, KeyReader},
    projector::{ModelError, Parts, ReadModel, Rows, View, rows},
};

const JOB: u8 = b'j';
const BY_ID: u8 = b'i';
const BY_PHOTO: u8 = b'p';
const BY_CAMPAIGN: u8 = b'c';
const BY_MESSAGE: u8 = b'm';
const BY_PERSON: u8 = b'u';
const TOKEN: u8 = b't';

/// A job that is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outstanding {
    /// Where the log asks for it.
    pub position: LogPosition,
    /// Which.
    pub id: JobId,
    /// Since when.
    pub since: Timestamp,
    /// What is asked.
    pub ask: Ask,
    /// How it died, where it is dead.
    pub death: Option<Death>,
}

/// A job went wrong too often; an operator may have it done again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// Tries that were begun.
    pub attempts: u32,
    /// What went wrong last.
    pub error: String,
}

impl Death {
    fn of(event: &JobDied) -> Self {
        Self { attempts: event.attempts, error: event.error.clone() }
    }
}

#[derive(Clone, Serialize, Deserialize)]
struct JobRow {
    cause: Uuid,
    since: Timestamp,
    ask: Ask,
    death: Option<Death>,
}

/// Turns requests and their ends into what is outstanding.
pub struct Jobs;

impl ReadModel for Jobs {
    type View = JobsView;

    const NAME: &'static str = "jobs";
    const SCHEMA: u32 = 4;
    const WANTS: &'static [&'static str] = &[
        "CampaignDrawn",
        "CampaignMade",
        "JobDied",
        "JobRevived",
        "MessageMissed",
        "MessageReceipted",
        "PersonErased",
        "PhotoDeleted",
        "PhotoFailed",
        "PhotoProcessed",
        "PhotoUploaded",
        "PushDue",
        "PushEnded",
        "PushTokenBound",
        "PushTokenUnbound",
        "WeiboPostEnded",
        "WeiboPostRequested",
    ];

    fn new(_: &Parts) -> Self {
        Self
    }

    fn apply(&self, event: &Event, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
        match event {
            Event::PhotoUploaded(event) => {
                let (photo, user, place, weibo) = (event.photo, event.user, event.place, event.weibo);
                ask(Ask::Picture { photo, user, place, upload: event.upload.clone(), weibo }, recorded, rows)
            }
            Event::PhotoProcessed(event) => {
                let done = end_of_photo(event.photo, JobKind::Picture, rows)?;
                match done.map(|row| row.ask) {
                    Some(Ask::Picture { photo, user, place: place @ PhotoPlace::Room, weibo: true, .. }) => {
                        ask(Ask::PhotoPost { photo, user, place }, recorded, rows)
                    }
                    _ => Ok(()),
                }
            }
            Event::PhotoFailed(event) => end_of_photo(event.photo, JobKind::Picture, rows).map(|_| ()),
            Event::PhotoDeleted(event) => {
                for kind in [JobKind::Picture, JobKind::Weibo] {
                    end_of_photo(event.photo, kind, rows)?;
                }
                Ok(())
            }
            Event::CampaignMade(event) => ask(Ask::Coupon(coupon_task(event)), recorded, rows),
            Event::CampaignDrawn(event) => end_at(&campaign_key(event.campaign), JobKind::Coupon, rows),
            Event::JobDied(event) => fate(event.job, Some(Death::of(event)), rows),
            Event::JobRevived(event) => fate(event.job, None, rows),
            Event::MessageMissed(event) => match event.to {
                Party::User(user) if rows.get::<StreamId>(&token_key(user))?.is_some() => {
                    ask(Ask::Push { message: event.message, user, kind: PushKind::Chat, alert: true }, recorded, rows)
                }
                _ => Ok(()),
            },
            // It is on a device of theirs.
            Event::MessageReceipted(event) => match event.to {
                Party::User(user) => end_at(&message_key(event.message, user), JobKind::Push, rows),
                Party::Shop(_) | Party::Room(_) => Ok(()),
            },
            Event::PushDue(event) => {
                let (message, user, kind, alert) = (event.message, event.user, event.kind, event.alert);
                ask(Ask::Push { message, user, kind, alert }, recorded, rows)
            }
            Event::PushEnded(event) => end_at(&message_key(event.message, event.user), JobKind::Push, rows),
            Event::PushTokenBound(event) => rows.put(&token_key(event.user), &recorded.stream),
            Event::PushTokenUnbound(event) => {
                if rows.get::<StreamId>(&token_key(event.user))?.is_some_and(|bound| bound == recorded.stream) {
                    rows.delete(&token_key(event.user));
                }
                Ok(())
            }
            Event::WeiboPostRequested(event) => {
                let (user, ver, text) = (event.user, event.ver.clone(), event.text.clone());
                ask(Ask::Share { user, ver, text }, recorded, rows)
            }
            Event::WeiboPostEnded(_) => match recorded.causation {
                Some(cause) => end(JobId { kind: JobKind::Weibo, cause }, rows),
                None => Ok(()),
            },
            Event::PersonErased(event) => forget(event.user, rows),
            _ => Ok(()),
        }
    }
}

fn ask(ask: Ask, recorded: &Recorded, rows: &mut Rows) -> Result<(), ModelError> {
    let (kind, position) = (ask.kind(), recorded.position.0);
    rows.put(&KeyBuf::tag(BY_ID).job(JobId { kind, cause: recorded.id }), &position)?;
    if let Some(photo) = ask.photo() {
        rows.put(&KeyBuf::tag(BY_PHOTO).photo(photo).kind(kind), &position)?;
    }
    if let Some(key) = ask.other_key() {
        rows.put(&key, &position)?;
    }
    if let Some(user) = ask.user() {
        rows.put(&KeyBuf::tag(BY_PERSON).user(user).number(position).kind(kind), &())?;
    }
    rows.put(&job_key(position, kind), &JobRow { cause: recorded.id, since: recorded.occurred_at, ask, death: None })
}

/// A job that is outstanding is dead from now on, or not any more.
fn fate(job: JobId, death: Option<Death>, rows: &mut Rows) -> Result<(), ModelError> {
    let Some(position) = rows.get::<u64>(&KeyBuf::tag(BY_ID).job(job))? else { return Ok(()) };
    let key = job_key(position, job.kind);
    match rows.get::<JobRow>(&key)? {
        Some(row) => rows.put(&key, &JobRow { death, ..row }),
        None => Ok(()),
    }
}

fn coupon_task(event: &CampaignMade) -> CouponTask {
    CouponTask {
        campaign: event.campaign,
        shop_id: event.shop,
        shop: event.shop_name.clone(),
        name: event.name.clone(),
        text: event.text.clone(),
        from: event.from,
        until: event.until,
    }
}

fn campaign_key(campaign: CampaignId) -> KeyBuf {
    KeyBuf::tag(BY_CAMPAIGN).bytes(&campaign.0.0)
}

fn message_key(message: MessageId, user: UserId) -> KeyBuf {
    KeyBuf::tag(BY_MESSAGE).bytes(&message.0.0).user(user)
}

fn token_key(user: UserId) -> KeyBuf {
    KeyBuf::tag(TOKEN).user(user)
}

fn job_key(position: u64, kind: JobKind) -> KeyBuf {
    KeyBuf::tag(JOB).number(position).kind(kind)
}

fn end(job: JobId, rows: &mut Rows) -> Result<(), ModelError> {
    end_at(&KeyBuf::tag(BY_ID).job(job), job.kind, rows)
}

/// Ends the job of that kind whose position stands at `key`.
fn end_at(key: &[u8], kind: JobKind, rows: &mut Rows) -> Result<(), ModelError> {
    let position = rows.get::<u64>(key)?;
    position.map_or(Ok(()), |position| take_out(position, kind, rows).map(|_| ()))
}

fn end_of_photo(photo: PhotoId, kind: JobKind, rows: &mut Rows) -> Result<Option<JobRow>, ModelError> {
    match rows.get::<u64>(&KeyBuf::tag(BY_PHOTO).photo(photo).kind(kind))? {
        Some(position) => take_out(position, kind, rows),
        None => Ok(None),
    }
}

fn take_out(position: u64, kind: JobKind, rows: &mut Rows) -> Result<Option<JobRow>, ModelError> {
    let Some(row) = rows.get::<JobRow>(&job_key(position, kind))? else { return Ok(None) };
    rows.delete(&job_key(position, kind));
    rows.delete(&KeyBuf::tag(BY_ID).job(JobId { kind, cause: row.cause }));
    if let Some(photo) = row.ask.photo() {
        rows.delete(&KeyBuf::tag(BY_PHOTO).photo(photo).kind(kind));
    }
    if let Some(key) = row.ask.other_key() {
        rows.delete(&key);
    }
    if let Some(user) = row.ask.user() {
        rows.delete(&KeyBuf::tag(BY_PERSON).user(user).number(position).kind(kind));
    }
    Ok(Some(row))
}

fn forget(user: UserId, rows: &mut Rows) -> Result<(), ModelError> {
    for key in rows.keys(&KeyBuf::tag(BY_PERSON).user(user))? {
        let (position, kind) = of_person(&key)?;
        take_out(position, kind, rows)?;
    }
    rows.delete(&token_key(user));
    Ok(())
}

/// Which job a person's key names.
fn of_person(key: &[u8]) -> Result<(u64, JobKind), ModelError> {
    let found = KeyReader::tagged(key, BY_PERSON).and_then(|mut key| {
        key.user()?;
        key.number().zip(key.kind())
    });
    found.ok_or_else(|| bad_key(key))
}

fn bad_key(key: &[u8]) -> ModelError {
    ModelError::Row(format!("a key of {} bytes among the jobs", key.len()))
}

/// Reads outstanding jobs from disk.
pub struct JobsView {
    rows: Keyspace,
    asked: watch::Sender<u64>,
}

impl View for JobsView {
    fn open(_: &Parts, rows: Keyspace) -> Result<Self, ModelError> {
        Ok(Self { rows, asked: watch::Sender::new(0) })
    }

    fn changed(&self, key: &[u8], value: Option<&[u8]>) {
        if value.is_some()
            && let Some(position) = KeyReader::tagged(key, JOB).and_then(|mut key| key.number())
        {
            self.asked.send_if_modified(|last| {
                let newer = position > *last;
                *last = position.max(*last);
                newer
            });
        }
    }
}

impl JobsView {
    /// The outstanding jobs whose events stand after `after`, in the order of the log, at most `take`.
    ///
    /// # Errors
    /// The disk's.
    pub fn after(&self, after: LogPosition, take: usize) -> Result<Vec<Outstanding>, ModelError> {
        let range = KeyBuf::tag(JOB).number(after.0.saturating_add(1)).to_vec()..vec![JOB + 1];
        let found = self.rows.range(range).take(take).map(|guard| {
            let (key, value) = guard.into_inner()?;
            let reader = KeyReader::tagged(&key, JOB).and_then(|mut key| key.number().zip(key.kind()));
            let (position, kind) = reader.ok_or_else(|| bad_key(&key))?;
            Ok(outstanding(position, kind, rows::decode_row(&value)?))
        });
        found.collect()
    }

    /// That job, where it is outstanding.
    ///
    /// # Errors
    /// The disk's.
    pub fn get(&self, job: JobId) -> Result<Option<Outstanding>, ModelError> {
        let Some(position) = self.rows.get(&*KeyBuf::tag(BY_ID).job(job))? else { return Ok(None) };
        let position: u64 = rows::decode_row(&position)?;
        let row = self.rows.get(&*job_key(position, job.kind))?;
        row.map(|row| Ok(outstanding(position, job.kind, rows::decode_row(&row)?))).transpose()
    }

    /// Somebody's outstanding jobs.
    ///
    /// # Errors
    /// The disk's.
    pub fn of(&self, user: UserId) -> Result<Vec<Outstanding>, ModelError> {
        let mut found = Vec::new();
        for guard in self.rows.prefix(&*KeyBuf::tag(BY_PERSON).user(user)) {
            let (position, kind) = of_person(&guard.key()?)?;
            if let Some(row) = self.rows.get(&*job_key(position, kind))? {
                found.push(outstanding(position, kind, rows::decode_row(&row)?));
            }
        }
        Ok(found)
    }

    /// Told when a job is asked for: the position of the latest one.
    #[must_use]
    pub fn asked(&self) -> watch::Receiver<u64> {
        self.asked.subscribe()
    }
}

fn outstanding(position: u64, kind: JobKind, row: JobRow) -> Outstanding {
    let id = JobId { kind, cause: row.cause };
    Outstanding { position: LogPosition(position), id, since: row.since, ask: row.ask, death: row.death }
}
