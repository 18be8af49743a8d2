//! Making a generation of the whole log beside the serving one, and comparing two.

use dface_domain::envelope::LogPosition;
use fjall::{Database, Keyspace, Readable, Snapshot};
use serde::Serialize;

use super::{
    ModelError,
    checkpoints::Checkpoint,
    convoy::Member,
    feed,
    managed::{Shared, open_rows},
    model::ReadModel,
    runner::{Runner, Stopped},
    status::Status,
    unfinished::{self, Place},
};

/// How the serving rows differ from those of a rebuild.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The read model.
    pub name: String,
    /// Rows that both have alike.
    pub equal: u64,
    /// Rows that only the serving generation has.
    pub only_serving: u64,
    /// Rows that only the rebuild has.
    pub only_rebuilt: u64,
    /// Rows that both have, with other content.
    pub unequal: u64,
    /// Keys of some of them, in hex.
    pub examples: Vec<String>,
}

impl Difference {
    /// Whether both are the same.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.only_serving == 0 && self.only_rebuilt == 0 && self.unequal == 0
    }
}

const EXAMPLES: usize = 5;

/// How far one goes ahead of the others: half of what the feed keeps, so that what the last one asks for is still there.
const AHEAD: u64 = feed::KEPT as u64 / 2;

/// Makes a generation up to `until`, and the serving one where there was none.
pub(super) fn new_generation<M: ReadModel>(
    shared: &Shared,
    status: &Status,
    until: LogPosition,
) -> Result<Runner<M>, ModelError> {
    let runner = new_generation_at::<M>(shared, status, until, true)?;
    let found = shared.checkpoints.get(M::NAME).filter(|c| c.log == shared.log && c.schema == M::SCHEMA);
    if found.is_none() {
        runner.rows.finish()?;
        let generation = generation_of(runner.rows.keyspace());
        let checkpoint = Checkpoint {
            log: shared.log,
            schema: M::SCHEMA,
            generation,
            position: runner.position,
            skipped: runner.skipped.clone(),
        };
        shared.checkpoints.serve(M::NAME, checkpoint)?;
    }
    Ok(runner)
}

/// How often a generation catches up with what was appended while it did.
const APPROACHES: usize = 8;

/// Makes a generation beside the one that serves, up to where little of the log is left.
pub(super) fn beside<M: ReadModel>(shared: &Shared, status: &Status) -> Result<Runner<M>, ModelError> {
    let mut runner = new_generation::<M>(shared, status, shared.feed.head())?;
    for _ in 0..APPROACHES {
        if shared.feed.behind(runner.position).events <= shared.settings.rebuild_batch as u64 {
            break;
        }
        if let Err(error) = catch_up(&mut runner, shared, status, shared.feed.head(), true) {
            discard(shared, &runner)?;
            return Err(error);
        }
    }
    Ok(runner)
}

/// Deletes what cannot be finished; what was only stopped goes on at the next start.
fn discard<M: ReadModel>(shared: &Shared, runner: &Runner<M>) -> Result<(), ModelError> {
    if !shared.stop.is_cancelled() {
        shared.db.delete_keyspace(runner.rows.keyspace().clone())?;
    }
    Ok(())
}

/// Makes a generation up to `until`, to serve or to be compared; it goes on where one like it was cut off.
pub(super) fn new_generation_at<M: ReadModel>(
    shared: &Shared,
    status: &Status,
    until: LogPosition,
    serves: bool,
) -> Result<Runner<M>, ModelError> {
    let place = Place::begin::<M>(shared, serves);
    let (name, position) = match unfinished::find::<M>(shared, &place, until)? {
        Some((name, position)) => {
            tracing::info!(model = M::NAME, %position, "a generation that was cut off goes on");
            (name, position)
        }
        None => (fresh_keyspace::<M>(shared), LogPosition::default()),
    };
    status.built_to(position);
    let rows = open_rows(shared, &name)?;
    let mut runner = Runner::new(&shared.parts, rows, position, shared.checkpoints.skipped(M::NAME));
    match along(&mut runner, shared, status, until, Some(&shared.convoy.join()), &place) {
        Ok(()) => Ok(runner),
        Err(error) => {
            discard(shared, &runner)?;
            Err(error)
        }
    }
}

