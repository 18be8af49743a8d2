//! kill -9 of each of three nodes in turn while people check in and send pictures and watches tell: whoever is not answered asks another node. Then
//! nothing that was answered is lost, and nothing that follows from it happened twice: no coupon, no message, no picture, no push.
//! `CRASH_ROUNDS` makes it long: each node dies ten times (`make crash`).

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

use dface_tests::{
    Answer, Phone,
    apns::Apple,
    family::{DEVICES, Family, event_of},
    pictures::shown,
};
use serde_json::{Value, json};

use super::{
    HERE,
    fleet::{Fleet, NODES},
    found,
    load::{Shared, Writers, Written, pictures_in, tells, told_in, visits},
};

/// The longest that nothing may be answered.
const SILENCE: Duration = Duration::from_secs(60);

/// How much there is to do.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// People who check in and send pictures.
    people: usize,
    /// Circles, each with a watch.
    circles: usize,
    /// Steps of each between two kills: check-ins, messages of a watch.
    between: usize,
    /// How often each node dies.
    rounds: usize,
}

impl Size {
    fn wanted() -> Self {
        if std::env::var_os("CRASH_ROUNDS").is_some() {
            Self { people: 8, circles: 3, between: 8, rounds: 10 }
        } else {
            Self { people: 5, circles: 2, between: 6, rounds: 1 }
        }
    }

    /// Steps of each writer.
    const fn steps(self) -> usize {
        self.between * (self.rounds * NODES + 1)
    }

    const fn writers(self) -> usize {
        self.people + self.circles
    }

    /// Coupons of a campaign: fewer than there are people who come.
    const fn quota(self) -> usize {
        self.people - 2
    }
}

/// Shops, some with a campaign; people who come; circles.
struct World {
    fleet: Fleet,
    apple: Apple,
    shops: Vec<u64>,
    campaigns: usize,
    families: Vec<Family>,
}

/// One shop of so many has a campaign.
const CAMPAIGNS: usize = 3;

impl World {
    fn new(size: Size) -> (Self, Vec<Phone>) {
        let apple = Apple::start();
        let mut fleet = Fleet::start(|setup| apple.used(setup));
        let operator = fleet.nodes[0].operator();
        let shops: Vec<u64> = (0..size.steps()).map(|shop| operator.add_shop(&format!("店 {shop}"), HERE)).collect();
        for shop in shops.iter().step_by(CAMPAIGNS) {
            let offer = json!({
                "shop_id": shop, "name": "半价", "text": "咖啡", "trigger": "checkin", "quota": size.quota(),
                "from": "2020-01-01T00:00:00+08:00", "until": "2999-01-01T00:00:00Z",
            });
            operator.post("/admin/campaigns", &offer).ok();
        }
        let campaigns = shops.len().div_ceil(CAMPAIGNS);
        let node = &mut fleet.nodes[0];
        let phones = (0..size.people).map(|person| node.person(&format!("person {person}"), 1)).collect();
        let families = (0..size.circles).map(|number| Family::made(node, number)).collect();
        (Self { fleet, apple, shops, campaigns, families }, phones)
    }
}

#[test]
fn of_each_node_in_turn_loses_nothing_that_was_answered_and_does_nothing_twice() {
    let size = Size::wanted();
    let (mut world, phones) = World::new(size);
    let shared = Shared::of(world.fleet.doors());
    let (mut people, mut watches) = (Writers::of(&shared), Writers::of(&shared));
    for (number, phone) in phones.into_iter().enumerate() {
        let shops = world.shops.clone();
        people.begin(move |shared| visits(shared, phone, number, &shops));
    }
    for family in &world.families {
        let watch = family.watch.clone();
        watches.begin(move |shared| tells(shared, &watch, size.steps()));
    }
    let begun = Instant::now();
    for kill in 0..size.rounds * NODES {
        shared.allow(size.between * (kill + 1));
        // In the middle of what is allowed now.
        let answered = size.writers() * (size.between * kill + size.between / 2);
        until_answered(&world.fleet, &shared, answered);
        let dead = (kill % NODES + 1) % NODES;
        let owned = world.fleet.owners((dead + 1) % NODES).values().any(|owner| *owner == dead);
        world.fleet.kill(dead);
        if owned && !kill.is_multiple_of(NODES) {
            let took = world.fleet.taken_over(dead);
            eprintln!("another node had what node-{dead} did after {took:.1?}");
        }
        world.fleet.start_again(dead);
    }
    shared.allow(size.steps());
    let written = people.join();
    watches.join();
    eprintln!("{} steps were answered, {:.1?} after the first one", size.writers() * size.steps(), begun.elapsed());
    world.nothing_is_lost(size, &written);
    world.nothing_came_twice(size);
}

