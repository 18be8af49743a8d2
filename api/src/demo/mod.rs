//! `dface serve --demo`: shops of Hangzhou, some people, whom they follow and where they were, made through the commands
//! like everything else. `api/demo/ATTRIBUTION.md` says where the shops come from.
//!
//! Two events of the audit log tell a directory of the demo from any other: `demo_begin`, before all else, and
//! `demo_end`. What was cut off between them is done anew, which adds only what is missing.

mod family;
mod people;
mod visits;
mod words;

use dface_commands::{CommandError, Context, checkins::CheckIn, people::NewAccount};
use dface_domain::{
    envelope::{LogPosition, Recorded},
    events::{Event, Fix, ShopDetails},
    geo::Position,
    ids::{ShopId, UserId},
    ports::EventStore as _,
    rejection::Rejection,
    shops::kind::ShopKind,
    stream::Category,
    time::Timestamp,
};
use futures::{StreamExt, TryStreamExt, stream};

pub use self::words::tell;
use self::{
    people::{FOLLOWS, LATELY, PEOPLE, Person},
    visits::{Visit, history},
};
use crate::node::{Node, StartError};

const SHOPS: &str = include_str!("../../demo/hangzhou_osm.tsv");

/// The name of the import that the shops would be: importing the same file later adds nothing.
const SOURCE: &str = "hangzhou_osm";

const ACTOR: &str = "serve --demo";
const BEGIN: &str = "demo_begin";
const END: &str = "demo_end";

/// Check-ins at once: they share fsyncs.
const AT_ONCE: usize = 32;

/// The fill is over within the first so many events of a log, or it was cut off.
const FIRST_EVENTS: usize = 20_000;
const PAGE: usize = 1_000;

/// Metres that the demo's phones claim.
const ACCURACY: u32 = 30;

/// What a log has of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It holds nothing yet.
    Nothing,
    /// It was begun then, and not ended.
    Begun(Timestamp),
    /// It is whole.
    Whole,
    /// Something else.
    Other,
}

/// Fills an empty directory with the demo, and makes its people come back where it was filled long ago.
///
/// # Errors
/// The directory holds something else (exit 2), or a command failed.
pub async fn prepare(node: &Node) -> Result<(), StartError> {
    let begun = match found(node).await? {
        Found::Whole => return come_back(node).await,
        Found::Begun(at) => at,
        Found::Nothing => {
            let now = node.commands.clock().now();
            mark(node, BEGIN, now).await?;
            now
        }
        Found::Other => {
            return Err(StartError::Refused(format!(
                "--demo: {} holds data that is not the demo's; serve it without --demo, or name an empty directory with --data",
                node.settings.data.display()
            )));
        }
    };
    tracing::info!("filling the directory with the demo; this takes some seconds, once");
    fill(node, begun).await?;
    mark(node, END, node.commands.clock().now()).await?;
    node.catch_up().await;
    Ok(())
}