/// Applies what is left of the log up to `until`, without waiting for anybody: meanwhile nothing is followed.
pub(super) fn catch_up<M: ReadModel>(
    runner: &mut Runner<M>,
    shared: &Shared,
    status: &Status,
    until: LogPosition,
    serves: bool,
) -> Result<(), ModelError> {
    along(runner, shared, status, until, None, &Place::begin::<M>(shared, serves))
}

/// Applies the log up to `until`, in big sorted runs.
fn along<M: ReadModel>(
    runner: &mut Runner<M>,
    shared: &Shared,
    status: &Status,
    until: LogPosition,
    convoy: Option<&Member<'_>>,
    place: &Place,
) -> Result<(), ModelError> {
    let (batch, mut stretches) = (shared.settings.rebuild_batch, 0);
    while runner.position < until {
        if let Some(member) = convoy {
            member.read(stretches, AHEAD, &shared.stop);
        }
        if shared.stop.is_cancelled() {
            return Err(ModelError::Event("stopped".to_owned()));
        }
        let applied = runner.build(&shared.feed, batch, until).map_err(|stopped| match stopped {
            Stopped::AtEvent(failure) => ModelError::Poison(failure),
            Stopped::Machinery(error) => error,
        })?;
        status.built_to(runner.position);
        if applied == 0 {
            break;
        }
        stretches += 1;
        runner.rows.make_room(shared.settings.rebuild_memory, &place.at(runner.position))?;
    }
    runner.rows.ingest(&place.at(runner.position))
}

fn fresh_keyspace<M: ReadModel>(shared: &Shared) -> String {
    let newest = generations::<M>(&shared.db).iter().filter_map(|name| number_of(name)).max();
    format!("{}-{}", M::NAME, newest.unwrap_or(0) + 1)
}

/// The keyspaces of all generations of `M`.
pub(super) fn generations<M: ReadModel>(db: &Database) -> Vec<String> {
    let is_one = |name: &str| {
        name.rsplit_once('-').is_some_and(|(model, number)| model == M::NAME && number.parse::<u32>().is_ok())
    };
    db.list_keyspace_names().iter().map(ToString::to_string).filter(|name| is_one(name)).collect()
}

fn number_of(keyspace: &str) -> Option<u32> {
    keyspace.rsplit('-').next()?.parse().ok()
}

pub(super) fn generation_of(keyspace: &Keyspace) -> u32 {
    number_of(keyspace.name()).unwrap_or_default()
}

/// Walks both, as they stood in `snapshot`, in the order of their keys.
pub(super) fn difference(
    name: &str,
    snapshot: &Snapshot,
    serving: &Keyspace,
    rebuilt: &Keyspace,
) -> Result<Difference, ModelError> {
    let mut difference = Difference { name: name.to_owned(), ..Difference::default() };
    let mut left = snapshot.iter(serving);
    let mut right = snapshot.iter(rebuilt);
    let next = |side: &mut fjall::Iter| side.next().map(fjall::Guard::into_inner).transpose();
    let (mut a, mut b) = (next(&mut left)?, next(&mut right)?);
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(difference),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((left_key, _)), Some((right_key, _))) => left_key.cmp(right_key),
        };
        let same = order.is_eq() && a.as_ref().map(|(_, v)| v) == b.as_ref().map(|(_, v)| v);
        if !same && difference.examples.len() < EXAMPLES {
            let key = if order.is_gt() { &b } else { &a };
            difference
                .examples
                .extend(key.iter().map(|(key, _)| key.iter().map(|b| format!("{b:02x}")).collect::<String>()));
        }
        match order {
            std::cmp::Ordering::Less => difference.only_serving += 1,
            std::cmp::Ordering::Greater => difference.only_rebuilt += 1,
            std::cmp::Ordering::Equal if same => difference.equal += 1,
            std::cmp::Ordering::Equal => difference.unequal += 1,
        }
        if order.is_le() {
            a = next(&mut left)?;
        }
        if order.is_ge() {
            b = next(&mut right)?;
        }
    }
}
