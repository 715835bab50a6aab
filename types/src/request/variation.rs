//! A second noise, mixed into the first.

use serde::{Deserialize, Serialize};

use super::check::check_seed;
use super::fields::fraction;
use super::{MAX_SEED, RawRequest};
use crate::error::PublicError;

/// A picture a little off another one: the noise lies between those of two seeds, on the sphere. The
/// AUTOMATIC1111 web UI calls it subseed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Variation {
    /// Seed of the second noise.
    pub seed: u64,
    /// How far to go towards it, above 0 and up to 1.
    pub strength: f64,
}

pub(super) fn check(
    raw: &RawRequest,
    choose_seed: &mut dyn FnMut() -> u64,
) -> Result<Option<Variation>, PublicError> {
    let strength = fraction("variation_strength", raw.variation_strength, 0.0)?;
    if strength == 0.0 {
        // It has nothing to act on, and is wrong all the same.
        check_seed("variation_seed", raw.variation_seed, &mut || MAX_SEED)?;
        return Ok(None);
    }
    let seed = check_seed("variation_seed", raw.variation_seed, choose_seed)?;
    Ok(Some(Variation { seed, strength }))
}
