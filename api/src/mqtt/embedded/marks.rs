//! How far each client has acknowledged what it subscribed to, for those that want their session kept. A server that was killed has lost
//! the sessions; by these marks it begins them again, and says again what came since.
//!
//! A mark stands at the last event that a client acknowledged: clients acknowledge in the order in which they are told. What a client
//! subscribes to is written before that is acknowledged, how far it is once a second: a place that is lost costs repeats, which carry
//! the ids of before. Nothing waits for a disk: a process that is killed loses no page of the system's.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use dface_domain::{
    envelope::LogPosition,
    ports::KeyedHash,
    time::Timestamp,
    topics::{self, Scope},
};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use parking_lot::Mutex;
use rmqtt::types::ClientId;

/// The database holds some numbers and nothing else.
const CACHE: u64 = 1 << 20;

/// A client in the rows: a keyed hash, since people call their clients as they like.
type Key = [u8; 16];

/// How far a filter's events are acknowledged, as a row has it.
type Row = Vec<(String, LogPosition)>;

struct Mark {
    position: LogPosition,
    /// What was missed is being said again: until its last event is acknowledged, others say nothing of it.
    again: Again,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Nothing is.
    No,
    /// It has not begun.
    Due,
    /// It is, to its end or to this event.
    Until(Option<LogPosition>),
}

struct Live {
    key: Key,
    filters: BTreeMap<String, Mark>,
    /// Something was dropped: what is acknowledged from now on came after it.
    frozen: bool,
    dirty: bool,
}

#[derive(Default)]
struct State {
    live: HashMap<ClientId, Live>,
    /// Clients without a session, and since when.
    left: HashMap<Key, Timestamp>,
}

/// The marks of all clients.
pub(super) struct Marks {
    _db: Database,
    rows: Keyspace,
    hash: Arc<dyn KeyedHash>,
    state: Mutex<State>,
}

impl Marks {
    /// Opens those of before.
    pub(super) fn open(dir: &Path, hash: Arc<dyn KeyedHash>, now: Timestamp) -> Result<Self, fjall::Error> {
        let db = Database::builder(dir).cache_size(CACHE).worker_threads(1).open()?;
        let rows = db.keyspace("marks", KeyspaceCreateOptions::default)?;
        let mut state = State::default();
        for guard in rows.iter() {
            if let Ok(key) = Key::try_from(&*guard.key()?) {
                state.left.insert(key, now);
            }
        }
        Ok(Self { _db: db, rows, hash, state: Mutex::new(state) })
    }

    fn key(&self, client: &ClientId) -> Key {
        let mut key = Key::default();
        key.copy_from_slice(&self.hash.keyed_hash("mqtt-client", &[client.as_bytes()])[..16]);
        key
    }

    /// Whether a client had a session that this process does not have.
    pub(super) fn has_left(&self, client: &ClientId) -> bool {
        let key = self.key(client);
        let state = self.state.lock();
        !state.live.contains_key(client) && state.left.contains_key(&key)
    }

    /// A client begins anew: nothing of before counts.
    pub(super) fn forget(&self, client: &ClientId) {
        let key = self.key(client);
        let mut state = self.state.lock();
        let was_known = state.live.remove(client).is_some();
        if state.left.remove(&key).is_some() || was_known {
            self.remove(key);
        }
    }

    /// A client that wants its session kept has come. Answers the filters of a session that this process does not have.
    pub(super) fn came(&self, client: &ClientId) -> Vec<String> {
        let key = self.key(client);
        let mut state = self.state.lock();
        if state.live.get(client).is_some_and(|live| !live.frozen) {
            return vec![];
        }
        let row = if state.left.remove(&key).is_some() { self.read(key) } else { vec![] };
        let filters: Vec<String> = row.iter().map(|(filter, _)| filter.clone()).collect();
        let due = |(filter, position)| (filter, Mark { position, again: Again::Due });
        let live = Live { key, filters: row.into_iter().map(due).collect(), frozen: false, dirty: true };
        state.live.insert(client.clone(), live);
        filters
    }

    fn read(&self, key: Key) -> Row {
        let row = self.rows.get(key).map_err(|error| error.to_string());
        let row = row.and_then(|row| row.map(|row| postcard::from_bytes(&row)).transpose().map_err(|e| e.to_string()));
        row.unwrap_or_else(|error| {
            tracing::error!(error, "how far an MQTT client was cannot be read: it is told from now on");
            None
        })
        .unwrap_or_default()
    }

