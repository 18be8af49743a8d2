//! The forms that come, their colours, and that nothing but the picture leaves.

use dface_domain::objects::Format;
use dface_workers::pictures::{Made, PictureLimits, process};
use image::{DynamicImage, Rgba, RgbaImage};
use jpeg_encoder::ColorType;

use crate::made::{self, Jpeg, animation, exif, interlaced, scene};
use crate::seen::{decoded, difference, holds};

fn made(bytes: &[u8]) -> Made {
    process(bytes, &[200], &PictureLimits::default()).unwrap()
}

#[test]
fn no_metadata_leave() {
    let segments: [(u8, &[u8]); 4] =
        [(1, &exif(1)), (1, b"http://ns.adobe.com/xap/1.0/\0secret"), (13, b"Photoshop secret"), (15, b"secret")];
    let mut jpeg = Jpeg { segments: &segments, ..Jpeg::default() }.of(&scene(300, 200));
    jpeg.extend_from_slice(b"secret after the end");
    let png = made::png(
        &scene(300, 200).into(),
        &[(*b"tEXt", b"Comment\0secret"), (*b"eXIf", &exif(1)[6..]), (*b"seCr", b"secret")],
    );
    for file in [jpeg, png, animation(30, 20, 3)] {
        assert!(holds(&file, b"secret"));
        let made = made(&file);
        for out in made.squares.iter().chain([&made.picture]) {
            assert!(!holds(&out.bytes, b"secret") && !holds(&out.bytes, b"Exif"), "{:?}", out.format);
        }
    }
}

#[test]
fn progressive_grey_and_cmyk_jpeg_keep_their_colours() {
    let source = scene(1600, 1200);
    let wanted = image::imageops::resize(&source, 960, 720, image::imageops::FilterType::Lanczos3);
    let progressive = made(&Jpeg { progressive: true, ..Jpeg::default() }.of(&source));
    assert!(difference(&decoded(&progressive.picture).to_rgb8(), &wanted) < 2.0);

    let inks: Vec<u8> = source.pixels().flat_map(|p| [255 - p.0[0], 255 - p.0[1], 255 - p.0[2], 0]).collect();
    for colours in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let made = made(&Jpeg::default().of_samples(&inks, source.dimensions(), colours));
        let off = difference(&decoded(&made.picture).to_rgb8(), &wanted);
        assert!(off < 3.0, "{colours:?}: {off}");
    }

    let grey = DynamicImage::from(source).to_luma8();
    let made = made(&Jpeg::default().of_samples(&grey, grey.dimensions(), ColorType::Luma));
    assert_eq!(decoded(&made.picture).color(), image::ColorType::L8);
}

#[test]
fn inks_that_are_not_stored_the_way_of_adobe_are_not_turned_over() {
    let inks: Vec<u8> = (0..64 * 64).flat_map(|_| [0, 255, 255, 0]).collect();
    let adobe = Jpeg::default().of_samples(&inks, (64, 64), ColorType::Cmyk);
    let mark = adobe.windows(5).position(|window| window == b"Adobe").unwrap();
    let mut plain = adobe;
    // Another name, and what was "no ink" is all ink.
    plain[mark] = b'X';
    let made = made(&plain);
    let pixel = *decoded(&made.picture).to_rgb8().get_pixel(30, 30);
    assert!(pixel.0.iter().all(|sample| *sample < 30), "all black ink: {pixel:?}");
}

#[test]
fn png_keeps_what_is_transparent() {
    let half =
        RgbaImage::from_fn(1200, 600, |x, _| if x < 600 { Rgba([0, 0, 0, 0]) } else { Rgba([250, 120, 0, 255]) });
    let made = made(&made::png(&half.into(), &[]));
    assert_eq!((made.picture.format, made.picture.width, made.picture.height), (Format::Png, 960, 480));
    for out in [&made.picture, &made.squares[0]] {
        let image = decoded(out).to_rgba8();
        let (left, right) = (image.get_pixel(5, 50).0, image.get_pixel(image.width() - 5, 50).0);
        assert_eq!((left[3], right), (0, [250, 120, 0, 255]), "no dark edge, no white ground");
    }
}

