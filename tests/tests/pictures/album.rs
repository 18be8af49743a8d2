//! The album (seed §11, §12, §17 to §20).

use dface_tests::Server;
use image::{GenericImageView, ImageFormat};
use serde_json::json;

use super::{decoded, file, half_transparent, halves, id_of, of_seed, shown, to_album, upload};

#[test]
fn section_17_uploading_a_picture_to_the_album() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let answer = upload(&anna, "/user_logos", "user_logo[img]", halves(400, 300, ImageFormat::Png), &[]).ok();
    let id = id_of(&answer);
    let expected = json!({
        "logo_thumb2": null, "logo_thumb1": null, "id": id, "logo": "", "user_id": anna.user,
        "img_tmp": format!("/uploads/tmp/{id}/picture.png"),
    });
    assert_eq!(answer, expected);
    let (original, media_type) = file(&server, &anna, "/user_logos/show", &id, 0);
    assert_eq!((decoded(&original).dimensions(), media_type.as_str()), ((400, 300), "image/png"));
    for (size, side) in [(1, 100), (2, 200)] {
        let (thumb, media_type) = file(&server, &anna, "/user_logos/show", &id, size);
        let thumb = decoded(&thumb);
        assert_eq!((thumb.dimensions(), media_type.as_str()), ((side, side), "image/png"), "size {size}");
        let (left, right) = (thumb.get_pixel(side / 4, side / 2), thumb.get_pixel(side * 3 / 4, side / 2));
        assert!(left.0[0] > 150 && left.0[2] < 80, "left is red: {left:?}");
        assert!(right.0[2] > 150 && right.0[0] < 80, "right is blue: {right:?}");
    }
}

#[test]
fn section_17_each_form_and_its_alias() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    for (path, format, extension) in [
        ("/user_logos/create", ImageFormat::Jpeg, "jpg"),
        ("/user_logos.json", ImageFormat::Gif, "gif"),
        ("/user_logos/create.json", ImageFormat::Png, "png"),
    ] {
        let answer = upload(&anna, path, "user_logo[img]", halves(1200, 600, format), &[]).ok();
        let id = id_of(&answer);
        assert!(answer["img_tmp"].as_str().is_some_and(|tmp| tmp.ends_with(extension)), "{answer}");
        let (original, _) = file(&server, &anna, "/user_logos/show", &id, 0);
        assert_eq!(decoded(&original).dimensions(), (960, 480), "{extension} is scaled into 960x960");
    }
}

#[test]
fn section_17_small_and_transparent_pictures() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let small = to_album(&anna, halves(40, 20, ImageFormat::Png));
    assert_eq!(decoded(&file(&server, &anna, "/user_logos/show", &small, 0).0).dimensions(), (40, 20));
    assert_eq!(decoded(&file(&server, &anna, "/user_logos/show", &small, 1).0).dimensions(), (100, 100));
    let clear = to_album(&anna, half_transparent());
    let original = decoded(&file(&server, &anna, "/user_logos/show", &clear, 0).0);
    assert_eq!((original.get_pixel(150, 20).0[3], original.get_pixel(150, 280).0[3]), (0, 255));
}

#[test]
fn section_17_img_tmp_is_for_its_owner_until_it_is_processed() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let operator = server.operator();
    operator.post("/admin/pause/picture", &json!({})).ok();
    let uploaded = halves(400, 300, ImageFormat::Jpeg);
    let answer = upload(&anna, "/user_logos", "user_logo[img]", uploaded.clone(), &[]).ok();
    let (id, tmp) = (id_of(&answer), answer["img_tmp"].as_str().expect("a path").to_owned());
    let got = anna.request(reqwest::Method::GET, &tmp).send().expect("an answer");
    assert_eq!((got.status().as_u16(), got.bytes().expect("a body").to_vec()), (200, uploaded));
    ben.get(&tmp, &[]).refused(404, "photo_unknown");
    let waiting = anna.get("/user_logos/show", &[("id", &id)]);
    waiting.refused(404, "processing");
    assert_eq!(waiting.header("retry-after"), "1");
    anna.get("/user_info/logo", &[("id", &anna.user)]).refused(404, "processing");
    operator.post("/admin/resume/picture", &json!({})).ok();
    assert_eq!(shown(&anna, "/user_logos/show", &id, 1).status, 302);
    anna.get(&tmp, &[]).refused(404, "photo_unknown");
}

