//! How large the picture is.

use super::outpaint::Margins;
use super::start::named;
use super::{KnownPicture, RawRequest};
use crate::aspect_ratio::{AspectRatio, nearest_size};
use crate::error::PublicError;
use crate::model::{ModelInfo, SizeLimits};
use crate::preset::Preset;

/// Width and height: as asked for, or else those of the start picture with its margins, brought to the nearest
/// size that the model can make, or else those of the aspect ratio, the shape or the preset.
pub(super) fn check(
    raw: &RawRequest,
    model: &ModelInfo,
    preset: &Preset,
    start: Option<&KnownPicture>,
    outpaint: Option<Margins>,
) -> Result<(u32, u32), PublicError> {
    let width = raw.width.map(|width| side("width", width, model)).transpose()?;
    let height = raw.height.map(|height| side("height", height, model)).transpose()?;
    // Beside a start picture it has nothing to act on, and is wrong all the same.
    let by_name = size_by_name(raw, model, preset)?;
    let Some(start) = start.filter(|_| named(raw.start.as_deref()).is_some()) else {
        let (usual_width, usual_height) = by_name;
        return Ok((width.unwrap_or(usual_width), height.unwrap_or(usual_height)));
    };
    let margins = outpaint.unwrap_or_default();
    let across = Axis::new(&model.limits, start.width, margins.horizontal());
    let down = Axis::new(&model.limits, start.height, margins.vertical());
    across.check_room(width, "outpaint_left", ["left", "right"], model)?;
    down.check_room(height, "outpaint_top", ["above", "below"], model)?;
    let scale = match (width, height) {
        (Some(width), None) => across.scale_to(width),
        (None, Some(height)) => down.scale_to(height),
        // As large as it is, if the model can do that, and else as near as can be without another shape.
        _ => across
            .least_scale()
            .max(down.least_scale())
            .max(1.0)
            .min(across.most_scale())
            .min(down.most_scale()),
    };
    Ok((width.unwrap_or_else(|| across.side(scale)), height.unwrap_or_else(|| down.side(scale))))
}

/// The size where neither numbers nor a start picture say it. That of a preset says how many pixels a named form has.
fn size_by_name(raw: &RawRequest, model: &ModelInfo, preset: &Preset) -> Result<(u32, u32), PublicError> {
    let ratio = named(raw.aspect_ratio.as_deref()).map(str::parse::<AspectRatio>).transpose();
    let ratio = ratio.map_err(|unknown| PublicError::invalid_field("aspect_ratio", unknown.to_string()))?;
    let size = match (ratio, raw.shape) {
        (Some(ratio), _) => model.size_of_ratio(ratio),
        (None, shape) => model.size_of(shape.unwrap_or_default()),
    };
    let Some(of_preset) = preset.size(model) else { return Ok(size) };
    if ratio.is_none() && raw.shape.is_none() {
        return Ok(of_preset);
    }
    let form = ratio.map_or(f64::from(size.0) / f64::from(size.1), AspectRatio::as_number);
    Ok(nearest_size(&model.limits, form, of_preset))
}

fn side(field: &'static str, value: i64, model: &ModelInfo) -> Result<u32, PublicError> {
    let limits = &model.limits;
    u32::try_from(value).ok().filter(|side| limits.allows_side(*side)).ok_or_else(|| {
        PublicError::invalid_field(
            field,
            format!(
                "{field} {value} is not possible with model `{}`; allowed are multiples of {} from {} to {}",
                model.name, limits.multiple, limits.min_side, limits.max_side
            ),
        )
    })
}

/// One direction of a picture that starts from another.
struct Axis {
    /// Pixels of the start picture.
    start: f64,
    /// Pixels of both margins.
    margins: u32,
    multiple: u32,
    /// Fewest and most pixels that the model can do.
    least: u32,
    most: u32,
}

impl Axis {
    fn new(limits: &SizeLimits, start: u32, margins: u32) -> Self {
        let multiple = limits.multiple.max(1);
        Self {
            start: f64::from(start),
            margins,
            multiple,
            least: limits.min_side.next_multiple_of(multiple),
            most: limits.max_side / multiple * multiple,
        }
    }

    /// The margins have to leave some of the picture between them.
    fn check_room(
        &self,
        asked: Option<u32>,
        field: &'static str,
        sides: [&str; 2],
        model: &ModelInfo,
    ) -> Result<(), PublicError> {
        let most = asked.unwrap_or(self.most);
        if self.margins < most {
            return Ok(());
        }
        let [one, other] = sides;
        Err(PublicError::invalid_field(
            field,
            format!(
                "{} pixels {one} and {other} leave no room for the start picture; together they have to stay below \
                 {most} with model `{}`",
                self.margins, model.name
            ),
        ))
    }

    /// What the start picture is scaled by if the whole has so many pixels.
    fn scale_to(&self, side: u32) -> f64 {
        f64::from(side.saturating_sub(self.margins)) / self.start
    }

    fn least_scale(&self) -> f64 {
        self.scale_to(self.least)
    }

    fn most_scale(&self) -> f64 {
        self.scale_to(self.most)
    }

    /// The nearest size of the whole that the model can do, and that leaves some room between the margins.
    fn side(&self, scale: f64) -> u32 {
        let whole = self.start * scale + f64::from(self.margins);
        let nearest = (whole / f64::from(self.multiple)).round() as u32 * self.multiple;
        let least = self.least.max((self.margins + 1).next_multiple_of(self.multiple));
        nearest.max(least).min(self.most)
    }
}