    /// A client has subscribed; where what it missed is to be said again, from where.
    pub(super) fn subscribed(&self, client: &ClientId, filter: &str, head: LogPosition) -> Option<LogPosition> {
        let mut state = self.state.lock();
        let live = state.live.get_mut(client)?;
        if let Some(mark) = live.filters.get_mut(filter) {
            let is_due = mark.again == Again::Due;
            if is_due {
                mark.again = Again::Until(None);
            }
            return is_due.then_some(mark.position);
        }
        live.filters.insert(filter.to_owned(), Mark { position: head, again: Again::No });
        self.write(live);
        None
    }

    /// All that was missed is said again, `last` being the last of it.
    pub(super) fn said_again(&self, client: &ClientId, filter: &str, last: Option<LogPosition>) {
        let mut state = self.state.lock();
        if let Some(mark) = state.live.get_mut(client).and_then(|live| live.filters.get_mut(filter)) {
            let is_over = last.is_none_or(|last| mark.position >= last);
            mark.again = if is_over { Again::No } else { Again::Until(last) };
        }
    }

    /// How far a filter's events are acknowledged.
    pub(super) fn position(&self, client: &ClientId, filter: &str) -> Option<LogPosition> {
        Some(self.state.lock().live.get(client)?.filters.get(filter)?.position)
    }

    /// A client has acknowledged an event, which was said `again` or for the first time.
    pub(super) fn acknowledged(&self, client: &ClientId, scope: Scope, position: LogPosition, again: bool) {
        let mut state = self.state.lock();
        let Some(live) = state.live.get_mut(client).filter(|live| !live.frozen) else { return };
        for (_, mark) in live.filters.iter_mut().filter(|(filter, _)| topics::scope(filter) == Some(scope)) {
            match mark.again {
                Again::No => {}
                Again::Until(last) if again => {
                    if last.is_some_and(|last| position >= last) {
                        mark.again = Again::No;
                    }
                }
                Again::Due | Again::Until(_) => continue,
            }
            if position > mark.position {
                mark.position = position;
                live.dirty = true;
            }
        }
    }

    /// A client is not to be told of a filter any more.
    pub(super) fn unsubscribed(&self, client: &ClientId, filter: &str) {
        let mut state = self.state.lock();
        if let Some(live) = state.live.get_mut(client)
            && live.filters.remove(filter).is_some()
        {
            self.write(live);
        }
    }

    /// Something for a client was dropped: its marks stay where they are until it comes anew.
    pub(super) fn freeze(&self, client: &ClientId) {
        if let Some(live) = self.state.lock().live.get_mut(client) {
            live.frozen = true;
        }
    }

    /// A session is over; with `lost` it may be begun again.
    pub(super) fn gone(&self, client: &ClientId, lost: bool, now: Timestamp) {
        let mut state = self.state.lock();
        let Some(live) = state.live.remove(client) else { return };
        if lost || live.frozen {
            self.write(&live);
            state.left.insert(live.key, now);
        } else {
            self.remove(live.key);
        }
    }

    fn remove(&self, key: Key) {
        if let Err(error) = self.rows.remove(key) {
            tracing::warn!(%error, "how far an MQTT client was cannot be forgotten");
        }
    }

    fn write(&self, live: &Live) {
        let row: Row = live.filters.iter().map(|(filter, mark)| (filter.clone(), mark.position)).collect();
        let row = postcard::to_stdvec(&row).expect("a row has a form");
        if let Err(error) = self.rows.insert(live.key, row) {
            tracing::warn!(%error, "how far an MQTT client is cannot be kept");
        }
    }

