//! What is installed and what it knows.

use serde::{Deserialize, Serialize};

use crate::request::{CLIP_SKIP, SIZE_MULTIPLE};
use crate::sampler::{Sampler, Schedule};

/// A picture model as the site shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelInfo {
    /// Name in requests: the folder's name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// A sentence or two on what it is good for.
    pub description: String,
    /// Its licence, if it says so.
    pub licence: Option<String>,
    /// Which LoRA files and which prompts suit it.
    pub family: Family,
    /// Its U-Net takes a mask and the picture under it as further channels.
    pub inpaints: bool,
    /// It changes a picture by an instruction (`InstructPix2Pix`): it needs a start picture, and walks all steps.
    #[serde(default)]
    pub edits: bool,
    /// The layer of its text encoders that is furthest from the last at which one may stop, 1 to 12. The last is 1.
    #[serde(default = "most_clip_skip")]
    pub max_clip_skip: u32,
    /// Comes with the program, rather than from the models folder.
    pub bundled: bool,
    /// What a request gets that leaves things open.
    pub defaults: ModelDefaults,
    /// The sizes it can make.
    pub limits: SizeLimits,
    /// Size for each [`Shape`], in its order: square, landscape, portrait.
    pub sizes: [(u32, u32); 3],
    /// The words it knows, if it knows only some.
    pub vocabulary: Option<Vocabulary>,
    /// Prompts that it does well.
    pub examples: Vec<String>,
    /// Number of weights.
    pub n_parameters: u64,
    /// Estimated memory for one picture of its own size, in bytes.
    pub memory_bytes: u64,
    /// Why it cannot be used, if it cannot.
    pub problem: Option<String>,
}

/// Of a model that does not tell, as before models did.
fn most_clip_skip() -> u32 {
    *CLIP_SKIP.end()
}

/// Models whose U-Nets and text encoders have the same sizes, so that a LoRA for one fits the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Stable Diffusion 1.1 to 1.5 and what was trained further from them.
    Sd1,
    /// Stable Diffusion 2.0 and 2.1.
    Sd2,
    /// Stable Diffusion XL, its Turbo among them.
    Sdxl,
    /// The second model of Stable Diffusion XL, for the last steps.
    SdxlRefiner,
    /// Of sizes of its own, as the demo model.
    #[default]
    Other,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sd1, Self::Sd2, Self::Sdxl, Self::SdxlRefiner, Self::Other];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sd1 => "sd1",
            Self::Sd2 => "sd2",
            Self::Sdxl => "sdxl",
            Self::SdxlRefiner => "sdxl_refiner",
            Self::Other => "other",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Sd1 => "Stable Diffusion 1.x",
            Self::Sd2 => "Stable Diffusion 2.x",
            Self::Sdxl => "Stable Diffusion XL",
            Self::SdxlRefiner => "Stable Diffusion XL refiner",
            Self::Other => "a family of its own",
        }
    }
}

/// What a request gets that leaves things open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelDefaults {
    /// Sampling steps.
    pub steps: u32,
    /// Classifier-free guidance scale.
    pub guidance_scale: f64,
    /// Sampler.
    pub sampler: Sampler,
    /// Noise schedule.
    pub schedule: Schedule,
}

/// The sizes that a model can make, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SizeLimits {
    /// Every side is a multiple of this: what the VAE shrinks a side by, and 8 at least.
    pub multiple: u32,
    /// Shortest side.
    pub min_side: u32,
    /// Longest side.
    pub max_side: u32,
}

impl SizeLimits {
    /// Whether a picture may be this wide or high.
    pub fn allows_side(&self, side: u32) -> bool {
        (self.min_side..=self.max_side).contains(&side)
            && side.is_multiple_of(self.multiple)
            && side.is_multiple_of(SIZE_MULTIPLE)
    }
}

/// The words that a small model knows, so that the page can help a visitor to speak them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Vocabulary {
    /// What can be painted.
    pub subjects: Vec<String>,
    /// In which colours.
    pub colours: Vec<String>,
    /// Where.
    pub places: Vec<String>,
    /// When.
    pub times: Vec<String>,
    /// In which weather.
    pub weather: Vec<String>,
    /// In which style.
    pub styles: Vec<String>,
}

/// Steps by name, for people who do not know what a step is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Half the usual steps: a quick look.
    Preview,
    /// The model's usual steps.
    #[default]
    Standard,
    /// Twice the usual steps.
    Premium,
}

impl Quality {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Preview, Self::Standard, Self::Premium];

    /// The name in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Standard => "standard",
            Self::Premium => "premium",
        }
    }

    /// Steps, given the model's usual number.
    pub fn steps(self, usual: u32) -> u32 {
        match self {
            Self::Preview => (usual / 2).max(1),
            Self::Standard => usual,
            Self::Premium => (usual * 2).min(*crate::request::STEPS.end()),
        }
    }
}

/// Size by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// As wide as high.
    #[default]
    Square,
    /// Wider than high.
    Landscape,
    /// Higher than wide.
    Portrait,
}

impl Shape {
    /// All of them, in the order they are offered, which is the order of [`ModelInfo::sizes`].
    pub const ALL: [Self; 3] = [Self::Square, Self::Landscape, Self::Portrait];

    /// The name in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Square => "square",
            Self::Landscape => "landscape",
            Self::Portrait => "portrait",
        }
    }
}

impl ModelInfo {
    /// Width and height in pixels for a shape.
    pub fn size_of(&self, shape: Shape) -> (u32, u32) {
        self.sizes[shape as usize]
    }
}
