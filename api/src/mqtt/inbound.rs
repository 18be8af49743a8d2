//! What clients tell over MQTT: whether the app is open, which messages arrived, what a watch reports.
//!
//! What cannot be read, or speaks of somebody else, is ignored, counted, and logged once a minute at most.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use dface_commands::Context;
use dface_domain::{
    ids::{GroupId, MessageId, UserId},
    topics,
};
use metrics::counter;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{broker::Account, told};
use crate::{metrics as names, node::Node};

/// Changes of focus that the log has not taken yet.
const UNWRITTEN: usize = 4_096;

/// People for whom one connection of the account for all may speak.
const SPOKEN_FOR: usize = 16;

/// After a failure of the log.
const PAUSE: Duration = Duration::from_millis(500);

/// Seconds between two words about what was ignored.
const QUIET_S: i64 = 60;

/// The machinery cannot take a message now: it must be said again.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a message over MQTT cannot be taken now: {0}")]
pub struct NotTaken(pub String);

/// Takes what clients tell.
pub struct Inbound {
    node: Arc<Node>,
    changes: mpsc::Sender<(UserId, bool)>,
    last_word: AtomicI64,
    /// For whom the connections of the account for all have spoken.
    spoken_for: Mutex<HashMap<Box<str>, BTreeSet<UserId>>>,
}

/// Changes of focus on their way to the log.
pub struct FocusLog {
    node: Arc<Node>,
    changes: mpsc::Receiver<(UserId, bool)>,
}

/// Why a message is ignored.
#[derive(Debug, Clone, Copy)]
enum Ignored {
    Malformed,
    SomebodyElse,
    Topic,
}

impl Ignored {
    const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::SomebodyElse => "somebody_else",
            Self::Topic => "topic",
        }
    }
}

#[derive(Deserialize)]
struct Status {
    user_id: Value,
    focus: Value,
}

#[derive(Deserialize)]
struct Receipt {
    user_id: Value,
    group_id: Value,
    message_id: MessageId,
    status: Value,
}

impl Inbound {
    /// For a node; the second part writes the changes of focus into the log.
    #[must_use]
    pub fn new(node: Arc<Node>) -> (Arc<Self>, FocusLog) {
        let (changes, written) = mpsc::channel(UNWRITTEN);
        let log = FocusLog { node: Arc::clone(&node), changes: written };
        (Arc::new(Self { node, changes, last_word: AtomicI64::new(0), spoken_for: Mutex::default() }), log)
    }

    /// Takes one message that `from` published on a topic by one of its connections.
    ///
    /// # Errors
    /// The machinery's: it must be said again. What is wrong in itself is ignored.
    pub async fn take(&self, from: Account, client: &str, topic: &str, payload: &[u8]) -> Result<(), NotTaken> {
        let taken = match (from, topic) {
            (Account::Watch(imei), _) if topics::may_publish(from, topic) => {
                let is_taken = told::by_watch(&self.node, imei, payload).await?;
                if is_taken { Ok(()) } else { Err(Ignored::Malformed) }
            }
            (_, topics::STATUS) if topics::may_publish(from, topic) => self.status(from, client, payload),
            (_, topics::RECEIPT) if topics::may_publish(from, topic) => self.receipt(from, payload).await?,
            _ => Err(Ignored::Topic),
        };
        match taken {
            Ok(()) => counter!(names::MQTT_TAKEN_TOTAL).increment(1),
            Err(ignored) => self.ignore(ignored),
        }
        Ok(())
    }

    /// A connection is over: the app is not open there any more.
    pub fn client_gone(&self, account: Account, client: &str) {
        let users = match account {
            Account::User(user) => BTreeSet::from([user]),
            Account::Shared => self.spoken_for.lock().remove(client).unwrap_or_default(),
            Account::Watch(_) => return,
        };
        let now = self.node.commands.clock().now();
        for user in users {
            if self.node.focus.client_gone(user, client, now) {
                self.note(user, false);
            }
        }
    }

