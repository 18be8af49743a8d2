//! From the log to the queue, in two steps, so that operators see what waits also while the broker is away: what the log asks for is taken up
//! into the ledger; what the ledger has to be put is put.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use dface_domain::{
    jobs::{JobKind, QueueError},
    time::{SECOND, Timestamp},
};
use tokio::task::{JoinError, JoinSet};

use super::{
    Desk, Patience,
    ledger::{Entry, JobState, Todo},
    ports::{Rendered, Trouble},
};

/// Jobs taken up at a time, and of each kind looked at to be put.
const BATCH: usize = 500;

/// Jobs that are put at once: each waits until the queue has it for good.
const AT_ONCE: usize = 100;

/// Jobs put again at a time, of those without news.
const SILENT: usize = 1000;

/// Between two looks at what is outstanding, where nothing is told.
const LOOK: Duration = Duration::from_secs(1);

/// Takes up what the log asks for, for ever.
pub(super) async fn take_up(desk: &Desk) {
    let (mut changed, mut patience) = (desk.parts.outstanding.changed(), Patience::new());
    loop {
        changed.borrow_and_update();
        match take_up_all(desk) {
            Ok(()) => {
                patience.restored();
                // A rebuilt read model tells nothing to those who heard the one before, so it is asked again now and then.
                if !matches!(tokio::time::timeout(LOOK, changed.changed()).await, Ok(Ok(()))) {
                    changed = desk.parts.outstanding.changed();
                }
            }
            Err(error) => {
                tracing::error!(%error, "outstanding jobs cannot be read; trying again");
                patience.wait().await;
            }
        }
    }
}

/// Takes up all that the log asks for now.
pub(super) fn take_up_all(desk: &Desk) -> Result<(), Trouble> {
    loop {
        let asked = desk.parts.outstanding.after(desk.parts.ledger.cursor(), BATCH)?;
        if asked.is_empty() {
            return Ok(());
        }
        let put = |kind: JobKind| desk.put_elsewhere[kind as usize].load(Ordering::SeqCst);
        desk.parts.ledger.asked_and_put(&asked, put, desk.parts.clock.now())?;
        desk.todo.notify_one();
    }
}

/// Puts what is to be put, for ever.
pub(super) async fn put(desk: Arc<Desk>) {
    let (mut paused, mut patience) = (desk.parts.ledger.paused(), Patience::new());
    let every = u64::try_from(desk.parts.silent_s).unwrap_or(1).div_ceil(4);
    let mut look = tokio::time::interval(Duration::from_secs(every));
    loop {
        match put_all(&desk).await {
            Ok(()) => patience.restored(),
            Err(error) => {
                tracing::warn!(%error, "jobs cannot be put on the queue; trying again");
                patience.wait().await;
                continue;
            }
        }
        tokio::select! {
            () = desk.todo.notified() => {}
            Ok(()) = paused.changed() => {}
            _ = look.tick() => if let Err(error) = remind(&desk) {
                tracing::error!(%error, "silent jobs cannot be looked for");
            },
        }
    }
}

async fn put_all(desk: &Arc<Desk>) -> Result<(), Trouble> {
    loop {
        let todo = desk.parts.ledger.todo(BATCH)?;
        if todo.is_empty() {
            return Ok(());
        }
        put_these(desk, todo).await?;
    }
}

/// Puts them side by side. One that cannot be put holds up no other; what went wrong first is told when all are through.
async fn put_these(desk: &Arc<Desk>, todo: Vec<Todo>) -> Result<(), Trouble> {
    let (mut putting, mut trouble) = (JoinSet::new(), Ok(()));
    for one in todo {
        if putting.len() == AT_ONCE {
            trouble = trouble.and(through(putting.join_next().await));
        }
        let desk = Arc::clone(desk);
        putting.spawn(async move { put_one(&desk, &one).await });
    }
    while let Some(put) = putting.join_next().await {
        trouble = trouble.and(through(Some(put)));
    }
    trouble
}

fn through(put: Option<Result<Result<(), Trouble>, JoinError>>) -> Result<(), Trouble> {
    put.unwrap_or(Ok(Ok(()))).unwrap_or_else(|error| Err(Trouble(error.to_string())))
}

async fn put_one(desk: &Desk, todo: &Todo) -> Result<(), Trouble> {
    let (ledger, id) = (&desk.parts.ledger, todo.id);
    let job = match desk.parts.outstanding.render(id).await? {
        Rendered::Job(job) => job,
        Rendered::Over(outcome) => {
            desk.parts.outcomes.record(id, outcome).await?;
            return ledger.over(id);
        }
        Rendered::Gone => return ledger.over(id),
    };
    match desk.parts.queue.put(&job).await {
        Ok(()) => ledger.put(todo, desk.parts.clock.now()),
        Err(QueueError::Refused(why)) => {
            desk.parts.outcomes.died(id, 0, &why).await?;
            ledger.dead(id, &why)
        }
        Err(QueueError::Unavailable(why)) => Err(Trouble(why)),
    }
}

/// Puts again what there was no news of for long: its message or its reports may be lost with a broker's disk. Each time it takes twice as long,
/// since where workers have much to do, silence is no loss.
fn remind(desk: &Desk) -> Result<(), Trouble> {
    let now = desk.parts.clock.now();
    let silent = desk.parts.ledger.list((0, SILENT), |_, entry| is_silent(entry, now, desk.parts.silent_s))?;
    for (id, entry) in silent {
        tracing::warn!(%id, puts = entry.puts, "no news of a job for long; it is put on the queue again");
        desk.parts.ledger.again(id, false, now)?;
        desk.todo.notify_one();
    }
    Ok(())
}

fn is_silent(entry: &Entry, now: Timestamp, silent_s: i64) -> bool {
    let patience = silent_s.saturating_mul(SECOND).saturating_mul(1 << entry.puts.saturating_sub(1).min(20));
    entry.state != JobState::Dead && entry.puts > 0 && now.0.saturating_sub(entry.heard.0) > patience
}
