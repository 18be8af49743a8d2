//! Shrinking while decoding: rows come in, the mean of each square of pixels goes out, so that no large picture is ever held whole.

use image::{DynamicImage, GrayAlphaImage, GrayImage, RgbImage, RgbaImage};

use super::Refusal;

/// Takes rows from top to bottom.
pub(super) struct Shrink {
    /// Bytes of a pixel: 1 and 3 without alpha, 2 and 4 with it.
    channels: usize,
    /// Pixels of the file for each that is kept, in both directions.
    divisor: usize,
    /// Columns that are kept.
    columns: usize,
    rows: u32,
    /// Sums of the rows that were not written yet. Colours are weighted by alpha, since a transparent pixel has none to show.
    /// At most 70 x 70 pixels of 255 x 255: fits.
    sums: Vec<u32>,
    summed: usize,
    out: Vec<u8>,
}

impl Shrink {
    pub(super) fn new(width: u32, channels: usize, divisor: u32) -> Self {
        let (columns, divisor) = (width.div_ceil(divisor) as usize, divisor as usize);
        Self { channels, divisor, columns, rows: 0, sums: vec![0; columns * channels], summed: 0, out: Vec::new() }
    }

    pub(super) fn row(&mut self, row: &[u8]) {
        if self.divisor == 1 {
            self.out.extend_from_slice(row);
            self.rows += 1;
            return;
        }
        let cells = row.chunks(self.divisor * self.channels).zip(self.sums.chunks_exact_mut(self.channels));
        match self.channels {
            1 => cells.for_each(|(pixels, sums)| add::<1>(pixels, sums)),
            3 => cells.for_each(|(pixels, sums)| add::<3>(pixels, sums)),
            2 => cells.for_each(|(pixels, sums)| add_weighted::<2>(pixels, sums)),
            _ => cells.for_each(|(pixels, sums)| add_weighted::<4>(pixels, sums)),
        }
        self.summed += 1;
        if self.summed == self.divisor {
            self.write(row.len() / self.channels);
        }
    }

    /// Writes the row of means; the last column may be narrower, the last row lower.
    fn write(&mut self, width: usize) {
        for (column, sums) in self.sums.chunks_exact_mut(self.channels).enumerate() {
            let pixels = (width - column * self.divisor).min(self.divisor) * self.summed;
            let pixels = u32::try_from(pixels).unwrap_or(u32::MAX).max(1);
            match sums.split_last() {
                Some((alpha, colours)) if self.channels.is_multiple_of(2) => {
                    self.out.extend(colours.iter().map(|sum| mean(*sum, *alpha)));
                    self.out.push(mean(*alpha, pixels));
                }
                _ => self.out.extend(sums.iter().map(|sum| mean(*sum, pixels))),
            }
            sums.fill(0);
        }
        self.summed = 0;
        self.rows += 1;
    }

    /// The picture, once all rows were given.
    pub(super) fn finish(mut self, width: u32) -> Result<DynamicImage, Refusal> {
        if self.summed > 0 {
            self.write(width as usize);
        }
        image_of(self.channels, u32::try_from(self.columns).unwrap_or(u32::MAX), self.rows, self.out)
    }
}

/// A picture of 8-bit samples: grey, grey and alpha, RGB or RGBA by the number of channels.
pub(super) fn image_of(channels: usize, width: u32, height: u32, samples: Vec<u8>) -> Result<DynamicImage, Refusal> {
    match channels {
        1 => GrayImage::from_raw(width, height, samples).map(DynamicImage::from),
        2 => GrayAlphaImage::from_raw(width, height, samples).map(DynamicImage::from),
        3 => RgbImage::from_raw(width, height, samples).map(DynamicImage::from),
        _ => RgbaImage::from_raw(width, height, samples).map(DynamicImage::from),
    }
    .ok_or_else(|| Refusal::broken("it has fewer pixels than it says"))
}

fn mean(sum: u32, count: u32) -> u8 {
    let rounded = (sum + count / 2).checked_div(count).unwrap_or(0);
    u8::try_from(rounded).unwrap_or(u8::MAX)
}

fn add<const N: usize>(pixels: &[u8], sums: &mut [u32]) {
    let mut here = [0_u32; N];
    for pixel in pixels.as_chunks::<N>().0 {
        for (sum, sample) in here.iter_mut().zip(pixel) {
            *sum += u32::from(*sample);
        }
    }
    sums.iter_mut().zip(here).for_each(|(sum, more)| *sum += more);
}

fn add_weighted<const N: usize>(pixels: &[u8], sums: &mut [u32]) {
    let mut here = [0_u32; N];
    for pixel in pixels.as_chunks::<N>().0 {
        let alpha = u32::from(pixel[N - 1]);
        for (sum, sample) in here.iter_mut().zip(&pixel[..N - 1]) {
            *sum += u32::from(*sample) * alpha;
        }
        here[N - 1] += alpha;
    }
    sums.iter_mut().zip(here).for_each(|(sum, more)| *sum += more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cell_is_the_mean_of_its_pixels_also_at_the_edges() {
        let mut shrink = Shrink::new(3, 1, 2);
        for row in [[10, 20, 100], [30, 40, 200], [7, 9, 50]] {
            shrink.row(&row);
        }
        let image = shrink.finish(3).unwrap();
        assert_eq!((image.width(), image.height()), (2, 2));
        assert_eq!(image.as_bytes(), [25, 150, 8, 50]);
    }

    #[test]
    fn what_is_transparent_gives_no_colour() {
        let mut shrink = Shrink::new(2, 4, 2);
        shrink.row(&[200, 100, 0, 255, 9, 9, 9, 0]);
        shrink.row(&[200, 100, 0, 255, 9, 9, 9, 0]);
        assert_eq!(shrink.finish(2).unwrap().as_bytes(), [200, 100, 0, 128]);
    }
}
