//! Nodes of one log, and their duties (`domain/src/leases.rs` has the rules): a node renews its term, ends the terms of others that were not
//! renewed for long, and takes what is free.
//!
//! Streams: `system-nodes` names all nodes there ever were, `node-<id>` has the terms of one, `lease-<duty>` who took it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use dface_domain::{
    events::{Event, NodeEnded, NodeJoined, NodeRenewed},
    leases::{Assignment, Duty, Standing, TakeDuty, Term, Timing},
    ports::{Expected, Stopwatch, StoreError},
    stream::{Category, StreamId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{CommandError, Commands, Context, Guess, newest::newest};

/// Tries to renew a term, where others write to its stream at once.
const TRIES: u32 = 4;

/// What a node says of itself.
#[derive(Debug, Clone)]
pub struct About {
    /// Its id, which it keeps.
    pub node: Uuid,
    /// What operators call it.
    pub name: String,
    /// The version of its program.
    pub version: String,
}

/// The newest event of a node's stream, and since when it is seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    standing: Standing,
    version: u64,
    since: Duration,
}

/// This node's own term.
#[derive(Debug, Clone, Copy)]
struct Own {
    number: u64,
    version: u64,
    /// When the renewal was sent that was durable last.
    sent: Duration,
}

/// Until when a node may act on its duties, which it took in this term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenure {
    /// The term.
    pub term: u64,
    /// What is its own.
    pub duties: BTreeSet<Duty>,
    /// By its stopwatch.
    pub until: Duration,
}

/// A node that has duties.
pub struct Tenant {
    commands: Arc<Commands>,
    about: About,
    timing: Timing,
    stopwatch: Arc<dyn Stopwatch>,
    joined: bool,
    own: Option<Own>,
    duties: BTreeSet<Duty>,
    others: HashMap<Uuid, Seen>,
}

impl Tenant {
    /// A node that has no term yet.
    #[must_use]
    pub fn new(commands: Arc<Commands>, about: About, timing: Timing, stopwatch: Arc<dyn Stopwatch>) -> Self {
        let (duties, others) = (BTreeSet::new(), HashMap::new());
        Self { commands, about, timing, stopwatch, joined: false, own: None, duties, others }
    }

    /// What is its own now; none where its term is over or may be.
    #[must_use]
    pub fn tenure(&self) -> Option<Tenure> {
        let own = self.own.filter(|own| self.stopwatch.elapsed() < self.until(own))?;
        Some(Tenure { term: own.number, duties: self.duties.clone(), until: self.until(&own) })
    }

    fn until(&self, own: &Own) -> Duration {
        own.sent + self.timing.lease.saturating_sub(self.timing.margin)
    }

    fn term(&self) -> Option<Term> {
        self.tenure().map(|tenure| Term { node: self.about.node, number: tenure.term })
    }

    /// Renews its term, or begins the next one where another node has ended it: then it has no duty any more.
    ///
    /// # Errors
    /// The machinery's; what it has is its own for as long as was said before.
    pub async fn renew(&mut self) -> Result<(), CommandError> {
        self.join().await?;
        let stream = StreamId::node(self.about.node);
        for _ in 0..TRIES {
            let (expected, number) = match self.own {
                Some(own) => (Expected::Version(own.version), own.number),
                None => match self.next_term().await {
                    Err(CommandError::Store(StoreError::WrongVersion { .. })) => continue,
                    next => next?,
                },
            };
            let sent = self.stopwatch.elapsed();
            match self.append(&stream, expected, self.renewed(number).into()).await {
                Ok(version) => {
                    self.own = Some(Own { number, version, sent });
                    return Ok(());
                }
                Err(CommandError::Store(StoreError::WrongVersion { .. })) => self.find_out().await?,
                Err(error) => return Err(error),
            }
        }
        Err(CommandError::Contended(stream.to_string()))
    }

    /// Its name is put on the list of nodes, once.
    async fn join(&mut self) -> Result<(), CommandError> {
        if !self.joined && self.newest(self.about.node).await?.is_none() {
            let (event, context) = (NodeJoined { node: self.about.node }, self.context());
            let stream = nodes();
            let mut count = 0;
            loop {
                let known = newest(self.commands.executor.store().as_ref(), &stream, count).await?;
                count = known.map_or(0, |last| last.version + 1);
                let expected = Expected::after(count);
                match self.commands.executor.append_at(&stream, expected, event.clone().into(), &context).await {
                    Err(CommandError::Store(StoreError::WrongVersion { .. })) => {}
                    done => break done.map(drop)?,
                }
            }
        }
        self.joined = true;
        Ok(())
    }

