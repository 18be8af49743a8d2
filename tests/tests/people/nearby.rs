//! People near the caller's last check-in (§6).

use dface_tests::{Phone, Server};
use serde_json::{Value, json};

use super::{HERE, arrive, follow, ids, north, settle};

fn around(phone: &Phone, gender: u8) -> Vec<u64> {
    ids(&phone.get("/aroundme/users", &[("gender", &gender)]).ok())
}

#[test]
fn section_6_people_present_nearest_shop_first() {
    let mut server = Server::start();
    let operator = server.operator();
    let (here, near, edge, away) = (
        operator.add_shop("here", HERE),
        operator.add_shop("near", north(800.0)),
        operator.add_shop("edge", north(49_000.0)),
        operator.add_shop("away", north(51_000.0)),
    );
    let anna = server.person("anna", 2);
    let (ben, cleo, dan, eve, fay) = (
        server.person("ben", 1),
        server.person("cleo", 2),
        server.person("dan", 1),
        server.person("eve", 2),
        server.person("fay", 0),
    );
    assert_eq!(around(&anna, 0), Vec::<u64>::new(), "nobody is near who was nowhere");
    for (phone, shop) in [(&eve, away), (&dan, edge), (&cleo, near), (&ben, here), (&fay, near), (&anna, here)] {
        arrive(phone, shop);
    }
    assert_eq!(around(&anna, 0), [ben.user, fay.user, cleo.user, dan.user], "in a shop the newest first");
    assert_eq!((around(&anna, 1), around(&anna, 2)), (vec![ben.user, dan.user], vec![cleo.user]));
    // It is the last check-in that counts, and no other centre can be asked for.
    let asked = anna.get("/aroundme/users.json", &[("gender", &0), ("lat", &north(51_000.0).0), ("lng", &HERE.1)]).ok();
    assert_eq!(ids(&asked), around(&anna, 0));
    let page = |page: u32| ids(&anna.get("/aroundme/users", &[("gender", &0), ("page", &page), ("pcount", &3)]).ok());
    assert_eq!((page(1), page(2), page(3)), (vec![ben.user, fay.user, cleo.user], vec![dan.user], vec![]));
    assert!(anna.get("/aroundme/users", &[]).refused(400, "missing_parameter").starts_with("gender"));
    anna.get("/aroundme/users", &[("gender", &3)]).refused(400, "bad_parameter");
}

#[test]
fn section_6_items_as_those_of_section_8() {
    let mut server = Server::start();
    let shop = server.operator().add_shop("cafe", HERE);
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    arrive(&anna, shop);
    arrive(&ben, shop);
    follow(&anna, &ben);
    let found = anna.get("/aroundme/users", &[("gender", &0)]).ok();
    let time = found[0]["time"].clone();
    assert!(time.as_str().is_some_and(|time| time.len() == 19), "{found}");
    let item = json!({
        "id": ben.user, "logo": "", "name": "ben", "wb_uid": null, "gender": 1, "friend": true, "follower": false,
        "birthday": null, "time": time,
    });
    assert_eq!(found, json!([item]), "no distance, no place");
    let here = anna.get("/shop/users", &[("id", &shop)]).ok();
    assert_eq!(here[0], item);
    // A check-in that is taken back is no presence, and no centre any more.
    let id = anna.check_ins()[0]["id"].clone();
    anna.post("/checkins/delete", &[("id", &id.as_str().expect("a string"))]).ok();
    settle(&anna);
    assert_eq!(anna.get("/aroundme/users", &[("gender", &0)]).ok(), Value::Array(vec![]));
}
