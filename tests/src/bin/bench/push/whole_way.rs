//! From what the log asks for to what it says of it, with the program's own parts in this process.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use dface_api::{
    jobs::{
        Desk, DeskParts,
        ledger::Ledger,
        log::LogOfJobs,
        queue,
        works::{self, Means},
    },
    node::Node,
    settings::Settings,
};
use dface_commands::{Context, messages::Announcement, people::NewAccount};
use dface_domain::{envelope::LogPosition, events::Gender, ids::UserId, messages::Party};
use dface_tests::apns::Apple;
use futures::{StreamExt, TryStreamExt};
use tokio::{task::JoinSet, time::sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Failed, Setup};

/// People with a device.
const PEOPLE: usize = 200;

/// Messages that each of them missed.
const EACH: usize = 100;

/// The longest that it may take.
const LONGEST: Duration = Duration::from_secs(120);

/// Between two looks whether all is over, which take a while themselves.
const LOOK: Duration = Duration::from_millis(50);

/// Commands on their way at once while it is made ready.
const MAKING: usize = 500;

pub async fn run(apple: &Apple, setup: &Setup) -> Result<(u64, Duration), Failed> {
    let data = setup.dir.path().join("push");
    let flags: Vec<(String, String)> = apple
        .settings()
        .into_iter()
        .map(|(key, value)| (key.replace("__", ".").to_lowercase(), value))
        .chain([("data".to_owned(), data.display().to_string())])
        .collect();
    let flags: Vec<(&str, String)> = flags.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    let settings = Settings::load(None, &flags).map_err(|error| error.0)?;
    let node = Arc::new(Node::open(settings).await?);
    make(&node).await?;
    node.catch_up().await;
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let queue = queue::open(&node.settings, Arc::clone(node.commands.clock()))?;
    let log = Arc::new(LogOfJobs(Arc::clone(&node)));
    let desk = Arc::new(Desk::new(DeskParts {
        queue: Arc::clone(&queue),
        ledger: Ledger::open(&node.settings.data.join("jobs"))?,
        outstanding: Arc::clone(&log) as _,
        outcomes: log,
        clock: Arc::clone(node.commands.clock()),
        silent_s: node.settings.jobs.silent_s,
    }));
    let means = Means { objects: Arc::clone(&node.objects), keys: Arc::clone(node.commands.keys()) };
    let (runner, _) = works::runner(&node.settings, queue, &means, desk.ledger().paused()).map_err(|error| error.0)?;
    let begun = Instant::now();
    desk.start(&mut tasks, &stop);
    tasks.spawn(runner.run(stop.clone()));
    while !node.views.jobs.view().after(LogPosition(0), 1)?.is_empty() {
        sleep(LOOK).await;
        if begun.elapsed() > LONGEST {
            let left = node.views.jobs.view().after(LogPosition(0), PEOPLE * EACH)?.len();
            return Err(format!("{left} of {} pushes do not end", PEOPLE * EACH).into());
        }
    }
    let time = begun.elapsed();
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    node.close().await;
    Ok(((PEOPLE * EACH) as u64, time))
}

/// People with devices, and what they missed.
async fn make(node: &Node) -> Result<(), Failed> {
    let (commands, context) = (&node.commands, Context::new(Uuid::nil()));
    let mut people: Vec<UserId> = Vec::new();
    for nth in 0..=PEOPLE {
        let account = NewAccount { name: format!("person{nth}"), password: None, gender: Gender::Unset, source: None };
        let user = commands.register(account, &context).await?.0;
        commands.bind_push_token(user, 1, &format!("{nth:064x}"), &context).await?;
        people.push(user);
    }
    let Some((from, people)) = people.split_first() else { return Ok(()) };
    let missed = people.iter().flat_map(|to| (0..EACH).map(move |nth| (*to, nth))).map(|(to, nth)| async move {
        let (cause, at) = (Uuid::now_v7(), commands.clock().now());
        let (from, to) = (Party::User(*from), Party::User(to));
        let said = Announcement { cause, at, from, to, body: format!("news {nth}") };
        let message = commands.announce(said, &context).await?.0;
        commands.missed(message, &context).await?;
        Ok::<_, Failed>(())
    });
    futures::stream::iter(missed).buffer_unordered(MAKING).try_collect::<()>().await
}
