//! What Apple did not take yet, of somebody who has left a circle or whose device is another now: it is for them no more, or for the other
//! device. What is to be taken back is gathered while the queue is gone through, since RabbitMQ's costs as much for one as for many.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dface_domain::{
    envelope::LogPosition,
    events::Event,
    ids::UserId,
    jobs::{JobId, Outcome},
    pushes::PushEnd,
};
use dface_projections::{jobs::Ask, projector::ModelError};
use parking_lot::Mutex;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    follow::until_read,
    payload::{Due, payload},
};
use crate::{
    jobs::{Desk, DeskError, ledger::JobState},
    node::Node,
};

/// What takes something back.
pub(super) const WANTS: [&str; 3] = ["CircleLeft", "PushTokenUnbound", "PushTokenBound"];

/// People of whom something is to be taken back that wait; beyond them the log is followed no further.
const WAITING: usize = 1_024;

/// From one look whether tries have ended that workers are at to the next: twice as long each time, up to the longest.
const LOOKS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// Whose pushes are to be looked at, and why.
struct Given {
    position: LogPosition,
    user: UserId,
    /// Another device is bound now.
    turned: bool,
}

impl Given {
    fn of(position: LogPosition, event: &Event) -> Option<Self> {
        let (user, turned) = match event {
            Event::CircleLeft(event) => (event.user, false),
            Event::PushTokenUnbound(event) => (event.user, false),
            Event::PushTokenBound(event) => (event.user, true),
            _ => return None,
        };
        Some(Self { position, user, turned })
    }
}

/// What becomes of a push that waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// It is made once more, for the device that is bound now.
    Renewed,
    /// It is for nobody any more.
    Over,
}

/// A push that changes.
struct Changing {
    change: Change,
    /// The event that says so.
    position: LogPosition,
    /// It was taken off the queue.
    out: bool,
    /// It was changed.
    done: bool,
    /// When the try is over that a worker may be at.
    until: Instant,
}

/// What is to be taken back.
pub(super) struct Withdrawals {
    given: mpsc::Sender<Given>,
    undone: Mutex<BTreeSet<LogPosition>>,
}

/// What [`run`] works through.
pub(super) struct Waiting(mpsc::Receiver<Given>);

impl Withdrawals {
    pub(super) fn new() -> (Self, Waiting) {
        let (given, waiting) = mpsc::channel(WAITING);
        (Self { given, undone: Mutex::default() }, Waiting(waiting))
    }

    /// Has done what an event says; waits where too much waits.
    pub(super) async fn add(&self, position: LogPosition, event: &Event) {
        let Some(given) = Given::of(position, event) else { return };
        self.undone.lock().insert(position);
        // Nobody takes it where this node has the duty no more; then it stays undone, for the next.
        let _ = self.given.send(given).await;
    }

    /// The first event that is not done with.
    pub(super) fn first(&self) -> Option<LogPosition> {
        self.undone.lock().first().copied()
    }
}

/// Takes back what is for somebody no more, and turns to their other device what was for the one of before, until `stop`. The try that a
/// worker is at in that moment is on its way; no other follows.
pub(super) async fn run(
    node: &Node,
    withdrawals: &Withdrawals,
    Waiting(mut waiting): Waiting,
    stop: CancellationToken,
) {
    let Some(desk) = node.desk.get() else { return };
    let longest = Duration::from_secs(node.settings.apns.timeout_s);
    let (mut changing, mut pause): (BTreeMap<JobId, Changing>, Duration) = (BTreeMap::new(), LOOKS.0);
    let mut taken = BTreeSet::new();
    while !stop.is_cancelled() {
        let mut given = Vec::new();
        tokio::select! {
            _ = waiting.recv_many(&mut given, WAITING) => pause = LOOKS.0,
            () = tokio::time::sleep(pause), if !changing.is_empty() => pause = (pause * 2).min(LOOKS.1),
            () = stop.cancelled() => return,
        }
        for one in given {
            taken.insert(one.position);
            for (id, change) in until_read(|| changed(node, one.user, one.turned)).await {
                add(&mut changing, id, change, (one.position, Instant::now() + longest));
            }
        }
        if let Err(error) = change_all(desk, &mut changing).await {
            tracing::warn!(%error, "pushes that are for another device or nobody cannot be taken back yet");
            continue;
        }
        let left: BTreeSet<LogPosition> = changing.values().map(|one| one.position).collect();
        withdrawals.undone.lock().retain(|position| !taken.contains(position) || left.contains(position));
        taken = left;
    }
}

fn add(changing: &mut BTreeMap<JobId, Changing>, id: JobId, change: Change, (position, until): (LogPosition, Instant)) {
    let one = changing.entry(id).or_insert(Changing { change, position, out: false, done: false, until });
    if change > one.change {
        (one.change, one.done) = (change, false);
    }
    one.until = until;
}

/// One pass: what waited is changed, and what a worker may have in hands stays for the next.
async fn change_all(desk: &Desk, changing: &mut BTreeMap<JobId, Changing>) -> Result<(), DeskError> {
    if changing.is_empty() {
        return Ok(());
    }
    let (begun, mut sought) = (Instant::now(), BTreeSet::new());
    for (id, one) in changing.iter() {
        // What is not taken up yet is renewed once it is; what is dead is an operator's.
        if one.change == Change::Over || matches!(desk.state(*id)?, Some(JobState::Waiting | JobState::Running)) {
            sought.insert(*id);
        }
    }
    let there = desk.queue().remove(&sought).await?;
    for id in there {
        if let Some(one) = changing.get_mut(&id) {
            one.out = true;
        }
    }
    for (id, one) in changing.iter_mut().filter(|(_, one)| !one.done) {
        match one.change {
            Change::Over => desk.end(*id, Outcome::Pushed(PushEnd::Superfluous)).await?,
            Change::Renewed if one.out => desk.renew(*id)?,
            Change::Renewed => continue,
        }
        one.done = true;
    }
    changing.retain(|_, one| !one.out && begun < one.until);
    Ok(())
}

/// What of somebody's is for nobody any more; where another device is `turned` to, the rest is for that one.
fn changed(node: &Node, user: UserId, turned: bool) -> Result<Vec<(JobId, Change)>, ModelError> {
    let is_bound = node.views.push_tokens.view().of(user)?.is_some();
    let mut found = Vec::new();
    for job in node.views.jobs.view().of(user)? {
        let Ask::Push { message, user, kind, alert } = job.ask else { continue };
        if !is_bound || payload(node, &Due { message, user, kind, alert, since: job.since })?.is_none() {
            found.push((job.id, Change::Over));
        } else if turned {
            found.push((job.id, Change::Renewed));
        }
    }
    Ok(found)
}