    /// Where its next term begins. One that died with the process before is ended first, for who reads of ends alone.
    async fn next_term(&self) -> Result<(Expected, u64), CommandError> {
        let Some((version, standing)) = self.newest(self.about.node).await? else { return Ok((Expected::NoStream, 1)) };
        let next = standing.term.number + 1;
        if standing.over {
            return Ok((Expected::Version(version), next));
        }
        let event = NodeEnded { node: self.about.node, term: standing.term.number, lost: true };
        let stream = StreamId::node(self.about.node);
        Ok((Expected::Version(self.append(&stream, Expected::Version(version), event.into()).await?), next))
    }

    /// Its stream stands elsewhere than it believed: an answer was lost, or another node has ended its term.
    async fn find_out(&mut self) -> Result<(), CommandError> {
        let Some(own) = self.own else { return Ok(()) };
        let newest = self.newest(self.about.node).await?;
        match newest {
            Some((version, standing)) if !standing.has_ended(own.number) => {
                self.own = Some(Own { version, ..own });
            }
            _ => {
                tracing::warn!(term = own.number, "another node took this one for dead: it begins anew");
                (self.own, self.duties) = (None, BTreeSet::new());
            }
        }
        Ok(())
    }

    /// Looks at these duties, and takes those that are free.
    ///
    /// # Errors
    /// The machinery's; those that were looked at are known.
    pub async fn look(&mut self, wanted: &BTreeSet<Duty>) -> Result<(), CommandError> {
        for duty in wanted {
            let Some(own) = self.term() else {
                self.duties.clear();
                return Ok(());
            };
            let stream = StreamId::lease(*duty);
            let mut holder = self.commands.executor.current::<Assignment>(&stream).await?.holder();
            if holder != Some(own) && self.is_free(holder).await? {
                let take = TakeDuty { duty: *duty, by: own, from: holder };
                let context = self.context();
                let taken =
                    self.commands.executor.execute::<Assignment>(&stream, &take, &context, Guess::Known).await?;
                holder = taken.state.holder();
            }
            if holder == Some(own) {
                self.duties.insert(*duty);
            } else {
                self.duties.remove(duty);
            }
        }
        Ok(())
    }

