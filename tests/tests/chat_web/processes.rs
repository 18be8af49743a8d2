//! What processes say, and what they do because of what was said.

use dface_tests::Server;
use serde_json::{Value, json};

use super::{HERE, becomes, bodies, read, say};

#[test]
fn who_checks_in_is_greeted_in_the_room_if_all_may_see_them() {
    let mut server = Server::start();
    let operator = server.operator();
    let (shop, other) = (operator.add_shop("cafe", HERE), operator.add_shop("bar", HERE));
    let (anna, ben) = (server.person("anna", 0), server.person("ben", 0));
    ben.post("/user_info/set", &[("invisible", &2)]).ok();
    ben.check_in(shop, HERE);
    anna.check_in(shop, HERE);
    anna.check_in(other, HERE);
    let room = |shop: u64| read(&server, &anna, "/api/gchat", &[("room", &shop)]);
    let is_told = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
    // Events are acted on one after the other, so the first room is told by now.
    becomes("the greeting", || room(other), is_told);
    let greeted = room(shop);
    assert_eq!(bodies(&greeted), ["[打招呼:anna]"]);
    assert_eq!(greeted.ok()[0]["from"], format!("{}@dface.cn", anna.user));
}

#[test]
fn section_28_3_and_31_1_a_shake_in_a_room_brings_a_coupon() {
    let mut server = Server::start();
    let operator = server.operator();
    let shop = operator.add_shop("cafe", HERE);
    let anna = server.person("anna", 0);
    let offer = json!({
        "shop_id": shop, "name": "八折", "text": "两人同行", "trigger": "shake",
        "from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z",
    });
    operator.post("/admin/campaigns", &offer).ok();
    say(&server, shop, &anna.user, "[摇一摇:anna]");
    let held = |list: &Value| list.as_array().is_some_and(|list| list.len() == 1);
    becomes("the coupon", || anna.get("/coupons", &[]), held);
    becomes("its message", || read(&server, &anna, "/api/chat", &[("uid", &anna.user)]), held);
}