    /// Writes what has changed, and forgets who has been away for longer than `most_s`.
    pub(super) fn keep(&self, now: Timestamp, most_s: u32) {
        let mut state = self.state.lock();
        for live in state.live.values_mut().filter(|live| live.dirty && !live.frozen) {
            live.dirty = false;
            self.write(live);
        }
        let away: Vec<Key> = state
            .left
            .iter()
            .filter(|(_, since)| now.seconds_since(**since) > i64::from(most_s))
            .map(|(key, _)| *key)
            .collect();
        for key in away {
            state.left.remove(&key);
            self.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use dface_commands::ServerSecret;
    use dface_domain::ids::GroupId;

    use super::*;

    const FILTER: &str = "xunqun/group/3/#";
    const CIRCLE: Scope = Scope::Group(GroupId(3));

    fn open(dir: &Path) -> Marks {
        Marks::open(dir, Arc::new(ServerSecret::new(&[7; 32])), Timestamp::from_seconds(0)).unwrap()
    }

    fn phone() -> ClientId {
        ClientId::from_static("7/phone")
    }

    #[test]
    fn a_client_of_before_is_begun_again_where_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let marks = open(dir.path());
        assert_eq!(marks.came(&phone()), Vec::<String>::new());
        assert_eq!(marks.subscribed(&phone(), FILTER, LogPosition(10)), None);
        marks.acknowledged(&phone(), CIRCLE, LogPosition(12), false);
        marks.keep(Timestamp::from_seconds(1), 60);
        drop(marks);

        let marks = open(dir.path());
        assert!(marks.has_left(&phone()));
        assert_eq!(marks.came(&phone()), [FILTER]);
        assert_eq!(marks.subscribed(&phone(), FILTER, LogPosition(20)), Some(LogPosition(12)));
        assert_eq!(marks.subscribed(&phone(), FILTER, LogPosition(20)), None, "once");
    }

    #[test]
    fn a_server_that_is_killed_at_once_knows_who_had_subscribed_to_what() {
        let dir = tempfile::tempdir().unwrap();
        let marks = open(dir.path());
        marks.came(&phone());
        marks.subscribed(&phone(), FILTER, LogPosition(10));
        marks.subscribed(&phone(), "xunqun/group/4/#", LogPosition(11));
        marks.unsubscribed(&phone(), "xunqun/group/4/#");
        drop(marks);
        let marks = open(dir.path());
        assert_eq!(marks.came(&phone()), [FILTER]);
        assert_eq!(marks.subscribed(&phone(), FILTER, LogPosition(20)), Some(LogPosition(10)));
    }

    #[test]
    fn what_is_newer_than_what_is_said_again_moves_no_mark_until_that_is_acknowledged() {
        let dir = tempfile::tempdir().unwrap();
        let marks = open(dir.path());
        marks.came(&phone());
        marks.subscribed(&phone(), FILTER, LogPosition(10));
        marks.gone(&phone(), true, Timestamp::from_seconds(1));
        marks.came(&phone());
        marks.subscribed(&phone(), FILTER, LogPosition(20));
        marks.said_again(&phone(), FILTER, Some(LogPosition(15)));
        let after = |position, again| {
            marks.acknowledged(&phone(), CIRCLE, LogPosition(position), again);
            marks.position(&phone(), FILTER).unwrap().0
        };
        assert_eq!([after(11, true), after(21, false), after(15, true), after(22, false)], [11, 11, 15, 22]);
    }

    #[test]
    fn nothing_is_known_of_who_begins_anew_or_was_away_for_too_long() {
        let dir = tempfile::tempdir().unwrap();
        let marks = open(dir.path());
        let lose = || {
            marks.came(&phone());
            marks.subscribed(&phone(), FILTER, LogPosition(10));
            marks.gone(&phone(), true, Timestamp::from_seconds(0));
        };
        lose();
        marks.forget(&phone());
        assert_eq!(marks.came(&phone()), Vec::<String>::new());
        marks.gone(&phone(), false, Timestamp::from_seconds(0));
        assert!(!marks.has_left(&phone()), "it ended its session");
        lose();
        marks.keep(Timestamp::from_seconds(61), 60);
        assert!(!marks.has_left(&phone()));
    }

    #[test]
    fn who_lost_something_is_told_again_from_there() {
        let dir = tempfile::tempdir().unwrap();
        let marks = open(dir.path());
        marks.came(&phone());
        marks.subscribed(&phone(), FILTER, LogPosition(10));
        marks.freeze(&phone());
        marks.acknowledged(&phone(), CIRCLE, LogPosition(30), false);
        marks.gone(&phone(), false, Timestamp::from_seconds(0));
        marks.came(&phone());
        assert_eq!(marks.subscribed(&phone(), FILTER, LogPosition(40)), Some(LogPosition(10)));
    }
}
