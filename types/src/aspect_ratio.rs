//! Sizes by the ratio of their sides.

use std::fmt;
use std::str::FromStr;

use crate::model::{Family, ModelInfo, Shape, SizeLimits};

/// Width to height, in the smallest whole numbers that people say it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AspectRatio {
    /// Of the width.
    pub across: u32,
    /// Of the height.
    pub down: u32,
}

impl AspectRatio {
    /// All of them, in the order they are offered: the square, from there to the widest, and the same upright.
    pub const ALL: [Self; 11] = [
        Self::new(1, 1),
        Self::new(5, 4),
        Self::new(4, 3),
        Self::new(3, 2),
        Self::new(16, 9),
        Self::new(21, 9),
        Self::new(4, 5),
        Self::new(3, 4),
        Self::new(2, 3),
        Self::new(9, 16),
        Self::new(9, 21),
    ];

    const fn new(across: u32, down: u32) -> Self {
        Self { across, down }
    }

    /// As one number.
    pub fn as_number(self) -> f64 {
        f64::from(self.across) / f64::from(self.down)
    }

    fn upright(self) -> Self {
        Self::new(self.down, self.across)
    }
}

/// The name in requests.
impl fmt::Display for AspectRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.across, self.down)
    }
}

/// A name that stands for no ratio that is offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("aspect ratio `{0}` is unknown; known are {known}", known = known())]
pub struct UnknownRatio(String);

fn known() -> String {
    AspectRatio::ALL.map(|ratio| ratio.to_string()).join(", ")
}

impl FromStr for AspectRatio {
    type Err = UnknownRatio;

    fn from_str(name: &str) -> Result<Self, UnknownRatio> {
        let name = name.trim();
        let found = Self::ALL.into_iter().find(|ratio| ratio.to_string() == name);
        found.ok_or_else(|| UnknownRatio(name.to_owned()))
    }
}

/// Sizes that Stable Diffusion XL was trained with, wider than high.
///
/// # Source
/// The table of multi-aspect buckets in appendix I of Podell et al. 2023, arXiv:2307.01952: the nearest of each ratio,
/// and for 5:4 the next to it, which 4:3 has.
const TRAINED_SDXL: [(AspectRatio, (u32, u32)); 5] = [
    (AspectRatio::new(5, 4), (1088, 896)),
    (AspectRatio::new(4, 3), (1152, 896)),
    (AspectRatio::new(3, 2), (1216, 832)),
    (AspectRatio::new(16, 9), (1344, 768)),
    (AspectRatio::new(21, 9), (1536, 640)),
];
/// The side of the square that these sizes belong to.
const SDXL_SIDE: u32 = 1024;

/// From this many pixels a side, models were trained with sides that are multiples of 64.
const LARGE_SIDE: u32 = 512;
const LARGE_MULTIPLE: u32 = 64;

impl ModelInfo {
    /// The size in this ratio at which the model is best: one that it was trained with, or else about as many pixels
    /// as its square has.
    pub fn size_of_ratio(&self, ratio: AspectRatio) -> (u32, u32) {
        let square = self.size_of(Shape::Square);
        if ratio.across == ratio.down {
            return square;
        }
        if ratio.across < ratio.down {
            let (width, height) = self.size_of_ratio(ratio.upright());
            return (height, width);
        }
        let is_sdxl = matches!(self.family, Family::Sdxl | Family::SdxlRefiner);
        if is_sdxl && square == (SDXL_SIDE, SDXL_SIDE) {
            let trained = TRAINED_SDXL.iter().find(|(trained, _)| *trained == ratio);
            if let Some((_, size)) = trained.filter(|(_, (width, height))| {
                self.limits.allows_side(*width) && self.limits.allows_side(*height)
            }) {
                return *size;
            }
        }
        nearest_size(&self.limits, ratio.as_number(), square)
    }
}

