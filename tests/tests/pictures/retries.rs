//! Phones that ask again, and copies of the same picture.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use dface_tests::{Server, Setup};
use image::ImageFormat;

use super::{HERE, file, halves, id_of, of_seed, shown, to_album, to_room, upload_with_key};

#[test]
fn the_same_picture_in_the_same_minute_is_the_same() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let (first, again) = (to_album(&anna, of_seed(3)), to_album(&anna, of_seed(3)));
    // The minute may have turned in between; then it is another one.
    if first != again {
        assert_eq!(to_album(&anna, of_seed(3)), again);
    }
    assert_ne!(to_album(&anna, of_seed(5)), again);
    assert_ne!(to_album(&ben, of_seed(3)), again);
}

#[test]
fn an_idempotency_key_is_for_one_picture() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let send = |seed, key| upload_with_key(&anna, "/user_logos", "user_logo[img]", of_seed(seed), &[], key);
    let first = send(3, "one").ok();
    assert_eq!(send(3, "one").ok(), first);
    send(5, "one").refused(409, "idempotency_key_reused");
    assert_ne!(id_of(&send(5, "two").ok()), id_of(&first));
}

fn objects(dir: &Path) -> usize {
    let folders = fs::read_dir(dir.join("objects")).expect("objects").filter_map(Result::ok);
    let folders = folders.filter(|folder| folder.file_name() != "unfinished" && folder.path().is_dir());
    folders.map(|folder| fs::read_dir(folder.path()).expect("a folder").count()).sum()
}

#[track_caller]
fn until_objects(server: &Server, count: usize) {
    let begun = Instant::now();
    while objects(server.dir()) != count {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} objects, not {count}", objects(server.dir()));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn copies_share_their_files_until_the_last_one_goes() {
    let mut server = Setup::default().set("LIMITS__UPLOAD_S", 1).set("CLEANING__GRACE_S", 2).start();
    let anna = server.person("anna", 2);
    let shop = server.operator().add_shop("cafe", HERE);
    let picture = halves(400, 300, ImageFormat::Jpeg);
    let (in_album, in_room) = (to_album(&anna, picture.clone()), to_room(&anna, shop, picture, ""));
    shown(&anna, "/user_logos/show", &in_album, 1);
    shown(&anna, "/photos/show", &in_room, 2);
    // The picture and 200x200 are the same files, 100x100 is the album's alone; what came is gone.
    until_objects(&server, 3);
    let before = file(&server, &anna, "/photos/show", &in_room, 2).0;
    anna.post("/user_logos/delete", &[("id", &in_album)]).ok();
    until_objects(&server, 2);
    assert_eq!(file(&server, &anna, "/photos/show", &in_room, 2).0, before, "the other copy is whole");
    let operator = server.operator();
    dface_tests::Answer::to(operator.request(reqwest::Method::DELETE, &format!("/admin/photos/{in_room}"))).ok();
    until_objects(&server, 0);
}
