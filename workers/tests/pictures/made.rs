//! Pictures that the tests make: a scene in which no side and no corner is like another.

use image::{DynamicImage, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};

/// Four corners of four colours over a slope, and a dark mark near the upper left.
pub fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let slope = u8::try_from((x * 60 / width) + (y * 60 / height)).unwrap();
        let mark = x * 5 / width == 1 && y * 7 / height == 1;
        match (x * 2 >= width, y * 2 >= height) {
            _ if mark => Rgb([10, 10, 10]),
            (false, false) => Rgb([200, 30 + slope, 30]),
            (true, false) => Rgb([30, 180, 30 + slope]),
            (false, true) => Rgb([30 + slope, 40, 190]),
            (true, true) => Rgb([210, 200, 60 + slope]),
        }
    })
}

/// Exif of one entry: how to turn the picture. A GPS pointer would stand beside it.
pub fn exif(orientation: u8) -> Vec<u8> {
    let mut segment = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    segment.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    segment
}

/// What a JPEG is made with.
#[derive(Default)]
pub struct Jpeg<'a> {
    pub segments: &'a [(u8, &'a [u8])],
    pub progressive: bool,
    pub full_colour: bool,
}

impl Jpeg<'_> {
    pub fn of(&self, image: &RgbImage) -> Vec<u8> {
        self.of_samples(image, image.dimensions(), ColorType::Rgb)
    }

    pub fn of_samples(&self, samples: &[u8], (width, height): (u32, u32), colours: ColorType) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, 92);
        encoder.set_progressive(self.progressive);
        let sampling =
            if self.full_colour { jpeg_encoder::SamplingFactor::F_1_1 } else { jpeg_encoder::SamplingFactor::F_2_2 };
        encoder.set_sampling_factor(sampling);
        for (number, data) in self.segments {
            encoder.add_app_segment(*number, data.to_vec()).unwrap();
        }
        encoder.encode(samples, u16::try_from(width).unwrap(), u16::try_from(height).unwrap(), colours).unwrap();
        out
    }
}

/// A PNG of 8-bit samples, with these chunks before its pixels.
pub fn png(image: &DynamicImage, chunks: &[([u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, image.width(), image.height());
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(match image.color().channel_count() {
        1 => png::ColorType::Grayscale,
        2 => png::ColorType::GrayscaleAlpha,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    let mut writer = encoder.write_header().unwrap();
    for (name, data) in chunks {
        writer.write_chunk(png::chunk::ChunkType(*name), data).unwrap();
    }
    writer.write_image_data(image.as_bytes()).unwrap();
    drop(writer);
    out
}

/// One chunk of a PNG.
pub fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(name);
    crc.update(data);
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length[..], name, data, &crc.sum().to_be_bytes()].concat()
}

/// A PNG's beginning up to its pixels.
pub fn png_head(width: u32, height: u32, depth: u8, colour: u8, interlaced: bool) -> Vec<u8> {
    let header =
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, u8::from(interlaced)]].concat();
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"IHDR", &header)].concat()
}

/// A PNG of rows of zeros, unless `fill` writes others; never held whole.
pub fn png_of_rows(head: &[u8], rows: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for row in rows {
        packed.write_all(&[0]).unwrap();
        packed.write_all(&row).unwrap();
    }
    [head.to_vec(), chunk(b"IDAT", &packed.finish().unwrap()), chunk(b"IEND", &[])].concat()
}

/// A picture in the order of interlaced rows (PNG, 8.2).
pub fn interlaced(image: &RgbImage) -> Vec<u8> {
    const PASSES: [(u32, u32, u32, u32); 7] =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];
    let (width, height) = image.dimensions();
    let rows = PASSES.iter().flat_map(move |(left, top, across, down)| {
        (*top..height).step_by(*down as usize).filter_map(move |y| {
            let row: Vec<u8> = (*left..width).step_by(*across as usize).flat_map(|x| image.get_pixel(x, y).0).collect();
            (!row.is_empty()).then_some(row)
        })
    });
    png_of_rows(&png_head(width, height, 8, 2, true), rows)
}

/// An animation of `frames` frames of one colour each, with a comment.
pub fn animation(width: u16, height: u16, frames: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let palette = [255, 0, 0, 0, 0, 255, 0, 255, 0];
    let mut encoder = gif::Encoder::new(&mut out, width, height, &palette).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    for frame in 0..frames {
        encoder.write_raw_extension(gif::AnyExtension(0xfe), &[b"secret"]).unwrap();
        let pixels = vec![frame % 3; usize::from(width) * usize::from(height)];
        let mut frame = gif::Frame::from_indexed_pixels(width, height, pixels, None);
        frame.palette = None;
        frame.delay = 7;
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    out
}
