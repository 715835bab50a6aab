//! Pictures as that web UI gives them back: in base64, with what was asked for and what came of it.

use backend::Visitor;
use serde::Serialize;
use serde_json::{Map, Value, json};
use types::job::JobInfo;
use types::parameters;
use types::picture::PictureFormat;
use types::request::{GenerationRequest, RawRequest};

use super::fields::Fields;
use super::refusal::Refusal;
use crate::base64_picture;
use crate::callers::give_back_room;
use crate::extract::MAX_BODY_BYTES;
use crate::state::AppState;
use crate::waiting::{to_its_end, unless_it_failed};

/// Which of the two was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `txt2img`.
    TextToImage,
    /// `img2img`.
    ImageToImage,
}

impl Way {
    /// The fields that are known there, as they are usual there.
    pub fn parameters(self) -> Map<String, Value> {
        let mut parameters = usual();
        if self == Self::ImageToImage {
            parameters.extend(usual_of_image_to_image());
        }
        parameters
    }
}

/// What is given back.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// PNG files in base64, each with its settings inside.
    images: Vec<String>,
    /// Every field that is known there, as it was sent, or as it was chosen.
    parameters: Map<String, Value>,
    /// JSON in a text: what the pictures were made with.
    info: String,
}

impl Answer {
    /// Makes a job, waits for its end, and tells of it. One that was interrupted has the pictures that were finished.
    ///
    /// # Errors
    /// The request is refused; the job fails; the server stops.
    pub async fn to(
        state: &AppState,
        visitor: &Visitor,
        fields: &Fields,
        raw: RawRequest,
        way: Way,
    ) -> Result<Self, Refusal> {
        let sends_images = fields.is_set_or("send_images", true)?;
        let styles: Vec<String> = fields.texts("styles")?.into_iter().map(str::to_owned).collect();
        // What was sent is told with the answer, so what is large keeps its room.
        if fields.n_bytes() <= MAX_BODY_BYTES {
            give_back_room();
        }
        let job = to_its_end(state, visitor, raw).await?;
        // An interruption is no failure there.
        let job = if job.status == types::job::JobStatus::Cancelled { job } else { unless_it_failed(job)? };
        let mut images = Vec::new();
        for picture in job.pictures.iter().filter(|_| sends_images) {
            let file = state.services.picture_file(visitor, picture.id, PictureFormat::Png).await?;
            images.push(base64_picture::encode(&file.bytes));
        }
        let parameters = parameters(fields, &job.request, way);
        Ok(Self { images, parameters, info: info(&job, &styles).to_string() })
    }
}

/// Every field that is known there: as it was sent; as it was chosen, if it was left out; or as it is usual there, if it has
/// no counterpart here.
fn parameters(fields: &Fields, request: &GenerationRequest, way: Way) -> Map<String, Value> {
    let chosen = json!({
        "steps": request.steps,
        "cfg_scale": request.guidance_scale,
        "width": request.width,
        "height": request.height,
        "sampler_name": request.sampler.label(),
        "scheduler": request.schedule.label(),
        "seed": request.seed,
    });
    let mut parameters = way.parameters();
    for (name, value) in &mut parameters {
        if let Some(sent) = fields.get(name) {
            *value = sent.clone();
        } else if let Some(chosen) = chosen.get(name) {
            *value = chosen.clone();
        }
    }
    parameters
}

