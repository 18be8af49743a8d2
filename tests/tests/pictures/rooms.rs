//! Pictures of rooms and between two (seed §29, §30), and those of the trace (§14).

use dface_tests::Server;
use image::{GenericImageView, ImageFormat};
use serde_json::json;

use super::{HERE, decoded, file, halves, id_of, of_seed, shown, to_person, to_room, upload};

#[test]
fn section_29_1_uploading_a_picture_for_a_room() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let shop = server.operator().add_shop("cafe", HERE);
    let room = shop.to_string();
    let fields = [("photo[room]", room.as_str()), ("photo[weibo]", "1"), ("photo[desc]", "窗边的座位")];
    let answer = upload(&anna, "/photos", "photo[img]", halves(400, 300, ImageFormat::Jpeg), &fields).ok();
    let id = id_of(&answer);
    let expected = json!({
        "_id": id, "weibo": false, "room": room, "user_id": anna.user, "img_tmp": format!("{id}/picture.jpg"),
        "logo": format!("/uploads/tmp/{id}/picture.jpg"), "logo_thumb2": null, "id": id, "desc": "窗边的座位",
    });
    assert_eq!(answer, expected);
    // §29.3: whoever is signed in.
    let (thumb, media_type) = file(&server, &ben, "/photos/show", &id, 2);
    assert_eq!((decoded(&thumb).dimensions(), media_type.as_str()), ((200, 200), "image/png"));
    assert_eq!(decoded(&file(&server, &ben, "/photos/show", &id, 0).0).dimensions(), (400, 300));
    ben.get("/photos/show", &[("id", &id), ("size", &1)]).refused(400, "bad_parameter");
    assert_eq!(ben.get("/photos/show", &[("id", &id)]).status, 302, "200x200 is what is meant without a size");
}

#[test]
fn section_29_1_what_must_be_given() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let picture = || of_seed(3);
    let refused = upload(&anna, "/photos", "photo[img]", picture(), &[]).refused(400, "missing_parameter");
    assert!(refused.starts_with("photo[room]"), "{refused}");
    upload(&anna, "/photos", "photo[img]", picture(), &[("photo[room]", "77")]).refused(404, "shop_unknown");
    upload(&anna, "/photos", "photo[img]", picture(), &[("photo[room]", "x")]).refused(400, "bad_parameter");
    let shop = server.operator().add_shop("cafe", HERE).to_string();
    let other =
        upload(&anna, "/photos", "picture", picture(), &[("photo[room]", &shop)]).refused(400, "missing_parameter");
    assert!(other.starts_with("photo[img]"), "{other}");
    let long = "长".repeat(256);
    upload(&anna, "/photos", "photo[img]", picture(), &[("photo[room]", &shop), ("photo[desc]", &long)])
        .refused(400, "bad_parameter");
    upload(&anna, "/photos", "photo[img]", picture(), &[("photo[room]", &shop), ("photo[desc]", &"长".repeat(255))])
        .ok();
}

#[test]
fn section_30_1_uploading_a_picture_for_somebody() {
    let mut server = Server::start();
    let (anna, ben, eve) = (server.person("anna", 2), server.person("ben", 1), server.person("eve", 0));
    for (field, seed) in [("photo[to_uid]", 3), ("photo[to.uid]", 5)] {
        let to = ben.user.to_string();
        let answer = upload(&anna, "/photo2s", "photo[img]", of_seed(seed), &[(field, &to)]).ok();
        let id = id_of(&answer);
        let expected = json!({
            "_id": id, "to_uid": ben.user, "user_id": anna.user, "img_tmp": format!("{id}/picture.png"),
            "logo": format!("/uploads/tmp/{id}/picture.png"), "logo_thumb2": null, "id": id,
        });
        assert_eq!(answer, expected);
        // §30.3: these two, and nobody else.
        for (viewer, status) in [(&anna, 302), (&ben, 302), (&eve, 404)] {
            assert_eq!(shown(viewer, "/photo2s/show", &id, 2).status, status, "{field} for {}", viewer.user);
        }
        eve.get("/photos/show", &[("id", &id)]).refused(404, "photo_unknown");
        eve.get("/user_logos/show", &[("id", &id)]).refused(404, "photo_unknown");
    }
}

#[test]
fn section_30_1_to_whom_nothing_is_sent() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let send = |to: &str| upload(&anna, "/photo2s", "photo[img]", of_seed(3), &[("photo[to_uid]", to)]);
    send("999999").refused(404, "receiver_unknown");
    send(&anna.user.to_string()).refused(404, "receiver_unknown");
    upload(&anna, "/photo2s", "photo[img]", of_seed(3), &[]).refused(400, "missing_parameter");
    let id = to_person(&anna, ben.user, of_seed(5));
    ben.post("/blacklists/create", &[("user_id", &ben.user), ("block_id", &anna.user)]).ok();
    send(&ben.user.to_string()).refused(403, "receiver_blocked");
    assert_eq!(shown(&ben, "/photo2s/show", &id, 2).status, 302, "what was received stays received");
}

#[test]
fn section_14_the_trace_has_what_was_sent_to_the_room_that_day() {
    let mut server = Server::start();
    let (anna, operator) = (server.person("anna", 2), server.operator());
    let (shop, other) = (operator.add_shop("cafe", HERE), operator.add_shop("bar", HERE));
    anna.check_in(shop, HERE);
    anna.check_in(other, HERE);
    let (first, second) = (to_room(&anna, shop, of_seed(3), "窗边"), to_room(&anna, shop, of_seed(5), ""));
    for id in [&first, &second] {
        shown(&anna, "/photos/show", id, 2);
    }
    let trace = anna.get("/user_info/trace", &[]).ok();
    let entry = |shop: u64| {
        let entries = trace["data"].as_array().expect("a list");
        entries.iter().find(|entry| entry["shop_id"] == shop).expect("an entry")["photos"].clone()
    };
    let photo = |id: &str, desc: serde_json::Value| {
        json!({
            "logo": format!("/photos/show?id={id}&size=0"), "logo_thumb2": format!("/photos/show?id={id}&size=2"),
            "id": id, "desc": desc,
        })
    };
    assert_eq!(entry(shop), json!([photo(&second, json!(null)), photo(&first, json!("窗边"))]));
    assert_eq!(entry(other), json!([]));
}
