//! What stands in the place that is painted anew, before it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fields::choose;
use super::{Mask, RawRequest};
use crate::error::PublicError;

/// What the part under a mask begins with. The AUTOMATIC1111 web UI calls it *masked content*.
///
/// The higher the strength, the less of it is seen in the end; at 1, where a run begins with noise alone, none of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MaskFill {
    /// The start picture as it is.
    #[default]
    Original,
    /// The colours around it, blurred into it.
    Fill,
    /// Noise of the seed, as a latent.
    Noise,
    /// Zeros, as a latent.
    Nothing,
}

impl MaskFill {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 4] = [Self::Original, Self::Fill, Self::Noise, Self::Nothing];

    /// The name in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Fill => "fill",
            Self::Noise => "noise",
            Self::Nothing => "nothing",
        }
    }

    /// The name that the AUTOMATIC1111 web UI shows and writes into a picture's settings.
    pub fn label(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Fill => "fill",
            Self::Noise => "latent noise",
            Self::Nothing => "latent nothing",
        }
    }

    /// Whether it is the usual one, as which requests were made before there were others.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn is_original(&self) -> bool {
        *self == Self::Original
    }
}

impl fmt::Display for MaskFill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Without a mask there is nothing to fill, and a wrong name is wrong all the same.
pub(super) fn check(raw: &RawRequest, mask: Option<&Mask>) -> Result<MaskFill, PublicError> {
    let fill = choose("mask_fill", raw.mask_fill.as_deref(), MaskFill::ALL, MaskFill::as_str)?;
    Ok(if mask.is_some() { fill } else { MaskFill::Original })
}
