//! Reading streams and the whole log, and subscriptions to it.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use futures::stream;
use http::Response;
use tokio::sync::watch;

use super::{
    Cluster,
    calls::deleted,
    grpc::{Body, Gone, Part, Status, code, framed, messages, streamed, whole},
    log::{Log, Record},
    serving::leads,
    wire::{
        AllOptions, Confirmation, FilterOptions, NotFound, Position, ReadOptions, ReadReq, ReadResp, StreamIdentifier,
        StreamOptions,
    },
};

/// A subscription says how far it looked after so many records that the filter left out. The real server's interval is its own affair.
const CHECKPOINT_AFTER: usize = 3;

/// Records that a subscription takes from the log at once.
const PAGE: usize = 256;

/// Answers a read.
pub fn read(cluster: &Arc<Cluster>, node: usize, must_lead: bool, body: Bytes) -> Result<Response<Body>, Status> {
    let options = messages::<ReadReq>(body)?.into_iter().next().and_then(|read| read.options);
    let unknown = || Status::new(code::UNIMPLEMENTED, "the stand-in does not read like this");
    let options = options.ok_or_else(unknown)?;
    let filter = Filter::of(options.filter.as_ref()).ok_or_else(unknown)?;
    match (&options.stream, &options.all, options.count, options.subscription) {
        (Some(stream), None, Some(count), None) => {
            cluster.state().asked.streams += 1;
            read_stream(cluster, stream, &options, count)
        }
        (None, Some(all), Some(count), None) => {
            cluster.state().asked.log += 1;
            read_all(cluster, all, &options, &filter, count)
        }
        (None, Some(all), None, Some(())) => {
            cluster.state().asked.subscriptions += 1;
            Ok(subscribe(cluster, node, must_lead, all, filter))
        }
        _ => Err(unknown()),
    }
}

fn event(record: &Record) -> Bytes {
    framed(&ReadResp { event: Some(record.read()), ..ReadResp::default() })
}

fn most(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn read_stream(
    cluster: &Cluster,
    asked: &StreamOptions,
    options: &ReadOptions,
    count: u64,
) -> Result<Response<Body>, Status> {
    let name = asked.stream.clone().unwrap_or_default();
    let text = String::from_utf8_lossy(&name.name).into_owned();
    let log = cluster.log.lock();
    if log.is_deleted(&text) {
        return Err(deleted(&text));
    }
    let Some(records) = log.stream(&text) else {
        let not_found = Some(NotFound { stream: Some(StreamIdentifier { name: name.name }) });
        return Ok(whole(vec![framed(&ReadResp { not_found, ..ReadResp::default() })]));
    };
    let from = asked.revision.unwrap_or(0);
    let count = most(count);
    let answers = match options.direction {
        0 => records.filter(|record| record.revision >= from).take(count).map(event).collect(),
        _ => records.rev().take(count).map(event).collect(),
    };
    Ok(whole(answers))
}

/// From the event at the position itself on, unlike a subscription. A position at which none stands is refused, as by servers from 23.10 on.
fn read_all(
    cluster: &Cluster,
    asked: &AllOptions,
    options: &ReadOptions,
    filter: &Filter,
    count: u64,
) -> Result<Response<Body>, Status> {
    let log = cluster.log.lock();
    let from = log.at(asked.position.map_or(0, |position| position.commit));
    if let Some(position) = asked.position
        && log.records().get(from).is_none_or(|record| record.position != position.commit)
    {
        return Err(Status::new(code::UNKNOWN, "Trying to read from an invalid position."));
    }
    let count = most(count);
    let ours = |record: &&Record| filter.takes(record);
    Ok(whole(match options.direction {
        0 => log.records()[from..].iter().filter(ours).take(count).map(event).collect(),
        _ => log.records().iter().rev().filter(ours).take(count).map(event).collect(),
    }))
}

/// Which streams' events are wanted.
struct Filter(Vec<String>);

impl Filter {
    /// By prefixes of streams' names: the stand-in knows no other.
    fn of(options: Option<&FilterOptions>) -> Option<Self> {
        match options {
            None => Some(Self(vec![String::new()])),
            Some(FilterOptions { stream: Some(by_name), event_type: None }) if by_name.regex.is_empty() => {
                Some(Self(by_name.prefix.clone()))
            }
            Some(_) => None,
        }
    }

    fn takes(&self, record: &Record) -> bool {
        self.0.iter().any(|prefix| record.stream.starts_with(prefix.as_str()))
    }
}

struct Subscription {
    cluster: Arc<Cluster>,
    node: usize,
    must_lead: bool,
    filter: Filter,
    /// The number of the next record.
    next: usize,
    left_out: usize,
    caught_up: bool,
    ready: VecDeque<ReadResp>,
    news: watch::Receiver<u64>,
    ended: bool,
}

/// What comes after the position, then what is written, until the node leads no more. That a node which loses the lead ends its subscriptions
/// with the same error as other calls is guessed.
fn subscribe(
    cluster: &Arc<Cluster>,
    node: usize,
    must_lead: bool,
    asked: &AllOptions,
    filter: Filter,
) -> Response<Body> {
    let next = {
        let log = cluster.log.lock();
        match (asked.position, asked.end) {
            (Some(position), _) => log.at(position.commit.saturating_add(1)),
            (None, Some(())) => log.records().len(),
            (None, None) => 0,
        }
    };
    let id = uuid::Uuid::from_u128(next as u128).to_string();
    let confirmed = ReadResp { confirmation: Some(Confirmation { id }), ..ReadResp::default() };
    let subscription = Subscription {
        node,
        must_lead,
        filter,
        next,
        left_out: 0,
        caught_up: false,
        ready: VecDeque::from([confirmed]),
        news: cluster.news.subscribe(),
        cluster: Arc::clone(cluster),
        ended: false,
    };
    streamed(stream::unfold(subscription, |mut subscription| async move {
        let part = subscription.part().await?;
        Some((Ok::<Part, Gone>(part), subscription))
    }))
}

impl Subscription {
    async fn part(&mut self) -> Option<Part> {
        loop {
            if self.ended {
                return None;
            }
            if let Some(ready) = self.ready.pop_front() {
                return Some(Part::Message(framed(&ready)));
            }
            if let Err(status) = leads(&self.cluster, self.node, self.must_lead) {
                self.ended = true;
                return Some(Part::End(status));
            }
            self.news.borrow_and_update();
            let silent = self.cluster.state().silent;
            if (silent || !self.take()) && self.news.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Takes what was written meanwhile; false where there is nothing to tell.
    fn take(&mut self) -> bool {
        let cluster = Arc::clone(&self.cluster);
        let log = cluster.log.lock();
        let before = self.next;
        for record in log.records().iter().skip(self.next).take(PAGE) {
            self.next += 1;
            if self.filter.takes(record) {
                self.left_out = 0;
                self.ready.push_back(ReadResp { event: Some(record.read()), ..ReadResp::default() });
                continue;
            }
            self.left_out += 1;
            if self.left_out.is_multiple_of(CHECKPOINT_AFTER) {
                let checkpoint = Some(Position::of(record.position));
                self.ready.push_back(ReadResp { checkpoint, ..ReadResp::default() });
            }
        }
        if self.is_at_end(&log) && !self.caught_up {
            self.caught_up = true;
            self.ready.push_back(ReadResp { caught_up: Some(()), ..ReadResp::default() });
        }
        self.next > before || !self.ready.is_empty()
    }

    fn is_at_end(&self, log: &Log) -> bool {
        self.next == log.records().len()
    }
}
