//! Shops around, near by, and one of them (§4, §5, §7).

use dface_tests::{Answer, Server};
use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::json;

use super::{HERE, ids, north, without};

#[test]
fn section_4_shops_around_are_the_documents_objects() {
    let mut server = Server::start();
    let phone = server.person("anna", 0);
    let details = json!({ "name": "新紫轩花店", "address": "文一路266号", "lat": HERE.0, "lng": HERE.1, "t": 1 });
    server.operator().post("/admin/shops", &details).ok();
    let given = (30.287_213_9, 120.127_654_3);
    ["30.2872139", "120.1276543"].into_iter().for_each(|text| server.secret(text));
    let around = phone.get("/aroundme/shops.json", &[("lat", &given.0), ("lng", &given.1), ("accuracy", &100)]);
    assert_json_snapshot!(without(around.ok(), &["id"]), @r#"
    [
      {
        "address": "文一路266号",
        "female": 0,
        "id": "number",
        "lat": 30.284624,
        "lng": 120.132396,
        "lo": [
          30.28691,
          120.12763
        ],
        "male": 0,
        "name": "新紫轩花店",
        "phone": "",
        "t": 1,
        "user": 0
      }
    ]
    "#);
    let posted = phone.post("/aroundme/shops", &[("lat", &given.0), ("lng", &given.1), ("accuracy", &"100.0")]);
    assert_eq!(posted.ok(), around.ok());
    phone.get("/aroundme/shops", &[("lat", &1), ("lng", &2)]).refused(400, "missing_parameter");
}

#[test]
fn section_4_at_most_fifty_and_none_in_the_desert() {
    let mut server = Server::start();
    let (phone, operator) = (server.person("anna", 0), server.operator());
    for n in 0..60 {
        operator.add_shop(&format!("shop {n}"), north(f64::from(n) * 10.0));
    }
    let around = phone.get("/aroundme/shops", &[("lat", &HERE.0), ("lng", &HERE.1), ("accuracy", &65)]).ok();
    assert_eq!(around.as_array().map(Vec::len), Some(50));
    let desert = phone.get("/aroundme/shops", &[("lat", &40.1), ("lng", &83.2), ("accuracy", &65)]).ok();
    assert_eq!(desert, json!([]));
}

#[test]
fn section_5_nearest_first_with_distance_pages_names_and_types() {
    let mut server = Server::start();
    let (phone, operator) = (server.person("anna", 0), server.operator());
    let far = operator.add_shop("西湖茶馆", north(3_000.0));
    let near = operator.add_shop("星巴克(西湖店)", north(20.0));
    let middle = operator.add_shop("Bar Moon", north(500.0));
    operator.add_shop("out of reach", north(51_000.0));
    let (lat, lng) = HERE;
    let all = phone.get("/shop/nearby.json", &[("lat", &lat), ("lng", &lng), ("accuracy", &65)]).ok();
    assert_eq!(ids(&all), [near, middle, far]);
    assert_json_snapshot!(without(all[0].clone(), &["id", "lat", "lng", "lo"]), @r#"
    {
      "address": "",
      "distance": 20,
      "female": 0,
      "id": "number",
      "lat": "number",
      "lng": "number",
      "lo": "other",
      "male": 0,
      "name": "星巴克(西湖店)",
      "phone": "",
      "t": 2,
      "user": 0
    }
    "#);
    let with = |more: (&str, &dyn std::fmt::Display)| {
        phone.get("/shop/nearby", &[("lat", &lat), ("lng", &lng), ("accuracy", &65), more])
    };
    assert_eq!(ids(&with(("name", &"西湖")).ok()), [near, far]);
    assert_eq!(ids(&with(("name", &"moon")).ok()), [middle], "whatever the case");
    assert!(ids(&with(("name", &"nowhere")).ok()).is_empty());
    assert_eq!(ids(&with(("type", &2)).ok()), [near, middle, far]);
    assert!(ids(&with(("type", &3)).ok()).is_empty());
    with(("type", &7)).refused(400, "bad_parameter");
    let page = |page: i64, pcount: i64| {
        let given: dface_tests::Given<'_> =
            &[("lat", &lat), ("lng", &lng), ("accuracy", &65), ("page", &page), ("pcount", &pcount)];
        phone.get("/shop/nearby", given)
    };
    assert_eq!((ids(&page(1, 2).ok()), ids(&page(2, 2).ok())), (vec![near, middle], vec![far]));
    assert_eq!((ids(&page(3, 2).ok()), ids(&page(1, 1_000).ok())), (vec![], vec![near, middle, far]));
    for (at, count) in [(0, 1), (-1, 1), (1, 0), (1, -5)] {
        page(at, count).refused(400, "bad_parameter");
    }
}

#[test]
fn section_7_a_shop_with_staff_and_notice() {
    let mut server = Server::start();
    let (phone, operator) = (server.person("anna", 0), server.operator());
    let shop = operator.add_shop("浙江科技产业大厦", HERE);
    let before = phone.get("/shop/info", &[("id", &shop)]).ok();
    assert_eq!((&before["staffs"], &before["notice"]), (&json!([]), &json!("")));
    operator.post(&format!("/admin/shops/{shop}/staff"), &json!({ "user_id": phone.user })).ok();
    let notice =
        operator.request(Method::PUT, &format!("/admin/shops/{shop}/notice")).json(&json!({ "text": "今天半价" }));
    Answer::to(notice).ok();
    let corrected = json!({ "address": "古翠路80", "t": 6, "phone": "0571-1" });
    Answer::to(operator.request(Method::PATCH, &format!("/admin/shops/{shop}")).json(&corrected)).ok();
    let info = phone.post("/shop/info.json", &[("id", &shop)]).ok();
    assert_eq!((info["id"].as_u64(), info["staffs"][0].as_u64()), (Some(shop), Some(phone.user)));
    assert_json_snapshot!(without(info, &["id", "staffs"]), @r#"
    {
      "address": "古翠路80",
      "id": "number",
      "lat": 30.284624,
      "lng": 120.132396,
      "lo": [
        30.28691,
        120.12763
      ],
      "name": "浙江科技产业大厦",
      "notice": "今天半价",
      "phone": "0571-1",
      "staffs": "other",
      "t": 6
    }
    "#);
    phone.get("/shop/info", &[("id", &999_999)]).refused(404, "shop_unknown");
    phone.get("/shop/info", &[("id", &"x")]).refused(400, "bad_parameter");
    phone.get("/shop/info", &[]).refused(400, "missing_parameter");
}
