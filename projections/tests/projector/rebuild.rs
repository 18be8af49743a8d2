//! Whatever was commanded: rows that followed live are those of a rebuild, and views made of rows are those that
//! followed live.

use std::fmt::Write as _;

use dface_commands::sessions::session_id;
use dface_domain::{
    events::{EndReason, Gender, ShopCorrected, ShopNoticeChanged, ShopStaffAdded, ShopStaffRemoved},
    geo::Position,
    ids::{CheckinId, SessionId, ShopId, UserId},
    shops::ShopCommand,
};
use dface_projections::projector::Projector;
use proptest::prelude::*;

use super::world::{BEGIN, Views, World, details};

#[derive(Debug, Clone)]
enum Step {
    CheckIn { user: usize, shop: usize, minute: i64 },
    Delete { which: usize },
    Follow { user: usize, other: usize },
    Unfollow { user: usize, other: usize },
    Open { user: usize },
    End { which: usize },
    AddShop { at: (f64, f64) },
    Correct { shop: usize, at: (f64, f64) },
    Notice { shop: usize },
    Staff { shop: usize, user: usize, add: bool },
    Register { gender: u8 },
    Settle,
    Rebuild { model: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = || (-90.0..=90.0, -180.0..=180.0);
    let one = prop_oneof![
        8 => (0..8usize, 0..8usize, 0..2_000i64).prop_map(|(user, shop, minute)| Step::CheckIn { user, shop, minute }),
        3 => any::<usize>().prop_map(|which| Step::Delete { which }),
        2 => (0..8usize, 0..8usize).prop_map(|(user, other)| Step::Follow { user, other }),
        1 => (0..8usize, 0..8usize).prop_map(|(user, other)| Step::Unfollow { user, other }),
        2 => (0..8usize).prop_map(|user| Step::Open { user }),
        1 => any::<usize>().prop_map(|which| Step::End { which }),
        1 => place().prop_map(|at| Step::AddShop { at }),
        1 => (0..8usize, place()).prop_map(|(shop, at)| Step::Correct { shop, at }),
        1 => (0..8usize).prop_map(|shop| Step::Notice { shop }),
        1 => (0..8usize, 0..8usize, any::<bool>()).prop_map(|(shop, user, add)| Step::Staff { shop, user, add }),
        1 => (0..3u8).prop_map(|gender| Step::Register { gender }),
        1 => Just(Step::Settle),
        1 => (0..7usize).prop_map(|model| Step::Rebuild { model }),
    ];
    prop::collection::vec(one, 1..60)
}

struct Run {
    world: World,
    users: Vec<UserId>,
    shops: Vec<ShopId>,
    checkins: Vec<(UserId, CheckinId)>,
    sessions: Vec<(UserId, SessionId)>,
}

impl Run {
    fn new() -> Self {
        let world = World::new();
        let users = (0..2).map(|n| world.person(&format!("person {n}"), Gender::Male)).collect();
        let shops = (0..2).map(|n| world.shop(&format!("shop {n}"), 30.0 + f64::from(n) / 100.0, 120.0)).collect();
        Self { world, users, shops, checkins: Vec::new(), sessions: Vec::new() }
    }

    fn user(&self, n: usize) -> UserId {
        self.users[n % self.users.len()]
    }

    fn shop(&self, n: usize) -> ShopId {
        self.shops[n % self.shops.len()]
    }

    fn change_shop(&self, shop: ShopId, command: &ShopCommand) {
        let world = &self.world;
        world.runtime.block_on(world.commands.change_shop(shop, command, &world.context())).unwrap();
    }

    fn take(&mut self, step: &Step, projector: &Projector) {
        let (world, context) = (&self.world, self.world.context());
        match *step {
            Step::CheckIn { user, shop, minute } => {
                let user = self.user(user);
                let (checkin, _) = world.check_in(user, self.shop(shop), BEGIN.plus_seconds(60 * minute));
                self.checkins.push((user, checkin));
            }
            Step::Delete { which } if !self.checkins.is_empty() => {
                let (user, checkin) = self.checkins[which % self.checkins.len()];
                world.runtime.block_on(world.commands.delete_checkin(checkin, user, &context)).unwrap();
            }
            Step::Follow { user, other } if self.user(user) != self.user(other) => {
                world.runtime.block_on(world.commands.follow(self.user(user), self.user(other), &context)).unwrap();
            }
            Step::Unfollow { user, other } if self.user(user) != self.user(other) => {
                world.runtime.block_on(world.commands.unfollow(self.user(user), self.user(other), &context)).unwrap();
            }
            Step::Open { user } => {
                let user = self.user(user);
                let opened = world.runtime.block_on(world.commands.open_session(user, "192.0.2.1", &context)).unwrap();
                self.sessions.push((user, session_id(&opened.cookie)));
            }
            Step::End { which } if !self.sessions.is_empty() => {
                let (user, session) = self.sessions[which % self.sessions.len()];
                let end = world.commands.end_session(session, user, EndReason::SignedOut, &context);
                world.runtime.block_on(end).unwrap();
            }
            Step::Register { gender } => {
                let name = format!("person {}", self.users.len());
                let user = world.person(&name, Gender::try_from(gender).unwrap());
                self.users.push(user);
            }
            Step::AddShop { at: (lat, lng) } => {
                let shop = world.shop(&format!("shop {}", self.shops.len()), lat, lng);
                self.shops.push(shop);
            }
            Step::Settle => world.settle(projector),
            Step::Rebuild { model } => {
                let names = projector.names();
                projector.rebuild(names[model % names.len()]).unwrap();
            }
            Step::Correct { .. } | Step::Notice { .. } | Step::Staff { .. } => self.change(step),
            Step::Delete { .. } | Step::Follow { .. } | Step::Unfollow { .. } | Step::End { .. } => {}
        }
    }

