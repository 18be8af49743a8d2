//! A node that starts with an empty data directory, and makes all read models of the log.

use std::{path::Path, time::Duration};

use dface_commands::system::SystemClock;
use dface_domain::{
    events::{Event, ShopDetails},
    ports::{Clock as _, Keys},
    sealed::Subject,
};
use dface_tests::esdb;
use tokio::runtime::Runtime;

use super::world::World;
use crate::{
    Failed, Setup,
    made::{self, directory::Fact, people::Crowd},
    report::{Table, ms, note, short},
    stats::rate,
};

/// People of the whole log, at most: each has a key that a new node asks for.
const PEOPLE: u64 = 10_000;

/// What the access points of a shop are called.
const ACCESS_POINTS: u64 = 4;

pub fn run(setup: &Setup, runtime: &Runtime, program: &Path) -> Result<Table, Failed> {
    let whole = setup.shops;
    let mut table = Table::new(
        "A new node",
        format!(
            "A node with an empty data directory over a log of shops (one in 50), {} people with keys in a directory that all nodes mount, and \
             check-ins with the access point that the phone saw: from starting the process to the line that says it is ready. Memory is \
             the most that the process held in memory (VmHWM). Again: the same directory once more.",
            people(whole)
        ),
        &["events", "start to ready", "events/s", "processor time", "most memory", "again"],
    );
    let world = World::new(runtime, &setup.dir.path().join("starting"))?;
    let shops = made::shops::made(whole / 50);
    let mut filled = fill_people(&world, &shops, people(whole))?;
    let mut visits = made::people::visits(
        Crowd { users: people(whole), follows: 0, checkins: whole.saturating_sub(filled) },
        &shops,
        SystemClock.now(),
    );
    for (share, name) in [(10, "tenth"), (1, "whole")] {
        let missing = usize::try_from((whole / share).saturating_sub(filled))?;
        let facts = visits.by_ref().take(missing).map(|visit| {
            let place = format!("00:1d:7e:{:02x}:{:04x}", visit.number % ACCESS_POINTS, visit.shop.0 & 0xffff);
            plain(seen(&world.keys, made::people::checked_in(&world.keys, &visit)?, &place)?)
        });
        filled += world.server.fill(facts)?;
        note(&format!("the log has {filled} events"));
        let (server, took) = world.node(program, name)?;
        let (processor, memory) = (server.processor_time(), server.peak_memory());
        drop(server);
        let (server, again) = world.node(program, name)?;
        drop(server);
        table.row(cells(filled, took, processor, memory, again));
    }
    Ok(table)
}

fn cells(events: u64, took: Duration, processor: Duration, memory: u64, again: Duration) -> [String; 6] {
    [events.to_string(), ms(took), short(rate(events, took)), ms(processor), format!("{} MiB", memory >> 20), ms(again)]
}

fn people(events: u64) -> u64 {
    (events / 100).clamp(1, PEOPLE)
}

/// How many events that were.
fn fill_people(world: &World, shops: &[ShopDetails], people: u64) -> Result<u64, Failed> {
    let now = SystemClock.now();
    made::people::make_keys(world.keys.as_ref(), people)?;
    let shops = shops.iter().enumerate().map(|(index, details)| plain(made::shops::added(index, details, now)));
    let people = (1..=people).map(|user| plain(made::people::registered(&world.keys, user, now)?));
    world.server.fill(shops.chain(people))
}

#[expect(clippy::unnecessary_wraps, reason = "for iterators of what may fail")]
fn plain(fact: Fact) -> Result<esdb::Fact, Failed> {
    let Fact { stream, at, event, .. } = fact;
    Ok(esdb::Fact { stream, at, event })
}

/// With the access point that the phone saw, which the ranking opens.
fn seen(keys: &std::sync::Arc<dyn Keys>, fact: Fact, place: &str) -> Result<Fact, Failed> {
    let Event::CheckedIn(mut event) = fact.event else { return Ok(fact) };
    event.bssid = Some(keys.seal(Subject::User(event.user), &place.to_owned())?);
    Ok(Fact { event: event.into(), ..fact })
}