async fn found(node: &Node) -> Result<Found, StartError> {
    let (mut found, mut after) = (Found::Nothing, LogPosition::default());
    for _ in 0..FIRST_EVENTS / PAGE {
        let page = node.store.read_all(after, PAGE).await.map_err(|e| StartError::Failed(e.to_string()))?;
        let Some(last) = page.last() else { break };
        after = last.position;
        for recorded in &page {
            match (act_of(recorded).as_deref(), found) {
                (Some(END), _) => return Ok(Found::Whole),
                (Some(BEGIN), Found::Nothing) => found = Found::Begun(recorded.occurred_at),
                (_, Found::Nothing) if !is_machinery(recorded.stream.category) => return Ok(Found::Other),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// What a log has before anybody used it.
fn is_machinery(category: Category) -> bool {
    matches!(category, Category::System | Category::Audit)
}

fn act_of(recorded: &Recorded) -> Option<String> {
    if recorded.stream.category != Category::Audit {
        return None;
    }
    match recorded.data.decode() {
        Ok(Event::OperatorActed(acted)) if acted.actor == ACTOR => Some(acted.action),
        _ => None,
    }
}

async fn mark(node: &Node, action: &str, at: Timestamp) -> Result<(), CommandError> {
    let context = Context::new(node.commands.fresh_id()).at(at);
    node.commands.record_act(ACTOR, action, SOURCE, &context).await.map(|_| ())
}

async fn fill(node: &Node, begun: Timestamp) -> Result<(), StartError> {
    let context = Context::new(node.commands.fresh_id()).at(begun);
    let known = shops()?;
    // One after the other, so that ids follow the order of the file and the README can name them.
    let mut ids: Vec<ShopId> = Vec::with_capacity(known.len());
    for (foreign, details) in &known {
        ids.push(node.commands.import_shop(SOURCE, foreign, details.clone(), &context).await?.shop);
    }
    let mut people: Vec<UserId> = Vec::with_capacity(PEOPLE.len());
    for person in &PEOPLE {
        people.push(registered(node, person, &context).await?);
    }
    for (one, other) in FOLLOWS {
        node.commands.follow(people[one], people[other], &context).await?;
    }
    let mut all = history(begun, &node.settings.zone()?, known.len());
    all.extend(lately(begun));
    stream::iter(all)
        .map(|visit| {
            let check_in = arrival(&visit, people[visit.person], ids[visit.shop], known[visit.shop].1.position);
            async move { node.commands.check_in(check_in, &context.at(visit.at)).await }
        })
        .buffered(AT_ONCE)
        .try_for_each(async |_| Ok::<_, CommandError>(()))
        .await?;
    family::prepare(node, people[0], people[1]).await
}

/// Somebody who is there already stays as they are.
async fn registered(node: &Node, person: &Person, context: &Context) -> Result<UserId, CommandError> {
    let account = NewAccount {
        name: person.sign_in.to_owned(),
        password: person.password.map(str::to_owned),
        gender: person.gender,
        source: None,
    };
    match node.commands.register_shown(account, person.shown, context).await {
        Ok((user, _)) => Ok(user),
        Err(CommandError::Rejected(Rejection::NameTaken)) => {
            let user = node.commands.user_named(person.sign_in).await?;
            user.ok_or(CommandError::Rejected(Rejection::NameTaken))
        }
        Err(error) => Err(error),
    }
}

fn lately(now: Timestamp) -> impl Iterator<Item = Visit> {
    LATELY.into_iter().map(move |(person, line, minutes)| {
        let at = now.plus_seconds(-60 * minutes);
        Visit { person, shop: line - 1, at, od: 1 }
    })
}

fn arrival(visit: &Visit, user: UserId, shop: ShopId, position: Position) -> CheckIn {
    let fix = Fix { position, accuracy: ACCURACY, altitude: None, altacc: None };
    CheckIn { user, shop, od: visit.od, fix, bssid: None }
}

/// The people of the last hours check in again where none of them is to be seen any more.
async fn come_back(node: &Node) -> Result<(), StartError> {
    let (known, commands) = (shops()?, &node.commands);
    let mut arrivals = Vec::new();
    for visit in lately(commands.clock().now()) {
        let (foreign, details) = &known[visit.shop];
        let shop = commands.foreign_shop(SOURCE, foreign).await?;
        let user = commands.user_named(PEOPLE[visit.person].sign_in).await?;
        let (Some(shop), Some(user)) = (shop, user) else { continue };
        if !node.views.presence.view().at(shop).is_empty() {
            return Ok(());
        }
        arrivals.push((arrival(&visit, user, shop, details.position), visit.at));
    }
    let context = Context::new(commands.fresh_id());
    for (check_in, at) in arrivals {
        commands.check_in(check_in, &context.at(at)).await?;
    }
    node.catch_up().await;
    Ok(())
}

fn shops() -> Result<Vec<(&'static str, ShopDetails)>, StartError> {
    let wrong = |line: &str| StartError::Failed(format!("api/demo/hangzhou_osm.tsv has no shop in this line: {line}"));
    SHOPS.lines().skip(1).map(|line| shop(line).ok_or_else(|| wrong(line))).collect()
}

/// `id, name, address, category, lat, lng`.
fn shop(line: &'static str) -> Option<(&'static str, ShopDetails)> {
    let mut columns = line.split('\t');
    let mut column = || columns.next();
    let (id, name, address, category) = (column()?, column()?, column()?, column()?);
    let position = Position::new(column()?.parse().ok()?, column()?.parse().ok()?).ok()?;
    let details = ShopDetails {
        name: name.to_owned(),
        address: address.to_owned(),
        phone: String::new(),
        kind: ShopKind::from_category(category),
        position,
        map: position.to_map(),
    };
    Some((id, details))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_a_shop() {
        let shops = shops().unwrap();
        assert_eq!(shops.len(), SHOPS.lines().count() - 1);
        assert_eq!(shops[87].1.name, "川味观");
        assert!(LATELY.iter().all(|(_, line, _)| (1..=shops.len()).contains(line)));
        assert!(PEOPLE.iter().flat_map(|one| one.favourites).all(|line| (1..=shops.len()).contains(line)));
    }

    async fn opened(dir: &std::path::Path) -> Node {
        let mut settings = crate::settings::Settings::load(None, &[("data", dir.display().to_string())]).unwrap();
        settings.store_tuning.segment_bytes = 8 << 20;
        Node::open(settings).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_is_filled_once_and_what_was_cut_off_is_done_anew() {
        let dir = tempfile::tempdir().unwrap();
        let node = opened(dir.path()).await;
        assert_eq!(found(&node).await.unwrap(), Found::Nothing);
        let now = node.commands.clock().now();
        mark(&node, BEGIN, now).await.unwrap();
        fill(&node, now).await.unwrap();
        assert_eq!(found(&node).await.unwrap(), Found::Begun(now));
        let cut_off = node.store.head();

        prepare(&node).await.unwrap();
        assert_eq!(found(&node).await.unwrap(), Found::Whole);
        assert_eq!(node.store.head().0, cut_off.0 + 1, "only `demo_end` is new");
        assert_eq!(node.views.presence.view().at(ShopId(88)).len(), 3);

        prepare(&node).await.unwrap();
        assert_eq!(node.store.head().0, cut_off.0 + 1, "nothing is new");
        node.close().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_directory_with_other_data_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let node = opened(dir.path()).await;
        let (_, details) = shops().unwrap().remove(0);
        node.commands.add_shop(details, &Context::new(node.commands.fresh_id())).await.unwrap();
        let head = node.store.head();
        let refused = prepare(&node).await.unwrap_err();
        assert!(matches!(&refused, StartError::Refused(text) if text.contains("without --demo")), "{refused}");
        assert_eq!(node.store.head(), head);
        node.close().await;
    }
}
