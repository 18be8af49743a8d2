//! Sizes, orientation, crops.

use dface_domain::objects::Format;
use dface_workers::pictures::{Made, PictureLimits, process};
use image::{DynamicImage, imageops};

use crate::made::{Jpeg, exif, scene};
use crate::seen::{decoded, difference};

fn made(bytes: &[u8]) -> Made {
    process(bytes, &[100, 200], &PictureLimits::default()).unwrap()
}

/// The picture as a camera that was held so stores it.
fn stored_as(image: &DynamicImage, orientation: u8) -> DynamicImage {
    match orientation {
        2 => image.fliph(),
        3 => image.rotate180(),
        4 => image.flipv(),
        5 => image.rotate90().fliph(),
        6 => image.rotate270(),
        7 => image.rotate270().fliph(),
        8 => image.rotate90(),
        _ => image.clone(),
    }
}

#[test]
fn all_eight_orientations_come_out_upright() {
    let upright = DynamicImage::from(scene(1500, 1000));
    let wanted = image::imageops::resize(&upright.to_rgb8(), 960, 640, imageops::FilterType::Lanczos3);
    for orientation in 1..=8 {
        let stored = stored_as(&upright, orientation).to_rgb8();
        let made = made(&Jpeg { segments: &[(1, &exif(orientation))], ..Jpeg::default() }.of(&stored));
        assert_eq!((made.picture.width, made.picture.height), (960, 640), "{orientation}");
        let off = difference(&decoded(&made.picture).to_rgb8(), &wanted);
        assert!(off < 2.0, "orientation {orientation}: {off}");
        let square = image::imageops::crop_imm(&wanted, 160, 0, 640, 640).to_image();
        let square = image::imageops::resize(&square, 200, 200, imageops::FilterType::Lanczos3);
        let off = difference(&decoded(&made.squares[1]).to_rgb8(), &square);
        assert!(off < 2.0, "thumbnail of orientation {orientation}: {off}");
    }
}

#[test]
fn thumbnails_are_png_in_the_asked_order_and_fill_their_square() {
    for (width, height) in [(1200, 900), (900, 1200), (60, 40), (2, 2), (1, 1), (3000, 150), (150, 3000)] {
        let made = made(&Jpeg::default().of(&scene(width, height)));
        assert_eq!(made.picture.format, Format::Jpeg);
        let sides: Vec<_> = made.squares.iter().map(|s| (s.format, s.width, s.height)).collect();
        assert_eq!(sides, [(Format::Png, 100, 100), (Format::Png, 200, 200)]);
        for square in &made.squares {
            assert!(decoded(square).to_rgba8().pixels().all(|pixel| pixel.0[3] == 255), "it fills its square");
        }
        let long = width.max(height).min(960);
        assert_eq!(made.picture.width.max(made.picture.height), long, "scaled down, never up");
    }
}

#[test]
fn a_strip_gives_thumbnails_of_its_own_pixels() {
    // Stored as 960x48, but its thumbnail is cut from all 150 pixels of its height.
    let strip = scene(3000, 150);
    let wanted = image::imageops::crop_imm(&strip, 1425, 0, 150, 150).to_image();
    let wanted = image::imageops::resize(&wanted, 100, 100, imageops::FilterType::Lanczos3);
    let made = made(&Jpeg { full_colour: true, ..Jpeg::default() }.of(&strip));
    assert_eq!((made.picture.width, made.picture.height), (960, 48));
    assert!(difference(&decoded(&made.squares[0]).to_rgb8(), &wanted) < 2.0);
}

#[test]
fn shrinking_on_load_shows_what_a_full_decode_shows() {
    for (width, height) in [(4000, 3000), (8001, 2003), (1999, 1501)] {
        let source = scene(width, height);
        let made = made(&Jpeg::default().of(&source));
        let wanted =
            image::imageops::resize(&source, made.picture.width, made.picture.height, imageops::FilterType::Lanczos3);
        let off = difference(&decoded(&made.picture).to_rgb8(), &wanted);
        assert!(off < 2.0, "{width}x{height}: {off}");
    }
}

#[test]
fn each_limit_is_a_setting() {
    let file = Jpeg::default().of(&scene(640, 400));
    let limits = PictureLimits { side: 320, ..PictureLimits::default() };
    let made = process(&file, &[50], &limits).unwrap();
    assert_eq!((made.picture.width, made.picture.height, made.squares[0].width), (320, 200, 50));
}
