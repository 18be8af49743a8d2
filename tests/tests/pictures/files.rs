//! Stored files by their signed URLs (spec http.md, "URLs in answers"; §11 to §30: ETag, ranges, immutable).

use std::time::Duration;

use dface_tests::{Server, Setup};
use image::ImageFormat;
use reqwest::Method;

use super::{fetched, fetched_with, halves, shown, to_album};

fn location(server: &mut Server) -> String {
    let anna = server.person("anna", 2);
    let id = to_album(&anna, halves(400, 300, ImageFormat::Jpeg));
    let answer = shown(&anna, "/user_logos/show", &id, 0);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    answer.header("location").to_owned()
}

#[test]
fn a_file_is_served_with_an_etag_in_parts_and_for_ever() {
    let mut server = Server::start();
    let location = location(&mut server);
    let whole = fetched(&server, &location);
    let header = |name: &str| whole.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!((whole.status, whole.media_type.as_str()), (200, "image/jpeg"));
    assert_eq!((header("x-content-type-options"), header("accept-ranges")), ("nosniff", "bytes"));
    let (etag, cache) = (header("etag").to_owned(), header("cache-control").to_owned());
    assert!(etag.len() == 66 && etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    assert!(cache.starts_with("private, max-age=") && cache.ends_with(", immutable"), "{cache}");
    let with = |headers: &[(&str, &str)]| fetched_with(&server, Method::GET, &location, headers);
    for known in [etag.as_str(), "*", &format!("\"x\", W/{etag}")] {
        let same = with(&[("if-none-match", known)]);
        assert_eq!((same.status, same.bytes.len()), (304, 0), "{known}");
    }
    assert_eq!(with(&[("if-none-match", "\"x\"")]).status, 200);
    let length = whole.bytes.len();
    for (asked, from, to) in [("bytes=0-9", 0, 10), ("bytes=10-", 10, length), ("bytes=-7", length - 7, length)] {
        let part = with(&[("range", asked)]);
        assert_eq!((part.status, part.bytes.as_slice()), (206, &whole.bytes[from..to]), "{asked}");
        let range = part.headers.get("content-range").and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(range, format!("bytes {from}-{}/{length}", to - 1));
    }
    assert_eq!(with(&[("range", "bytes=0-9"), ("if-range", &etag)]).status, 206);
    assert_eq!(with(&[("range", "bytes=0-9"), ("if-range", "\"x\"")]).status, 200);
    assert_eq!(with(&[("range", "bytes=99999999-")]).status, 416);
    assert_eq!(with(&[("range", "lines=1-2")]).status, 200);
    let head = fetched_with(&server, Method::HEAD, &location, &[]);
    let announced = head.headers.get("content-length").and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!((head.status, head.bytes.len(), announced), (200, 0, length.to_string().as_str()));
}

#[test]
fn a_url_that_was_changed_opens_nothing() {
    let mut server = Server::start();
    let location = location(&mut server);
    let anna = location.split("about=").nth(1).and_then(|rest| rest.split('&').next()).expect("about").to_owned();
    let until = location.split("until=").nth(1).and_then(|rest| rest.split('&').next()).expect("until").to_owned();
    let later = (until.parse::<i64>().expect("seconds") + 60).to_string();
    for changed in [
        location.replace(&format!("until={until}"), &format!("until={later}")),
        location.replace(&format!("about={anna}"), "about=user:999"),
        location.replace(&format!("about={anna}&"), ""),
        location.replace(".jpg", ".png"),
        location.replace("sig=", "sig=0"),
    ] {
        let answer = fetched(&server, &changed);
        assert!(String::from_utf8_lossy(&answer.bytes).contains("wrong_signature"), "{changed}");
        assert_eq!(answer.status, 403, "{changed}");
    }
    let bare = location.split('?').next().expect("a path");
    assert_eq!(fetched(&server, bare).status, 400);
    assert_eq!(fetched(&server, "/objects/../keys/keys").status, 404);
    assert_eq!(fetched(&server, "/objects/%2e%2e%2fkeys?sig=0").status, 400);
}

#[test]
fn a_url_ends() {
    // Ends fall on whole minutes, so this one holds for a minute at most.
    let mut server = Setup::default().set("OBJECT_URLS__SECONDS", 60).start();
    let anna = server.person("anna", 2);
    let id = to_album(&anna, halves(40, 30, ImageFormat::Png));
    let location = shown(&anna, "/user_logos/show", &id, 1).header("location").to_owned();
    let begun = std::time::Instant::now();
    loop {
        let answer = fetched(&server, &location);
        if answer.status == 403 {
            assert!(String::from_utf8_lossy(&answer.bytes).contains("url_expired"));
            break;
        }
        assert_eq!(answer.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(70), "it still holds");
        std::thread::sleep(Duration::from_millis(500));
    }
    assert_eq!(shown(&anna, "/user_logos/show", &id, 1).status, 302, "asking again gives a new one");
}
