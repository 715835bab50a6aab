//! What a request may ask for, in numbers.

use std::ops::RangeInclusive;

use axum::Json;
use serde::Serialize;
use types::request::{
    CLIP_SKIP, COUNT, GUIDANCE_SCALE, HIRES_SCALE_MOST, LORA_WEIGHT, MASK_FEATHER, MAX_PROMPT_CHARS,
    MAX_SEED, OUTPAINT, SIZE_MULTIPLE, STEPS,
};
use types::upload::{MAX_UPLOAD_BYTES, MAX_UPLOAD_PIXELS, MAX_UPLOAD_SIDE};
use utoipa::ToSchema;

use crate::extract::MAX_BODY_BYTES;

/// The least and the most.
#[derive(Serialize, ToSchema)]
pub struct Range<T> {
    /// The least.
    min: T,
    /// The most.
    max: T,
}

impl<T: Copy> From<RangeInclusive<T>> for Range<T> {
    fn from(range: RangeInclusive<T>) -> Self {
        Self { min: *range.start(), max: *range.end() }
    }
}

/// What a request may ask for. What a model can do besides stands with the model.
#[derive(Serialize, ToSchema)]
pub struct Limits {
    /// Most characters of a prompt, and of a negative prompt.
    prompt_chars: usize,
    steps: Range<u32>,
    guidance_scale: Range<f64>,
    /// Pictures of one job.
    count: Range<u32>,
    /// Largest seed.
    max_seed: u64,
    /// Every width and height is a multiple of this.
    size_multiple: u32,
    /// Most of the factor by which a second pass enlarges.
    max_hires_scale: f64,
    lora_weight: Range<f64>,
    clip_skip: Range<u32>,
    mask_feather: Range<u32>,
    /// Pixels at one side.
    outpaint: Range<u32>,
    /// Largest body of a request without files, in bytes.
    body_bytes: usize,
    /// Largest file of an upload, in bytes.
    upload_bytes: usize,
    /// Longest side of an upload, in pixels.
    upload_side: u32,
    /// Most pixels of an upload.
    upload_pixels: u64,
}

/// What a request may ask for
#[utoipa::path(
    get, path = "/api/v1/limits", operation_id = "get_limits", tag = "what there is",
    responses((status = 200, description = "The limits.", body = Limits)),
)]
pub async fn show() -> Json<Limits> {
    Json(Limits {
        prompt_chars: MAX_PROMPT_CHARS,
        steps: STEPS.into(),
        guidance_scale: GUIDANCE_SCALE.into(),
        count: COUNT.into(),
        max_seed: MAX_SEED,
        size_multiple: SIZE_MULTIPLE,
        max_hires_scale: HIRES_SCALE_MOST,
        lora_weight: LORA_WEIGHT.into(),
        clip_skip: CLIP_SKIP.into(),
        mask_feather: MASK_FEATHER.into(),
        outpaint: OUTPAINT.into(),
        body_bytes: MAX_BODY_BYTES,
        upload_bytes: MAX_UPLOAD_BYTES,
        upload_side: MAX_UPLOAD_SIDE,
        upload_pixels: MAX_UPLOAD_PIXELS,
    })
}
