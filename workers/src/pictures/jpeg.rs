//! JPEG: decoded at the smallest scale that serves (1/8, 1/4, 1/2), straight from its coefficients. A 50-megapixel photo takes some
//! 20 MB that way, for its full pixels are never made; a progressive one keeps its coefficients besides ([`super::Head::working`]).

use image::metadata::Orientation;
use jpeg_decoder::{Decoder, PixelFormat};

use super::{Decoded, Head, PictureLimits, Refusal, Wanted, colour, shrink::image_of};

pub(super) fn decode(bytes: &[u8], head: &Head, wanted: Wanted, limits: &PictureLimits) -> Result<Decoded, Refusal> {
    let told = walk(bytes)?;
    Refusal::over("scans", told.scans.into(), limits.scans.into())?;
    let divisor = divisor(head, wanted);
    let mut decoder = Decoder::new(bytes);
    let asked = |pixels: u32| u16::try_from(pixels.div_ceil(divisor)).unwrap_or(u16::MAX);
    // The decoder is content when one side is long enough: it is asked for the longer one.
    let (width, height) = match head.width >= head.height {
        true => (asked(head.width), u16::MAX),
        false => (u16::MAX, asked(head.height)),
    };
    let (width, height) = decoder.scale(width, height).map_err(broken)?;
    let samples = decoder.decode().map_err(broken)?;
    let format = decoder.info().ok_or_else(|| Refusal::broken("its JPEG has no frame"))?.pixel_format;
    let profile = decoder.icc_profile();
    let orientation = decoder.exif_data().and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms);
    let (width, height) = (u32::from(width), u32::from(height));
    let image = match format {
        PixelFormat::L8 => colour::to_srgb(image_of(1, width, height, samples)?, profile.as_deref()),
        PixelFormat::RGB24 => colour::to_srgb(image_of(3, width, height, samples)?, profile.as_deref()),
        PixelFormat::CMYK32 => {
            let rgb = colour::cmyk_to_srgb(&uninverted(samples, told.adobe), profile.as_deref());
            image_of(3, width, height, rgb)?
        }
        PixelFormat::L16 => return Err(Refusal::broken("it is a JPEG of a kind that is not shown (16 bits)")),
    };
    Ok(Decoded { image, size: (head.width, head.height), divisor, orientation })
}

/// How many of the file's pixels become one: as many as leave enough for the stored picture and, across, for the thumbnails.
fn divisor(head: &Head, wanted: Wanted) -> u32 {
    let (long, short) = (head.width.max(head.height), head.width.min(head.height));
    [8, 4, 2].into_iter().find(|by| long / by >= wanted.side && short / by >= wanted.square).unwrap_or(1)
}

/// The decoder turns CMYK over, as Adobe's programs store it. Others store it straight.
fn uninverted(mut samples: Vec<u8>, adobe: bool) -> Vec<u8> {
    if !adobe {
        samples.iter_mut().for_each(|sample| *sample = 255 - *sample);
    }
    samples
}

fn broken(error: jpeg_decoder::Error) -> Refusal {
    let what = match error {
        jpeg_decoder::Error::Io(_) => "its JPEG data end too early".to_owned(),
        other => format!("its JPEG data are broken: {other}"),
    };
    Refusal::Undecodable(what)
}

#[derive(Default)]
struct Told {
    scans: u32,
    adobe: bool,
}

/// Counts the scans up to the picture's end, and looks for Adobe's mark.
fn walk(bytes: &[u8]) -> Result<Told, Refusal> {
    const TOO_SOON: &str = "its JPEG data end too early";
    let mut told = Told::default();
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        // Outside of a segment only the data of a scan stand: up to a marker that is neither stuffing nor a restart.
        let marker =
            rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd8 | 0xff));
        let Some(at) = marker else { return Ok(told) };
        rest = rest.get(at + 1..).unwrap_or_default();
        match rest.first() {
            None | Some(0xd9) => return Ok(told),
            Some(0xda) => told.scans += 1,
            Some(0xee) => told.adobe |= rest.get(3..8) == Some(b"Adobe"),
            Some(_) => {}
        }
        let length = rest.get(1..3).ok_or_else(|| Refusal::broken(TOO_SOON))?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        rest = rest.get(1 + length..).ok_or_else(|| Refusal::broken(TOO_SOON))?;
    }
}

#[cfg(test)]
mod tests {
    use dface_domain::objects::Format;

    use super::*;

    #[test]
    fn as_many_pixels_are_decoded_as_are_needed() {
        let by = |width, height| {
            let head = Head { format: Format::Jpeg, width, height, working: 0 };
            divisor(&head, Wanted { side: 960, square: 200 })
        };
        assert_eq!([by(4000, 3000), by(8000, 6000), by(1919, 1080), by(1920, 1080)], [4, 8, 1, 2]);
        assert_eq!(by(4000, 500), 2, "a thumbnail is cut from the short side");
        assert_eq!(by(4000, 100), 1);
    }
}