    fn status(&self, from: Account, client: &str, payload: &[u8]) -> Result<(), Ignored> {
        let status: Status = serde_json::from_slice(payload).map_err(|_| Ignored::Malformed)?;
        let user = whole::<UserId>(&status.user_id).ok_or(Ignored::Malformed)?;
        let on = switch(&status.focus).ok_or(Ignored::Malformed)?;
        must_be(from, user)?;
        if from == Account::Shared && on {
            let mut spoken_for = self.spoken_for.lock();
            let users = spoken_for.entry(client.into()).or_default();
            if !users.contains(&user) && users.len() >= SPOKEN_FOR {
                return Err(Ignored::SomebodyElse);
            }
            users.insert(user);
        }
        if self.node.focus.set(user, client, on, self.node.commands.clock().now()) {
            self.note(user, on);
        }
        Ok(())
    }

    fn note(&self, user: UserId, on: bool) {
        if self.changes.try_send((user, on)).is_err() {
            tracing::warn!("the log is behind: a change of focus is not kept");
        }
    }

    async fn receipt(&self, from: Account, payload: &[u8]) -> Result<Result<(), Ignored>, NotTaken> {
        let read = || {
            let receipt: Receipt = serde_json::from_slice(payload).map_err(|_| Ignored::Malformed)?;
            let user = whole::<UserId>(&receipt.user_id).ok_or(Ignored::Malformed)?;
            let group = whole::<GroupId>(&receipt.group_id).ok_or(Ignored::Malformed)?;
            let received = switch(&receipt.status).ok_or(Ignored::Malformed)?;
            must_be(from, user).map(|()| (user, group, receipt.message_id, received))
        };
        let (user, group, message, received) = match read() {
            Ok(read) => read,
            Err(ignored) => return Ok(Err(ignored)),
        };
        if !self.node.views.circles.view().is_member(group, user) {
            return Ok(Err(Ignored::SomebodyElse));
        }
        let is_known = told::receipt(&self.node, user, group, message, received).await?;
        Ok(if is_known { Ok(()) } else { Err(Ignored::Malformed) })
    }

    fn ignore(&self, why: Ignored) {
        counter!(names::MQTT_IGNORED_TOTAL, "why" => why.name()).increment(1);
        let now = self.node.commands.clock().now().seconds();
        let last = self.last_word.load(Ordering::Relaxed);
        if now - last >= QUIET_S
            && self.last_word.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            tracing::info!(
                why = why.name(),
                "messages over MQTT are ignored (said once a minute; the metric counts them)"
            );
        }
    }
}

/// Everybody speaks for themselves; the account for all for anybody.
fn must_be(from: Account, user: UserId) -> Result<(), Ignored> {
    let may = from == Account::Shared || from == Account::User(user);
    if may { Ok(()) } else { Err(Ignored::SomebodyElse) }
}

/// Whom a message says that it is about.
pub(super) fn claimed(payload: &[u8]) -> Option<UserId> {
    #[derive(Deserialize)]
    struct About {
        user_id: Value,
    }
    whole(&serde_json::from_slice::<About>(payload).ok()?.user_id)
}

/// An id, written as a string or as a number.
fn whole<I: std::str::FromStr>(value: &Value) -> Option<I> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64()?.to_string().parse().ok(),
        _ => None,
    }
}

/// 1 or 0.
fn switch(value: &Value) -> Option<bool> {
    match value.as_u64()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

impl FocusLog {
    /// Writes until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(Some((user, on))) = stop.run_until_cancelled(self.changes.recv()).await {
            let context = Context::new(self.node.commands.fresh_id());
            while let Err(error) = self.node.commands.change_focus(user, on, &context).await {
                tracing::warn!(%error, "a change of focus waits for the log");
                if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_strings_or_numbers_and_switches_one_or_nought() {
        let of = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for text in ["7", "\"7\""] {
            assert_eq!(whole(&of(text)), Some(UserId::Number(7)));
        }
        for text in ["7.5", "-7", "null", "[7]", "\"seven\"", "true"] {
            assert_eq!(whole::<UserId>(&of(text)), None, "{text}");
        }
        assert_eq!([switch(&of("1")), switch(&of("0"))], [Some(true), Some(false)]);
        for text in ["2", "\"1\"", "true", "null", "-1", "0.5"] {
            assert_eq!(switch(&of(text)), None, "{text}");
        }
    }
}
