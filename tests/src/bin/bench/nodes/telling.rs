//! How soon what one node was told is seen on the others.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use dface_commands::{Context, people::NewAccount};
use dface_domain::{
    events::{Gender, ShopDetails},
    ids::ShopId,
};
use tokio::runtime::Runtime;

use super::world::World;
use crate::{
    Failed, Setup,
    chat::stream::{Account, ROOM_DOMAIN, Reading, Stream, message},
    made,
    report::{Table, ms, short},
    serving::{
        get,
        load::{Connection, http},
        server::Server,
    },
    stats::percentile,
};

/// Shops; somebody checks in at each once a minute at most.
const SHOPS: u64 = 300;

/// The longest that anybody waits to see something.
const LONGEST: Duration = Duration::from_secs(10);

/// Somebody who checks in and talks.
struct Person {
    number: String,
    cookie: String,
    account: Account,
}

pub fn run(setup: &Setup, runtime: &Runtime, program: &Path) -> Result<Table, Failed> {
    let world = World::new(runtime, &setup.dir.path().join("telling"))?;
    let (people, shops) = runtime.block_on(make(&world))?;
    let nodes = ["a", "b", "c"].map(|name| world.node(program, name));
    let nodes = nodes.into_iter().map(|started| Ok(started?.0)).collect::<Result<Vec<_>, Failed>>()?;
    let mut table = Table::new(
        "From one node to the others",
        "Three nodes over one log (the stand-in for KurrentDB, in the bench's process), one phone at a time. A check-in: from the answer of the \
         node that was told to the end of the first answer with it (`GET /checkins`, asked again and again, without `X-Read-After`); the same \
         node waits until it can show what a session wrote. A message in a room: from sending it to one node to reading it at a reader's \
         stream, with the time that the store takes to write it. The last column is the median beside that of the node that was told.",
        &["what", "times", "p50", "p99", "beside the node that was told"],
    );
    let mut waits = runtime.block_on(check_ins(&nodes, &people, &shops, setup.time))?;
    rows(&mut table, "a check-in", &mut waits);
    let mut waits = runtime.block_on(messages(&nodes, &people, &shops, setup.time))?;
    rows(&mut table, "a message in a room", &mut waits);
    Ok(table)
}

fn rows(table: &mut Table, what: &str, waits: &mut [Vec<Duration>]) {
    let told = waits.first_mut().map_or(0.0, |waits| percentile(waits, 0.5).as_secs_f64());
    let places = ["on the node that was told", "on the second node", "on the third node"];
    for (waits, place) in waits.iter_mut().zip(places) {
        let (p50, p99) = (percentile(waits, 0.5), percentile(waits, 0.99));
        let beside = short(p50.as_secs_f64() / told.max(1e-9));
        table.row([format!("{what}, seen {place}"), waits.len().to_string(), ms(p50), ms(p99), beside]);
    }
}

async fn make(world: &World) -> Result<(Vec<Person>, Vec<(ShopId, ShopDetails)>), Failed> {
    let commands = world.commands().await?;
    let context = || Context::new(commands.fresh_id());
    let (mut people, mut shops) = (Vec::new(), Vec::new());
    for details in made::shops::made(SHOPS) {
        shops.push((commands.add_shop(details.clone(), &context()).await?.0, details));
    }
    for name in ["anna", "ben", "cleo", "dora"] {
        let account = NewAccount { name: name.to_owned(), password: None, gender: Gender::Unset, source: None };
        let (user, _) = commands.register(account, &context()).await?;
        let cookie = commands.open_session(user, "127.0.0.1", &context()).await?.cookie;
        let account = Account { name: user.to_string(), password: commands.secret().chat_password(user, 0) };
        people.push(Person { number: user.to_string(), cookie, account });
    }
    Ok((people, shops))
}

