//! A latent that is enlarged between two samplers: the larger pass of a request.

use types::request::RawRequest;

use super::pass::Pass;
use super::recipe::{Blame, NodeFault, fail};
use super::validate::Checked;

/// Whether a node enlarges a latent.
pub fn is_one(checked: &Checked<'_>, place: usize) -> bool {
    matches!(checked.class(place), "LatentUpscale" | "LatentUpscaleBy")
}

/// Puts a larger pass into a request that has its first pass.
///
/// # Errors
/// The enlarged picture has another shape; the pass walks no step, or too many.
pub fn set(
    checked: &Checked<'_>,
    place: usize,
    pass: &Pass,
    request: &mut RawRequest,
    blame: &mut Blame,
) -> Result<(), NodeFault> {
    let (scale, input) = if checked.class(place) == "LatentUpscaleBy" {
        (checked.number(place, "scale_by"), "scale_by")
    } else {
        (scale_to(checked, place, (request.width, request.height))?, "width")
    };
    let share = pass.share()?;
    request.hires_scale = Some(scale);
    request.hires_steps = Some(i64::from(share.steps));
    request.hires_strength = Some(share.strength);
    blame.put("hires_scale", place, input);
    blame.put("hires_steps", pass.place, "steps");
    blame.put("hires_strength", pass.place, pass.share_input());
    Ok(())
}

/// The factor that brings a picture of `from` pixels to the size that the node names.
///
/// # Source
/// `LatentUpscale` of ComfyUI: a side of 0 follows from the other one, the least is 64, and what is beyond a multiple of 8
/// is cut off.
fn scale_to(
    checked: &Checked<'_>,
    place: usize,
    (from_width, from_height): (Option<i64>, Option<i64>),
) -> Result<f64, NodeFault> {
    let from = |side: Option<i64>| side.unwrap_or_default().max(1) as f64;
    let (from_width, from_height) = (from(from_width), from(from_height));
    let side = |input| match checked.integer(place, input) {
        0 => None,
        pixels => Some((pixels.max(64) / 8 * 8) as f64),
    };
    let (width, height) = (side("width"), side("height"));
    let scales = [width.map(|width| width / from_width), height.map(|height| height / from_height)];
    // Both sides are rounded to whole latents, so one of the two factors may miss the other side.
    let fits = |scale: &f64| {
        let is_it = |from: f64, to: Option<f64>| {
            to.is_none_or(|to| ((from * scale / 8.0).round() * 8.0 - to).abs() < 0.5)
        };
        is_it(from_width, width) && is_it(from_height, height)
    };
    scales.into_iter().flatten().find(fits).ok_or_else(|| match (width, height) {
        (Some(width), Some(height)) => fail(
            place,
            "height",
            &format!(
                "{width}x{height} has another shape than {from_width}x{from_height}; a larger pass keeps the shape"
            ),
        ),
        _ => fail(place, "width", "a width and a height of 0 leave the picture as it is; name one of them"),
    })
}
