//! Whether a picture is one that Stable Diffusion's safety checker would not show.
//!
//! # Source
//! `run_safety_checker` of diffusers' pipelines: `CLIPImageProcessor` of transformers, and the checker.

mod preprocessor;

use candle_core::{Device, Tensor};

use self::preprocessor::Preprocessor;
use super::stable_diffusion::Rgb;
use crate::error::Result;
use crate::model_files::ModelFiles;
use crate::models::safety_checker::{SafetyNetwork, SafetyScores};

/// The folder of its weights in a model, or in the models folder.
pub const SAFETY_CHECKER: &str = "safety_checker";

/// A loaded safety checker. Looks at one picture at a time; share it by reference.
#[derive(Debug)]
pub struct SafetyChecker {
    network: SafetyNetwork,
    preprocessor: Preprocessor,
    device: Device,
}

/// Everything that it makes of a picture on the way, for comparisons.
#[derive(Debug)]
pub struct SafetyCheck {
    /// The picture as the network sees it, `(1, 3, side, side)`.
    pub seen: Tensor,
    /// `(1, projected width)`
    pub embedding: Tensor,
    /// How near it lies to what is not to be shown.
    pub scores: SafetyScores,
}

impl SafetyChecker {
    /// Whether there is one among these files.
    pub fn is_in(files: &ModelFiles) -> bool {
        files.exists(&format!("{SAFETY_CHECKER}/config.json"))
    }

    /// Reads the folder `safety_checker` and how pictures are prepared for it: `preprocessor_config.json` in the folder
    /// `feature_extractor` or beside the weights; where neither is, as OpenAI's CLIP was trained.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::Pickle`],
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorShape`], [`crate::Error::Unsupported`].
    pub fn load(files: &ModelFiles, device: &Device) -> Result<Self> {
        let network = SafetyNetwork::load(files, SAFETY_CHECKER, device)?;
        let preprocessor = Preprocessor::read(files, network.side())?;
        Ok(Self { network, preprocessor, device: device.clone() })
    }

    /// Whether a picture is not to be shown. It is looked at whole: where it is no square, in squares along its longer side,
    /// each of which shares half of itself or more with the next, and the middle one first. One of them is enough.
    ///
    /// diffusers looks at the middle alone, and never sees what is painted at the ends of a long picture.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn is_unsafe(&self, picture: &Rgb) -> Result<bool> {
        let prepared = self.preprocessor.prepare(picture);
        for place in prepared.places() {
            if self.look_at(prepared.square(place, &self.device)?)?.scores.is_unsafe() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Looks at the square in the middle of a picture, as diffusers does.
    ///
    /// # Errors
    /// [`crate::Error::NotJudged`]; whatever candle says.
    pub fn check(&self, picture: &Rgb) -> Result<SafetyCheck> {
        let prepared = self.preprocessor.prepare(picture);
        self.look_at(prepared.square(prepared.middle(), &self.device)?)
    }

    fn look_at(&self, seen: Tensor) -> Result<SafetyCheck> {
        let embedding = self.network.embed(&seen)?;
        let scores = self.network.judge(&embedding)?.remove(0);
        Ok(SafetyCheck { seen, embedding, scores })
    }
}

#[cfg(test)]
#[path = "safety_checker_tests.rs"]
mod tests;
