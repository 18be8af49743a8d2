//! What a file says of itself before its pixels: form, size, and what decoding it would hold.

use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};

use dface_domain::objects::Format;

use super::{PictureLimits, Refusal, gif};

/// The longest side of a file, as JPEG and GIF have it by nature.
const LONGEST: u64 = 65_535;

/// What the head of a file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its form, by content.
    pub format: Format,
    /// Width in pixels, as stored (an orientation may turn it).
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// Bytes that decoding may hold at once.
    pub working: u64,
}

/// A reader that skips, and for which an early end is a broken file.
pub(super) struct Source<R>(BufReader<R>);

impl<R: Read + Seek> Source<R> {
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).map_err(early)?;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Refusal> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    pub(super) fn skip(&mut self, bytes: u32) -> Result<(), Refusal> {
        Ok(self.0.seek_relative(i64::from(bytes))?)
    }
}

fn early(error: io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::UnexpectedEof => Refusal::broken("it ends too early"),
        _ => Refusal::Io(error),
    }
}

pub(super) fn read(mut file: impl Read + Seek, limits: &PictureLimits) -> Result<Head, Refusal> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    if length == 0 {
        return Err(Refusal::broken("it is empty"));
    }
    Refusal::over("bytes", length, limits.bytes)?;
    let mut first = [0; 8];
    let mut begin = Read::by_ref(&mut file).take(8);
    let mut read = 0;
    while read < first.len() {
        match begin.read(&mut first[read..])? {
            0 => break,
            more => read += more,
        }
    }
    file.seek(SeekFrom::Start(0))?;
    let source = Source(BufReader::new(file));
    let head = match first {
        [0xff, 0xd8, 0xff, ..] => jpeg(source)?,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'] => png(source)?,
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => gif::head(source, limits)?,
        _ => return Err(Refusal::Unsupported),
    };
    within(&head, limits)?;
    Ok(head)
}

fn within(head: &Head, limits: &PictureLimits) -> Result<(), Refusal> {
    let (width, height) = (u64::from(head.width), u64::from(head.height));
    if width == 0 || height == 0 {
        return Err(Refusal::broken("it has no pixels"));
    }
    Refusal::over("pixels", width.saturating_mul(height), limits.pixels)?;
    Refusal::over("pixels on one side", width.max(height), LONGEST)?;
    Refusal::over("bytes to decode", head.working, limits.working_bytes)
}

/// Walks the segments to the frame header (ITU T.81, B.2).
fn jpeg<R: Read + Seek>(mut source: Source<R>) -> Result<Head, Refusal> {
    source.bytes::<2>()?;
    loop {
        if source.byte()? != 0xff {
            return Err(Refusal::broken("its JPEG segments make no sense"));
        }
        let mut marker = source.byte()?;
        // Any number of 0xff may stand before a marker.
        while marker == 0xff {
            marker = source.byte()?;
        }
        match marker {
            0x01 | 0xd0..=0xd7 => continue,
            0xc0..=0xc2 => return frame(source, marker == 0xc2),
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err(Refusal::broken("it is a JPEG of a kind that is not shown (arithmetic or lossless)"));
            }
            0x00 | 0xd8..=0xda => return Err(Refusal::broken("its JPEG segments make no sense")),
            _ => {}
        }
        let length = u16::from_be_bytes(source.bytes()?);
        let body = length.checked_sub(2).ok_or_else(|| Refusal::broken("a JPEG segment has no length"))?;
        source.skip(body.into())?;
    }
}

/// The frame header: size, and the coefficients that a progressive picture keeps until its last scan.
fn frame<R: Read + Seek>(mut source: Source<R>, progressive: bool) -> Result<Head, Refusal> {
    let [_, _, precision, h1, h0, w1, w0, components] = source.bytes()?;
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    if precision != 8 || !matches!(components, 1 | 3 | 4) {
        return Err(Refusal::broken("it is a JPEG of a kind that is not shown (not 8 bits, or 2 colours)"));
    }
    let mut sampling = [(1, 1); 4];
    for one in sampling.iter_mut().take(components.into()) {
        let [_, factors, _] = source.bytes()?;
        *one = (factors >> 4, factors & 15);
        if !matches!(*one, (1..=4, 1..=4)) {
            return Err(Refusal::broken("its JPEG sampling makes no sense"));
        }
    }
    let sampling = &sampling[..components.into()];
    let most = sampling.iter().fold((1, 1), |most, one| (most.0.max(one.0), most.1.max(one.1)));
    let blocks = |pixels: u16, factor: u8, most: u8| {
        let mcus = u64::from(pixels).div_ceil(8 * u64::from(most));
        mcus * u64::from(factor)
    };
    let blocks: u64 = sampling.iter().map(|(x, y)| blocks(width, *x, most.0) * blocks(height, *y, most.1)).sum();
    let working = if progressive { blocks * 64 * 2 } else { 0 };
    Ok(Head { format: Format::Jpeg, width: width.into(), height: height.into(), working })
}

/// The header chunk comes first (PNG, 11.2.1).
fn png<R: Read + Seek>(mut source: Source<R>) -> Result<Head, Refusal> {
    source.bytes::<8>()?;
    let (length, name) = (u32::from_be_bytes(source.bytes()?), source.bytes::<4>()?);
    if length != 13 || &name != b"IHDR" {
        return Err(Refusal::broken("its PNG header is missing"));
    }
    let (width, height) = (u32::from_be_bytes(source.bytes()?), u32::from_be_bytes(source.bytes()?));
    let [_, colour, _, _, interlaced] = source.bytes()?;
    // Bytes of a pixel once it is 8 bits deep; the rows of an interlaced one come in no order and are kept.
    let channels = match colour {
        0 | 4 => 2,
        _ => 4,
    };
    let working =
        if interlaced == 0 { 0 } else { u64::from(width).saturating_mul(height.into()).saturating_mul(channels) };
    Ok(Head { format: Format::Png, width, height, working })
}
