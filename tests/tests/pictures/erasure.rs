//! An account's end takes the pictures with it, also out of a copy of the directory that was made before.

use std::{fs, path::Path};

use dface_tests::{Server, Setup, server::password_of};
use image::ImageFormat;

use super::{HERE, fetched, halves, shown, to_album, to_person, to_room};

/// All files under `dir`, but for keys.
fn files(dir: &Path, found: &mut Vec<Vec<u8>>) {
    for entry in fs::read_dir(dir).expect("a directory").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "keys" {
            files(&path, found);
        } else if path.is_file() {
            found.push(fs::read(&path).expect("readable"));
        }
    }
}

/// Whether some file holds the beginning of a JPEG or PNG, or the text: in clear.
fn in_clear(dir: &Path) -> Vec<&'static str> {
    let mut all = Vec::new();
    files(dir, &mut all);
    let signs: [(&str, &[u8]); 3] = [
        ("a JPEG", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
        ("a PNG", b"\x89PNG\r\n\x1a\n"),
        ("a text", "窗边的座位".as_bytes()),
    ];
    let holds = |sign: &[u8]| all.iter().any(|file| memchr::memmem::find(file, sign).is_some());
    signs.into_iter().filter(|(_, sign)| holds(sign)).map(|(name, _)| name).collect()
}

#[test]
fn nothing_of_the_pictures_can_be_seen_any_more() {
    let mut server = Setup::default().set("LIMITS__UPLOAD_S", 1).set("CLEANING__GRACE_S", 2).start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let shop = server.operator().add_shop("cafe", HERE);
    let picture = halves(400, 300, ImageFormat::Jpeg);
    let in_album = to_album(&anna, picture.clone());
    let in_room = to_room(&anna, shop, picture.clone(), "窗边的座位");
    let direct = to_person(&anna, ben.user, picture);
    let of_ben = to_album(&ben, halves(120, 90, ImageFormat::Png));
    shown(&anna, "/user_logos/show", &in_album, 1);
    shown(&ben, "/photos/show", &in_room, 2);
    shown(&ben, "/user_logos/show", &of_ben, 1);
    let location = shown(&ben, "/photo2s/show", &direct, 2).header("location").to_owned();
    assert_eq!(fetched(&server, &location).status, 200);
    assert!(in_clear(server.dir()).is_empty(), "{:?} stands on the disk", in_clear(server.dir()));

    anna.post("/user_info/delete", &[("pass", &password_of("anna"))]).ok();
    ben.get("/photos/show", &[("id", &in_room)]).refused(404, "photo_unknown");
    ben.get("/photo2s/show", &[("id", &direct)]).refused(404, "photo_unknown");
    ben.get("/user_logos/show", &[("id", &in_album)]).refused(404, "photo_unknown");
    assert_eq!(fetched(&server, &location).status, 404, "a URL from before opens nothing");
    assert_eq!(shown(&ben, "/user_logos/show", &of_ben, 1).status, 302, "what is others' stays");
    until_only(&server, 3);
    server.operator().compare_all();
    let jobs = server.operator().get("/admin/jobs").ok();
    assert_eq!(jobs.as_array().map(Vec::len), Some(0), "{jobs}");
}

/// Waits until so many objects are left.
#[track_caller]
fn until_only(server: &Server, count: usize) {
    let begun = std::time::Instant::now();
    loop {
        let mut all = Vec::new();
        files(&server.dir().join("objects"), &mut all);
        if all.len() == count {
            return;
        }
        assert!(begun.elapsed().as_secs() < 60, "{} objects, not {count}", all.len());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}