#[test]
fn a_large_png_is_shrunk_row_by_row_to_what_it_was() {
    let source = scene(4001, 2999);
    let wanted = image::imageops::resize(&source, 960, 720, image::imageops::FilterType::Lanczos3);
    for file in [made::png(&source.clone().into(), &[]), interlaced(&source)] {
        let off = difference(&decoded(&made(&file).picture).to_rgb8(), &wanted);
        assert!(off < 1.0, "{off}");
    }
}

#[test]
fn interlaced_16_bit_and_animated_png_of_others() {
    let interlaced = made(include_bytes!("../fixtures/png_interlaced_rgb.png"));
    assert_eq!((interlaced.picture.width, interlaced.picture.height), (32, 32));
    // PngSuite: green at the lower left, white above, red at the upper right.
    let image = decoded(&interlaced.picture).to_rgb8();
    let reference = image::load_from_memory(include_bytes!("../fixtures/png_interlaced_rgb.png")).unwrap().to_rgb8();
    assert!(difference(&image, &reference) < 40.0, "as it was, but for its gamma");

    let deep = made(include_bytes!("../fixtures/png16_rgba.png"));
    let image = decoded(&deep.picture).to_rgba8();
    // From nearly clear to nearly solid.
    assert!(image.pixels().any(|p| p.0[3] < 30) && image.pixels().any(|p| p.0[3] > 225));

    let cat = made(include_bytes!("../fixtures/progressive_cat.jpg"));
    let reference = image::load_from_memory(include_bytes!("../fixtures/progressive_cat.jpg")).unwrap().to_rgb8();
    assert!(difference(&decoded(&cat.picture).to_rgb8(), &reference) < 4.0);
}

#[test]
fn an_animation_stays_one_where_it_is_small() {
    let file = animation(320, 240, 5);
    let made_gif = made(&file);
    assert_eq!((made_gif.picture.format, made_gif.picture.width), (Format::Gif, 320));
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut again = options.read_info(&made_gif.picture.bytes[..]).unwrap();
    let mut colours = Vec::new();
    while let Some(frame) = again.read_next_frame().unwrap() {
        assert_eq!(frame.delay, 7);
        colours.push(<[u8; 3]>::try_from(&frame.buffer[..3]).unwrap());
    }
    assert_eq!(colours, [[255, 0, 0], [0, 0, 255], [0, 255, 0], [255, 0, 0], [0, 0, 255]]);
    assert_eq!(again.repeat(), gif::Repeat::Infinite);
    assert_eq!(decoded(&made_gif.squares[0]).to_rgb8().get_pixel(9, 9).0, [255, 0, 0], "the first frame");

    let ball = made(include_bytes!("../fixtures/apng_ball.png"));
    assert!(holds(&ball.picture.bytes, b"acTL") && holds(&ball.picture.bytes, b"fdAT"), "still moving");
    assert_eq!(decoded(&ball.picture).width(), 100);
}

#[test]
fn of_a_large_animation_the_first_frame_is_kept() {
    let made = made(&animation(1920, 1000, 3));
    assert_eq!((made.picture.format, made.picture.width, made.picture.height), (Format::Gif, 960, 500));
    assert_eq!(gif::Decoder::new(&made.picture.bytes[..]).unwrap().into_iter().count(), 1);
    assert_eq!(decoded(&made.picture).to_rgb8().get_pixel(480, 250).0, [255, 0, 0]);
}

#[test]
fn a_frame_that_leaves_part_of_the_canvas_leaves_it_transparent() {
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, 100, 100, &[0, 0, 255]).unwrap();
    let mut frame = gif::Frame::from_indexed_pixels(50, 50, vec![0; 2500], None);
    (frame.left, frame.top, frame.palette) = (50, 50, None);
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    let square = decoded(&made(&file).squares[0]).to_rgba8();
    assert_eq!((square.get_pixel(20, 20).0[3], square.get_pixel(180, 180).0), (0, [0, 0, 255, 255]));
}
