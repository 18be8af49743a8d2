//! What must hold when all is said and heard.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use super::{
    Company, Size,
    heard::{Heard, MAM, Said, archived, query},
    stream::{Broken, Stream},
};
use crate::xmpp::{CLIENT, SM};

/// What was acknowledged so long before the stream broke is known to the server, however busy the machine was.
const KNOWN: Duration = Duration::from_secs(10);

/// An archive shows what was said after so long, however busy the machine is.
const SHOWN: Duration = Duration::from_secs(20);

/// Checks what all heard against each other and the archives.
pub fn all(runtime: &Runtime, company: &Company, size: Size, heard: &[Heard]) {
    let wrong: Vec<String> =
        heard.iter().flat_map(|one| one.wrong.iter().map(move |wrong| format!("{}: {wrong}", one.number))).collect();
    assert!(wrong.is_empty(), "{} things went wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    let Company { people, room, roads } = company;
    let archive = |road: usize, person: usize, of: &str| {
        let archive = runtime.block_on(archive(roads[road % roads.len()], &people[person], of));
        archive.unwrap_or_else(|Broken| panic!("the archive of {of} cannot be read"))
    };
    // A server's archive may be a moment behind what it delivers.
    let archive_of_room = |road: usize| {
        let begun = Instant::now();
        loop {
            let found = archive(road, 0, room);
            if found.len() >= size.in_room() || begun.elapsed() > SHOWN {
                return found;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let in_room = archive_of_room(0);
    let said: Vec<String> = (0..size.clients)
        .flat_map(|number| (0..size.each).step_by(2).map(move |made| format!("{number} {made}")))
        .collect();
    once("the room's archive", &in_room, &said);
    for road in 1..roads.len() {
        assert!(archive_of_room(road) == in_room, "the servers {road} and 0 have the room in another order");
    }
    for one in heard {
        assert!(one.room == in_room, "{} heard the room in another order than the archive has it", one.number);
        directly(one, size);
    }
    for (person, one) in heard.iter().enumerate().step_by((size.clients / 10).max(1)) {
        let to_me = (person + size.clients - 1) % size.clients;
        let said = [person, to_me]
            .into_iter()
            .flat_map(|number| (1..size.each).step_by(2).map(move |made| format!("{number} {made}")));
        once(&format!("the archive of {}", one.number), &archive(person, person, ""), &said.collect::<Vec<_>>());
    }
}

/// Each is there, once.
fn once(what: &str, archive: &[Said], said: &[String]) {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, body) in archive {
        *found.entry(body).or_default() += 1;
    }
    let twice: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{what} has some twice: {twice:?}");
    let lost: Vec<&String> = said.iter().filter(|body| !found.contains_key(body.as_str())).collect();
    assert!(lost.is_empty(), "{what} lost {lost:?}");
    let ids: BTreeSet<&str> = archive.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids.len(), archive.len()), (said.len(), said.len()), "{what}");
}

/// What one client said to another came in its order; and again only on another stream, where the acknowledgement may be lost.
fn directly(heard: &Heard, size: Size) {
    let sender = (heard.number + size.clients - 1) % size.clients;
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bodies = Vec::new();
    for (index, direct) in heard.direct.iter().enumerate() {
        let (id, body) = &direct.said;
        let Some(before) = first.insert(id, index).map(|before| &heard.direct[before]) else {
            bodies.push(body.clone());
            continue;
        };
        let number = heard.number;
        assert_eq!(&before.said, &direct.said, "one id is one message");
        assert!(before.stream < direct.stream, "{number} got {body} twice on one stream");
        let ended = heard.ended[before.stream];
        let known = before.acknowledged.is_some_and(|then| ended.saturating_duration_since(then) > KNOWN);
        assert!(!known, "{number} got {body} again, long after it was acknowledged");
    }
    let said: Vec<String> = (1..size.each).step_by(2).map(|made| format!("{sender} {made}")).collect();
    assert_eq!(bodies, said, "what {} heard of {sender}", heard.number);
}

/// All of an archive, page by page.
async fn archive(at: SocketAddr, (name, password): &(String, String), of: &str) -> Result<Vec<Said>, Broken> {
    let mut stream = Stream::open(at, name, password).await?;
    stream.bind().await?;
    let own = format!("{name}@dface.cn");
    let of = if of.is_empty() { &own } else { of };
    let (mut all, mut handled): (Vec<Said>, u32) = (Vec::new(), 0);
    for page in 0.. {
        let id = format!("page{page}");
        stream.send(&query(of, &id, 100, all.last().map(|(id, _)| id.as_str()))).await?;
        let fin = loop {
            let element = stream.next().await?;
            if element.is("r", SM) {
                // Whoever acknowledges nothing gets nothing more in the end.
                stream.send(&format!("<a xmlns='{SM}' h='{handled}'/>")).await?;
                continue;
            }
            handled += 1;
            if let Some(result) = element.get_child("result", MAM) {
                all.extend(archived(result));
            } else if element.is("iq", CLIENT) && element.attr("id") == Some(&id) {
                break element.get_child("fin", MAM).cloned().unwrap_or_else(|| panic!("{}", String::from(&element)));
            }
        };
        if fin.attr("complete") == Some("true") {
            break;
        }
    }
    stream.close().await;
    Ok(all)
}
