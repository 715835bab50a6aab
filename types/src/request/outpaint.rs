//! What is painted on around a start picture.

use serde::{Deserialize, Serialize};

use super::fields::within;
use super::start::named;
use super::{OUTPAINT, RawRequest, SIZE_MULTIPLE};
use crate::error::PublicError;

/// Pixels that are painted on around a start picture: multiples of 8, 0 to 1024 each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Margins {
    /// To its left.
    pub left: u32,
    /// Above it.
    pub top: u32,
    /// To its right.
    pub right: u32,
    /// Below it.
    pub bottom: u32,
}

impl Margins {
    /// Pixels to the left and to the right together.
    pub fn horizontal(self) -> u32 {
        self.left + self.right
    }

    /// Pixels above and below together.
    pub fn vertical(self) -> u32 {
        self.top + self.bottom
    }
}

/// Nothing if all four are 0.
pub(super) fn check(raw: &RawRequest) -> Result<Option<Margins>, PublicError> {
    let margins = Margins {
        left: side("outpaint_left", raw.outpaint_left)?,
        top: side("outpaint_top", raw.outpaint_top)?,
        right: side("outpaint_right", raw.outpaint_right)?,
        bottom: side("outpaint_bottom", raw.outpaint_bottom)?,
    };
    let fields = [
        ("outpaint_left", margins.left),
        ("outpaint_top", margins.top),
        ("outpaint_right", margins.right),
        ("outpaint_bottom", margins.bottom),
    ];
    let Some((field, pixels)) = fields.into_iter().find(|(_, pixels)| *pixels > 0) else { return Ok(None) };
    if named(raw.start.as_deref()).is_none() {
        let said = field.replace('_', " ");
        return Err(PublicError::invalid_field(
            field,
            format!("{said} {pixels} has no picture to paint on to; name one as `start`"),
        ));
    }
    Ok(Some(margins))
}

fn side(field: &'static str, pixels: Option<i64>) -> Result<u32, PublicError> {
    let pixels = within(field, pixels.unwrap_or(0), &OUTPAINT)?;
    if pixels.is_multiple_of(SIZE_MULTIPLE) {
        return Ok(pixels);
    }
    let said = field.replace('_', " ");
    Err(PublicError::invalid_field(
        field,
        format!(
            "{said} {pixels} is not possible; allowed are multiples of {SIZE_MULTIPLE} from {} to {}",
            OUTPAINT.start(),
            OUTPAINT.end()
        ),
    ))
}
