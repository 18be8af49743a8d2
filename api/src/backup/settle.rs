//! What a log says of its restore: who left after the place that it was restored to has left here, too; nobody is signed in, no named token opens
//! anything; nothing goes out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dface_commands::{
    format, restores,
    store::embedded::{EmbeddedStore, OpenError},
};
use dface_domain::{
    envelope::{LogPosition, NewEvent},
    events::{EndReason, Event, LogRestored, PersonErased, SessionEnded, TokenRevoked, WatchUnbound},
    format::{FORMATS, Format},
    ids::{Imei, SessionId, UserId},
    ports::{EventStore as _, Expected},
    stream::StreamId,
    tokens::TokenName,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{BackupError, restore::Means};
use crate::{settings::Settings, store::embedded_config};

/// An event, and the stream in which it is said.
type Said = (StreamId, Event);

/// Events that are appended at once, so that one fsync does for many.
const AT_ONCE: usize = 256;

/// What a restore must know of a log's events.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Who has an account at the end of what is wanted.
    people: BTreeSet<UserId>,
    sessions: HashMap<SessionId, UserId>,
    /// Operators' named tokens: one may have been taken back after the end.
    tokens: BTreeSet<TokenName>,
    /// Watches that are in a circle then, for which time.
    bound: BTreeMap<Imei, u16>,
    /// Who left after it.
    erased: BTreeSet<UserId>,
    unbound: Vec<WatchUnbound>,
}

impl Facts {
    /// Takes an event up, which is wanted or beyond the end.
    pub(super) fn apply(&mut self, event: &Event, is_wanted: bool) {
        if is_wanted {
            return self.apply_wanted(event);
        }
        match event {
            Event::PersonErased(event) => {
                self.erased.insert(event.user);
            }
            Event::WatchUnbound(event) => self.unbound.push(event.clone()),
            _ => {}
        }
    }

    fn apply_wanted(&mut self, event: &Event) {
        match event {
            Event::UserRegistered(event) => {
                self.people.insert(event.user);
            }
            Event::PersonErased(event) => {
                self.people.remove(&event.user);
            }
            Event::SessionOpened(event) => {
                self.sessions.insert(event.session, event.user);
            }
            Event::SessionEnded(event) => {
                self.sessions.remove(&event.session);
            }
            Event::TokenMade(event) => {
                self.tokens.insert(event.name.clone());
            }
            Event::TokenRevoked(event) => {
                self.tokens.remove(&event.name);
            }
            Event::WatchBound(event) => {
                self.bound.insert(event.imei, event.binding);
            }
            Event::WatchUnbound(event) => {
                self.bound.remove(&event.imei);
            }
            _ => {}
        }
    }

    /// What the log does not say yet: who has left, and which sessions are over.
    fn missing(&self) -> (Vec<Said>, Vec<Said>) {
        let erased = self.erased.intersection(&self.people);
        let erased = erased.map(|user| (StreamId::user(*user), PersonErased { user: *user }.into()));
        let unbound = self.unbound.iter().filter(|event| self.bound.get(&event.imei) == Some(&event.binding));
        let unbound = unbound.map(|event| (StreamId::watch(event.imei), event.clone().into()));
        let over = self.sessions.iter().map(|(session, user)| {
            let event = SessionEnded { session: *session, user: *user, reason: EndReason::Operator };
            (StreamId::session(*session), event.into())
        });
        (erased.chain(unbound).collect(), over.collect())
    }
}

/// What was said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) sessions_ended: u64,
    pub(super) gone: u64,
}

/// Says it in the restored log, which is of the log `from` up to a position. Blocks on the disk.
pub(super) fn settle(
    settings: &Settings,
    facts: &Facts,
    from: (&str, LogPosition),
    means: &Means,
) -> Result<Settled, BackupError> {
    let opened = EmbeddedStore::open(embedded_config(settings), means.clock.clone(), &*means.entropy);
    let store = opened.map_err(|error| match error {
        OpenError::Store(error) => error.into(),
        other => BackupError::Failed(other.to_string()),
    })?;
    let settled = means.runtime.block_on(say(&store, facts, from, means));
    store.close();
    settled
}

async fn say(
    store: &EmbeddedStore,
    facts: &Facts,
    (log, up_to): (&str, LogPosition),
    means: &Means,
) -> Result<Settled, BackupError> {
    let number = format::of_log(store).await?;
    if number > FORMATS.newest {
        let newest = FORMATS.newest;
        return Err(BackupError::Refused(format!(
            "the log has format {number}, but this dface knows up to {newest}; use a newer one"
        )));
    }
    let format = Format { number, formats: &FORMATS };
    let fresh_id = || uuid::Builder::from_random_bytes(means.entropy.bytes()).into_uuid();
    let (correlation, now) = (fresh_id(), means.clock.now());
    let say_one = |(stream, event): Said| {
        let new = NewEvent { id: fresh_id(), occurred_at: now, correlation, causation: None, event, format };
        append(store, stream, new)
    };
    let (gone, over) = facts.missing();
    let counts = Settled { gone: gone.len() as u64, sessions_ended: over.len() as u64 };
    for events in [gone, over] {
        stream::iter(events).map(say_one).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    for name in &facts.tokens {
        say_one((StreamId::tokens(), TokenRevoked { name: name.clone() }.into())).await?;
    }
    let restored = LogRestored { from: log.to_owned(), up_to };
    say_one((restores::stream(), restored.into())).await?;
    Ok(counts)
}

async fn append(store: &EmbeddedStore, stream: StreamId, event: NewEvent) -> Result<(), BackupError> {
    let (reader, name) = (store.clone(), stream.clone());
    let last = tokio::task::spawn_blocking(move || reader.last_version(&name)).await;
    let last = last.map_err(|error| BackupError::Failed(error.to_string()))??;
    let expected = last.map_or(Expected::NoStream, Expected::Version);
    store.append(&stream, expected, vec![event]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use dface_domain::events::samples::{ANNA, BEN, NoSeal, samples};

    use super::*;

    fn of_type(name: &str) -> Event {
        samples(&mut NoSeal).into_iter().find(|event| event.type_name() == name).unwrap()
    }

    #[test]
    fn who_left_after_the_end_has_left_all_the_same_and_all_open_sessions_are_over() {
        let mut facts = Facts::default();
        for name in ["UserRegistered", "SessionOpened", "WatchBound"] {
            facts.apply(&of_type(name), true);
        }
        assert_eq!(facts.missing().0, vec![]);
        facts.apply(&PersonErased { user: ANNA }.into(), false);
        facts.apply(&PersonErased { user: BEN }.into(), false);
        facts.apply(&of_type("WatchUnbound"), false);
        let (gone, over) = facts.missing();
        let types: Vec<_> = gone.iter().map(|(stream, event)| (stream.to_string(), event.type_name())).collect();
        assert_eq!(types[0], ("user-7".to_owned(), "PersonErased"), "Ben had no account yet");
        assert_eq!((types.len(), types[1].1), (2, "WatchUnbound"));
        assert!(matches!(&over[..], [(_, Event::SessionEnded(event))] if event.user == ANNA));
        facts.apply(&of_type("WatchUnbound"), true);
        facts.apply(&of_type("PersonErased"), true);
        facts.apply(&of_type("SessionEnded"), true);
        assert_eq!(facts.missing(), (vec![], vec![]));
    }
}
