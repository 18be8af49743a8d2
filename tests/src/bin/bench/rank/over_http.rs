//! The same questions to the real program, each signed in as the user who asks.

use std::{collections::HashMap, net::SocketAddr};

use dface_domain::{ids::UserId, time::Timestamp};
use serde_json::Value;

use super::{
    ACCURACY_M, Question,
    files::{Data, Visit},
    in_process::details,
};
use crate::{
    Failed, Setup,
    made::{self, Directory, people},
    serving::{load, server},
    stats::Ranks,
};

/// Connections that ask side by side.
const CLIENTS: usize = 16;

/// Fills a directory, serves it and asks.
pub fn ask(setup: &Setup, data: &Data, history: &[Visit], questions: &[Question]) -> Result<Ranks, Failed> {
    let program = server::build()?;
    let dir = setup.dir.path().join("rank");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let cookies = runtime.block_on(fill(&dir, data, history, questions))?;
    let (running, _) = server::Server::start(&program, &dir)?;
    let share = questions.len().div_ceil(CLIENTS).max(1);
    let asking = questions.chunks(share).map(|some| one_client(running.http, some, &cookies));
    let places = runtime.block_on(futures::future::try_join_all(asking))?;
    let mut ranks = Ranks::default();
    places.into_iter().flatten().for_each(|place| ranks.count(place));
    Ok(ranks)
}

/// The sessions' cookies by user.
async fn fill(
    dir: &std::path::Path,
    data: &Data,
    history: &[Visit],
    questions: &[Question],
) -> Result<HashMap<usize, String>, Failed> {
    let (directory, at) = (Directory::open(dir).await?, Timestamp::from_seconds(1));
    let (keys, count) = (&directory.keys, data.users as u64);
    people::make_keys(keys.as_ref(), count)?;
    let venues = data.venues.iter().enumerate();
    directory.append("shops", venues.map(|(n, venue)| Ok(made::shops::added(n, &details(n, venue), at)))).await?;
    directory.append("people", (1..=count).map(|user| people::registered(keys, user, at))).await?;
    for back in [false, true] {
        // A pair has one stream for both directions: the second one comes when the first is there.
        let follows = data.follows.iter().zip(1..).filter(|((user, other), _)| (user > other) == back);
        let follows = follows.map(|((user, other), n)| {
            let fact = people::followed(n, id(*user), id(*other), at);
            Ok(if back { fact.second() } else { fact })
        });
        directory.append("follows", follows).await?;
    }
    let visits = history.iter().zip(0..).map(|(visit, number)| {
        let place = data.venues[visit.venue].place;
        let (shop, at) = (made::shops::id(visit.venue), Timestamp::from_seconds(visit.at));
        people::checked_in(keys, &people::Visit { number, user: id(visit.user), shop, place, phone: place, at })
    });
    directory.append("check-ins", visits).await?;
    let mut askers: Vec<usize> = questions.iter().map(|question| question.user).collect();
    askers.sort_unstable();
    askers.dedup();
    let users: Vec<UserId> = askers.iter().map(|user| UserId::Number(id(*user))).collect();
    let cookies = directory.sessions(&users).await?;
    directory.close();
    Ok(askers.into_iter().zip(cookies).collect())
}

fn id(user: usize) -> u64 {
    user as u64 + 1
}

async fn one_client(
    address: SocketAddr,
    questions: &[Question],
    cookies: &HashMap<usize, String>,
) -> Result<Vec<Option<usize>>, Failed> {
    let mut connection = load::Connection::open(address, load::http).await?;
    let mut places = Vec::with_capacity(questions.len());
    for Question { user, venue, phone, .. } in questions {
        let cookie = cookies.get(user).ok_or("an asker has no session")?;
        let (lat, lng) = (phone.lat(), phone.lng());
        let path = format!("/aroundme/shops?lat={lat}&lng={lng}&accuracy={ACCURACY_M}");
        let (answer, good) = connection.ask(&crate::serving::get(&path, cookie)).await?;
        let text = std::str::from_utf8(answer)?;
        if !good {
            return Err(format!("a question was refused: {text}").into());
        }
        let (_, body) = text.split_once("\r\n\r\n").ok_or("an answer has no body")?;
        let list: Vec<Value> = serde_json::from_str(body)?;
        let wanted = made::shops::id(*venue).0;
        places.push(list.iter().position(|shop| shop["id"] == wanted));
    }
    Ok(places)
}