    /// Whether a duty is nobody's: the term is over that took it. One that was not renewed for long is ended here.
    async fn is_free(&mut self, holder: Option<Term>) -> Result<bool, CommandError> {
        let Some(holder) = holder else { return Ok(true) };
        if holder.node == self.about.node {
            // An earlier term of its own: whoever begins another has ended that.
            return Ok(self.own.is_some_and(|own| holder.number < own.number));
        }
        let Some((version, standing)) = self.newest(holder.node).await? else { return Ok(true) };
        if standing.has_ended(holder.number) {
            return Ok(true);
        }
        // After the read: what is seen now may have been written a moment ago.
        let now = self.stopwatch.elapsed();
        let fresh = Seen { standing, version, since: now };
        let seen = self.others.entry(holder.node).or_insert(fresh);
        if (seen.version, seen.standing) != (version, standing) {
            *seen = fresh;
        }
        if now.saturating_sub(seen.since) < self.timing.lease {
            return Ok(false);
        }
        let event = NodeEnded { node: holder.node, term: standing.term.number, lost: true };
        match self.append(&StreamId::node(holder.node), Expected::Version(version), event.into()).await {
            Ok(_) => {
                tracing::warn!(node = %holder.node.simple(), "a node is not heard of any more: what it did is free");
                self.others.remove(&holder.node);
                Ok(true)
            }
            // It was renewed, or another node was faster.
            Err(CommandError::Store(StoreError::WrongVersion { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends its term, so that others take its duties at once.
    ///
    /// # Errors
    /// The machinery's; then others wait.
    pub async fn end(&mut self) -> Result<(), CommandError> {
        self.duties.clear();
        let stream = StreamId::node(self.about.node);
        for _ in 0..TRIES {
            let Some(own) = self.own else { return Ok(()) };
            let event = NodeEnded { node: self.about.node, term: own.number, lost: false };
            match self.append(&stream, Expected::Version(own.version), event.into()).await {
                Ok(_) => self.own = None,
                // A renewal was cut off whose answer was not waited for.
                Err(CommandError::Store(StoreError::WrongVersion { .. })) => self.find_out().await?,
                Err(error) => return Err(error),
            }
        }
        Err(CommandError::Contended(stream.to_string()))
    }

    async fn newest(&self, node: Uuid) -> Result<Option<(u64, Standing)>, CommandError> {
        let known = match self.own.filter(|_| node == self.about.node) {
            Some(own) => own.version,
            None => self.others.get(&node).map_or(0, |seen| seen.version),
        };
        let last = last_of(&self.commands, node, known).await?;
        Ok(last.and_then(|(version, _, event)| Some((version, Standing::of(&event)?))))
    }

    async fn append(&self, stream: &StreamId, expected: Expected, event: Event) -> Result<u64, CommandError> {
        Ok(self.commands.executor.append_at(stream, expected, event, &self.context()).await?.version)
    }

    fn renewed(&self, term: u64) -> NodeRenewed {
        let About { node, name, version } = self.about.clone();
        NodeRenewed { node, term, name, version, format: self.commands.newest_format() }
    }

    fn context(&self) -> Context {
        Context::new(self.commands.fresh_id())
    }
}

fn nodes() -> StreamId {
    StreamId::new(Category::System, "nodes")
}

/// The last event of a node's stream, its version and when it came.
async fn last_of(commands: &Commands, node: Uuid, known: u64) -> Result<Option<(u64, Timestamp, Event)>, CommandError> {
    let stream = StreamId::node(node);
    let Some(last) = newest(commands.executor.store().as_ref(), &stream, known).await? else { return Ok(None) };
    let unreadable = |error| CommandError::Unreadable { stream: stream.to_string(), what: format!("{error}") };
    Ok(Some((last.version, last.time, last.data.decode().map_err(unreadable)?)))
}

/// A node, as its stream has it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The node.
    pub node: Uuid,
    /// What it said last of itself; none where it has said nothing yet.
    pub said: Option<NodeRenewed>,
    /// When it was heard last, or when its term ended.
    pub heard: Timestamp,
    /// How its term ended, where it did: whether another node said so.
    pub ended: Option<bool>,
}

impl Commands {
    /// The nodes that joined last, at most so many, oldest first.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn nodes(&self, most: u64) -> Result<Vec<Known>, CommandError> {
        let (store, stream) = (self.executor.store(), nodes());
        let count = newest(store.as_ref(), &stream, 0).await?.map_or(0, |last| last.version + 1);
        let (from, most) = (count.saturating_sub(most), usize::try_from(most).unwrap_or(usize::MAX));
        let (mut known, mut seen) = (Vec::new(), BTreeSet::new());
        for recorded in store.read_stream(&stream, from, most).await? {
            // One that was cut off while it joined is on the list twice.
            if let Ok(Event::NodeJoined(NodeJoined { node })) = recorded.data.decode()
                && seen.insert(node)
            {
                known.push(self.node(node, recorded.time).await?);
            }
        }
        Ok(known)
    }

    async fn node(&self, node: Uuid, joined: Timestamp) -> Result<Known, CommandError> {
        let unknown = Known { node, said: None, heard: joined, ended: None };
        let Some((version, heard, last)) = last_of(self, node, 0).await? else { return Ok(unknown) };
        Ok(match last {
            Event::NodeRenewed(said) => Known { said: Some(said), heard, ..unknown },
            Event::NodeEnded(end) => {
                // What stands before an end is a renewal of the term that it ends.
                let stream = StreamId::node(node);
                let before = self.executor.store().read_stream(&stream, version.saturating_sub(1), 1).await?;
                let said = before.first().and_then(|before| match before.data.decode() {
                    Ok(Event::NodeRenewed(said)) => Some(said),
                    _ => None,
                });
                Known { said, heard, ended: Some(end.lost), ..unknown }
            }
            _ => unknown,
        })
    }

    /// Who has a duty, by the log.
    ///
    /// # Errors
    /// The machinery's.
    pub async fn duty_holder(&self, duty: Duty) -> Result<Option<Term>, CommandError> {
        Ok(self.executor.current::<Assignment>(&StreamId::lease(duty)).await?.holder())
    }
}
