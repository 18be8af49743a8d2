//! Making a generation of the whole log beside the serving one, and comparing two.

use dface_domain::envelope::LogPosition;
use fjall::{Keyspace, Readable, Snapshot};
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
    let runner = new_generation_at::<M>(shared, status, until)?;
    let found = shared.checkpoints.get(M::NAME).filter(|c| c.log == shared.log && c.schema == M::SCHEMA);
    if found.is_none() {
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

/// Makes a generation up to `until`, for comparing.
pub(super) fn new_generation_at<M: ReadModel>(
    shared: &Shared,
    status: &Status,
    until: LogPosition,
) -> Result<Runner<M>, ModelError> {
    let name = fresh_keyspace::<M>(shared);
    let rows = open_rows(shared, &name)?;
    let skipped = shared.checkpoints.skipped(M::NAME);
    let mut runner = Runner::new(&shared.parts, rows, LogPosition::default(), skipped);
    match along(&mut runner, shared, status, until, Some(&shared.convoy.join())) {
        Ok(()) => Ok(runner),
        Err(error) => {
            shared.db.delete_keyspace(runner.rows.keyspace().clone())?;
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
) -> Result<(), ModelError> {
    along(runner, shared, status, until, None)
}

/// Applies the log up to `until`, in big sorted runs.
fn along<M: ReadModel>(
    runner: &mut Runner<M>,
    shared: &Shared,
    status: &Status,
    until: LogPosition,
    convoy: Option<&Member<'_>>,
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
        runner.rows.make_room(shared.settings.rebuild_memory)?;
    }
    runner.rows.ingest()
}

fn fresh_keyspace<M: ReadModel>(shared: &Shared) -> String {
    let prefix = format!("{}-", M::NAME);
    let names = shared.db.list_keyspace_names();
    let newest = names.iter().filter_map(|name| name.strip_prefix(&prefix)?.parse::<u32>().ok()).max();
    format!("{prefix}{}", newest.unwrap_or(0) + 1)
}

pub(super) fn generation_of(keyspace: &Keyspace) -> u32 {
    keyspace.name().rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
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
