//! Samples of what nodes tell each other.

use uuid::Uuid;

use crate::{
    envelope::LogPosition,
    events::{CheckpointKept, DutyTaken, Event, FormatRaised, NodeEnded, NodeJoined, NodeRenewed},
    leases::Duty,
    stream::{Category, StreamId},
};

const NODE: Uuid = Uuid::from_u128(0x5f0c_2d9e_8b7a_4613_9c1d_2e3f_4a5b_6c7d);
const FOLLOWER: &str = "coupons";

/// One event of every type of this feature.
pub(super) fn of_nodes() -> Vec<Event> {
    let (name, version) = ("api-1".to_owned(), "0.1.0".to_owned());
    let kept = CheckpointKept {
        follower: FOLLOWER.to_owned(),
        log: "0123456789abcdef0123456789abcdef".to_owned(),
        position: LogPosition(4711),
        parked: vec![LogPosition(17)],
    };
    vec![
        NodeJoined { node: NODE }.into(),
        NodeRenewed { node: NODE, term: 3, name, version, format: 1 }.into(),
        NodeEnded { node: NODE, term: 3, lost: true }.into(),
        DutyTaken { duty: Duty::Jobs, node: NODE, term: 3 }.into(),
        kept.into(),
        FormatRaised { format: 2 }.into(),
    ]
}

/// The stream of such an event.
pub(super) fn stream_of(event: &Event) -> StreamId {
    match event {
        Event::CheckpointKept(_) => StreamId::checkpoint(FOLLOWER),
        Event::DutyTaken(_) => StreamId::lease(Duty::Jobs),
        Event::FormatRaised(_) => StreamId::new(Category::System, "format"),
        Event::NodeJoined(_) => StreamId::new(Category::System, "nodes"),
        _ => StreamId::node(NODE),
    }
}