    fn change(&self, step: &Step) {
        match *step {
            Step::Correct { shop, at: (lat, lng) } => {
                let shop = self.shop(shop);
                let corrected = ShopCorrected { shop, details: details("put right", lat, lng) };
                self.change_shop(shop, &ShopCommand::Correct(corrected));
            }
            Step::Notice { shop } => {
                let shop = self.shop(shop);
                let notice = ShopNoticeChanged { shop, text: "half price".to_owned() };
                self.change_shop(shop, &ShopCommand::ChangeNotice(notice));
            }
            Step::Staff { shop, user, add } => {
                let (shop, user) = (self.shop(shop), self.user(user));
                let command = if add {
                    ShopCommand::AddStaff(ShopStaffAdded { shop, user })
                } else {
                    ShopCommand::RemoveStaff(ShopStaffRemoved { shop, user })
                };
                self.change_shop(shop, &command);
            }
            _ => {}
        }
    }

    /// All that readers can ask, as text.
    fn seen(&self, views: &Views) -> String {
        let mut seen = String::new();
        let (people, presence) = (views.people.view(), views.presence.view());
        writeln!(seen, "{:?}", people.list(None, 1_000).unwrap()).unwrap();
        writeln!(seen, "{:?}", presence.counts(self.shops.iter().copied())).unwrap();
        for user in &self.users {
            writeln!(seen, "{:?}", views.trace.view().page(*user, 0, 1_000).unwrap()).unwrap();
            writeln!(seen, "{:?}", views.ranking.view().user(*user).unwrap()).unwrap();
            writeln!(seen, "{:?}", views.sessions.view().of_user(*user).unwrap()).unwrap();
            writeln!(seen, "{:?}", views.follows.view().friends(*user, 1_000).unwrap()).unwrap();
            writeln!(seen, "{:?}", views.follows.view().followers(*user, 1_000).unwrap()).unwrap();
        }
        for (_, session) in &self.sessions {
            writeln!(seen, "{:?}", views.sessions.view().get(*session)).unwrap();
        }
        for shop in &self.shops {
            writeln!(seen, "{:?} {:?}", presence.at(*shop), views.shops.view().get(*shop).unwrap()).unwrap();
        }
        let shops = views.shops.view();
        let index = shops.index();
        let nearest = index.nearest_n(Position::new(30.0, 120.0).unwrap(), 1_000, 3e7);
        for (slot, metres) in nearest {
            let entry = index.get(slot).unwrap();
            writeln!(seen, "{} {} {metres:.3}", entry.id(), entry.name()).unwrap();
        }
        seen
    }
}

/// Each case opens three databases: few by default, and not as many as a property of plain values may have.
pub fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(8u32).min(1_000);
    ProptestConfig { cases, max_shrink_iters: 60, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn prop_rebuilt_rows_and_opened_views_are_those_that_followed_live(steps in steps()) {
        let mut run = Run::new();
        let (projector, views) = run.world.models("read");
        for step in &steps {
            run.take(step, &projector);
        }
        run.world.settle(&projector);
        let live = run.seen(&views);
        for name in projector.names() {
            let difference = projector.compare(name).unwrap();
            prop_assert!(difference.is_none(), "{difference:?}");
        }
        prop_assert_eq!(&run.seen(&views), &live, "comparing changes nothing");
        projector.stop();
        drop((projector, views));
        {
            let (projector, views) = run.world.models("read");
            run.world.settle(&projector);
            prop_assert_eq!(&run.seen(&views), &live, "views opened from the rows");
            projector.stop();
        }
        let (projector, views) = run.world.models("from-nothing");
        run.world.settle(&projector);
        prop_assert_eq!(&run.seen(&views), &live, "everything made anew");
        projector.stop();
    }
}
