//! Animated PNG that stays animated: the chunks that make pictures are kept as they are, all others go.

use super::{Head, PictureLimits, Refusal, png};

/// Chunks without which the pictures, or their colours, would be others. No profile: it can carry text.
const KEPT: [&[u8; 4]; 11] =
    [b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"acTL", b"fcTL", b"IDAT", b"fdAT", b"IEND"];

/// The animation without what is no picture, once each frame was decoded to see that it can be.
pub(super) fn cleaned(bytes: &[u8], head: &Head, limits: &PictureLimits) -> Result<Vec<u8>, Refusal> {
    try_frames(bytes, head, limits)?;
    let (signature, mut rest) = bytes.split_at_checked(8).ok_or_else(|| Refusal::broken("it ends too early"))?;
    let mut out = signature.to_vec();
    while let Some((length, _)) = rest.split_first_chunk::<4>() {
        // Length, name, data, checksum (PNG, 5.3).
        let whole = (u32::from_be_bytes(*length) as usize).saturating_add(12);
        let (chunk, after) = rest.split_at_checked(whole).ok_or_else(|| Refusal::broken("it ends too early"))?;
        if KEPT.iter().any(|name| chunk[4..8] == name[..]) {
            out.extend_from_slice(chunk);
        }
        if chunk[4..8] == *b"IEND" {
            break;
        }
        rest = after;
    }
    Ok(out)
}

fn try_frames(bytes: &[u8], head: &Head, limits: &PictureLimits) -> Result<(), Refusal> {
    let mut reader = png::open(bytes)?;
    let frames = reader.info().animation_control.map_or(1, |control| control.num_frames);
    let pixels = u64::from(head.width) * u64::from(head.height) * u64::from(frames);
    Refusal::over("pixels in all its frames", pixels, limits.animation_pixels)?;
    let size = reader.output_buffer_size().ok_or_else(|| Refusal::broken("its size makes no sense"))?;
    let mut frame = vec![0; size];
    // The default image need not be one of the frames.
    let extra = u32::from(reader.info().frame_control.is_none());
    for _ in 0..frames.saturating_add(extra) {
        reader.next_frame(&mut frame).map_err(|e| png::broken(&e))?;
    }
    Ok(())
}
