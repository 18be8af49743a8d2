//! A picture that is as much work as a photo: soft slopes, edges, and the noise of a sensor.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::Failed;

/// A camera's quality; 12 megapixels come to some 4 MB.
const QUALITY: u8 = 90;

pub fn photo(width: u16, height: u16) -> Result<Vec<u8>, Failed> {
    let (w, h) = (u32::from(width), u32::from(height));
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    let mut samples = Vec::with_capacity(w as usize * h as usize * 3);
    for y in 0..h {
        for x in 0..w {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            let noise = i64::from(chance.to_le_bytes()[3] % 17) - 8;
            // Hills whose edges cross the picture, under a sky that gets darker.
            let hill = (x * 7 / 10 + (x / 37 % 29) * 9 + (x / 211 % 7) * 31) % h;
            let ground = y > hill / 2 + h / 3;
            let leaf = i64::from((x / 11 * 7 + y / 13 * 5) % 61);
            let sky = i64::from(y * 120 / h);
            let [red, green, blue] =
                if ground { [60 + leaf, 90 + leaf, 40 + leaf / 2] } else { [150 - sky, 190 - sky, 240 - sky / 2] };
            for sample in [red, green, blue] {
                samples.push(u8::try_from((sample + noise).clamp(0, 255))?);
            }
        }
    }
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(&samples, width, height, ColorType::Rgb)?;
    Ok(out)
}
