//! Many pushes at once, while Apple does everything that it may do: none is lost, none comes twice, and tokens are let go exactly where they
//! should be. `CRASH_ROUNDS` makes it 100,000 (`make crash`).

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::{Person, count, is_clean, person, quick, say, told};
use dface_tests::{
    Server, Setup,
    apns::{Apple, Mood, StandIn},
};

/// Of so many people, some of each environment; each fifth has a device that is gone.
const PEOPLE: usize = 20;

/// What each so many-th request meets.
const EVERY: usize = 17;

const MOODS: [Mood; 8] = [
    Mood::Fails,
    Mood::TooMany(1),
    Mood::Resets,
    Mood::AnswerLost,
    Mood::Unavailable,
    Mood::GoesAway,
    Mood::Drops,
    Mood::Expired,
];

/// The longest that nothing may come.
const SILENCE: Duration = Duration::from_secs(60);

/// Messages for each person.
pub fn each() -> usize {
    if std::env::var_os("CRASH_ROUNDS").is_some() { 100_000 / PEOPLE } else { 5_000 / PEOPLE }
}

/// People with devices of both environments, the numbers of the gone ones being multiples of five.
pub fn people(server: &mut Server, apple: &Apple) -> Vec<Person> {
    let make = |nth: usize| {
        let one = person(server, nth, if nth.is_multiple_of(2) { 1 } else { 2 });
        if nth.is_multiple_of(5) {
            let mood = if nth.is_multiple_of(2) { Mood::BadDeviceToken } else { Mood::Unregistered(u64::MAX / 10_000) };
            of(apple, &one).device(&one.token, mood);
        }
        one
    };
    (1..=PEOPLE).map(make).collect()
}

pub fn of<'a>(apple: &'a Apple, person: &Person) -> &'a StandIn {
    if person.environment == 1 { &apple.sandbox } else { &apple.production }
}

pub fn is_gone(person: &Person) -> bool {
    usize::from_str_radix(person.token.get(..8).unwrap_or_default(), 16).expect("its number").is_multiple_of(5)
}

/// Messages that were not told yet, of those that are to be.
fn missing(apple: &Apple, people: &[Person], messages: &[Vec<String>]) -> usize {
    let of_one = |(person, messages): (&Person, &Vec<String>)| {
        let told = told(&of(apple, person).requests(), &person.token);
        messages.iter().filter(|message| !told.contains(*message)).count()
    };
    people.iter().zip(messages).filter(|(one, _)| !is_gone(one)).map(of_one).sum()
}

/// Waits until each message was told, as long as some still are, and no job is left.
#[track_caller]
pub fn all_end(server: &Server, apple: &Apple, people: &[Person], messages: &[Vec<String>]) {
    let due: usize = people.iter().zip(messages).filter(|(one, _)| !is_gone(one)).map(|(_, all)| all.len()).sum();
    let (mut seen, mut since) = ((usize::MAX, u64::MAX), Instant::now());
    loop {
        let accepted = apple.sandbox.accepted() + apple.production.accepted();
        let left = jobs(server);
        // A repeat is accepted too, so only then it is worth while to look at each.
        if accepted >= due && left == 0 && missing(apple, people, messages) == 0 {
            return;
        }
        if (accepted, left) != seen {
            (seen, since) = ((accepted, left), Instant::now());
        }
        let missing = || (missing(apple, people, messages), told_of(server));
        assert!(
            since.elapsed() < SILENCE,
            "of {due}, {:?} are missing, {left} jobs are left, and nothing comes",
            missing()
        );
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// What the log says of pushes, for whoever looks at a failure.
fn told_of(server: &Server) -> String {
    let ends = server.operator().get("/events?type=PushEnded").text;
    let of = |end: &str| ends.lines().filter(|line| line.contains(end)).count();
    let ends = ["accepted", "unbound", "refused", "expired", "superfluous"].map(|end| (end, of(end)));
    let (said, missed) = (count(server, "MessageSent"), count(server, "MessageMissed"));
    let jobs = server.operator().get("/admin/jobs?kind=push").text;
    format!("{said} messages, {missed} missed, pushes ended {ends:?}, jobs known: {jobs:.2000}")
}

/// Pushes that are not over, of those that are known of.
#[track_caller]
pub fn jobs(server: &Server) -> u64 {
    let metrics = server.operator().get("/metrics").text;
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("dface_jobs{kind=\"push\",state=\""));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Who was told of what, and whose device was let go.
#[track_caller]
pub fn all_is_told(apple: &Apple, people: &[Person], messages: &[Vec<String>]) {
    for (person, messages) in people.iter().zip(messages) {
        let told = told(&of(apple, person).requests(), &person.token);
        let expected: BTreeSet<String> =
            if is_gone(person) { BTreeSet::new() } else { messages.iter().cloned().collect() };
        let missing = expected.difference(&told).count();
        assert!(missing == 0 && told.len() == expected.len(), "of {}, {missing} are missing", expected.len());
    }
    for (server, environment) in [(&apple.sandbox, 1), (&apple.production, 2)] {
        let known: BTreeSet<&str> =
            people.iter().filter(|one| one.environment == environment).map(|one| one.token.as_str()).collect();
        assert!(server.requests().iter().all(|one| known.contains(one.token.as_str())), "environments are mixed");
    }
    is_clean(apple);
}

#[test]
fn of_many_pushes_none_is_lost_and_none_comes_twice_whatever_apple_does() {
    let apple = Apple::start();
    let mut server = quick(apple.used(Setup::default())).set("APNS__TIMEOUT_S", 5).start();
    let people = people(&mut server, &apple);
    for stand_in in [&apple.sandbox, &apple.production] {
        stand_in.every(EVERY, &MOODS);
    }
    let from = server.person("sender", 0).user;
    let each = each();
    let messages: Vec<Vec<String>> =
        people.iter().map(|one| say(&server, from, one.phone.user, "news", each)).collect();
    all_end(&server, &apple, &people, &messages);
    all_is_told(&apple, &people, &messages);
    assert_eq!(count(&server, "PushTokenUnbound"), people.iter().filter(|one| is_gone(one)).count());
    assert!(count(&server, "PushEnded") >= (PEOPLE - PEOPLE / 5) * each);
    server.operator().compare_all();
}
