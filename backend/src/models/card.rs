//! What a model says about itself.

use inference::model_files::ModelFiles;
use serde::Deserialize;
use types::model::{ModelDefaults, SizeLimits, Vocabulary};
use types::request::{GUIDANCE_SCALE, STEPS};

const CARD: &str = "darkroom.json";

/// The file `darkroom.json` beside a model's parts. All of it may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Card {
    pub(super) title: Option<String>,
    pub(super) description: String,
    pub(super) licence: Option<String>,
    pub(super) defaults: Option<ModelDefaults>,
    /// Square, landscape, portrait.
    pub(super) sizes: Option<[(u32, u32); 3]>,
    pub(super) vocabulary: Option<Vocabulary>,
    pub(super) examples: Vec<String>,
}

impl Card {
    pub(super) fn read(files: &ModelFiles) -> inference::Result<Self> {
        if !files.exists(CARD) {
            return Ok(Self::default());
        }
        files.json(CARD)
    }

    /// Whether a request that leaves everything open would be allowed.
    ///
    /// # Errors
    /// `BrokenFile` with the first setting that no request may have.
    pub(super) fn check(&self, files: &ModelFiles, limits: &SizeLimits) -> inference::Result<()> {
        let refuse = |reason| Err(files.broken(CARD, reason));
        if let Some(ModelDefaults { steps, guidance_scale, .. }) = &self.defaults {
            if !STEPS.contains(steps) {
                let (first, last) = (STEPS.start(), STEPS.end());
                return refuse(format!("steps {steps} is out of range; allowed are {first} to {last}"));
            }
            if !GUIDANCE_SCALE.contains(guidance_scale) {
                let (first, last) = (GUIDANCE_SCALE.start(), GUIDANCE_SCALE.end());
                return refuse(format!(
                    "guidance scale {guidance_scale} is out of range; allowed are {first} to {last}"
                ));
            }
        }
        for (width, height) in self.sizes.into_iter().flatten() {
            if !limits.allows_side(width) || !limits.allows_side(height) {
                return refuse(format!(
                    "size {width}x{height} is not possible; allowed are multiples of {} from {} to {}",
                    limits.multiple, limits.min_side, limits.max_side
                ));
            }
        }
        Ok(())
    }
}
