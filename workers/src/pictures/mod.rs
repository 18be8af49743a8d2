//! Pictures: checked before a pixel is decoded, then made fit for showing (§17, §29, §30).
//!
//! What comes out is always encoded anew from pixels (an animation that stays one: from its frames), so that nothing that a phone or a
//! stranger put into the file reaches anybody: no position, no camera, no comment, no bytes behind the end. Colours are turned into
//! sRGB, since the profile that told what they mean goes too. Pure: bytes in, bytes out, nothing waits; a caller
//! runs it off the async threads and bounds how many at once by [`Head::working`].

mod apng;
mod colour;
mod encode;
mod gif;
mod head;
mod jpeg;
mod png;
mod scale;
mod shrink;

use std::{
    io::{self, Cursor, Read, Seek},
    panic::{self, AssertUnwindSafe},
};

use dface_domain::objects::Format;
use image::{DynamicImage, metadata::Orientation};

pub use self::head::Head;

/// What a picture may cost. The first three are spec; the others bound what a small file can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLimits {
    /// Bytes of the file.
    pub bytes: u64,
    /// Pixels, width times height.
    pub pixels: u64,
    /// The longest side of what is stored, in pixels.
    pub side: u32,
    /// Bytes that decoding may hold at once. Little is needed but for progressive JPEG, interlaced PNG and GIF.
    pub working_bytes: u64,
    /// Pixels of all frames of an animation together.
    pub animation_pixels: u64,
    /// Scans of a progressive JPEG; encoders write about 10, each costs a walk over the whole picture.
    pub scans: u32,
}

impl Default for PictureLimits {
    fn default() -> Self {
        Self {
            bytes: 10 << 20,
            pixels: 50_000_000,
            side: 960,
            // As much as 50 megapixels of four bytes.
            working_bytes: 200_000_000,
            animation_pixels: 400_000_000,
            scans: 100,
        }
    }
}

/// Why a file is not taken as a picture.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is none of the forms that are taken, by its first bytes.
    #[error("it is no JPEG, PNG or GIF")]
    Unsupported,
    /// It asks for more than it may.
    #[error("it has {is} {what}, more than {most}")]
    TooLarge {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// How much there is.
        is: u64,
        /// How much there may be.
        most: u64,
    },
    /// It is broken, or of a kind that nobody decodes. The sentence holds nothing of the picture.
    #[error("{0}")]
    Undecodable(String),
    /// The file cannot be read; says nothing of the picture.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl Refusal {
    fn broken(what: &str) -> Self {
        Self::Undecodable(what.to_owned())
    }

    /// `TooLarge` where `is` exceeds `most`.
    fn over(what: &'static str, is: u64, most: u64) -> Result<(), Self> {
        if is > most { Err(Self::TooLarge { what, is, most }) } else { Ok(()) }
    }
}

/// A file that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadePicture {
    /// Its form.
    pub format: Format,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The file.
    pub bytes: Vec<u8>,
}

/// A picture and its thumbnails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Upright, without metadata, within the limit's side; of the form that was uploaded.
    pub picture: MadePicture,
    /// The thumbnails, PNG, in the order that was asked for.
    pub squares: Vec<MadePicture>,
}

/// Reads the head of a file and says what it is, without decoding a pixel.
///
/// # Errors
/// `Unsupported`, `TooLarge`, or `Undecodable` where the head makes no sense; `Io`.
pub fn check(file: impl Read + Seek, limits: &PictureLimits) -> Result<Head, Refusal> {
    head::read(file, limits)
}

/// Makes the stored picture and a thumbnail of each side in `squares` (pixels), which a centred crop fills.
///
/// # Errors
/// As `check`; `Undecodable` where the pixels are broken too.
pub fn process(bytes: &[u8], squares: &[u16], limits: &PictureLimits) -> Result<Made, Refusal> {
    let head = check(Cursor::new(bytes), limits)?;
    // The decoders are written with care and fuzzed by their authors; should one give up all the same, it is the file's fault.
    panic::catch_unwind(AssertUnwindSafe(|| made_of(bytes, &head, squares, limits)))
        .unwrap_or_else(|_| Err(Refusal::broken("the decoder gave up on it")))
}

fn made_of(bytes: &[u8], head: &Head, squares: &[u16], limits: &PictureLimits) -> Result<Made, Refusal> {
    let wanted = Wanted { side: limits.side, square: squares.iter().copied().max().unwrap_or(0).into() };
    let (decoded, animation) = match head.format {
        Format::Jpeg => (jpeg::decode(bytes, head, wanted, limits)?, None),
        Format::Png => png::decode(bytes, head, wanted, limits)?,
        Format::Gif => gif::decode(bytes, head, wanted, limits)?,
        // No head of a picture is found in one.
        Format::Amr | Format::M4a | Format::Ogg => return Err(Refusal::Unsupported),
    };
    let Shown { picture, squares } = scale::show(decoded, wanted, squares)?;
    let squares = squares.iter().map(|square| MadePicture::of(square, Format::Png)).collect::<Result<_, _>>()?;
    let picture = match animation {
        Some(animation) => animation,
        None => MadePicture::of(&picture, head.format)?,
    };
    Ok(Made { picture, squares })
}

impl MadePicture {
    fn of(image: &DynamicImage, format: Format) -> Result<Self, Refusal> {
        let bytes = encode::encode(image, format).map_err(Refusal::Undecodable)?;
        Ok(Self { format, width: image.width(), height: image.height(), bytes })
    }
}

/// What pixels are wanted for: decoding may leave out what neither needs.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    /// The longest side of the stored picture.
    side: u32,
    /// The side of the largest thumbnail.
    square: u32,
}

/// Decoded pixels, perhaps fewer than the file has.
struct Decoded {
    /// The pixels, as they lie in the file.
    image: DynamicImage,
    /// Width and height of the whole picture, in the file's pixels.
    size: (u32, u32),
    /// The file's pixels for each of these, in both directions; the last column and row may be covered in part.
    divisor: u32,
    /// How to turn it upright.
    orientation: Orientation,
}

/// What is shown of a picture: upright, in sRGB.
struct Shown {
    picture: DynamicImage,
    squares: Vec<DynamicImage>,
}
