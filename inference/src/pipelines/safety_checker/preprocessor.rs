//! A picture as CLIP sees it.
//!
//! # Source
//! `CLIPImageProcessorPil` of transformers 5: the shortest side is resized by Pillow, the middle cut out, and each colour
//! normalised.

use candle_core::{Device, Tensor};
use serde_json::json;

use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::config::Config;
use crate::pipelines::stable_diffusion::Rgb;
use crate::resize::{Curve, resize};

/// Means of red, green and blue in what CLIP was trained with.
const MEAN: [f64; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];

/// Their standard deviations.
const DEVIATION: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];

/// Pillow's number for its bicubic curve.
const BICUBIC: u8 = 3;

/// How pictures are prepared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Preprocessor {
    /// Pixels that the shortest side is resized to.
    shortest: u32,
    /// Pixels of a side of the square that is cut out of the middle; no more than `shortest`.
    side: u32,
    mean: [f64; 3],
    deviation: [f64; 3],
}

impl Preprocessor {
    /// For a network that takes pictures with sides of `side` pixels.
    ///
    /// # Errors
    /// [`crate::Error::BrokenFile`]; [`crate::Error::Unsupported`] if something else is asked for than this does, or
    /// pictures come out at another size than the network takes.
    pub(super) fn read(files: &ModelFiles, side: usize) -> Result<Self> {
        let places = ["feature_extractor", super::SAFETY_CHECKER];
        let file = places.iter().map(|folder| format!("{folder}/preprocessor_config.json"));
        let Some(file) = file.into_iter().find(|file| files.exists(file)) else {
            let side = side as u32;
            return Ok(Self { shortest: side, side, mean: MEAN, deviation: DEVIATION });
        };
        let config = Config::read(files, &file)?;
        for step in ["do_resize", "do_center_crop", "do_rescale", "do_normalize"] {
            config.only(step, &[json!(true)])?;
        }
        config.only("resample", &[json!(BICUBIC)])?;
        config.only("rescale_factor", &[json!(1.0 / 255.0)])?;
        // One number in older files, a table in newer ones.
        let shortest = match config.table("size") {
            Ok(table) => table.count("shortest_edge", Some(side))?,
            Err(_) => config.count("size", None)?,
        };
        let cut = match config.table("crop_size") {
            Ok(table) => {
                let height = table.count("height", Some(side))?;
                table.only("width", &[json!(height)])?;
                height
            }
            Err(_) => config.count("crop_size", None)?,
        };
        if cut != side {
            return Err(config.unsupported("crop_size", format!("{side}, which the network takes,")));
        }
        if shortest < side {
            return Err(config.unsupported("size", format!("a shortest edge of at least {side}")));
        }
        let colours = |key: &str, usual: [f64; 3]| {
            let numbers = config.optional_numbers(key, 3)?;
            Ok::<_, crate::Error>(numbers.map_or(usual, |n| [n[0], n[1], n[2]]))
        };
        Ok(Self {
            shortest: shortest as u32,
            side: side as u32,
            mean: colours("image_mean", MEAN)?,
            deviation: colours("image_std", DEVIATION)?,
        })
    }

    /// The picture at the size that squares are cut out of.
    pub(super) fn prepare(&self, picture: &Rgb) -> Prepared<'_> {
        let from = (picture.width, picture.height);
        let size = self.resized(from);
        let pixels = resize(&picture.pixels, 3, from, size, Curve::Bicubic);
        Prepared { preprocessor: self, size, pixels }
    }

    /// Width and height once the shortest side is as long as it is to be; the other is rounded down.
    fn resized(&self, (width, height): (u32, u32)) -> (u32, u32) {
        let longest = |long: u32, short: u32| {
            (u64::from(self.shortest) * u64::from(long) / u64::from(short.max(1))) as u32
        };
        if width <= height {
            (self.shortest, longest(height, width))
        } else {
            (longest(width, height), self.shortest)
        }
    }
}

/// A picture that squares are cut out of.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    preprocessor: &'a Preprocessor,
    /// Width and height.
    size: (u32, u32),
    pixels: Vec<u8>,
}