/// The size within the limits that is nearest to a ratio of width to height, and to the number of pixels of `like`.
///
/// A ratio that is off is seen; some more or fewer pixels are not. So the ratio counts twice.
pub fn nearest_size(limits: &SizeLimits, ratio: f64, like: (u32, u32)) -> (u32, u32) {
    let own = limits.multiple.max(1);
    let is_large = like.0.min(like.1) >= LARGE_SIDE && LARGE_MULTIPLE.is_multiple_of(own);
    let multiple = if is_large { LARGE_MULTIPLE } else { own };
    let least = limits.min_side.next_multiple_of(multiple);
    let most = (limits.max_side / multiple * multiple).max(least);
    let n_pixels = f64::from(like.0) * f64::from(like.1);
    let cost = |(width, height): &(u32, u32)| {
        let (width, height) = (f64::from(*width), f64::from(*height));
        2.0 * (width / height / ratio).ln().abs() + (width * height / n_pixels).ln().abs()
    };
    let sizes = (least..=most).step_by(multiple as usize).flat_map(|width| {
        // The best height is one of the two on either side of the exact one.
        let below = (f64::from(width) / ratio / f64::from(multiple)).floor() as u32 * multiple;
        [below, below + multiple].map(|height| (width, height.clamp(least, most)))
    });
    sizes.min_by(|one, other| cost(one).total_cmp(&cost(other))).unwrap_or(like)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::demo_model;

    fn model(family: Family, side: u32, multiple: u32) -> ModelInfo {
        ModelInfo {
            family,
            limits: SizeLimits { multiple, min_side: side / 2, max_side: side * 2 },
            sizes: [(side, side); 3],
            ..demo_model()
        }
    }

    fn sizes(model: &ModelInfo) -> Vec<String> {
        let size = |ratio| {
            let (width, height) = model.size_of_ratio(ratio);
            format!("{ratio} {width}x{height}")
        };
        AspectRatio::ALL.into_iter().map(size).collect()
    }

    #[test]
    fn sdxl_gets_sizes_that_it_was_trained_with() {
        assert_eq!(
            sizes(&model(Family::Sdxl, 1024, 8)),
            [
                "1:1 1024x1024",
                "5:4 1088x896",
                "4:3 1152x896",
                "3:2 1216x832",
                "16:9 1344x768",
                "21:9 1536x640",
                "4:5 896x1088",
                "3:4 896x1152",
                "2:3 832x1216",
                "9:16 768x1344",
                "9:21 640x1536",
            ]
        );
    }

    #[test]
    fn other_models_keep_to_about_their_own_number_of_pixels() {
        assert_eq!(
            sizes(&model(Family::Sd1, 512, 8))[..6],
            ["1:1 512x512", "5:4 576x448", "4:3 576x448", "3:2 576x384", "16:9 704x384", "21:9 768x320"]
        );
        assert_eq!(sizes(&model(Family::Sd2, 768, 8))[4], "16:9 1024x576");
        assert_eq!(sizes(&model(Family::Sdxl, 512, 8))[4], "16:9 704x384", "SDXL-Turbo was trained with 512");
        assert_eq!(
            sizes(&model(Family::Other, 256, 16))[..6],
            ["1:1 256x256", "5:4 288x224", "4:3 304x224", "3:2 320x208", "16:9 336x192", "21:9 384x160"]
        );
    }

    #[test]
    fn every_size_is_one_that_the_model_can_make_and_near_in_ratio_and_pixels() {
        for side in [256, 512, 768, 1024] {
            for (family, multiple) in
                [(Family::Sd1, 8), (Family::Sdxl, 8), (Family::Other, 16), (Family::Other, 64)]
            {
                let model = model(family, side, multiple);
                for ratio in AspectRatio::ALL {
                    let (width, height) = model.size_of_ratio(ratio);
                    let said = format!("{side} {multiple} {ratio}: {width}x{height}");
                    assert!(model.limits.allows_side(width) && model.limits.allows_side(height), "{said}");
                    let off = f64::from(width) / f64::from(height) / ratio.as_number();
                    assert!(off.ln().abs() < 0.2, "{said}");
                    let pixels = f64::from(width * height) / f64::from(side * side);
                    assert!(pixels.ln().abs() < 0.3, "{said}");
                }
            }
        }
    }

    #[test]
    fn narrow_limits_are_kept_to() {
        let limits = SizeLimits { multiple: 8, min_side: 512, max_side: 640 };
        assert_eq!(nearest_size(&limits, 21.0 / 9.0, (512, 512)), (640, 512));
        let single = SizeLimits { multiple: 8, min_side: 512, max_side: 512 };
        assert_eq!(nearest_size(&single, 2.0, (512, 512)), (512, 512));
    }

    #[test]
    fn a_name_that_is_not_offered_is_refused_with_those_that_are() {
        for ratio in AspectRatio::ALL {
            assert_eq!(ratio.to_string().parse(), Ok(ratio));
        }
        assert_eq!(
            "7:5".parse::<AspectRatio>().unwrap_err().to_string(),
            "aspect ratio `7:5` is unknown; known are 1:1, 5:4, 4:3, 3:2, 16:9, 21:9, 4:5, 3:4, 2:3, 9:16, 9:21"
        );
    }
}