/// Each check-in on the first node is looked for on one node; the nodes take turns.
async fn check_ins(
    nodes: &[Server],
    people: &[Person],
    shops: &[(ShopId, ShopDetails)],
    time: Duration,
) -> Result<Vec<Vec<Duration>>, Failed> {
    let mut doors = Vec::new();
    for node in nodes {
        doors.push(Connection::open(node.http, http).await?);
    }
    let mut telling = Connection::open(nodes.first().ok_or("there is no node")?.http, http).await?;
    let mut waits = vec![Vec::new(); nodes.len()];
    let pairs = shops.iter().flat_map(|shop| people.iter().map(move |person| (shop, person)));
    let begun = Instant::now();
    for (turn, (shop, person)) in pairs.enumerate() {
        if begun.elapsed() > time {
            break;
        }
        let (answer, good) = telling.ask(&checking_in(person, shop)).await?;
        let told = Instant::now();
        let id = id_in(answer).filter(|_| good).ok_or_else(|| String::from_utf8_lossy(answer).into_owned())?;
        let node = turn % nodes.len();
        let (Some(door), Some(waits)) = (doors.get_mut(node), waits.get_mut(node)) else { continue };
        let asking = get("/checkins", &person.cookie);
        loop {
            let (answer, _) = door.ask(&asking).await?;
            if memchr::memmem::find(answer, id.as_bytes()).is_some() {
                break;
            }
            if told.elapsed() > LONGEST {
                return Err(format!("a check-in is not seen after {LONGEST:?}").into());
            }
        }
        waits.push(told.elapsed());
    }
    Ok(waits)
}

fn checking_in(person: &Person, (shop, details): &(ShopId, ShopDetails)) -> Vec<u8> {
    let (lat, lng) = (details.position.lat(), details.position.lng());
    let body = format!("lat={lat:.7}&lng={lng:.7}&accuracy=100&shop_id={shop}&user_id={}&od=1", person.number);
    let head = format!(
        "POST /checkins HTTP/1.1\r\nHost: bench\r\nCookie: _session_id={}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        person.cookie,
        body.len()
    );
    (head + &body).into_bytes()
}

/// The id in an answer's JSON.
fn id_in(answer: &[u8]) -> Option<String> {
    let body = memchr::memmem::find(answer, b"\r\n\r\n")? + 4;
    let json: serde_json::Value = serde_json::from_slice(answer.get(body..)?).ok()?;
    Some(json["id"].as_str()?.to_owned())
}

/// One message after the other from a stream of the first node to a room with a reader on each node.
async fn messages(
    nodes: &[Server],
    people: &[Person],
    shops: &[(ShopId, ShopDetails)],
    time: Duration,
) -> Result<Vec<Vec<Duration>>, Failed> {
    let (room, _) = shops.first().ok_or("there is no shop")?;
    let room = format!("{room}@{ROOM_DOMAIN}");
    let mut streams = Vec::new();
    // The sender is on the first node, and so is the first reader.
    for (number, (node, person)) in nodes.iter().take(1).chain(nodes).zip(people).enumerate() {
        let at = node.xmpp.ok_or("a node named no address of its chat")?;
        let mut stream = Stream::open(at, &person.account).await?;
        stream.join(&room, &format!("n{number}")).await?;
        streams.push(stream);
    }
    let mut sender = streams.remove(0);
    let mut waits = vec![Vec::new(); streams.len()];
    let begun = Instant::now();
    for number in 0.. {
        if begun.elapsed() > time {
            break;
        }
        let sent = Instant::now();
        tokio::io::AsyncWriteExt::write_all(&mut sender.writing, &message(&room, "groupchat", number)).await?;
        let echo = heard(&mut sender.reading, number, sent);
        let readers = streams.iter_mut().map(|stream| heard(&mut stream.reading, number, sent));
        let (_, times) = futures::future::try_join(echo, futures::future::try_join_all(readers)).await?;
        waits.iter_mut().zip(times).for_each(|(waits, time)| waits.push(time));
    }
    Ok(waits)
}

/// How long after `sent` message `number` was there.
async fn heard(reading: &mut Reading, number: usize, sent: Instant) -> Result<Duration, Failed> {
    let (mut buffer, mut found) = (vec![0; 1 << 16], false);
    let waiting = async {
        while !found {
            reading.readable().await?;
            reading.read(&mut buffer, |heard| found |= heard == number)?;
        }
        Ok::<_, Failed>(sent.elapsed())
    };
    tokio::time::timeout(LONGEST, waiting).await.map_err(|_| format!("message {number} is not heard"))?
}