impl Prepared<'_> {
    /// Left and top of the square in the middle.
    pub(super) fn middle(&self) -> (u32, u32) {
        let side = self.preprocessor.side;
        ((self.size.0 - side) / 2, (self.size.1 - side) / 2)
    }

    /// The same of the squares that show all of the longer side, the one in the middle first: none but that where no side is
    /// longer. Towards each end there are as many as it takes for each to share half with the next.
    pub(super) fn places(&self) -> Vec<(u32, u32)> {
        let (width, height) = self.size;
        let (left, top) = self.middle();
        let mut places = vec![(left, top)];
        if width == height {
            return places;
        }
        let room = width.max(height) - self.preprocessor.side;
        // Half of the room lies towards each end, and a square goes on by half of its side at most.
        let n_towards_an_end = room.div_ceil(self.preprocessor.side);
        let n = 2 * n_towards_an_end;
        let along = (0..=n).map(|i| (u64::from(room) * u64::from(i) / u64::from(n)) as u32);
        let along = along.map(|at| if width > height { (at, top) } else { (left, at) });
        places.extend(along.filter(|&place| place != (left, top)));
        places
    }

    /// A square as the network takes it, `(1, 3, side, side)`.
    ///
    /// # Errors
    /// Whatever candle says.
    pub(super) fn square(&self, (left, top): (u32, u32), device: &Device) -> Result<Tensor> {
        let Preprocessor { side, mean, deviation, .. } = self.preprocessor;
        let (side, width) = (*side as usize, self.size.0 as usize);
        let mut values = Vec::with_capacity(3 * side * side);
        for colour in 0..3 {
            let (mean, deviation) = (mean[colour], deviation[colour]);
            for row in 0..side {
                let begin = ((top as usize + row) * width + left as usize) * 3 + colour;
                let row = self.pixels[begin..].iter().step_by(3).take(side);
                values.extend(row.map(|&byte| ((f64::from(byte) / 255.0 - mean) / deviation) as f32));
            }
        }
        Ok(Tensor::from_vec(values, (1, 3, side, side), device)?)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    /// What is read where `feature_extractor` says that.
    fn read(text: &'static str, side: usize) -> Result<Preprocessor> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("feature_extractor")).unwrap();
        std::fs::write(folder.path().join("feature_extractor/preprocessor_config.json"), text).unwrap();
        Preprocessor::read(&ModelFiles::folder(folder.path()), side)
    }

    #[test]
    fn old_and_new_files_say_the_same() {
        let usual = Preprocessor { shortest: 224, side: 224, mean: MEAN, deviation: DEVIATION };
        let nothing = ModelFiles::embedded("demo", |_| None::<Cow<'static, [u8]>>);
        assert_eq!(Preprocessor::read(&nothing, 224).unwrap(), usual);
        let old = r#"{"crop_size": 224, "do_center_crop": true, "do_resize": true, "resample": 3, "size": 224,
            "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}"#;
        assert_eq!(read(old, 224).unwrap(), usual);
        let new = r#"{"crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 224},
            "rescale_factor": 0.00392156862745098}"#;
        assert_eq!(read(new, 224).unwrap(), usual);
    }

    #[test]
    fn what_would_change_the_picture_is_refused_by_name() {
        for (text, key) in [
            (r#"{"do_resize": false}"#, "do_resize"),
            (r#"{"resample": 2}"#, "resample"),
            (r#"{"crop_size": 336}"#, "crop_size"),
            (r#"{"crop_size": {"height": 224, "width": 200}}"#, "width"),
            (r#"{"size": {"shortest_edge": 200}}"#, "size"),
            (r#"{"image_mean": [0.5]}"#, "image_mean"),
        ] {
            let error = read(text, 224).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{key}` in")), "{error}");
        }
    }

    #[test]
    fn the_shortest_side_is_resized_and_the_middle_cut_out() {
        let preprocessor = Preprocessor { shortest: 4, side: 2, mean: [0.0; 3], deviation: [1.0; 3] };
        assert_eq!(preprocessor.resized((100, 100)), (4, 4));
        assert_eq!(preprocessor.resized((7, 3)), (9, 4));
        assert_eq!(preprocessor.resized((3, 7)), (4, 9));
        // Its columns are 0, 10, 20 and 30.
        let pixels = (0..4).flat_map(|_| (0..4).flat_map(|x| [x * 10; 3])).collect();
        let picture = Rgb { width: 4, height: 4, pixels };
        let prepared = preprocessor.prepare(&picture);
        let seen = prepared.square(prepared.middle(), &Device::Cpu).unwrap();
        let row: Vec<f32> = seen.flatten_all().unwrap().narrow(0, 0, 2).unwrap().to_vec1().unwrap();
        assert_eq!((seen.dims(), row), (&[1, 3, 2, 2][..], vec![10.0 / 255.0, 20.0 / 255.0]));
    }

    #[test]
    fn a_square_is_looked_at_in_the_middle_and_a_long_picture_from_one_end_to_the_other() {
        let preprocessor = Preprocessor { shortest: 224, side: 224, mean: MEAN, deviation: DEVIATION };
        let places = |size| Prepared { preprocessor: &preprocessor, size, pixels: Vec::new() }.places();
        assert_eq!(places((224, 224)), [(0, 0)]);
        assert_eq!(places((336, 224)), [(56, 0), (0, 0), (112, 0)]);
        assert_eq!(places((224, 336)), [(0, 56), (0, 0), (0, 112)]);
        assert_eq!(places((672, 224)), [(224, 0), (0, 0), (112, 0), (336, 0), (448, 0)]);
        assert_eq!(places((225, 224)), [(0, 0), (1, 0)]);
    }
}
