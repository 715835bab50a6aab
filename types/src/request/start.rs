//! The picture to start from, and the mask over it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fields::{fraction, within};
use super::{MASK_FEATHER, RawRequest, RequestContext, USUAL_MASK_FEATHER, USUAL_STRENGTH};
use crate::error::PublicError;
use crate::model::ModelInfo;
use crate::picture::PictureId;
use crate::upload::UploadId;

/// Where a picture comes from that a request names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum PictureSource {
    /// Somebody sent it.
    Upload(UploadId),
    /// It was made here.
    Picture(PictureId),
    /// A file's name, as it was given to the command line.
    File(String),
}

impl PictureSource {
    /// Path on the site of a picture to look at; a file has none.
    pub fn path(&self) -> Option<String> {
        match self {
            Self::Upload(id) => Some(format!("/api/v1/uploads/{id}")),
            Self::Picture(id) => Some(format!("/images/{id}/thumbnail")),
            Self::File(_) => None,
        }
    }
}

/// The name in requests.
impl fmt::Display for PictureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upload(id) => id.fmt(f),
            Self::Picture(id) => id.fmt(f),
            Self::File(name) => f.write_str(name),
        }
    }
}

/// A picture that the asker may use, as a request is checked against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPicture {
    /// Where it comes from.
    pub source: PictureSource,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// The picture to start from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Start {
    /// Where it comes from.
    #[serde(flatten)]
    pub source: PictureSource,
    /// The share of the steps that is walked, 0 to 1; 1 starts from noise alone, as a model does that changes the
    /// picture by an instruction. The meaning of diffusers' `strength`.
    pub strength: f64,
}

/// Which part of the start picture is painted anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mask {
    /// Where it comes from. White is painted anew, black stays.
    #[serde(flatten)]
    pub source: PictureSource,
    /// Pixels over which its edge is softened, 0 to 64.
    pub feather: u32,
}

/// How many of these steps are walked at a strength. The rounding of diffusers' `get_timesteps`.
pub(super) fn walked(steps: u32, strength: f64) -> u32 {
    (f64::from(steps) * strength) as u32
}

/// A strength at which at least one of these steps is walked.
pub(super) fn check_strength(
    field: &'static str,
    strength: Option<f64>,
    usual: f64,
    steps: u32,
) -> Result<f64, PublicError> {
    // The usual one of a single step is none.
    let usual = if walked(steps, usual) == 0 { 1.0 } else { usual };
    let strength = fraction(field, strength, usual)?;
    if walked(steps, strength) == 0 {
        let said = field.replace('_', " ");
        return Err(PublicError::invalid_field(
            field,
            format!(
                "{said} {strength} walks none of the {steps} steps; allowed are {} to 1",
                (1000.0 / f64::from(steps)).ceil() / 1000.0
            ),
        ));
    }
    Ok(strength)
}

pub(super) fn check(
    raw: &RawRequest,
    context: &RequestContext<'_>,
    model: &ModelInfo,
    steps: u32,
) -> Result<Option<Start>, PublicError> {
    let Some(name) = named(raw.start.as_deref()) else {
        // It has nothing to act on, and is wrong all the same.
        fraction("strength", raw.strength, USUAL_STRENGTH)?;
        return Ok(None);
    };
    let Some(known) = &context.start else {
        return Err(PublicError::invalid_field(
            "start",
            format!("start `{name}` is neither an upload nor a picture of yours; upload it, or leave it out"),
        ));
    };
    let strength = if model.edits {
        // It has no use for one, which may be wrong all the same.
        fraction("strength", raw.strength, USUAL_STRENGTH)?;
        1.0
    } else {
        check_strength("strength", raw.strength, USUAL_STRENGTH, steps)?
    };
    Ok(Some(Start { source: known.source.clone(), strength }))
}

pub(super) fn check_mask(
    raw: &RawRequest,
    context: &RequestContext<'_>,
) -> Result<Option<Mask>, PublicError> {
    let feather = raw.mask_feather.unwrap_or(i64::from(USUAL_MASK_FEATHER));
    let feather = within("mask_feather", feather, &MASK_FEATHER)?;
    let Some(name) = named(raw.mask.as_deref()) else { return Ok(None) };
    let refuse = |message| Err(PublicError::invalid_field("mask", message));
    let Some(start) = named(raw.start.as_deref()).and(context.start.as_ref()) else {
        return refuse(format!("mask `{name}` lies over no picture; name the one under it as `start`"));
    };
    let Some(mask) = &context.mask else {
        return refuse(format!("mask `{name}` is not an upload of yours; upload it, or leave it out"));
    };
    if (mask.width, mask.height) != (start.width, start.height) {
        return refuse(format!(
            "the mask has {}x{} pixels; allowed are {}x{}, as the start picture has",
            mask.width, mask.height, start.width, start.height
        ));
    }
    Ok(Some(Mask { source: mask.source.clone(), feather }))
}

/// The name, unless it is empty.
pub(super) fn named(name: Option<&str>) -> Option<&str> {
    name.map(str::trim).filter(|name| !name.is_empty())
}
