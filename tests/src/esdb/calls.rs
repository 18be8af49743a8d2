//! Appending, and what the client asks of a server before it trusts it.

use bytes::Bytes;
use http::Response;

use super::{
    Cluster, Loss,
    grpc::{Body, Gone, Status, code, framed, messages, whole},
    log::{Expected, Outcome},
    wire::{
        Address, AppendOptions, AppendReq, AppendResp, ClusterInfo, Member, Position, Proposed, Success,
        SupportedMethods, Uuid, WrongVersion,
    },
};

/// States of a member, as the gossip has them.
const FOLLOWER: i32 = 6;
const LEADER: i32 = 8;

/// Who is in the cluster.
pub fn gossip(cluster: &Cluster) -> Response<Body> {
    let state = cluster.state();
    let members = cluster.ports.iter().enumerate().map(|(node, port)| Member {
        id: Some(Uuid::of(uuid::Uuid::from_u128(node as u128 + 1))),
        state: if state.leader == Some(node) { LEADER } else { FOLLOWER },
        alive: !state.away[node],
        address: Some(Address { host: "127.0.0.1".to_owned(), port: u32::from(*port) }),
    });
    whole(vec![framed(&ClusterInfo { members: members.collect() })])
}

/// Which release it is. It names no method, so that the client uses the calls that every release has.
pub fn features() -> Response<Body> {
    whole(vec![framed(&SupportedMethods { version: "24.10.0".to_owned() })])
}

/// Appends a batch.
pub fn append(cluster: &Cluster, body: Bytes) -> Result<Result<Response<Body>, Status>, Gone> {
    let asked = match parse(body) {
        Ok(asked) => asked,
        Err(status) => return Ok(Err(status)),
    };
    let (loss, most_bytes) = {
        let mut state = cluster.state();
        state.asked.appends += 1;
        (state.losses.pop(), state.most_bytes)
    };
    if loss == Some(Loss::Request) {
        return Err(Gone);
    }
    let bytes: usize = asked.events.iter().map(|event| event.data.len() + event.custom_metadata.len()).sum();
    if bytes > most_bytes {
        let text = format!("Maximum Append Size of {most_bytes} Exceeded.");
        return Ok(Err(Status::new(code::INVALID_ARGUMENT, &text).with("exception", "maximum-append-size-exceeded")));
    }
    let outcome = cluster.log.lock().append(&asked.stream, asked.expected, asked.events);
    cluster.tell();
    if loss == Some(Loss::Answer) {
        return Err(Gone);
    }
    Ok(answer(outcome, &asked.stream, asked.expected))
}

struct Asked {
    stream: String,
    expected: Expected,
    events: Vec<Proposed>,
}

fn parse(body: Bytes) -> Result<Asked, Status> {
    let mut parts = messages::<AppendReq>(body)?.into_iter();
    let options = parts.next().and_then(|first| first.options);
    let Some(AppendOptions { stream: Some(stream), revision, no_stream }) = options else {
        return Err(Status::new(code::INVALID_ARGUMENT, "an append begins with its options"));
    };
    let expected = match (revision, no_stream) {
        (Some(revision), _) => Expected::Revision(revision),
        (None, Some(())) => Expected::NoStream,
        (None, None) => return Err(Status::new(code::UNIMPLEMENTED, "the stand-in takes no append at any revision")),
    };
    let name = String::from_utf8(stream.name.to_vec());
    let stream = name.map_err(|_| Status::new(code::INVALID_ARGUMENT, "a stream's name is UTF-8"))?;
    Ok(Asked { stream, expected, events: parts.filter_map(|part| part.proposed).collect() })
}

fn answer(outcome: Outcome, stream: &str, expected: Expected) -> Result<Response<Body>, Status> {
    let answered = match outcome {
        Outcome::Written { revision, position } => AppendResp {
            success: Some(Success { revision: Some(revision), position: Some(Position::of(position)) }),
            wrong: None,
        },
        Outcome::Wrong { current } => {
            let (expected, expected_none) = match expected {
                Expected::NoStream => (None, Some(())),
                Expected::Revision(revision) => (Some(revision), None),
            };
            let current_none = current.is_none().then_some(());
            let wrong = WrongVersion { current, current_none, expected, expected_none };
            AppendResp { success: None, wrong: Some(wrong) }
        }
        Outcome::Deleted => return Err(deleted(stream)),
    };
    Ok(whole(vec![framed(&answered)]))
}

/// How the server tells that a stream was deleted for good.
pub fn deleted(stream: &str) -> Status {
    Status::new(code::FAILED_PRECONDITION, &format!("Event stream '{stream}' is deleted."))
        .with("exception", "stream-deleted")
        .with("stream-name", stream)
}
