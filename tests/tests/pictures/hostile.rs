//! What is no picture, too large, or broken.

use std::io::Write as _;

use dface_tests::{Server, Setup};
use image::ImageFormat;

use super::{HERE, halves, shown, to_album, to_room, upload};

#[test]
fn what_is_no_jpeg_gif_or_png_is_refused_by_its_content() {
    let mut server = Server::start();
    let anna = server.person("anna", 2);
    let webp = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0".to_vec();
    for bytes in [webp, b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), b"GIF".to_vec(), Vec::new()] {
        let answer = upload(&anna, "/user_logos", "user_logo[img]", bytes.clone(), &[]);
        assert!(matches!(answer.status, 415 | 422), "{answer}");
    }
    let refused = upload(&anna, "/user_logos", "user_logo[img]", b"%PDF-1.4 and more".to_vec(), &[]);
    assert!(refused.refused(415, "unsupported_picture").starts_with("user_logo[img]"));
    // As a form without a file it is no upload at all.
    anna.post("/user_logos", &[("user_logo[img]", &"abc")]).refused(400, "missing_parameter");
}

#[test]
fn bytes_and_pixels_are_limited_before_anything_is_decoded() {
    let mut server =
        Setup::default().set("LIMITS__PICTURE_BYTES", 100_000).set("LIMITS__PICTURE_PIXELS", 100_000).start();
    let anna = server.person("anna", 2);
    let large = upload(&anna, "/user_logos", "user_logo[img]", vec![0xff; 100_001], &[]);
    assert!(large.refused(413, "part_too_large").contains("user_logo[img]"));
    let wide = upload(&anna, "/user_logos", "user_logo[img]", halves(400, 300, ImageFormat::Jpeg), &[]);
    assert!(wide.refused(413, "picture_too_large").contains("120000 pixels"));
    to_album(&anna, halves(300, 300, ImageFormat::Jpeg));
}

#[test]
fn what_decoding_may_hold_and_an_animation_may_have_are_settings() {
    let mut server = Setup::default().set("LIMITS__PICTURE_WORKING_BYTES", 50_000).start();
    let anna = server.person("anna", 2);
    let refused = upload(&anna, "/user_logos", "user_logo[img]", halves(400, 300, ImageFormat::Gif), &[]);
    refused.refused(413, "picture_too_large");
    let mut server = Setup::default().set("LIMITS__ANIMATION_PIXELS", 50_000).start();
    let anna = server.person("anna", 2);
    let refused = upload(&anna, "/user_logos", "user_logo[img]", halves(400, 300, ImageFormat::Gif), &[]);
    assert!(refused.refused(413, "picture_too_large").contains("in all its frames"));
}

/// A PNG whose head is good and whose data is none.
fn broken() -> Vec<u8> {
    let whole = halves(64, 64, ImageFormat::Png);
    let data = whole.windows(4).position(|name| name == b"IDAT").expect("data");
    let mut broken = whole[..data + 8].to_vec();
    broken.write_all(&[0x5a; 200]).expect("in memory");
    broken
}

#[test]
fn a_picture_that_cannot_be_decoded_is_marked_and_its_message_stays() {
    let mut server = Server::start();
    let (anna, ben) = (server.person("anna", 2), server.person("ben", 1));
    let shop = server.operator().add_shop("cafe", HERE);
    let id = to_room(&anna, shop, broken(), "窗边");
    let told = shown(&anna, "/photos/show", &id, 2).refused(422, "undecodable");
    assert!(told.starts_with("id: this picture cannot be decoded"), "{told}");
    ben.get("/photos/show", &[("id", &id)]).refused(404, "photo_unknown");
    let in_album = to_album(&anna, broken());
    shown(&anna, "/user_logos/show", &in_album, 0).refused(422, "undecodable");
    ben.get("/user_info/logo", &[("id", &anna.user)]).refused(404, "not_found");
    let jobs = server.operator().get("/admin/jobs").ok();
    assert_eq!(jobs.as_array().map(Vec::len), Some(0), "it is not tried for ever: {jobs}");
    anna.post("/user_logos/delete", &[("id", &in_album)]).ok();
}
