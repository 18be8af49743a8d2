//! Sizes: the stored picture within its square, the thumbnails filling theirs; both upright.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;

use super::{Decoded, Refusal, Shown, Wanted};

/// A part of a picture in its pixels: left, top, width, height.
type Part = (f64, f64, f64, f64);

pub(super) fn show(decoded: Decoded, wanted: Wanted, squares: &[u16]) -> Result<Shown, Refusal> {
    let Decoded { image, size, divisor, orientation } = decoded;
    let by = f64::from(divisor);
    let whole = (0.0, 0.0, f64::from(size.0) / by, f64::from(size.1) / by);
    let (width, height) = within(size, wanted.side);
    let mut picture = match (width, height) == (image.width(), image.height()) {
        true => image.clone(),
        false => resized(&image, whole, width, height)?,
    };
    picture.apply_orientation(orientation);
    let squares = squares.iter().map(|side| {
        let side = u32::from(*side);
        // The stored picture has all that a thumbnail shows, unless it is a narrow strip of a larger one.
        if picture.width().min(picture.height()) >= side.min(size.0.min(size.1)) {
            let all = (0.0, 0.0, f64::from(picture.width()), f64::from(picture.height()));
            return resized(&picture, centre(all), side, side);
        }
        let mut square = resized(&image, centre(whole), side, side)?;
        square.apply_orientation(orientation);
        Ok(square)
    });
    let squares = squares.collect::<Result<_, _>>()?;
    Ok(Shown { picture, squares })
}

/// The size of a picture that is not larger than `most` on either side, in its own shape.
fn within((width, height): (u32, u32), most: u32) -> (u32, u32) {
    let long = u64::from(width.max(height));
    if long <= u64::from(most) {
        return (width, height);
    }
    let side = |pixels: u32| {
        let scaled = (u64::from(pixels) * u64::from(most) + long / 2) / long;
        u32::try_from(scaled.max(1)).unwrap_or(most)
    };
    (side(width), side(height))
}

/// The largest square in the middle.
fn centre((left, top, width, height): Part) -> Part {
    let side = width.min(height);
    (left + (width - side) / 2.0, top + (height - side) / 2.0, side, side)
}

fn resized(
    image: &DynamicImage,
    (left, top, across, down): Part,
    width: u32,
    height: u32,
) -> Result<DynamicImage, Refusal> {
    let mut out = DynamicImage::new(width, height, image.color());
    // Sharp where it gets smaller; where it gets larger, sharpness would ring.
    let filter = if across > f64::from(width) { FilterType::Lanczos3 } else { FilterType::CatmullRom };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(left, top, across, down);
    Resizer::new()
        .resize(image, &mut out, &options)
        .map_err(|e| Refusal::Undecodable(format!("it cannot be scaled: {e}")))?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_fits_and_nothing_is_enlarged() {
        let cases = [
            ((4000, 3000), (960, 720)),
            ((3000, 4000), (720, 960)),
            ((960, 960), (960, 960)),
            ((961, 10), (960, 10)),
            ((2, 2), (2, 2)),
            ((50_000, 1), (960, 1)),
        ];
        for (size, wanted) in cases {
            assert_eq!(within(size, 960), wanted, "{size:?}");
        }
    }
}
