//! The made directory under the real program: starting on it, and asking it over HTTP beside Redis and PostGIS.

pub mod load;
mod postgis;
pub mod postgres;
mod redis;
pub mod requests;
pub use requests::get;
pub mod server;

use std::{path::Path, time::Duration};

use dface_commands::system::SystemClock;
use dface_domain::{
    events::ShopDetails,
    ids::UserId,
    ports::{Clock as _, EventStore as _},
};

use self::{
    load::{Measured, Protocol},
    server::Server,
};
use crate::{
    Failed, Setup,
    made::{self, Directory, people::Crowd},
    replay,
    report::{Page, Table, ms, short},
};

/// Clients of the reading requests.
const READERS: usize = 32;

/// Clients of the check-ins.
const WRITERS: usize = 64;

pub fn run(setup: &Setup, page: &mut Page) -> Result<(), Failed> {
    let program = server::build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let data = setup.dir.path().join("data");
    let shops = made::shops::made(setup.shops);
    let mut starts = Table::new(
        "Start and memory",
        "From starting the process to the line that says it is ready, on a directory whose read models are there; and \
         what it then holds in memory (resident), less what it holds on an empty directory.",
        &["directory", "events", "start to ready", "processor time", "memory", "for each million shops"],
    );
    let empty = started(&mut starts, "empty", &program, &setup.dir.path().join("empty"), 0, 0)?;
    let crowd = Crowd { users: setup.shops / 20, follows: setup.shops / 20 * 3, checkins: setup.shops / 5 * 4 };

    runtime.block_on(add_shops(&data, &shops))?;
    drop(Server::start(&program, &data)?);
    started(&mut starts, "shops alone", &program, &data, setup.shops, empty)?;
    let cookies = runtime.block_on(add_people(&data, &shops, crowd))?;
    drop(Server::start(&program, &data)?);
    started(&mut starts, "shops, people, follows and check-ins", &program, &data, setup.shops, empty)?;

    page.add(reading(&runtime, &data, crowd, setup.shops)?);
    page.add(starts);
    page.add(asking(setup, &program, &data, &shops, &cookies)?);
    Ok(())
}

/// One more row of starts; the memory it took.
fn started(table: &mut Table, what: &str, program: &Path, data: &Path, shops: u64, empty: u64) -> Result<u64, Failed> {
    if !data.exists() {
        drop(Server::start(program, data)?);
    }
    let (server, took) = Server::start(program, data)?;
    let (memory, processor) = (server.memory(), server.processor_time());
    drop(server);
    let each = memory.saturating_sub(empty).checked_mul(1_000_000).and_then(|bytes| bytes.checked_div(shops));
    let events = events_in(data)?;
    let each = each.map_or(String::new(), mebibytes);
    table.row([what.to_owned(), events.to_string(), ms(took), ms(processor), mebibytes(memory), each]);
    Ok(memory)
}

fn events_in(data: &Path) -> Result<u64, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let directory = runtime.block_on(Directory::open(data))?;
    let events = directory.store.head().0;
    directory.close();
    Ok(events)
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

pub async fn add_shops(data: &Path, shops: &[ShopDetails]) -> Result<(), Failed> {
    let (directory, now) = (Directory::open(data).await?, SystemClock.now());
    let added = shops.iter().enumerate().map(|(index, details)| Ok(made::shops::added(index, details, now)));
    directory.append("shops", added).await?;
    directory.close();
    Ok(())
}

pub async fn add_people(data: &Path, shops: &[ShopDetails], crowd: Crowd) -> Result<Vec<String>, Failed> {
    let (directory, now) = (Directory::open(data).await?, SystemClock.now());
    let keys = &directory.keys;
    made::people::make_keys(keys.as_ref(), crowd.users)?;
    directory.append("people", (1..=crowd.users).map(|user| made::people::registered(keys, user, now))).await?;
    directory.append("follows", made::people::follows(crowd, now)).await?;
    let visits = made::people::visits(crowd, shops, now);
    directory.append("check-ins", visits.map(|visit| made::people::checked_in(keys, &visit))).await?;
    let users: Vec<UserId> = (1..=WRITERS as u64).map(UserId::Number).collect();
    let cookies = directory.sessions(&users).await?;
    directory.close();
    Ok(cookies)
}