#[test]
fn section_11_the_head_portrait() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    ben.get("/user_info/logo", &[("id", &anna.user)]).refused(404, "not_found");
    let id = to_album(&anna, halves(400, 300, ImageFormat::Png));
    shown(&anna, "/user_logos/show", &id, 1);
    for (size, given) in [(0, Some(0)), (1, None), (1, Some(1)), (2, Some(2))] {
        let answer = match given {
            Some(size) => ben.get("/user_info/logo", &[("id", &anna.user), ("size", &size)]),
            None => ben.get("/user_info/logo", &[("id", &anna.user)]),
        };
        assert_eq!(answer.status, 302, "{answer}");
        assert_eq!(answer.header("img_url"), format!("/user_logos/show?id={id}&size={size}"));
        assert!(answer.header("location").starts_with("/objects/"), "{answer}");
    }
    let refused = ben.get("/user_info/logo", &[("id", &anna.user), ("size", &3)]).refused(400, "bad_parameter");
    assert!(refused.starts_with("size: must be one of 0, 1, 2"), "{refused}");
    let profile = ben.get("/user_info/get", &[("id", &anna.user)]).ok();
    assert_eq!(profile["logo"], format!("/user_logos/show?id={id}&size=0"));
    assert_eq!(profile["logo_thumb"], format!("/user_logos/show?id={id}&size=1"));
}

#[test]
fn section_12_the_list_of_pictures_in_the_order_of_the_album() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let ids: Vec<String> = [3, 5, 11].into_iter().map(|seed| to_album(&anna, of_seed(seed))).collect();
    for id in &ids {
        shown(&anna, "/user_logos/show", id, 1);
    }
    let listed = ben.get("/user_info/photos", &[("id", &anna.user)]).ok();
    let listed = listed.as_array().expect("a list");
    assert_eq!(listed.iter().map(|one| one["id"].as_str().expect("a string")).collect::<Vec<_>>(), ids);
    let first = listed[0].as_object().expect("an object");
    let mut names: Vec<&str> = first.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["id", "img_file_size", "logo", "logo_thumb2", "updated_at"]);
    assert_eq!(first["logo_thumb2"], format!("/user_logos/show?id={}&size=2", ids[0]));
    let updated = first["updated_at"].as_str().expect("a text");
    assert!(updated.len() == 19 && updated.as_bytes()[10] == b' ', "{updated}");
    assert!(first["img_file_size"].as_u64().is_some_and(|bytes| bytes > 0));
}

#[test]
fn section_18_what_is_not_there_or_not_for_the_caller() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let id = to_album(&anna, of_seed(3));
    assert_eq!(shown(&ben, "/user_logos/show", &id, 1).status, 302, "everybody may see an album");
    ben.get("/user_logos/show", &[("id", &id), ("size", &3)]).refused(400, "bad_parameter");
    ben.get("/user_logos/show", &[("id", &"502fd10abe4b19ed48000002")]).refused(404, "photo_unknown");
    ben.get("/user_logos/show", &[("id", &"2")]).refused(400, "bad_parameter");
    ben.get("/photos/show", &[("id", &id)]).refused(404, "photo_unknown");
    anna.post("/blacklists/create", &[("user_id", &anna.user), ("block_id", &ben.user)]).ok();
    anna.get("/user_info/get_self", &[]).ok();
    ben.get("/user_logos/show", &[("id", &id)]).refused(404, "photo_unknown");
    ben.get("/user_info/photos", &[("id", &anna.user)]).refused(404, "user_unknown");
    ben.get("/user_info/logo", &[("id", &anna.user)]).refused(404, "user_unknown");
}

