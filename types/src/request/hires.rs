//! A second pass at a larger size.

use serde::{Deserialize, Serialize};

use super::fields::within;
use super::start::{check_strength, named};
use super::{HIRES_SCALE_MOST, HIRES_STEPS, RawRequest, USUAL_HIRES_STRENGTH};
use crate::error::PublicError;
use crate::model::ModelInfo;

/// The picture is painted at its size, enlarged, and walked a second time from some noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hires {
    /// Factor by which it is enlarged, above 1 and up to 4.
    pub scale: f64,
    /// Pixels of the enlarged picture: the nearest width to the factor that the model can make.
    pub width: u32,
    /// Pixels of the enlarged picture: the nearest height to the factor that the model can make.
    pub height: u32,
    /// Steps of the second pass, 1 to 150.
    pub steps: u32,
    /// The share of these steps that is walked, 0 to 1. The meaning of diffusers' `strength`.
    pub strength: f64,
}

/// How much larger the second pass may be than the largest side of the first: it keeps to a composition that is
/// there, so a model does well here at sizes at which it would repeat itself.
const MOST_OVER_FIRST_PASS: u32 = 2;

pub(super) fn check(
    raw: &RawRequest,
    model: &ModelInfo,
    (width, height): (u32, u32),
    steps: u32,
) -> Result<Option<Hires>, PublicError> {
    let asked = within("hires_steps", raw.hires_steps.unwrap_or(0), &HIRES_STEPS)?;
    let steps = if asked == 0 { steps } else { asked };
    let Some(scale) = raw.hires_scale else {
        super::fields::fraction("hires_strength", raw.hires_strength, USUAL_HIRES_STRENGTH)?;
        return Ok(None);
    };
    let refuse = |message| Err(PublicError::invalid_field("hires_scale", message));
    if !(scale > 1.0 && scale <= HIRES_SCALE_MOST) {
        return refuse(format!(
            "hires scale {scale} is out of range; allowed are numbers above 1 and up to {HIRES_SCALE_MOST}"
        ));
    }
    if named(raw.start.as_deref()).is_some() {
        return refuse(format!(
            "hires scale {scale} cannot go together with a start picture; leave one of them out"
        ));
    }
    let strength = check_strength("hires_strength", raw.hires_strength, USUAL_HIRES_STRENGTH, steps)?;
    let multiple = model.limits.multiple.max(1);
    let enlarged = |side: u32| (f64::from(side) * scale / f64::from(multiple)).round() as u32 * multiple;
    let (width, height) = (enlarged(width), enlarged(height));
    let most = model.limits.max_side * MOST_OVER_FIRST_PASS;
    if width.max(height) > most {
        return refuse(format!(
            "hires scale {scale} makes the picture {width}x{height}; allowed are sides up to {most} with model `{}`",
            model.name
        ));
    }
    Ok(Some(Hires { scale, width, height, steps, strength }))
}