fn reading(runtime: &tokio::runtime::Runtime, data: &Path, crowd: Crowd, shops: u64) -> Result<Table, Failed> {
    let Crowd { users, follows, checkins } = crowd;
    let mut table = Table::new(
        "Replay and rebuild",
        format!(
            "The log holds {shops} `ShopAdded`, {users} `UserRegistered`, {follows} `Followed` and {checkins} `CheckedIn` \
             (the last with sealed positions), in that order. The reference reads the same segment files at once and \
             takes their CRC-32C, without looking at any event."
        ),
        &replay::HEAD,
    );
    let directory = runtime.block_on(Directory::open(data))?;
    replay::reading(&mut table, &directory.store, data)?;
    directory.close();
    drop(directory_closed(data)?);
    let settings = dface_api::settings::Settings::load(None, &[("data", data.display().to_string())])?;
    runtime.block_on(replay::rebuilding(&mut table, settings, None))?;
    Ok(table)
}

/// Waits until nobody holds the directory.
fn directory_closed(data: &Path) -> Result<std::fs::File, Failed> {
    let lock = std::fs::File::open(data.join("lock"))?;
    lock.lock()?;
    Ok(lock)
}

/// What is asked over the network, with the processor's time of the server that answers.
pub struct Asking<'a> {
    pub table: Table,
    pub setup: &'a Setup,
}

impl Asking<'_> {
    pub fn row(
        &mut self,
        what: &str,
        mut measured: Measured,
        processor: Option<Duration>,
        beside: Option<f64>,
    ) -> Result<f64, Failed> {
        if measured.failed > 0 {
            return Err(format!("{what}: {} of {} requests failed", measured.failed, measured.count).into());
        }
        let rate = measured.rate();
        // The first tenth is not counted among the requests, but it is in the processor's time.
        let share = processor
            .map(|time| time.as_secs_f64() * 1e6 / crate::stats::rate(measured.count, Duration::from_secs(1)) / 1.1);
        self.table.row([
            what.to_owned(),
            short(rate),
            ms(measured.percentile(0.5)),
            ms(measured.percentile(0.99)),
            share.map_or(String::new(), |micros| format!("{} µs", short(micros))),
            beside.map_or(String::new(), |ours| short(ours / rate)),
        ]);
        Ok(rate)
    }

    pub fn server(&mut self, what: &str, server: &Server, lists: &[Vec<Vec<u8>>]) -> Result<f64, Failed> {
        let before = server.processor_time();
        let measured = load::run(server.http, load::http as Protocol, lists, self.setup.time)?;
        let processor = server.processor_time() - before;
        self.row(what, measured, Some(processor), None)
    }
}

fn asking(
    setup: &Setup,
    program: &Path,
    data: &Path,
    shops: &[ShopDetails],
    cookies: &[String],
) -> Result<Table, Failed> {
    let table = Table::new(
        "Over the network",
        format!(
            "{} shops; {READERS} clients that ask again as soon as they are answered ({WRITERS} for check-ins), from one \
             thread on the same machine, over connections that stay open, begun when the server had followed the log to its end. Answers of ours are whole JSON lists of 50 \
             (nearby: 20) shops, ranked for the user; Redis and PostGIS give ids and distances of the 50 nearest (Redis within \
             250 m, for it sorts all that are in its radius). Processor time is the server's, user and system, for each request. The last column is how many \
             times as fast `/aroundme/shops` was as the reference.",
            shops.len()
        ),
        &["what", "requests/s", "p50", "p99", "processor time", "ours / this"],
    );
    let mut asking = Asking { table, setup };
    let places = requests::places(shops, 20_000);
    let (server, _) = Server::start(program, data)?;
    server.rest();
    let around = asking.server("`/aroundme/shops`", &server, &requests::around(&places, cookies, READERS))?;
    asking.server("`/shop/nearby?name=…`", &server, &requests::nearby(&places, shops, cookies, READERS))?;
    asking.server("`POST /checkins`, 64 clients", &server, &requests::checkins(shops, cookies, WRITERS))?;
    drop(server);
    if setup.others {
        beside_redis(&mut asking, shops, &places, around)?;
        let postgis = postgis::filled(shops, &places)?;
        let measured = postgis::ask(&postgis, READERS, places.len(), setup.time)?;
        asking.row("PostGIS `<->`", measured, None, Some(around))?;
    }
    Ok(asking.table)
}

fn beside_redis(
    asking: &mut Asking<'_>,
    shops: &[ShopDetails],
    places: &[dface_domain::geo::Position],
    around: f64,
) -> Result<(), Failed> {
    let redis = redis::Redis::start(asking.setup.dir.path(), shops)?;
    crate::report::note(&format!("Redis holds the points in {}", mebibytes(redis.memory())));
    let lists = requests::dealt(places.iter().map(|place| redis::search(*place)), READERS);
    let before = redis.processor_time();
    let measured = load::run(redis.address, load::redis, &lists, asking.setup.time)?;
    let processor = redis.processor_time() - before;
    asking.row("Redis `GEOSEARCH`", measured, Some(processor), Some(around))?;
    Ok(())
}
