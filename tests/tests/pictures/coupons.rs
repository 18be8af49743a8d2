//! The pictures of coupons (seed §31.2), and using one at once (§31.3).

use std::time::{Duration, Instant};

use dface_tests::{Answer, Operator, Server};
use serde_json::json;

use super::{HERE, decoded, fetched, shown};

fn campaign(operator: &Operator, shop: u64) -> String {
    let offer = json!({
        "shop_id": shop, "name": "🎉 Happy Hour 第二杯半价", "text": "任意现磨咖啡，每桌限用一张。", "trigger": "checkin",
        "from": "2020-01-01T00:00:00+08:00", "until": "2999-01-01T00:00:00+08:00",
    });
    operator.post("/admin/campaigns", &offer).ok()["id"].as_str().expect("an id").to_owned()
}

#[test]
fn section_31_2_a_coupon_is_shown_as_a_picture_in_two_sizes() {
    let mut server = Server::start();
    let (anna, ben, operator) = (server.person("anna", 2), server.person("ben", 1), server.operator());
    let shop = operator.add_shop("Café 西溪小馆", HERE);
    let id = campaign(&operator, shop);
    anna.check_in(shop, HERE);
    let begun = Instant::now();
    while anna.get("/coupons", &[]).ok() == json!([]) {
        assert!(begun.elapsed() < Duration::from_secs(30), "no coupon came");
        std::thread::sleep(Duration::from_millis(50));
    }
    for (size, dimensions) in [(0, (580, 224)), (1, (290, 112))] {
        let answer = shown(&anna, "/coupons/img", &id, size);
        assert_eq!(answer.status, 302, "{answer}");
        let file = fetched(&server, answer.header("location"));
        assert_eq!((file.status, file.media_type.as_str()), (200, "image/png"));
        let cache = file.headers.get("cache-control").and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(cache, "public, max-age=31536000, immutable");
        let picture = decoded(&file.bytes).to_rgb8();
        assert_eq!(picture.dimensions(), dimensions);
        let dark = picture.pixels().filter(|pixel| pixel.0.iter().all(|part| *part < 90)).count();
        assert!(dark > 200, "{dark} dark pixels: nothing is written on it");
    }
    let plain = anna.get("/coupons/img", &[("id", &id)]);
    assert_eq!(plain.header("location"), shown(&anna, "/coupons/img", &id, 1).header("location"), "290x112 is meant");
    anna.get("/coupons/img", &[("id", &id), ("size", &2)]).refused(400, "bad_parameter");
    assert_eq!(ben.get("/coupons/img", &[("id", &id)]).status, 404, "whoever has none sees none");
}

#[test]
fn section_31_3_of_two_uses_at_once_one_wins() {
    let mut server = Server::start();
    let (anna, operator) = (server.person("anna", 2), server.operator());
    let id = campaign(&operator, operator.add_shop("cafe", HERE));
    operator.post(&format!("/admin/campaigns/{id}/send"), &json!({ "user_ids": [anna.user] })).ok();
    let listed = anna.get("/coupons", &[]).ok();
    let time = listed[0]["time"].as_u64().unwrap_or_else(|| panic!("no coupon: {listed}"));
    let uses: Vec<Answer> = std::thread::scope(|scope| {
        let hands: Vec<_> =
            (0..8).map(|_| scope.spawn(|| anna.post("/coupons/use", &[("id", &id), ("time", &time)]))).collect();
        hands.into_iter().map(|hand| hand.join().expect("an answer")).collect()
    });
    let count = |status| uses.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(200), count(409)), (1, 7), "{uses:?}");
    assert_eq!(anna.get("/coupons", &[]).ok()[0]["state"], "used");
}
