//! The files that are stored.

use dface_domain::objects::Format;
use image::DynamicImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// At 960 pixels no difference is seen on a phone, and a photo takes some 100 KB; 95 doubles that.
const JPEG_QUALITY: u8 = 85;

/// What a GIF's colours are chosen by: 1 is the best, 30 the fastest; the library's own middle.
const GIF_SPEED: i32 = 10;

pub(super) fn encode(image: &DynamicImage, format: Format) -> Result<Vec<u8>, String> {
    match format {
        Format::Jpeg => jpeg(image).map_err(|e| e.to_string()),
        Format::Png => png(image).map_err(|e| e.to_string()),
        Format::Gif => gif(image).map_err(|e| e.to_string()),
        Format::Amr | Format::M4a | Format::Ogg => Err("a voice is no picture".to_owned()),
    }
}

fn jpeg(image: &DynamicImage) -> Result<Vec<u8>, jpeg_encoder::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let (width, height) = (side(image.width()), side(image.height()));
    match image {
        DynamicImage::ImageLuma8(grey) => encoder.encode(grey, width, height, ColorType::Luma)?,
        other => encoder.encode(&other.to_rgb8(), width, height, ColorType::Rgb)?,
    }
    Ok(out)
}

fn png(image: &DynamicImage) -> Result<Vec<u8>, png::EncodingError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, image.width(), image.height());
    let opaque = opaque(image);
    let image = opaque.as_ref().unwrap_or(image);
    encoder.set_color(match image.color().channel_count() {
        1 => png::ColorType::Grayscale,
        2 => png::ColorType::GrayscaleAlpha,
        3 => png::ColorType::Rgb,
        _ => png::ColorType::Rgba,
    });
    encoder.set_depth(png::BitDepth::Eight);
    // Of a photo's thumbnail the better levels take 2 % off at 20 times the work.
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header()?.write_image_data(image.as_bytes())?;
    Ok(out)
}

/// The picture without its alpha, where nothing of it is transparent.
fn opaque(image: &DynamicImage) -> Option<DynamicImage> {
    match image {
        DynamicImage::ImageRgba8(rgba) if rgba.pixels().all(|p| p.0[3] == u8::MAX) => Some(image.to_rgb8().into()),
        DynamicImage::ImageLumaA8(grey) if grey.pixels().all(|p| p.0[1] == u8::MAX) => Some(image.to_luma8().into()),
        _ => None,
    }
}

fn gif(image: &DynamicImage) -> Result<Vec<u8>, gif::EncodingError> {
    let (width, height) = (side(image.width()), side(image.height()));
    let mut pixels = image.to_rgba8().into_raw();
    let frame = gif::Frame::from_rgba_speed(width, height, &mut pixels, GIF_SPEED);
    let mut out = Vec::new();
    gif::Encoder::new(&mut out, width, height, &[])?.write_frame(&frame)?;
    Ok(out)
}

/// A side that is within the limit by now.
fn side(pixels: u32) -> u16 {
    u16::try_from(pixels).unwrap_or(u16::MAX)
}
