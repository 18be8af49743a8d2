//! Facts about the nodes of an installation: who is there, who has which duty, and what the next holder of a duty must know.

use uuid::Uuid;

use super::macros::event;
use crate::{envelope::LogPosition, leases::Duty};

event! {
    /// A node is there for the first time.
    NodeJoined, schema 1 {
        /// The node.
        node: Uuid => Public,
    }
}

event! {
    /// A node began a term, or renewed it: until it ends, what the node has taken on is its own. All is said each time, since only the last one is read.
    NodeRenewed, schema 1 {
        /// The node.
        node: Uuid => Public,
        /// Its term, from 1; each start begins another.
        term: u64 => Public,
        /// What operators call it.
        name: String => Public,
        /// The version of its program.
        version: String => Public,
        /// The newest format of the log that its program writes.
        format: u32 => Public,
    }
}

event! {
    /// A node's term is over: nothing is its own any more.
    NodeEnded, schema 1 {
        /// The node.
        node: Uuid => Public,
        /// Its term.
        term: u64 => Public,
        /// Whether another node said so, since the term was not renewed; else the node stopped.
        lost: bool => Public,
    }
}

event! {
    /// A node took a duty, which it has until its term is over.
    DutyTaken, schema 1 {
        /// What.
        duty: Duty => Public,
        /// Who.
        node: Uuid => Public,
        /// In which term.
        term: u64 => Public,
    }
}

event! {
    /// How far a follower of the log was: whoever takes its duty over goes on there.
    CheckpointKept, schema 1 {
        /// The follower.
        follower: String => Public,
        /// The log that the positions are of, 32 hex digits: in another one they mean nothing.
        log: String => Public,
        /// The last event that it was done with.
        position: LogPosition => Public,
        /// Events before it that it was not done with.
        parked: Vec<LogPosition> => Public,
    }
}

event! {
    /// An operator ended an upgrade: from now on events are written in the schemas of this format, and programs that do not know it write no more.
    FormatRaised, schema 1 {
        /// The format, from 2; a log without this event has the first one.
        format: u32 => Public,
    }
}
