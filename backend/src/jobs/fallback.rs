//! A request as another model can fulfil it.

use types::lora::LoraInfo;
use types::model::{Family, ModelInfo, SizeLimits};
use types::prompt::lora_tags;
use types::request::{
    GenerationRequest, Hires, Margins, SIZE_MULTIPLE, USUAL_PICTURE_GUIDANCE_SCALE, USUAL_STRENGTH,
};

/// How much larger a second pass may be than the largest side of the first, as with a request that is checked.
const MOST_OVER_FIRST_PASS: u32 = 2;

/// The request for the model `to` in place of the one that was asked for, of which `from` is told if it is still there:
/// the nearest size, the LoRAs of the model's own family, and its own settings where those of the other were the usual ones.
///
/// `None` if that model cannot be used, or has no use for such a request.
pub(super) fn rewritten(
    asked: &GenerationRequest,
    from: Option<&ModelInfo>,
    to: &ModelInfo,
    loras: &[LoraInfo],
) -> Option<GenerationRequest> {
    // One that changes a picture by an instruction has no second pass, no mask and nothing to begin with but a picture.
    let has_no_use = to.edits && (asked.start.is_none() || asked.mask.is_some() || asked.outpaint.is_some());
    if to.problem.is_some() || has_no_use {
        return None;
    }
    let mut request = GenerationRequest {
        model: to.name.clone(),
        clip_skip: asked.clip_skip.min(to.max_clip_skip),
        picture_guidance_scale: to
            .edits
            .then(|| asked.picture_guidance_scale.unwrap_or(USUAL_PICTURE_GUIDANCE_SCALE)),
        ..asked.clone()
    };
    take_usual_settings(&mut request, from, to);
    resize(&mut request, to);
    keep_loras_of(&mut request, to.family, loras);
    if let Some(start) = &mut request.start
        && !to.edits
    {
        // A model that changes a picture by an instruction is told no strength.
        let strength = if asked.picture_guidance_scale.is_some() { USUAL_STRENGTH } else { start.strength };
        let walks_none = f64::from(request.steps) * strength < 1.0;
        start.strength = if walks_none { 1.0 } else { strength };
    }
    Some(request)
}

/// Steps, guidance, sampler and schedule that are those of the other model were not chosen, and are this one's instead.
fn take_usual_settings(request: &mut GenerationRequest, from: Option<&ModelInfo>, to: &ModelInfo) {
    let Some(from) = from else { return };
    let (before, now) = (&from.defaults, &to.defaults);
    if request.steps == before.steps {
        request.steps = now.steps;
    }
    if (request.guidance_scale - before.guidance_scale).abs() < f64::EPSILON {
        request.guidance_scale = now.guidance_scale;
    }
    if (request.sampler, request.schedule) == (before.sampler, before.schedule) {
        (request.sampler, request.schedule) = (now.sampler, now.schedule);
    }
}

/// The nearest size of about the same form, with margins and a second pass in proportion.
fn resize(request: &mut GenerationRequest, to: &ModelInfo) {
    let (width, height) = (request.width, request.height);
    (request.width, request.height) = nearest((width, height), to.limits);
    if let Some(margins) = request.outpaint {
        let share = |pixels: u32, side: u32, before: u32| {
            let scaled = f64::from(pixels) * f64::from(side) / f64::from(before.max(1));
            (scaled / f64::from(SIZE_MULTIPLE)).round() as u32 * SIZE_MULTIPLE
        };
        let scaled = Margins {
            left: share(margins.left, request.width, width),
            top: share(margins.top, request.height, height),
            right: share(margins.right, request.width, width),
            bottom: share(margins.bottom, request.height, height),
        };
        let leaves_some = scaled.horizontal() < request.width && scaled.vertical() < request.height;
        request.outpaint = Some(scaled).filter(|scaled| leaves_some && *scaled != Margins::default());
    }
    request.hires = request.hires.filter(|_| !to.edits).and_then(|hires| {
        let limits = SizeLimits { max_side: to.limits.max_side * MOST_OVER_FIRST_PASS, ..to.limits };
        let enlarged = |side: u32| (f64::from(side) * hires.scale).round() as u32;
        let (width, height) = nearest((enlarged(request.width), enlarged(request.height)), limits);
        let is_larger = width > request.width && height > request.height;
        is_larger.then_some(Hires { width, height, ..hires })
    });
}

/// The nearest size that a model can make, of about the same form.
fn nearest((width, height): (u32, u32), limits: SizeLimits) -> (u32, u32) {
    if limits.allows_side(width) && limits.allows_side(height) {
        return (width, height);
    }
    // 8 at least, and of every model that is known a power of two.
    let multiple = limits.multiple.next_multiple_of(SIZE_MULTIPLE);
    let least = limits.min_side.next_multiple_of(multiple);
    let most = (limits.max_side / multiple * multiple).max(least);
    let (longest, shortest) = (width.max(height).max(1), width.min(height).max(1));
    let scale = (f64::from(most) / f64::from(longest)).min(1.0);
    let scale = scale.max((f64::from(least) / f64::from(shortest)).min(f64::from(most) / f64::from(longest)));
    let side = |side: u32| {
        let n = (f64::from(side) * scale / f64::from(multiple)).round() as u32;
        (n * multiple).clamp(least, most)
    };
    (side(width), side(height))
}

/// Leaves out LoRAs that are not for models of this family. Of a family of its own nobody can tell which those are.
fn keep_loras_of(request: &mut GenerationRequest, family: Family, loras: &[LoraInfo]) {
    let suits = |name: &str| {
        let lora = loras.iter().find(|lora| lora.name == name && lora.problem.is_none());
        lora.is_some_and(|lora| lora.family == family && family != Family::Other)
    };
    request.loras.retain(|lora| suits(&lora.name));
    let (words, tags) = lora_tags(&request.prompt);
    if tags.iter().all(|tag| suits(&tag.name)) {
        return;
    }
    let kept = tags.iter().filter(|tag| suits(&tag.name));
    let kept = kept.map(|tag| format!(" <lora:{}:{}:{}>", tag.name, tag.text_encoder, tag.unet));
    request.prompt = words.trim().to_owned() + &kept.collect::<String>();
}

#[cfg(test)]
#[path = "fallback_tests.rs"]
mod tests;
