//! Values that no parameter should have, in every endpoint.

use dface_tests::{Answer, Phone, Server, client::pairs};
use reqwest::Method;
use serde_json::{Value, json};

use super::{HERE, prepared};

/// What is done at a place: shops around, near by, and a check-in.
fn at(phone: &Phone, shop: u64, lat: &str, lng: &str, accuracy: &str) -> Vec<Answer> {
    let around = pairs(&[("lat", &lat), ("lng", &lng), ("accuracy", &accuracy)]);
    let mut check_in = around.clone();
    check_in.extend(pairs(&[("shop_id", &shop), ("user_id", &phone.user), ("od", &1)]));
    vec![
        Answer::to(phone.request(Method::GET, "/aroundme/shops.json").query(&around)),
        Answer::to(phone.request(Method::POST, "/shop/nearby").form(&around)),
        Answer::to(phone.request(Method::GET, "/shop/nearby").query(&around).query(&[("name", "a")])),
        Answer::to(phone.request(Method::POST, "/checkins").form(&check_in)),
    ]
}

#[test]
fn poles_the_date_line_the_sea_and_no_accuracy_are_places() {
    let (mut server, phone, shop) = prepared();
    let operator = server.operator();
    let places =
        [(90.0, 0.0), (-90.0, 17.0), (89.999_999, 179.0), (0.0, 180.0), (0.0, -180.0), (-0.0, -0.0), (12.3, -150.0)];
    for (n, place) in places.iter().enumerate() {
        operator.add_shop(&format!("at the end of the world {n}"), *place);
    }
    for (lat, lng) in places {
        for accuracy in ["0", "65", "65.4", "40000000", "4294967295"] {
            for answer in at(&phone, shop, &lat.to_string(), &lng.to_string(), accuracy) {
                answer.ok();
            }
        }
    }
    // Across the pole and across 180° it is near.
    for (lat, lng, metres) in [("90", "123", 0), ("89.9999995", "-1", 1), ("0", "-179.99999", 5), ("-90", "-180", 0)] {
        let given: dface_tests::Given<'_> = &[("lat", &lat), ("lng", &lng), ("accuracy", &0)];
        let nearest = phone.get("/shop/nearby", given).ok()[0]["distance"].as_u64().expect("a number");
        assert!(nearest <= metres, "{lat} {lng}: {nearest} m");
    }
    operator.compare_all();
    server.alive();
}

#[test]
fn numbers_that_are_none_are_refused_everywhere() {
    let (mut server, phone, shop) = prepared();
    let long = "9".repeat(1_000);
    let bad = [
        "NaN",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "1e308",
        "-1e308",
        "1e309",
        "90.000001",
        "1e400",
        "",
        " ",
        "0x1p3",
        "1,5",
        "١",
        "null",
        &long,
    ];
    for bad in bad {
        for answer in at(&phone, shop, bad, "0", "1").into_iter().chain(at(
            &phone,
            shop,
            "0",
            if bad == "90.000001" { "180.1" } else { bad },
            "1",
        )) {
            answer.refused(400, "bad_parameter");
        }
    }
    for bad in ["NaN", "inf", "-1", "1e308", "4294967296", "", "many"] {
        for answer in at(&phone, shop, "0", "0", bad) {
            assert!(answer.refused(400, "bad_parameter").starts_with("accuracy"), "{answer}");
        }
    }
    assert_eq!(phone.check_ins().len(), 0);
    server.alive();
}

#[test]
fn ids_of_a_million_digits_and_other_texts() {
    let (mut server, phone, shop) = prepared();
    // In a body: a URL has its own limit.
    let million = "7".repeat(60_000);
    let ids = [
        "",
        "-1",
        "0x7",
        "7.5",
        "1e3",
        "../../etc/passwd",
        "' OR 1=1 --",
        "\u{0}",
        "18446744073709551616",
        "𝟟",
        &million,
    ];
    for id in ids {
        for (path, name) in
            [("/shop/info", "id"), ("/shop/users", "id"), ("/checkins/delete", "id"), ("/checkins", "user_id")]
        {
            let answer = phone.post(path, &[(name, &id)]);
            answer.refused(400, "bad_parameter");
            assert!(answer.text.len() < 400, "it does not repeat it all: {}", answer.text.len());
        }
        let mut wrong =
            pairs(&[("lat", &HERE.0), ("lng", &HERE.1), ("accuracy", &1), ("user_id", &phone.user), ("od", &1)]);
        wrong.push(("shop_id".to_owned(), id.to_owned()));
        let answer = Answer::to(phone.request(Method::POST, "/checkins").form(&wrong));
        answer.refused(400, "bad_parameter");
    }
    for id in [u64::MAX.to_string(), "0".to_owned(), (shop + 1).to_string(), "502e6303421aa918ba000001".to_owned()] {
        let status = phone.get("/shop/info", &[("id", &id)]).code();
        assert!(["shop_unknown", "bad_parameter"].contains(&&*status), "{id}: {status}");
    }
    let over = Answer::to(phone.request(Method::POST, "/shop/info").form(&pairs(&[("id", &"7".repeat(1_000_000))])));
    over.refused(413, "body_too_large");
    server.alive();
}

