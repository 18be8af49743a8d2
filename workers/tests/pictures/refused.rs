//! What is refused, and as what: before a pixel is decoded where the head tells it.

use std::io::Cursor;

use dface_workers::pictures::{Head, PictureLimits, Refusal, check, process};
use image::RgbImage;

use crate::made::{Jpeg, animation, chunk, interlaced, png, png_head, png_of_rows, scene};

fn head(bytes: &[u8]) -> Result<Head, Refusal> {
    check(Cursor::new(bytes), &PictureLimits::default())
}

/// What `limits` say to a file, in a word.
fn word(bytes: &[u8], limits: &PictureLimits) -> &'static str {
    match process(bytes, &[100], limits) {
        Ok(_) => "ok",
        Err(Refusal::Unsupported) => "unsupported",
        Err(Refusal::TooLarge { what, .. }) => what,
        Err(Refusal::Undecodable(_)) => "undecodable",
        Err(Refusal::Io(_)) => "io",
    }
}

#[test]
fn the_form_is_told_by_the_content() {
    let webp = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\x01\0\x9d\x01\x2a";
    for other in [&webp[..], b"BM1234567890", b"%PDF-1.4", b"<svg xmlns='x'/>", b"G", b"\xff\xd8", b"II*\0\x08\0\0\0"] {
        assert!(matches!(head(other), Err(Refusal::Unsupported)), "{other:?}");
    }
    assert!(matches!(head(b""), Err(Refusal::Undecodable(_))));
    let size = head(&Jpeg::default().of(&scene(31, 17))).map(|head| (head.width, head.height)).unwrap();
    assert_eq!(size, (31, 17));
}

#[test]
fn a_head_that_makes_no_sense_is_undecodable_at_once() {
    let heads: [&[u8]; 7] = [
        b"\xff\xd8\xff\xe1\0\0garbage",
        b"\xff\xd8\xff\xe1\0\x08short",
        b"\xff\xd8\xff\xda\0\x08",
        // Sampling by nothing.
        b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\0\0",
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIDAT",
        b"GIF89a\x01\0\x01\0\0\0\0\x99",
        b"GIF89a\x01\0\x01\0\0\0\0;",
    ];
    for bytes in heads {
        assert!(matches!(head(bytes), Err(Refusal::Undecodable(_))), "{bytes:?}");
    }
    assert!(matches!(head(&png_head(0, 5, 8, 2, false)), Err(Refusal::Undecodable(_))));
}

#[test]
fn each_limit_is_told_by_the_head() {
    let limits = PictureLimits::default();
    let jpeg = Jpeg::default().of(&scene(640, 480));
    assert_eq!(word(&jpeg, &PictureLimits { bytes: 1_000, ..limits }), "bytes");
    assert_eq!(word(&jpeg, &PictureLimits { pixels: 307_199, ..limits }), "pixels");
    assert_eq!(word(&jpeg, &PictureLimits { pixels: 307_200, ..limits }), "ok");
    assert_eq!(word(&png_head(65_536, 65_536, 1, 3, false), &limits), "pixels");
    assert_eq!(word(&png_head(50_000_000, 1, 16, 6, false), &limits), "pixels on one side");
    let progressive = Jpeg { progressive: true, full_colour: true, ..Jpeg::default() }.of(&scene(640, 480));
    assert_eq!(word(&progressive, &PictureLimits { working_bytes: 1_843_199, ..limits }), "bytes to decode");
    assert_eq!(word(&progressive, &PictureLimits { working_bytes: 1_843_200, ..limits }), "ok");
    assert_eq!(word(&progressive, &PictureLimits { scans: 2, ..limits }), "scans");
    assert_eq!(
        word(&interlaced(&scene(64, 64)), &PictureLimits { working_bytes: 16_383, ..limits }),
        "bytes to decode"
    );
    let animation = animation(100, 100, 10);
    assert_eq!(word(&animation, &PictureLimits { animation_pixels: 99_999, ..limits }), "pixels in all its frames");
    assert_eq!(word(&animation, &PictureLimits { animation_pixels: 100_000, ..limits }), "ok");
    let ball = include_bytes!("../fixtures/apng_ball.png");
    assert_eq!(word(ball, &PictureLimits { animation_pixels: 100_000, ..limits }), "pixels in all its frames");
}

#[test]
fn what_ends_too_early_is_undecodable() {
    let image = scene(400, 300);
    let files = [
        Jpeg::default().of(&image),
        Jpeg { progressive: true, ..Jpeg::default() }.of(&image),
        png(&image.into(), &[]),
        animation(100, 100, 4),
    ];
    for file in files {
        for part in [9, 20, 30, 60, 90] {
            let cut = &file[..file.len() * part / 100];
            let word = word(cut, &PictureLimits::default());
            assert_eq!(word, "undecodable", "{part} % of a {:?}", &file[..4]);
        }
    }
}

#[test]
fn bombs_are_refused_by_their_head() {
    // A frame far larger than the canvas it says.
    let gif = b"GIF89a\x20\0\x20\0\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x01\x01\0;";
    assert_eq!(word(gif, &PictureLimits::default()), "pixels");
    // A profile that unpacks to 64 MB is left alone.
    let profile = [&b"x\0\0"[..], &packed(&vec![0; 64 << 20])].concat();
    let file = [png_head(4, 4, 8, 2, false), chunk(b"iCCP", &profile)].concat();
    let file = png_of_rows(&file, (0..4).map(|_| vec![9; 12]));
    assert!(["ok", "undecodable"].contains(&word(&file, &PictureLimits::default())));
    // Pixels behind the last one are not unpacked.
    let long = png_of_rows(&png_head(4, 4, 8, 2, false), (0..4).map(|_| vec![9; 12]).chain([vec![0; 256 << 20]]));
    assert!(["ok", "undecodable"].contains(&word(&long, &PictureLimits::default())));
    let peak = peak_bytes();
    assert!(peak < (256 + 64 + 64) << 20, "making the bombs took 256 MB, reading them nothing like it: {peak}");
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// The most memory that this process has held.
pub fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// One process for each test is the rule here (nextest), so the peak is this test's own.
#[test]
fn fifty_megapixels_take_under_300_megabytes() {
    const MOST: u64 = 300_000_000;
    let limits = PictureLimits::default();
    let deep = || (0..7_000).map(|y| vec![u8::try_from(y % 251).unwrap(); 7_000 * 8]);
    let png16 = png_of_rows(&png_head(7_000, 7_000, 16, 6, false), deep());
    assert_eq!(word(&png16, &limits), "ok");
    assert_eq!(word(&png_of_rows(&png_head(7_000, 7_000, 16, 6, true), deep().take(1)), &limits), "undecodable");
    let peak = peak_bytes();
    assert!(peak < MOST, "a large PNG: {peak}");
    let jpeg = |progressive, full_colour| {
        let flat = RgbImage::new(8_000, 6_250);
        Jpeg { progressive, full_colour, ..Jpeg::default() }.of(&flat)
    };
    let baseline = jpeg(false, true);
    drop(png16);
    let before = peak_bytes();
    assert_eq!(word(&baseline, &limits), "ok");
    let after = peak_bytes();
    assert!(after <= before.max(MOST), "a large JPEG: {after}, making it: {before}");
}