#[test]
fn section_19_putting_the_album_in_another_order() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let ids: Vec<String> = [3, 5, 11, 13].into_iter().map(|seed| to_album(&anna, of_seed(seed))).collect();
    for id in &ids {
        shown(&anna, "/user_logos/show", id, 1);
    }
    let turned: Vec<&str> = ids.iter().rev().map(String::as_str).collect();
    anna.get("/user_logos/change_all_position", &[("ids", &turned.join(","))]).ok();
    let order = || -> Vec<String> {
        let listed = anna.get("/user_info/photos", &[("id", &anna.user)]).ok();
        listed.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(order(), turned);
    assert_eq!(
        ben.get("/user_info/logo", &[("id", &anna.user)]).header("img_url"),
        format!("/user_logos/show?id={}&size=1", turned[0])
    );
    for wrong in [&turned[..3], &[turned[0]; 4], &[&turned[..], &["502fd10abe4b19ed48000002"]].concat()[..]] {
        anna.post("/user_logos/position", &[("ids", &wrong.join(","))]).refused(400, "not_the_album");
    }
    anna.post("/user_logos/position", &[("ids", &"8,6,4,2")]).refused(400, "bad_parameter");
    ben.post("/user_logos/position", &[("ids", &turned.join(","))]).refused(400, "not_the_album");
    assert_eq!(order(), turned, "nothing changed");
    let from_elsewhere = anna
        .request(reqwest::Method::GET, &format!("/user_logos/change_all_position?ids={}", ids.join(",")))
        .header("sec-fetch-site", "cross-site");
    dface_tests::Answer::to(from_elsewhere).refused(403, "cross_site");
}

#[test]
fn section_20_deleting_a_picture() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let (first, second) = (to_album(&anna, of_seed(3)), to_album(&anna, of_seed(5)));
    for id in [&first, &second] {
        shown(&anna, "/user_logos/show", id, 1);
    }
    ben.post("/user_logos/delete", &[("id", &first)]).refused(403, "photo_not_yours");
    assert_eq!(anna.post("/user_logos/delete", &[("id", &first)]).ok(), json!({ "deleted": first }));
    assert_eq!(anna.get("/user_logos/delete", &[("id", &first)]).ok(), json!({ "deleted": first }), "twice is as once");
    anna.get("/user_logos/show", &[("id", &first)]).refused(404, "photo_unknown");
    assert_eq!(
        ben.get("/user_info/logo", &[("id", &anna.user)]).header("img_url"),
        format!("/user_logos/show?id={second}&size=1")
    );
    anna.post("/user_logos/delete", &[("id", &"502fd10abe4b19ed48000002")]).refused(404, "photo_unknown");
}

#[test]
fn an_album_holds_as_many_as_the_setting_says() {
    let mut server = dface_tests::Setup::default().set("LIMITS__ALBUM_PHOTOS", 2).start();
    let anna = server.person("anna", 2);
    let first = to_album(&anna, of_seed(3));
    to_album(&anna, of_seed(5));
    let refused = upload(&anna, "/user_logos", "user_logo[img]", of_seed(11), &[]).refused(409, "album_full");
    assert!(refused.contains("at most 2"), "{refused}");
    anna.post("/user_logos/delete", &[("id", &first)]).ok();
    to_album(&anna, of_seed(11));
}

#[test]
fn operators_take_pictures_away() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let id = to_album(&anna, of_seed(3));
    shown(&anna, "/user_logos/show", &id, 1);
    let operator = server.operator();
    let delete =
        |id: &str| dface_tests::Answer::to(operator.request(reqwest::Method::DELETE, &format!("/admin/photos/{id}")));
    assert_eq!(delete(&id).ok(), json!({ "deleted": id }));
    anna.get("/user_logos/show", &[("id", &id)]).refused(404, "photo_unknown");
    delete("502fd10abe4b19ed48000002").refused(404, "photo_unknown");
}
