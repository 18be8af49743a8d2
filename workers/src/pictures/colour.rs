//! Colours into sRGB, so that they stay right when the profile that explained them is gone.

use image::DynamicImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use super::shrink::image_of;

/// By the file's profile. One that cannot be used, or is for other colours, is passed over, as viewers do.
pub(super) fn to_srgb(image: DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    let Some(profile) = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) else { return image };
    let (grey, alpha) = (!image.color().has_color(), image.color().has_alpha());
    let (from, to) = match (grey, alpha) {
        (true, false) => (Layout::Gray, Layout::Rgb),
        (true, true) => (Layout::GrayAlpha, Layout::Rgba),
        (false, false) => (Layout::Rgb, Layout::Rgb),
        (false, true) => (Layout::Rgba, Layout::Rgba),
    };
    let fits = if grey { DataColorSpace::Gray } else { DataColorSpace::Rgb };
    if profile.color_space != fits {
        return image;
    }
    let channels = if alpha { 4 } else { 3 };
    let Some(samples) = transformed(&profile, from, image.as_bytes(), to, channels) else { return image };
    image_of(channels, image.width(), image.height(), samples).unwrap_or(image)
}

/// Inks (0 is none, 255 is all) to RGB.
pub(super) fn cmyk_to_srgb(inks: &[u8], profile: Option<&[u8]>) -> Vec<u8> {
    profile
        .and_then(|bytes| ColorProfile::new_from_slice(bytes).ok())
        .filter(|profile| profile.color_space == DataColorSpace::Cmyk)
        // The library has no layout of its own for four inks.
        .and_then(|profile| transformed(&profile, Layout::Rgba, inks, Layout::Rgb, 3))
        .unwrap_or_else(|| plain_cmyk(inks))
}

/// As inks that let through what they do not hold back: what viewers do without a profile.
fn plain_cmyk(inks: &[u8]) -> Vec<u8> {
    let through = |ink: u8, black: u8| {
        let light = u16::from(255 - ink) * u16::from(255 - black);
        u8::try_from((light + 127) / 255).unwrap_or(u8::MAX)
    };
    inks.as_chunks::<4>()
        .0
        .iter()
        .flat_map(|[c, m, y, k]| [through(*c, *k), through(*m, *k), through(*y, *k)])
        .collect()
}

fn transformed(profile: &ColorProfile, from: Layout, samples: &[u8], to: Layout, channels: usize) -> Option<Vec<u8>> {
    let transform =
        profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default()).ok()?;
    let pixels = samples.len() / layout_channels(from);
    let mut out = vec![0; pixels * channels];
    transform.transform(samples, &mut out).ok()?;
    Some(out)
}

const fn layout_channels(layout: Layout) -> usize {
    match layout {
        Layout::Gray => 1,
        Layout::GrayAlpha => 2,
        Layout::Rgb => 3,
        _ => 4,
    }
}

/// Undoes a PNG's bare gamma (gAMA) where it is not about that of sRGB, 1/2.2.
pub(super) fn without_gamma(mut image: DynamicImage, gamma: Option<f32>) -> DynamicImage {
    let Some(gamma) = gamma.filter(|gamma| *gamma > 0.01 && (gamma * 2.2 - 1.0).abs() > 0.05) else { return image };
    let exponent = 1.0 / (gamma * 2.2);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
    let table: Vec<u8> =
        (0..=u8::MAX).map(|sample| ((f32::from(sample) / 255.0).powf(exponent) * 255.0).round() as u8).collect();
    let curve = |sample: &mut u8| *sample = table[usize::from(*sample)];
    match &mut image {
        DynamicImage::ImageLuma8(grey) => grey.iter_mut().for_each(curve),
        DynamicImage::ImageRgb8(rgb) => rgb.iter_mut().for_each(curve),
        DynamicImage::ImageLumaA8(grey) => grey.pixels_mut().for_each(|pixel| curve(&mut pixel.0[0])),
        DynamicImage::ImageRgba8(rgba) => rgba.pixels_mut().for_each(|pixel| pixel.0[..3].iter_mut().for_each(curve)),
        _ => {}
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_hold_light_back() {
        assert_eq!(plain_cmyk(&[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255]), [255, 255, 255, 0, 255, 255, 0, 0, 0]);
    }

    #[test]
    fn a_linear_grey_gets_lighter_and_its_alpha_stays() {
        let linear = image_of(2, 2, 1, vec![55, 128, 255, 55]).unwrap();
        assert_eq!(without_gamma(linear.clone(), Some(1.0)).as_bytes(), [127, 128, 255, 55]);
        assert_eq!(without_gamma(linear.clone(), Some(0.45455)), linear);
        assert_eq!(without_gamma(linear.clone(), Some(0.0)), linear);
    }

    #[test]
    fn colours_of_a_wider_space_become_what_they_were_in_srgb() {
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        // The same red as sRGB's (255, 0, 0) has these numbers in Display P3.
        let red = to_srgb(image_of(3, 1, 1, vec![234, 51, 35]).unwrap(), Some(&p3));
        let near = red.as_bytes().iter().zip([255_u8, 0, 0]).all(|(is, wanted)| is.abs_diff(wanted) <= 6);
        assert!(near, "{:?}", red.as_bytes());
        let grey = image_of(1, 1, 1, vec![77]).unwrap();
        assert_eq!(to_srgb(grey.clone(), Some(&p3)), grey, "a profile of other colours is passed over");
        assert_eq!(to_srgb(grey.clone(), Some(b"no profile")), grey);
    }
}