fn usual() -> Map<String, Value> {
    object(json!({
        "prompt": "", "negative_prompt": "", "styles": null, "seed": -1, "subseed": -1, "subseed_strength": 0.0,
        "seed_resize_from_h": -1, "seed_resize_from_w": -1, "sampler_name": null, "scheduler": null,
        "batch_size": 1, "n_iter": 1, "steps": null, "cfg_scale": null, "width": null, "height": null,
        "restore_faces": null, "tiling": null, "do_not_save_samples": false, "do_not_save_grid": false,
        "eta": null, "denoising_strength": null, "s_min_uncond": null, "s_churn": null, "s_tmax": null,
        "s_tmin": null, "s_noise": null, "override_settings": null, "override_settings_restore_afterwards": true,
        "refiner_checkpoint": null, "refiner_switch_at": null, "disable_extra_networks": false,
        "firstpass_image": null, "comments": null, "enable_hr": false, "firstphase_width": 0,
        "firstphase_height": 0, "hr_scale": 2.0, "hr_upscaler": null, "hr_second_pass_steps": 0,
        "hr_resize_x": 0, "hr_resize_y": 0, "hr_checkpoint_name": null, "hr_sampler_name": null,
        "hr_scheduler": null, "hr_prompt": "", "hr_negative_prompt": "", "force_task_id": null,
        "sampler_index": null, "script_name": null, "script_args": [], "send_images": true,
        "save_images": false, "alwayson_scripts": {}, "infotext": null,
    }))
}

fn usual_of_image_to_image() -> Map<String, Value> {
    object(json!({
        "init_images": null, "resize_mode": 0, "denoising_strength": 0.75, "image_cfg_scale": null, "mask": null,
        "mask_blur_x": 4, "mask_blur_y": 4, "mask_blur": null, "inpainting_fill": 0, "inpaint_full_res": true,
        "inpaint_full_res_padding": 0, "inpainting_mask_invert": 0, "initial_noise_multiplier": null,
        "latent_mask": null, "include_init_images": false,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(values) => values,
        _ => Map::new(),
    }
}

/// What the pictures were made with, under the names of `Processed.js` in that web UI's `modules/processing.py`.
fn info(job: &JobInfo, styles: &[String]) -> Value {
    let request = &job.request;
    let indices: Vec<u32> = job.pictures.iter().map(|picture| picture.index).collect();
    // Before the first picture there is still something to tell of it.
    let told = if indices.is_empty() { vec![0] } else { indices };
    let subseed_of =
        |index: u32| request.variation_of(index).map_or(-1, |variation| variation.seed.cast_signed());
    let seeds: Vec<u64> = told.iter().map(|&index| request.seed_of(index)).collect();
    let subseeds: Vec<i64> = told.iter().map(|&index| subseed_of(index)).collect();
    let infotexts: Vec<String> = told.iter().map(|&index| parameters::to_text(request, index)).collect();
    let strength = request.strength().or(request.hires.map(|hires| hires.strength));
    json!({
        "prompt": request.prompt,
        "all_prompts": vec![&request.prompt; told.len()],
        "negative_prompt": request.negative_prompt,
        "all_negative_prompts": vec![&request.negative_prompt; told.len()],
        "seed": seeds[0],
        "all_seeds": seeds,
        "subseed": subseeds[0],
        "all_subseeds": subseeds,
        "subseed_strength": request.variation.map_or(0.0, |variation| variation.strength),
        "width": request.width,
        "height": request.height,
        "sampler_name": request.sampler.label(),
        "cfg_scale": request.guidance_scale,
        "steps": request.steps,
        "batch_size": request.count,
        "restore_faces": false,
        "face_restoration_model": null,
        "sd_model_name": request.model,
        "sd_model_hash": null,
        "sd_vae_name": null,
        "sd_vae_hash": null,
        "seed_resize_from_w": -1,
        "seed_resize_from_h": -1,
        "denoising_strength": strength,
        "extra_generation_params": { "Schedule type": request.schedule.label() },
        "index_of_first_image": 0,
        "infotexts": infotexts,
        "styles": styles,
        "job_timestamp": timestamp(job),
        "clip_skip": request.clip_skip,
        "is_using_inpainting_conditioning": false,
        "version": concat!("Darkroom ", env!("CARGO_PKG_VERSION")),
    })
}

/// When a job was begun, in digits from the year to the second.
pub fn timestamp(job: &JobInfo) -> String {
    let at = job.started_at.unwrap_or(job.created_at);
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}
