//! One tiny model of each family as a whole, from prompt to picture, beside what diffusers paints with it.

use std::ops::ControlFlow;

use candle_core::{Device, Tensor};
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::{
    Hires, Mask, Painted, PictureRequest, Rgb, SoftMask, StableDiffusion, Start,
};
use inference::precision::Precision;
use serde::Deserialize;
use types::prompt::Weighting;
use types::request::MaskFill;
use types::sampler::{Sampler, Schedule};

use crate::compare::{PICTURE_PSNR, psnr};
use crate::families::{all, family};
use crate::reference::tensors;

/// The settings of a picture, and where it is.
#[derive(Debug, Deserialize)]
pub struct Run {
    mode: String,
    pub prompt: String,
    negative_prompt: String,
    #[serde(default)]
    weighting: Weighting,
    sampler: Sampler,
    schedule: Schedule,
    steps: usize,
    guidance_scale: f64,
    guidance_rescale: f64,
    clip_skip: usize,
    seed: u64,
    width: usize,
    height: usize,
    strength: f64,
    scale: Option<f64>,
    pub picture: String,
}

/// Its counterpart is `start` in `start_pictures.py`.
pub fn start(width: usize, height: usize) -> Rgb {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let in_square = (width / 4..width / 2).contains(&x) && (height / 4..height / 2).contains(&y);
            let gradient = [x * 255 / width, y * 255 / height, (x + y) * 255 / (width + height)];
            pixels.extend(if in_square { [250, 240, 30] } else { gradient.map(|value| value as u8) });
        }
    }
    Rgb { width: width as u32, height: height as u32, pixels }
}

/// Its counterpart is `mask` in `start_pictures.py`.
pub fn mask(width: usize, height: usize) -> Mask {
    let white = |i: usize| 3 * (i % width) >= width && 3 * (i / width) >= height;
    let pixels = (0..width * height).map(|i| if white(i) { 255 } else { 0 }).collect();
    Mask { width: width as u32, height: height as u32, pixels }
}

pub fn request(run: &Run) -> PictureRequest {
    let Run { width, height, strength, .. } = *run;
    let soft = || SoftMask { mask: mask(width, height), feather: 0.0, fill: MaskFill::Original };
    let begin = |mask: Option<SoftMask>| Some(Start { picture: start(width, height), strength, mask });
    PictureRequest {
        negative_prompt: run.negative_prompt.clone(),
        weighting: run.weighting,
        steps: run.steps,
        guidance_scale: run.guidance_scale,
        guidance_rescale: run.guidance_rescale,
        clip_skip: run.clip_skip,
        sampler: run.sampler,
        schedule: run.schedule,
        seed: run.seed,
        start: match run.mode.as_str() {
            "image" | "edit" => begin(None),
            "inpaint" => begin(Some(soft())),
            _ => None,
        },
        hires: run.scale.map(|scale| {
            let larger = |side: usize| (side as f64 * scale).round() as usize;
            Hires { width: larger(width), height: larger(height), steps: run.steps, strength }
        }),
        ..PictureRequest::new(&run.prompt, width, height)
    }
}

/// The picture of a request.
pub fn paint(model: &StableDiffusion, request: &PictureRequest) -> Painted {
    model.generate(request, &mut |_| ControlFlow::Continue(())).unwrap()
}

impl Run {
    /// What failures call it.
    pub fn name(&self) -> String {
        let Self { mode, sampler, schedule, strength, clip_skip, guidance_scale, .. } = self;
        format!(
            "{mode} {sampler} {schedule}, strength {strength}, guidance scale {guidance_scale}, clip skip {clip_skip}"
        )
    }

    /// How near the model comes to the reference's picture, in decibels.
    pub fn psnr(&self, model: &StableDiffusion, expected: &Tensor) -> f64 {
        let found = paint(model, &request(self)).picture;
        assert_eq!(expected.dims(), [found.height as usize, found.width as usize, 3], "{}", self.name());
        psnr(&found.pixels, &expected.flatten_all().unwrap().to_vec1::<u8>().unwrap())
    }
}

/// The least that a picture has to reach of which a part stays: traces of noise in that part are much less than 50 dB
/// tells from none, and are wrong.
const INPAINTED_PSNR: f64 = 75.0;

#[test]
fn every_family_paints_the_same_picture_in_every_mode() {
    let tensors = tensors("families.safetensors");
    let mut failed = Vec::new();
    for family in all() {
        let folder = family.write();
        let model = StableDiffusion::load(&ModelFiles::folder(folder.path()), &Device::Cpu).unwrap();
        for run in &family.runs {
            let psnr = run.psnr(&model, &tensors[&run.picture]);
            println!("{} {}: {psnr:.1} dB", family.name, run.name());
            let least = if run.mode == "inpaint" { INPAINTED_PSNR } else { PICTURE_PSNR };
            if psnr < least {
                failed.push(format!("{} {}: {psnr:.1} dB", family.name, run.name()));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The least that a picture in half precision has to reach beside the one in f32, in decibels. f16 keeps 11 bits, and
/// these networks were made to answer strongly.
const HALF_PSNR: f64 = 30.0;

#[test]
fn half_precision_paints_nearly_the_same_picture() {
    for family in all().iter().filter(|family| ["sd1", "sdxl"].contains(&family.name.as_str())) {
        let folder = family.write();
        let files = ModelFiles::folder(folder.path());
        let load = |precision| StableDiffusion::load(&files.with_precision(precision), &Device::Cpu).unwrap();
        let (exact, half) = (load(Precision::F32), load(Precision::F16));
        for run in &family.runs {
            let (exact, half) = (paint(&exact, &request(run)), paint(&half, &request(run)));
            let psnr = psnr(&half.picture.pixels, &exact.picture.pixels);
            println!("{} {} {}: f16 {psnr:.1} dB", family.name, run.mode, run.sampler);
            assert!(psnr >= HALF_PSNR, "{} {} {}: {psnr:.1} dB", family.name, run.mode, run.sampler);
            assert!(psnr.is_finite(), "f16 was not computed in");
            assert!(!half.was_decoded_in_f32 && !half.was_encoded_in_f32);
        }
    }
}

#[test]
fn a_vae_that_leaves_the_range_of_f16_is_used_in_f32() {
    let mut family = family("sd1");
    // What comes after is normalised, so in f32 this changes nothing to speak of.
    let vae = &mut family.weights.get_mut("vae").unwrap().tensors;
    for (name, (_, offset, factor)) in vae.iter_mut() {
        if name.starts_with("decoder.conv_in.") || name.starts_with("encoder.conv_in.") {
            (*offset, *factor) = (*offset * 1e6, *factor * 1e6);
        }
    }
    let folder = family.write();
    let files = ModelFiles::folder(folder.path()).with_precision(Precision::F16);
    let model = StableDiffusion::load(&files, &Device::Cpu).unwrap();
    let plain = PictureRequest::new("a boat", 32, 32);
    let painted = paint(&model, &plain);
    assert!(painted.was_decoded_in_f32 && !painted.was_encoded_in_f32);
    let start = Some(Start { picture: start(32, 32), strength: 0.5, mask: None });
    let changed = paint(&model, &PictureRequest { start, ..plain });
    assert!(changed.was_decoded_in_f32 && changed.was_encoded_in_f32);
    let (least, most) = (painted.picture.pixels.iter().min(), painted.picture.pixels.iter().max());
    assert!(least < most, "the picture is plain");
}
