//! Stable Diffusion's safety checker: how near a picture lies to concepts that are not to be shown.
//!
//! # Source
//! `StableDiffusionSafetyChecker` in diffusers' `pipelines/stable_diffusion/safety_checker.py`, roundings included; names
//! as its weights have them.

use candle_core::{Device, Tensor};

use super::clip::{ClipVisionTower, VisionConfig};
use super::config::Config;
use crate::error::{Error, Result};
use crate::model_files::ModelFiles;
use crate::nn::linear::Linear;
use crate::weights::{Scope, Weights};

/// Concepts that are not to be shown.
const CONCEPTS: usize = 17;

/// Concepts near which one looks more strictly.
const SPECIAL_CARE: usize = 3;

/// How much more strictly.
const ADJUSTMENT: f32 = 0.01;

/// Least length of what points somewhere. torch's `normalize` divides what is shorter by this, so that every picture is safe.
const LEAST_LENGTH: f64 = 1e-12;

/// The safety checker's network.
#[derive(Debug, Clone)]
pub struct SafetyNetwork {
    vision: ClipVisionTower,
    projection: Linear,
    concepts: Concepts,
    special_care: Concepts,
}

/// Directions, and how near a picture may lie to each.
#[derive(Debug, Clone)]
struct Concepts {
    /// `(projected width, concepts)`, each of length 1.
    directions: Tensor,
    /// Cosines.
    thresholds: Vec<f32>,
}

/// What the checker thinks of one picture. Scores are cosines less their thresholds, to three places; above 0 is too near.
#[derive(Debug, Clone, PartialEq)]
pub struct SafetyScores {
    /// Of the concepts near which one looks more strictly.
    pub special_care: Vec<f32>,
    /// Of the concepts that are not to be shown.
    pub concepts: Vec<f32>,
}

impl SafetyScores {
    /// Whether the picture is not to be shown.
    pub fn is_unsafe(&self) -> bool {
        self.concepts.iter().any(|&score| score > 0.0)
    }

    fn are_numbers(&self) -> bool {
        self.special_care.iter().chain(&self.concepts).all(|score| score.is_finite())
    }
}

impl SafetyNetwork {
    /// Reads `config.json` and the weights from the part's folder, in diffusers' layout.
    ///
    /// # Errors
    /// [`crate::Error::MissingFile`], [`crate::Error::BrokenFile`], [`crate::Error::MissingTensor`],
    /// [`crate::Error::TensorShape`], [`crate::Error::Unsupported`]; [`crate::Error::NotJudged`] if its directions are none.
    pub fn load(files: &ModelFiles, folder: &str, device: &Device) -> Result<Self> {
        let config = Config::read(files, &format!("{folder}/config.json"))?;
        let vision = VisionConfig::read(&config.table("vision_config")?)?;
        let projected = config.count("projection_dim", Some(512))?;
        let weights = Weights::open(files, folder, "model", device)?;
        let root = weights.root();
        // The published weights have that step twice; newer exporters have it once.
        let outer = root.at("vision_model");
        let tower = if outer.has("vision_model") { outer.at("vision_model") } else { outer };
        Ok(Self {
            projection: Linear::load(&root.at("visual_projection"), vision.width, projected)?,
            vision: ClipVisionTower::load(&tower, vision)?,
            concepts: Concepts::load(&root, "concept_embeds", CONCEPTS, projected)?,
            special_care: Concepts::load(&root, "special_care_embeds", SPECIAL_CARE, projected)?,
        })
    }

    /// Pixels of a side of the pictures that it takes.
    pub fn side(&self) -> usize {
        self.vision.config().side
    }

    /// Pictures `(batch, 3, side, side)`, normalised as CLIP was trained with, to their embeddings
    /// `(batch, projected width)`.
    ///
    /// # Errors
    /// A candle error if the pictures have another size.
    pub fn embed(&self, pictures: &Tensor) -> Result<Tensor> {
        self.projection.forward(&self.vision.forward(pictures)?)
    }

    /// What it thinks of pictures with these embeddings, each in its turn.
    ///
    /// # Errors
    /// [`crate::Error::NotJudged`] if what came out are no scores; whatever candle says.
    pub fn judge(&self, embeddings: &Tensor) -> Result<Vec<SafetyScores>> {
        let special_care = self.special_care.cosines(embeddings)?;
        let concepts = self.concepts.cosines(embeddings)?;
        let judged = special_care.iter().zip(&concepts).map(|(special_care, concepts)| {
            let mut adjustment = 0.0;
            let mut care = Vec::with_capacity(SPECIAL_CARE);
            for (cosine, threshold) in special_care.iter().zip(&self.special_care.thresholds) {
                let score = rounded(cosine - threshold + adjustment);
                // From the first that is near on, the others count as nearer, too.
                adjustment = if score > 0.0 { ADJUSTMENT } else { adjustment };
                care.push(score);
            }
            let scores = concepts.iter().zip(&self.concepts.thresholds);
            SafetyScores {
                special_care: care,
                concepts: scores
                    .map(|(cosine, threshold)| rounded(cosine - threshold + adjustment))
                    .collect(),
            }
        });
        let judged: Vec<SafetyScores> = judged.collect();
        // Numbers that are none lie above no threshold, and would pass for a picture that may be shown.
        if judged.iter().all(SafetyScores::are_numbers) { Ok(judged) } else { Err(Error::NotJudged) }
    }
}

impl Concepts {
    fn load(root: &Scope<'_>, name: &str, n: usize, projected: usize) -> Result<Self> {
        let directions = normalised(&root.tensor(name, &[n, projected])?)?;
        Ok(Self {
            directions: directions.t()?.contiguous()?,
            thresholds: root.values(&format!("{name}_weights"), &[n])?,
        })
    }

    /// Of each embedding to each direction.
    fn cosines(&self, embeddings: &Tensor) -> Result<Vec<Vec<f32>>> {
        Ok(normalised(embeddings)?.matmul(&self.directions)?.to_vec2()?)
    }
}

/// Each row at length 1. One that has no length, or more than a number can say, points nowhere, and would lie near nothing.
fn normalised(rows: &Tensor) -> Result<Tensor> {
    let lengths = rows.sqr()?.sum_keepdim(1)?.sqrt()?;
    let points_somewhere = |length: &f32| length.is_finite() && f64::from(*length) >= LEAST_LENGTH;
    if !lengths.flatten_all()?.to_vec1()?.iter().all(points_somewhere) {
        return Err(Error::NotJudged);
    }
    Ok(rows.broadcast_div(&lengths)?)
}

/// To three places, halves to the even one, as numpy rounds.
fn rounded(score: f32) -> f32 {
    (score * 1000.0).round_ties_even() / 1000.0
}