/// Waits until so many steps were answered.
#[track_caller]
fn until_answered(fleet: &Fleet, shared: &Shared, wanted: usize) {
    let (mut last, mut since) = (0, Instant::now());
    while last < wanted {
        thread::sleep(Duration::from_millis(5));
        let answered = shared.answered.load(std::sync::atomic::Ordering::SeqCst);
        if answered != last {
            (last, since) = (answered, Instant::now());
        }
        let logs = || fleet.nodes.iter().map(|node| node.log().end()).collect::<Vec<_>>().join("\n---\n");
        assert!(since.elapsed() < SILENCE, "{last} of {wanted} are answered, and nothing more; {}", logs());
    }
}

impl World {
    /// Each node shows everything that any node answered.
    fn nothing_is_lost(&self, size: Size, written: &[Written]) {
        for (one, node) in written.iter().flat_map(|one| (0..NODES).map(move |node| (one, node))) {
            let phone = self.fleet.at(&one.phone, node);
            let wanted: BTreeSet<&str> = one.check_ins.iter().map(String::as_str).collect();
            assert_eq!(wanted.len(), size.steps(), "each check-in is another one");
            let listed = found("all check-ins are listed", || {
                let listed = phone.check_ins();
                (listed.len() >= wanted.len()).then_some(listed)
            });
            let listed: Vec<&str> = listed.iter().filter_map(|one| one["id"].as_str()).collect();
            assert_eq!(listed.len(), wanted.len(), "node-{node} lists some twice: {listed:?}");
            assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), wanted, "on node-{node}");
        }
        for one in written {
            assert_eq!(one.pictures.len(), pictures_in(size.steps()));
            for (nth, picture) in one.pictures.iter().enumerate() {
                let phone = self.fleet.at(&one.phone, nth % NODES);
                let answer: Answer = shown(&phone, "/photos/show", picture, 0);
                assert!(matches!(answer.status, 200 | 302), "{picture} is not shown: {answer}");
            }
        }
        for node in &self.fleet.nodes {
            node.operator().compare_all();
        }
    }

    /// What follows from it happened, once.
    fn nothing_came_twice(&self, size: Size) {
        let Self { fleet, campaigns, .. } = self;
        let visits = size.people * size.steps();
        let coupons = campaigns * size.quota();
        let reaches = |wanted: &str, count: usize| {
            found(&format!("{count} times {wanted}"), || (fleet.events(wanted).len() >= count).then_some(()));
        };
        reaches("CouponDelivered", coupons);
        // Each coupon is told of, each check-in and each picture.
        let messages = coupons + visits + size.people * pictures_in(size.steps());
        reaches("MessageSent", messages);
        self.all_is_pushed(size);
        fleet.no_job_is_left();
        assert_eq!(fleet.once("CheckedIn", &["user", "shop"]), visits);
        assert_eq!(fleet.once("CouponDelivered", &["campaign", "user"]), coupons);
        assert_eq!(fleet.once("CampaignDrawn", &["campaign"]), *campaigns);
        assert_eq!(fleet.once("MessageSent", &["message"]), messages);
        let pictures = size.people * pictures_in(size.steps());
        for wanted in ["PhotoUploaded", "PhotoProcessed"] {
            assert_eq!(fleet.once(wanted, &["photo"]), pictures, "{wanted}");
        }
        assert_eq!(fleet.events("PhotoFailed"), Vec::<Value>::new());
        let due = fleet.once("PushDue", &["message", "user"]);
        assert_eq!(fleet.once("PushEnded", &["message", "user"]), due);
        assert_eq!(fleet.events("JobDied"), Vec::<Value>::new());
    }

    /// Each device was told of each event of its watch, under one `apns-id`.
    #[expect(clippy::print_stderr, reason = "how many came again is what somebody may want to know")]
    fn all_is_pushed(&self, size: Size) {
        let wanted = size.circles * DEVICES * told_in(size.steps());
        let begun = Instant::now();
        let told = loop {
            let mut told: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
            for one in self.apple.production.requests().into_iter().filter(dface_tests::apns::Request::is_accepted) {
                if let Some(event) = event_of(&one.payload["data"]) {
                    told.entry((one.token, event)).or_default().push(one.id);
                }
            }
            if told.len() >= wanted {
                break told;
            }
            assert!(begun.elapsed() < SILENCE, "{} of {wanted} pushes came, and no more", told.len());
            thread::sleep(Duration::from_millis(100));
        };
        assert_eq!(told.len(), wanted);
        for ((token, event), ids) in &told {
            let different: BTreeSet<&String> = ids.iter().collect();
            assert_eq!(different.len(), 1, "the event {event} went to the device {token} as {different:?}");
        }
        let again = told.values().map(|ids| ids.len() - 1).sum::<usize>();
        eprintln!("{again} of {wanted} pushes went to Apple again, each under its first id");
        assert_eq!(self.apple.production.faults(), Vec::<String>::new());
        assert_eq!(self.apple.sandbox.asked(), 0, "no device is of the sandbox");
    }
}
