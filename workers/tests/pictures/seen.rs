//! Looking at what was made, with decoders that the program does not use for it.

use dface_workers::pictures::MadePicture;
use image::{DynamicImage, RgbImage};

/// The pixels of a made file, by the `image` crate's own decoders.
pub fn decoded(made: &MadePicture) -> DynamicImage {
    let image = image::load_from_memory(&made.bytes).unwrap();
    assert_eq!((image.width(), image.height()), (made.width, made.height));
    image
}

/// The mean difference of two pictures' samples.
pub fn difference(one: &RgbImage, other: &RgbImage) -> f64 {
    assert_eq!(one.dimensions(), other.dimensions());
    let sum: u64 = one.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

/// Whether `bytes` hold `word` anywhere.
pub fn holds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
