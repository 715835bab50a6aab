//! What a U-Net is told besides the latent and the timestep.

use candle_core::Tensor;

use crate::error::Result;

/// What a U-Net is told besides the latent and the timestep, for one picture or for a batch.
#[derive(Debug, Clone)]
pub struct Condition {
    /// `(batch, tokens, text)` from the text encoders.
    pub text: Tensor,
    /// For U-Nets with an added embedding (SDXL).
    pub added: Option<Added>,
    /// `(batch, channels)`: the guidance scale as waves, for U-Nets that were distilled to follow it (LCM).
    pub guidance: Option<Tensor>,
}

/// What SDXL is told of the picture as a whole.
#[derive(Debug, Clone)]
pub struct Added {
    /// `(batch, channels)`: the pooled text.
    pub pooled: Tensor,
    /// Numbers for each picture, `(batch, n)`: of SDXL original height and width, top and left of the crop, target
    /// height and width, in pixels; of its refiner an aesthetic score instead of the last two.
    pub numbers: Vec<Vec<f64>>,
}

impl Condition {
    /// A text alone.
    pub fn text(text: Tensor) -> Self {
        Self { text, added: None, guidance: None }
    }

    /// The same for each of `n` pictures.
    ///
    /// # Errors
    /// A candle error if there is no memory for it.
    pub fn repeated(&self, n: usize) -> Result<Self> {
        Self::cat(&vec![self; n])
    }

    /// Several, one after the other in one batch. All must have the same parts and equally long texts.
    ///
    /// # Errors
    /// A candle error if they have not.
    pub fn cat(all: &[&Self]) -> Result<Self> {
        let missing = || candle_core::Error::Msg("conditions with different parts cannot be a batch".into());
        let texts: Vec<&Tensor> = all.iter().map(|one| &one.text).collect();
        let added: Vec<&Added> = all.iter().filter_map(|one| one.added.as_ref()).collect();
        let guidance: Vec<&Tensor> = all.iter().filter_map(|one| one.guidance.as_ref()).collect();
        if ![0, all.len()].contains(&added.len()) || ![0, all.len()].contains(&guidance.len()) {
            return Err(missing().into());
        }
        let pooled: Vec<&Tensor> = added.iter().map(|one| &one.pooled).collect();
        let added = if added.is_empty() {
            None
        } else {
            let numbers = added.iter().flat_map(|one| one.numbers.clone()).collect();
            Some(Added { pooled: Tensor::cat(&pooled, 0)?, numbers })
        };
        let guidance = if guidance.is_empty() { None } else { Some(Tensor::cat(&guidance, 0)?) };
        Ok(Self { text: Tensor::cat(&texts, 0)?, added, guidance })
    }
}
