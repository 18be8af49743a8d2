//! GIF: the first frame for thumbnails; the animation itself, its frames encoded anew, where it is small enough to stay one.

use std::io::{Cursor, Read, Seek};

use dface_domain::objects::Format;
use gif::{ColorOutput, DecodeOptions, Decoder, Encoder, Frame, MemoryLimit, Repeat};
use image::metadata::Orientation;

use super::{Decoded, Head, MadePicture, PictureLimits, Refusal, Wanted, head::Source, shrink::Shrink};

/// Walks the blocks (GIF89a, appendix B): the canvas, grown to hold all frames as viewers do, and what they hold together.
pub(super) fn head<R: Read + Seek>(mut source: Source<R>, limits: &PictureLimits) -> Result<Head, Refusal> {
    source.bytes::<6>()?;
    let [w0, w1, h0, h1, flags, _, _] = source.bytes()?;
    let (mut width, mut height) = (u32::from(u16::from_le_bytes([w0, w1])), u32::from(u16::from_le_bytes([h0, h1])));
    skip_palette(&mut source, flags)?;
    let (mut frames, mut largest) = (0_u64, 0);
    loop {
        match source.byte()? {
            0x21 => {
                source.byte()?;
            }
            0x2c => {
                let (left, top) = (u16::from_le_bytes(source.bytes()?), u16::from_le_bytes(source.bytes()?));
                let (across, down) = (u16::from_le_bytes(source.bytes()?), u16::from_le_bytes(source.bytes()?));
                let flags = source.byte()?;
                skip_palette(&mut source, flags)?;
                source.byte()?;
                width = width.max(u32::from(left) + u32::from(across));
                height = height.max(u32::from(top) + u32::from(down));
                // Before the rest is read: it may be missing.
                Refusal::over("pixels", u64::from(width) * u64::from(height), limits.pixels)?;
                let pixels = u64::from(across) * u64::from(down);
                frames += pixels;
                largest = pixels.max(largest);
            }
            0x3b if frames > 0 => break,
            _ => return Err(Refusal::broken("its GIF blocks make no sense")),
        }
        skip_blocks(&mut source)?;
    }
    Refusal::over("pixels in all its frames", frames, limits.animation_pixels)?;
    Ok(Head { format: Format::Gif, width, height, working: largest })
}

fn skip_palette<R: Read + Seek>(source: &mut Source<R>, flags: u8) -> Result<(), Refusal> {
    if flags & 0x80 == 0 { Ok(()) } else { source.skip(3 << ((flags & 7) + 1)) }
}

fn skip_blocks<R: Read + Seek>(source: &mut Source<R>) -> Result<(), Refusal> {
    loop {
        match source.byte()? {
            0 => return Ok(()),
            length => source.skip(length.into())?,
        }
    }
}

/// The first frame's pixels on the canvas, and the whole file encoded anew where it may stay as large as it is.
pub(super) fn decode(
    bytes: &[u8],
    head: &Head,
    wanted: Wanted,
    limits: &PictureLimits,
) -> Result<(Decoded, Option<MadePicture>), Refusal> {
    let mut decoder = open(bytes, limits)?;
    let divisor = (head.width.max(head.height) / (2 * wanted.side)).max(1);
    let stays = head.width <= wanted.side && head.height <= wanted.side;
    let first = decoder.read_next_frame().map_err(|e| broken(&e))?.cloned();
    let first = first.ok_or_else(|| Refusal::broken("its GIF has no frame"))?;
    let palette = first.palette.as_deref().or(decoder.global_palette()).unwrap_or_default();
    let image = on_canvas(&first, palette, head, divisor)?;
    let again = if stays { Some(encoded_anew(&first, &mut decoder, head)?) } else { None };
    let (size, orientation) = ((head.width, head.height), Orientation::NoTransforms);
    Ok((Decoded { image, size, divisor, orientation }, again))
}

type GifDecoder<'a> = Decoder<Cursor<&'a [u8]>>;

fn open<'a>(bytes: &'a [u8], limits: &PictureLimits) -> Result<GifDecoder<'a>, Refusal> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Bytes(limits.working_bytes.try_into().unwrap_or(std::num::NonZeroU64::MIN)));
    options.read_info(Cursor::new(bytes)).map_err(|e| broken(&e))
}

/// What the frame does not cover is transparent.
fn on_canvas(frame: &Frame<'_>, palette: &[u8], head: &Head, divisor: u32) -> Result<image::DynamicImage, Refusal> {
    let clear = [0; 4];
    let colours: Vec<[u8; 4]> = (0..=u8::MAX)
        .map(|index| match palette.get(usize::from(index) * 3..usize::from(index) * 3 + 3) {
            Some([red, green, blue]) if frame.transparent != Some(index) => [*red, *green, *blue, u8::MAX],
            _ => clear,
        })
        .collect();
    let (left, top) = (usize::from(frame.left), u32::from(frame.top));
    let mut lines = frame.buffer.chunks_exact(usize::from(frame.width).max(1));
    let mut shrink = Shrink::new(head.width, 4, divisor);
    let mut row = vec![clear; head.width as usize];
    for y in 0..head.height {
        row.fill(clear);
        let line = if y >= top { lines.next() } else { None };
        for (pixel, index) in row.iter_mut().skip(left).zip(line.unwrap_or_default()) {
            *pixel = colours[usize::from(*index)];
        }
        shrink.row(row.as_flattened());
    }
    shrink.finish(head.width)
}

/// All frames as they are, but nothing else: no comment, no application's data, no bytes hidden behind a frame's end.
fn encoded_anew(first: &Frame<'_>, decoder: &mut GifDecoder<'_>, head: &Head) -> Result<MadePicture, Refusal> {
    let side = |pixels: u32| u16::try_from(pixels).unwrap_or(u16::MAX);
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let mut out = Vec::new();
    let wrong = |error: gif::EncodingError| Refusal::Undecodable(format!("its frames cannot be kept: {error}"));
    let mut encoder = Encoder::new(&mut out, side(head.width), side(head.height), &palette).map_err(wrong)?;
    let repeat = decoder.repeat();
    if !matches!(repeat, Repeat::Finite(0)) {
        encoder.set_repeat(repeat).map_err(wrong)?;
    }
    encoder.write_frame(first).map_err(wrong)?;
    while let Some(frame) = decoder.read_next_frame().map_err(|e| broken(&e))? {
        encoder.write_frame(frame).map_err(wrong)?;
    }
    drop(encoder);
    Ok(MadePicture { format: Format::Gif, width: head.width, height: head.height, bytes: out })
}

fn broken(error: &gif::DecodingError) -> Refusal {
    Refusal::Undecodable(format!("its GIF data are broken: {error}"))
}
