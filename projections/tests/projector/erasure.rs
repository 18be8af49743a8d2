//! What remains of an erased person is the same in rows that followed live and in those of a rebuild, which no longer
//! opens what was sealed.

use dface_commands::profiles::ProfilePatch;
use dface_domain::{
    events::{Gender, Invisible},
    ids::{CheckinId, ShopId, UserId},
};
use dface_projections::ranking::model::bssid_number;
use proptest::prelude::*;

use super::{
    rebuild::config,
    world::{BEGIN, Views, World},
};

/// More than count in a query, so that some always stand behind.
const ACCESS_POINTS: u8 = 14;

#[derive(Debug, Clone)]
enum Step {
    CheckIn { user: usize, shop: usize, bssid: Option<u8> },
    Delete { which: usize },
    Hide { user: usize, invisible: Invisible },
    Erase { user: usize },
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bssid = prop_oneof![1 => Just(None), 9 => (0..ACCESS_POINTS).prop_map(Some)];
    let invisible = prop_oneof![Just(Invisible::default()), Just(Invisible::ToStrangers), Just(Invisible::ToAll)];
    let one = prop_oneof![
        20 => (0..5usize, 0..2usize, bssid).prop_map(|(user, shop, bssid)| Step::CheckIn { user, shop, bssid }),
        3 => any::<usize>().prop_map(|which| Step::Delete { which }),
        1 => (0..5usize, invisible).prop_map(|(user, invisible)| Step::Hide { user, invisible }),
        1 => (0..5usize).prop_map(|user| Step::Erase { user }),
        1 => Just(Step::Settle),
    ];
    prop::collection::vec(one, 20..80)
}

struct Run {
    world: World,
    users: Vec<UserId>,
    shops: Vec<ShopId>,
    checkins: Vec<(UserId, CheckinId)>,
    minute: i64,
}

impl Run {
    fn new() -> Self {
        let world = World::new();
        let users = (0..5).map(|n| world.person(&format!("person {n}"), Gender::Female)).collect();
        let shops = (0..2).map(|n| world.shop(&format!("shop {n}"), 30.0, 120.0)).collect();
        Self { world, users, shops, checkins: Vec::new(), minute: 0 }
    }

    fn user(&self, n: usize) -> Option<UserId> {
        self.users.get(n % self.users.len().max(1)).copied()
    }

    fn take(&mut self, step: &Step) {
        let (world, context) = (&self.world, self.world.context());
        match *step {
            Step::CheckIn { user, shop, bssid } => {
                let Some(user) = self.user(user) else { return };
                self.minute += 1;
                let at = BEGIN.plus_seconds(60 * self.minute);
                let (checkin, _) = world.check_in_near(user, self.shops[shop], at, bssid.map(address));
                self.checkins.push((user, checkin));
            }
            Step::Delete { which } if !self.checkins.is_empty() => {
                let (user, checkin) = self.checkins[which % self.checkins.len()];
                world.runtime.block_on(world.commands.delete_checkin(checkin, user, &context)).unwrap();
            }
            Step::Hide { user, invisible } => {
                let Some(user) = self.user(user) else { return };
                let patch = ProfilePatch { invisible: Some(invisible), ..ProfilePatch::default() };
                world.runtime.block_on(world.commands.change_profile(user, &patch, &context)).unwrap();
            }
            Step::Erase { user } => {
                let Some(user) = self.user(user) else { return };
                world.runtime.block_on(world.commands.erase(user, &context)).unwrap();
                self.users.retain(|known| *known != user);
                self.checkins.retain(|(known, _)| *known != user);
            }
            Step::Settle | Step::Delete { .. } => {}
        }
    }

    /// How often each access point counts at each shop.
    fn heard(&self, views: &Views) -> Vec<u32> {
        let view = views.ranking.view();
        let priors = view.priors();
        let hash = self.world.parts.hash.as_ref();
        let of = |shop: &ShopId, n: u8| priors.times_heard(*shop, bssid_number(hash, &address(n)));
        self.shops.iter().flat_map(|shop| (0..ACCESS_POINTS).map(move |n| of(shop, n))).collect()
    }
}

fn address(n: u8) -> String {
    format!("00:1d:7e:aa:bb:{n:02x}")
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn prop_an_erased_person_leaves_what_a_rebuild_finds(steps in steps()) {
        let mut run = Run::new();
        let (projector, views) = run.world.models("read");
        for step in &steps {
            run.take(step);
            if matches!(step, Step::Settle) {
                run.world.settle(&projector);
            }
        }
        run.world.settle(&projector);
        let live = run.heard(&views);
        for name in projector.names() {
            let difference = projector.compare(name).unwrap();
            prop_assert!(difference.is_none(), "{difference:?}");
        }
        projector.stop();
        drop((projector, views));
        for name in ["read", "from-nothing"] {
            let (projector, views) = run.world.models(name);
            run.world.settle(&projector);
            prop_assert_eq!(&run.heard(&views), &live, "{}", name);
            projector.stop();
        }
    }
}
