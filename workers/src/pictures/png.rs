//! PNG: read row by row and shrunk on the way. An interlaced one has its rows in no order, so it is held whole once
//! ([`super::Head::working`]). 16 bits become 8, palettes become colours.

use std::io::Cursor;

use dface_domain::objects::Format;
use image::metadata::Orientation;
use png::{Decoder, Limits, Reader, Transformations};

use super::{Decoded, Head, MadePicture, PictureLimits, Refusal, Wanted, apng, colour, shrink::Shrink};

/// What a colour profile or another chunk may take once it is unpacked.
const CHUNK_BYTES: usize = 8 << 20;

type PngReader<'a> = Reader<Cursor<&'a [u8]>>;

/// The pixels of the picture (of an animation, its default image), and the animation where it stays one.
pub(super) fn decode(
    bytes: &[u8],
    head: &Head,
    wanted: Wanted,
    limits: &PictureLimits,
) -> Result<(Decoded, Option<MadePicture>), Refusal> {
    let mut reader = open(bytes)?;
    let info = reader.info();
    let exif = info.exif_metadata.as_deref();
    let orientation = exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    let animated = info.animation_control.is_some_and(|control| control.num_frames > 1);
    // An sRGB chunk outranks the two others, a profile outranks a bare gamma (PNG, 4.3).
    let profile = info.icc_profile.clone().filter(|_| info.srgb.is_none());
    let gamma = info.gama_chunk.filter(|_| info.srgb.is_none() && profile.is_none());

    let divisor = divisor(head, wanted);
    let channels = reader.output_color_type().0.samples();
    let mut shrink = Shrink::new(head.width, channels, divisor);
    if info_interlaced(&reader) {
        let size = reader.output_buffer_size().ok_or_else(|| Refusal::broken("its size makes no sense"))?;
        let mut whole = vec![0; size];
        reader.next_frame(&mut whole).map_err(|e| broken(&e))?;
        whole.chunks_exact(head.width as usize * channels).for_each(|row| shrink.row(row));
    } else {
        while let Some(row) = reader.next_row().map_err(|e| broken(&e))? {
            shrink.row(row.data());
        }
    }
    let image = colour::to_srgb(shrink.finish(head.width)?, profile.as_deref());
    let image = colour::without_gamma(image, gamma.map(png::ScaledFloat::into_value));

    let stays = head.width <= wanted.side && head.height <= wanted.side && orientation == Orientation::NoTransforms;
    let animation = match animated && stays {
        true => Some(MadePicture {
            format: Format::Png,
            width: head.width,
            height: head.height,
            bytes: apng::cleaned(bytes, head, limits)?,
        }),
        false => None,
    };
    Ok((Decoded { image, size: (head.width, head.height), divisor, orientation }, animation))
}

pub(super) fn open(bytes: &[u8]) -> Result<PngReader<'_>, Refusal> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: CHUNK_BYTES });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.read_info().map_err(|e| broken(&e))
}

fn info_interlaced(reader: &PngReader<'_>) -> bool {
    reader.info().interlaced
}

/// Means of squares take away what is more than twice too much; the last step is done by a better filter.
fn divisor(head: &Head, wanted: Wanted) -> u32 {
    let (long, short) = (head.width.max(head.height), head.width.min(head.height));
    (long / (2 * wanted.side)).min(short / wanted.square.max(1)).max(1)
}

pub(super) fn broken(error: &png::DecodingError) -> Refusal {
    let what = match error {
        png::DecodingError::IoError(_) => "its PNG data end too early".to_owned(),
        png::DecodingError::LimitsExceeded => "a chunk of it is too large once unpacked".to_owned(),
        other => format!("its PNG data are broken: {other}"),
    };
    Refusal::Undecodable(what)
}