#[test]
fn pages_beyond_all_bounds_are_empty_or_refused() {
    let (mut server, phone, shop) = prepared();
    phone.check_in(shop, HERE);
    for path in ["/checkins", "/user_info/trace"] {
        assert_eq!(phone.get(path, &[("page", &u32::MAX), ("pcount", &u32::MAX)]).status, 200, "{path}");
        phone.get(path, &[("page", &u64::MAX)]).refused(400, "bad_parameter");
    }
    let all: dface_tests::Given<'_> = &[("id", &shop), ("page", &u32::MAX), ("pcount", &100)];
    assert_eq!(phone.get("/shop/users", all).ok(), json!([]));
    let far: dface_tests::Given<'_> =
        &[("lat", &0), ("lng", &0), ("accuracy", &1), ("page", &u32::MAX), ("pcount", &100)];
    assert_eq!(phone.get("/shop/nearby", far).ok(), json!([]));
    server.alive();
}

#[test]
fn unknown_fields_and_repeated_ones_are_no_matter() {
    let (mut server, phone, shop) = prepared();
    let info = phone.get("/shop/info", &[("colour", &"red"), ("id", &"x"), ("__proto__", &1), ("id", &shop)]);
    assert_eq!(info.ok()["id"].as_u64(), Some(shop), "the last one counts");
    let object: Value = json!({ "id": shop, "nested": { "a": [1, { "b": null }] }, "": "", "id ": [] });
    assert_eq!(Answer::to(phone.request(Method::POST, "/shop/info").json(&object)).ok()["id"].as_u64(), Some(shop));
    server.alive();
}

#[test]
fn texts_of_names_and_searches() {
    let (mut server, phone, _) = prepared();
    let operator = server.operator();
    let long = "长".repeat(5_000);
    for name in ["", "%", "\\", "*", "(", "\u{0}", "\u{202e}abc", "a\u{301}", "😀", "ﷺ", "İ", &long] {
        let given: dface_tests::Given<'_> = &[("lat", &HERE.0), ("lng", &HERE.1), ("accuracy", &1), ("name", &name)];
        let answer = phone.post("/shop/nearby", given);
        assert!(answer.status == 200 || answer.code() == "bad_parameter", "{answer}");
        let made = operator.post("/admin/shops", &json!({ "name": name, "lat": 1, "lng": 2 }));
        assert!(made.status == 200 || ["bad_parameter", "missing_parameter"].contains(&&*made.code()), "{made}");
    }
    operator.compare_all();
    server.alive();
}

#[test]
fn operators_are_no_exception() {
    let server = Server::start();
    let operator = server.operator();
    for (path, body) in [
        ("/admin/users", json!({})),
        ("/admin/users", json!({ "name": "", "password": "x" })),
        ("/admin/users", json!({ "name": "a\nb", "password": "x" })),
        ("/admin/users", json!({ "name": "x".repeat(64), "password": "x" })),
        ("/admin/users", json!({ "name": "x", "password": "" })),
        ("/admin/users", json!({ "name": "x", "password": "x", "gender": 3 })),
        ("/admin/shops", json!({ "name": "x", "lat": 91, "lng": 0 })),
        ("/admin/shops", json!({ "name": "x", "lat": 1 })),
        ("/admin/shops", json!({ "name": "x", "lat": 1, "lng": 1, "t": 7 })),
        ("/admin/shops", json!({ "name": "x", "lat": 1, "lng": 1, "datum": "mars" })),
        ("/admin/users/x/reset-password", json!({})),
    ] {
        let answer = operator.post(path, &body);
        assert_eq!(answer.status, 400, "{answer}");
        answer.code();
    }
    operator.post("/admin/projections/nothing/rebuild", &json!({})).refused(404, "not_found");
    operator.post("/admin/users/12345/reset-password", &json!({})).refused(404, "user_unknown");
    operator
        .post("/admin/projections/trace/skip", &json!({ "position": 1, "reason": "because" }))
        .refused(409, "conflict");
    let analyst = dface_tests::Operator::new(operator.door(), server.token("analyst-token"));
    analyst.get("/admin/users").refused(403, "forbidden");
    let nobody = dface_tests::Operator::new(operator.door(), "0".repeat(48));
    nobody.get("/admin/users").refused(401, "token_required");
}
