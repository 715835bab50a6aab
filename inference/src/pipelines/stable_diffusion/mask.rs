//! Which part of a picture is painted anew.

use candle_core::{Device, Tensor};

use super::rgb::Rgb;
use crate::error::Result;
use crate::resize::{Curve, resize};

/// From this value on a pixel is painted anew.
const THRESHOLD: u8 = 128;

/// Which part of a picture is painted anew: white is, black is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// `width * height` bytes, row by row from the top left.
    pub pixels: Vec<u8>,
}

impl Mask {
    /// All of a picture.
    pub fn everything(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![255; (width * height) as usize] }
    }

    /// The mask at another size; the same if it has that size.
    #[must_use]
    pub fn resized(&self, width: u32, height: u32) -> Self {
        let pixels = resize(&self.pixels, 1, (self.width, self.height), (width, height), Curve::Lanczos);
        Self { width, height, pixels }
    }

    /// The mask with soft edges: blurred by a Gaussian curve of that standard deviation in pixels, cut off at two and a
    /// half of it. The AUTOMATIC1111 web UI calls the deviation *mask blur*.
    #[must_use]
    pub fn feathered(&self, deviation: f64) -> Self {
        if deviation <= 0.0 {
            return self.clone();
        }
        let (width, height) = (self.width as usize, self.height as usize);
        let curve = gaussian(deviation);
        let numbers: Vec<f32> = self.pixels.iter().map(|&byte| f32::from(byte)).collect();
        let rows = blur(&numbers, &curve, (width, 1), (height, width));
        let both = blur(&rows, &curve, (height, width), (width, 1));
        let pixels = both.into_iter().map(|value| value.round().clamp(0.0, 255.0) as u8).collect();
        Self { pixels, ..*self }
    }

    /// As `(1, 1, height, width)` of a latent: 1 where it is painted anew, else 0. Each place of the latent takes
    /// its nearest pixel, counted as torch does.
    pub(super) fn to_latent(&self, height: usize, width: usize, device: &Device) -> Result<Tensor> {
        let nearest = |i: usize, n: usize, of: u32| i * of as usize / n;
        let values: Vec<f32> = (0..height * width)
            .map(|i| {
                let (y, x) = (nearest(i / width, height, self.height), nearest(i % width, width, self.width));
                f32::from(u8::from(self.is_new(y * self.width as usize + x)))
            })
            .collect();
        Ok(Tensor::from_vec(values, (1, 1, height, width), device)?)
    }

    /// `picture` as `(1, 3, height, width)` with what is painted anew taken out: there it is grey.
    pub(super) fn take_out(&self, picture: &Rgb, device: &Device) -> Result<Tensor> {
        let stays: Vec<f32> = (0..self.pixels.len()).map(|i| f32::from(u8::from(!self.is_new(i)))).collect();
        let stays = Tensor::from_vec(stays, (1, 1, self.height as usize, self.width as usize), device)?;
        Ok(picture.to_tensor(device)?.broadcast_mul(&stays)?)
    }

    /// `new` where the mask is white, `old` where it is black, and both in between. All have one size.
    pub(super) fn compose(&self, new: &Rgb, old: &Rgb) -> Rgb {
        let pixels = new.pixels.iter().zip(&old.pixels).enumerate();
        let mixed = pixels.map(|(i, (&new, &old))| {
            let share = u32::from(self.pixels[i / 3]);
            ((u32::from(new) * share + u32::from(old) * (255 - share) + 127) / 255) as u8
        });
        Rgb { width: new.width, height: new.height, pixels: mixed.collect() }
    }

    fn is_new(&self, place: usize) -> bool {
        self.pixels[place] >= THRESHOLD
    }
}

/// The right half of the curve, its middle first; the whole has a sum of 1.
fn gaussian(deviation: f64) -> Vec<f32> {
    let reach = (2.5 * deviation + 0.5) as usize;
    let values: Vec<f64> = (0..=reach).map(|i| (-0.5 * (i as f64 / deviation).powi(2)).exp()).collect();
    let sum = 2.0 * values.iter().sum::<f64>() - values[0];
    values.into_iter().map(|value| (value / sum) as f32).collect()
}

/// Blurs along one side: `along` and `across` are numbers of places and their distances. Edges go on as they are.
fn blur(numbers: &[f32], curve: &[f32], along: (usize, usize), across: (usize, usize)) -> Vec<f32> {
    let (n, distance) = along;
    let mut blurred = vec![0.0; numbers.len()];
    for line in 0..across.0 {
        let at = |i: usize| numbers[line * across.1 + i * distance];
        for i in 0..n {
            let sides = curve.iter().enumerate().skip(1);
            let sum: f32 = sides.map(|(d, w)| w * (at(i.saturating_sub(d)) + at((i + d).min(n - 1)))).sum();
            blurred[line * across.1 + i * distance] = sum + curve[0] * at(i);
        }
    }
    blurred
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_half(width: u32, height: u32) -> Mask {
        let pixels = (0..width * height).map(|i| if i % width < width / 2 { 255 } else { 0 }).collect();
        Mask { width, height, pixels }
    }

    #[test]
    fn a_latent_takes_the_nearest_pixels_of_the_mask() {
        let latent = left_half(16, 8).to_latent(1, 4, &Device::Cpu).unwrap();
        assert_eq!(latent.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn feathering_softens_the_edge_alone_and_keeps_its_place() {
        let soft = left_half(64, 5).feathered(4.0);
        let row = &soft.pixels[..64];
        assert!(row.is_sorted_by(|a, b| a >= b), "{row:?}");
        assert_eq!((row[0], row[63]), (255, 0));
        assert!(row[31] > 128 && row[32] < 128, "{row:?}");
        assert!(soft.pixels.chunks(64).all(|other| other == row));
        assert_eq!(left_half(64, 5).feathered(0.0), left_half(64, 5));
    }

    #[test]
    fn a_picture_is_composed_pixel_by_pixel() {
        let plain = |value: u8| Rgb { width: 2, height: 1, pixels: vec![value; 6] };
        let mask = Mask { width: 2, height: 1, pixels: vec![255, 51] };
        assert_eq!(mask.compose(&plain(200), &plain(100)).pixels, [200, 200, 200, 120, 120, 120]);
    }

    #[test]
    fn what_is_painted_anew_is_grey_before() {
        let white = Rgb { width: 2, height: 1, pixels: vec![255; 6] };
        let mask = Mask { width: 2, height: 1, pixels: vec![255, 0] };
        let found = mask.take_out(&white, &Device::Cpu).unwrap();
        assert_eq!(found.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    }
}
