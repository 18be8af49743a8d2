//! The three invisible settings (§16): presence, counts, `last`, and that what was hidden stays hidden.

use dface_tests::{Phone, Server};
use serde_json::{Value, json};

use super::{HERE, arrive, done, follow, ids, north};

struct World {
    server: Server,
    cafe: u64,
    bar: u64,
    anna: Phone,
    friend: Phone,
    stranger: Phone,
}

/// Anna follows `friend` and not `stranger`; both follow her and are at the bar.
fn world() -> World {
    let mut server = Server::start();
    let operator = server.operator();
    let (cafe, bar) = (operator.add_shop("cafe", HERE), operator.add_shop("bar", north(100.0)));
    let (anna, friend, stranger) = (server.person("anna", 2), server.person("friend", 1), server.person("stranger", 0));
    follow(&anna, &friend);
    for phone in [&friend, &stranger] {
        follow(phone, &anna);
        arrive(phone, bar);
    }
    World { server, cafe, bar, anna, friend, stranger }
}

impl World {
    /// Whether this phone sees Anna in the cafe: in its list, nearby, and as her `last`.
    #[track_caller]
    fn sees(&self, phone: &Phone) -> bool {
        let here = ids(&phone.get("/shop/users", &[("id", &self.cafe)]).ok()).contains(&self.anna.user);
        let near = ids(&phone.get("/aroundme/users", &[("gender", &0)]).ok()).contains(&self.anna.user);
        let last = phone.get("/user_info/get", &[("id", &self.anna.user)]).ok()["last"] != Value::Null;
        assert_eq!((near, last), (here, here), "one place shows what another one hides");
        here
    }

    fn set(&self, invisible: u8) {
        done(&self.anna, "/user_info/set", &[("invisible", &invisible)]);
    }

    /// Anna in the counts of §4 and §5.
    #[track_caller]
    fn counted(&self) -> bool {
        let given: dface_tests::Given<'_> = &[("lat", &HERE.0), ("lng", &HERE.1), ("accuracy", &65)];
        let counts = ["/aroundme/shops", "/shop/nearby"].map(|path| {
            let shops = self.stranger.get(path, given).ok();
            let cafe = shops.as_array().expect("a list").iter().find(|shop| shop["id"] == self.cafe).expect("listed");
            json!([cafe["user"], cafe["male"], cafe["female"]])
        });
        assert_eq!(counts[0], counts[1]);
        assert!(counts[0] == json!([1, 0, 1]) || counts[0] == json!([0, 0, 0]), "{counts:?}");
        counts[0] == json!([1, 0, 1])
    }
}

#[test]
fn section_16_who_sees_where_somebody_is() {
    let mut world = world();
    for (nth, invisible, friend, stranger, counted) in
        [(0, 0, true, true, true), (1, 1, true, false, false), (2, 2, false, false, false), (3, 0, true, true, true)]
    {
        world.set(invisible);
        // Check-ins of one minute, person and shop are one: each setting has a shop of its own.
        world.cafe = world.server.operator().add_shop(&format!("cafe {nth}"), HERE);
        arrive(&world.anna, world.cafe);
        let seen = (world.sees(&world.friend), world.sees(&world.stranger), world.counted());
        assert_eq!(seen, (friend, stranger, counted), "invisible {invisible}");
        let own = world.anna.get("/user_info/get", &[("id", &world.anna.user)]).ok();
        assert_ne!(own["last"], Value::Null, "one sees oneself");
    }
    assert!(!world.anna.check_ins().is_empty());
    world.server.operator().compare_all();
}

#[test]
fn section_16_an_older_presence_ends_and_becoming_visible_shows_only_what_comes_after() {
    let mut world = world();
    arrive(&world.anna, world.cafe);
    assert!(world.sees(&world.stranger) && world.counted());
    world.set(2);
    assert!(!world.sees(&world.friend) && !world.sees(&world.stranger) && !world.counted());
    assert_eq!(ids(&world.anna.get("/shop/users", &[("id", &world.cafe)]).ok()), Vec::<u64>::new());
    // Hidden while in the bar; visible again afterwards: the bar stays unknown.
    arrive(&world.anna, world.bar);
    world.set(0);
    for restart in [None, Some(Server::kill as fn(&mut Server))] {
        if let Some(restart) = restart {
            restart(&mut world.server);
            world.server.start_again();
        }
        for phone in [&world.friend, &world.stranger] {
            assert_eq!(phone.get("/user_info/get", &[("id", &world.anna.user)]).ok()["last"], Value::Null);
            assert!(!ids(&phone.get("/shop/users", &[("id", &world.bar)]).ok()).contains(&world.anna.user));
        }
    }
    let later = world.server.operator().add_shop("later", HERE);
    arrive(&world.anna, later);
    let last = world.stranger.get("/user_info/get", &[("id", &world.anna.user)]).ok()["last"].clone();
    assert_eq!(last, "刚刚 later");
    assert_eq!(
        world.anna.get("/user_info/trace", &[]).ok()["data"].as_array().map(Vec::len),
        Some(3),
        "the own trace has all"
    );
    world.server.operator().compare_all();
}

#[test]
fn section_16_unfollowing_and_following_change_who_is_a_stranger() {
    let world = world();
    world.set(1);
    arrive(&world.anna, world.cafe);
    assert!(world.sees(&world.friend) && !world.sees(&world.stranger));
    done(&world.anna, "/follows/delete", &[("user_id", &world.anna.user), ("follow_id", &world.friend.user)]);
    follow(&world.anna, &world.stranger);
    assert!(!world.sees(&world.friend) && world.sees(&world.stranger));
}
