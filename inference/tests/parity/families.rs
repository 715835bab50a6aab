//! One tiny model of each family, part by part and as a whole, beside what diffusers makes of it.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::Path;

use candle_core::{Device, Tensor};
use inference::model_files::ModelFiles;
use inference::models::unet::{Added, Condition, Unet};
use inference::models::vae::{Portion, VaeDecoder, VaeEncoder};
use inference::nn::embedding::guidance_waves;
use inference::noise::TorchCpuGenerator;
use inference::pipelines::stable_diffusion::{
    Hires, Mask, PictureRequest, Rgb, SoftMask, StableDiffusion, Start,
};
use inference::precision::Precision;
use serde::Deserialize;
use tempfile::TempDir;
use types::sampler::{Sampler, Schedule};

use crate::compare::{PART_TOLERANCE, PICTURE_PSNR, psnr, relative_error};
use crate::reference::reference;

/// A model without weights, and what was made with it.
#[derive(Deserialize)]
pub struct Family {
    pub name: String,
    files: BTreeMap<String, serde_json::Value>,
    weights: BTreeMap<String, Weights>,
    unet: UnetCall,
    pub runs: Vec<Run>,
}

/// How the weights of one part are drawn.
#[derive(Deserialize)]
struct Weights {
    seed: String,
    /// Shape, offset and factor of each.
    tensors: BTreeMap<String, (Vec<usize>, f64, f64)>,
}

#[derive(Deserialize)]
struct UnetCall {
    timestep: f64,
    numbers: Option<Vec<Vec<f64>>>,
    guidance_scale: Option<f64>,
}

#[derive(Deserialize)]
pub struct Run {
    pub mode: String,
    prompt: String,
    negative_prompt: String,
    pub sampler: Sampler,
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
    picture: String,
}

pub fn all() -> Vec<Family> {
    reference("families.json")
}

fn tensors() -> HashMap<String, Tensor> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/families.safetensors");
    candle_core::safetensors::load(path, &Device::Cpu).unwrap()
}

impl Family {
    /// Writes the model as diffusers would have saved it.
    pub fn write(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (file, content) in &self.files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content.to_string()).unwrap();
        }
        for (part, weights) in &self.weights {
            let stem = if part.starts_with("text_encoder") { "model" } else { "diffusion_pytorch_model" };
            let path = folder.path().join(part).join(format!("{stem}.safetensors"));
            candle_core::safetensors::save(&weights.draw(), path).unwrap();
        }
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
        for (encoder, tokenizer, from) in
            [("text_encoder", "tokenizer", "tiny-1"), ("text_encoder_2", "tokenizer_2", "tiny-2")]
        {
            if self.weights.contains_key(encoder) {
                copy(&reference.join(from).join("tokenizer"), &folder.path().join(tokenizer));
            }
        }
        folder
    }
}

impl Weights {
    fn draw(&self) -> HashMap<String, Tensor> {
        let draw = |(name, (shape, offset, factor)): (&String, &(Vec<usize>, f64, f64))| {
            let seed = crc32(format!("{}/{name}", self.seed).as_bytes());
            let noise =
                TorchCpuGenerator::new(u64::from(seed)).randn(shape.as_slice(), &Device::Cpu).unwrap();
            (name.clone(), noise.affine(*factor, *offset).unwrap())
        };
        self.tensors.iter().map(draw).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The sum that Python's `zlib.crc32` gives.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 * (sum & 1)))
    })
}

/// Its counterpart is `start` in `make_families.py`.
fn start(width: usize, height: usize) -> Rgb {
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

/// Its counterpart is `mask` in `make_families.py`.
fn mask(width: usize, height: usize) -> Mask {
    let white = |i: usize| 3 * (i % width) >= width && 3 * (i / width) >= height;
    let pixels = (0..width * height).map(|i| if white(i) { 255 } else { 0 }).collect();
    Mask { width: width as u32, height: height as u32, pixels }
}

pub fn request(run: &Run) -> PictureRequest {
    let Run { width, height, strength, .. } = *run;
    let soft = || SoftMask { mask: mask(width, height), feather: 0.0 };
    let begin = |mask: Option<SoftMask>| Some(Start { picture: start(width, height), strength, mask });
    PictureRequest {
        negative_prompt: run.negative_prompt.clone(),
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

#[test]
fn every_family_predicts_the_same() {
    let tensors = tensors();
    for family in all() {
        let folder = family.write();
        let files = ModelFiles::folder(folder.path());
        let unet = Unet::load(&files, "unet", &Device::Cpu).unwrap();
        let tensor = |name: &str| tensors[&format!("{}.unet.{name}", family.name)].clone();
        let call = &family.unet;
        let added = call.numbers.clone().map(|numbers| Added { pooled: tensor("pooled"), numbers });
        let guidance = call.guidance_scale.map(|scale| {
            let channels = unet.config().guidance_channels.unwrap();
            guidance_waves(scale, channels, &Device::Cpu).unwrap().repeat((2, 1)).unwrap()
        });
        let condition = Condition { text: tensor("text"), added, guidance };
        let found = unet.forward(&tensor("x"), call.timestep, &condition).unwrap();
        let error = relative_error(&found, &tensor("y"));
        println!("{}: U-Net {error:.1e}", family.name);
        assert!(error <= PART_TOLERANCE, "{}: {error:.1e}", family.name);
    }
}

#[test]
fn every_family_encodes_a_picture_the_same() {
    let tensors = tensors();
    for family in all() {
        let folder = family.write();
        let encoder = VaeEncoder::load(&ModelFiles::folder(folder.path()), "vae", &Device::Cpu).unwrap();
        let tensor = |name: &str| &tensors[&format!("{}.vae.{name}", family.name)];
        let found = encoder.encode(tensor("picture")).unwrap();
        for (name, found) in [("mean", found.unscaled_mode()), ("deviation", found.deviation())] {
            let error = relative_error(found, tensor(name));
            println!("{}: VAE encoder, {name} {error:.1e}", family.name);
            assert!(error <= PART_TOLERANCE, "{}: {name} {error:.1e}", family.name);
        }
    }
}

#[test]
fn a_large_picture_is_cut_into_the_same_tiles() {
    let tensors = tensors();
    let folder = all().iter().find(|family| family.name == "sd1").unwrap().write();
    let files = ModelFiles::folder(folder.path());
    let decoder = VaeDecoder::load(&files, "vae", &Device::Cpu).unwrap();
    let painted = decoder.decode_in(&tensors["tiles.latent"], Portion::Tiles(8)).unwrap();
    let encoder = VaeEncoder::load(&files, "vae", &Device::Cpu).unwrap();
    let latent = encoder.encode_in(&tensors["tiles.picture"], Portion::Tiles(8)).unwrap();
    for (name, found) in [("tiles.decoded", &painted), ("tiles.encoded", latent.unscaled_mode())] {
        let error = relative_error(found, &tensors[name]);
        println!("{name} {error:.1e}");
        assert!(error <= PART_TOLERANCE, "{name} {error:.1e}");
    }
    let whole = decoder.decode(&tensors["tiles.latent"]).unwrap();
    assert_eq!(whole.dims(), painted.dims());
    assert!(relative_error(&painted, &whole) > PART_TOLERANCE, "nothing was cut");
}

#[test]
fn every_family_paints_the_same_picture() {
    let tensors = tensors();
    let mut failed = Vec::new();
    for family in all() {
        let folder = family.write();
        let model = StableDiffusion::load(&ModelFiles::folder(folder.path()), &Device::Cpu).unwrap();
        for run in &family.runs {
            let what =
                format!("{} {} {} {} {}", family.name, run.mode, run.sampler, run.schedule, run.strength);
            let found = model.generate(&request(run), &mut |_| ControlFlow::Continue(())).unwrap().picture;
            let expected = &tensors[&run.picture];
            assert_eq!(expected.dims(), [found.height as usize, found.width as usize, 3], "{what}");
            let psnr = psnr(&found.pixels, &expected.flatten_all().unwrap().to_vec1::<u8>().unwrap());
            println!("{what}, clip skip {}: {psnr:.1} dB", run.clip_skip);
            if psnr < PICTURE_PSNR {
                failed.push(format!("{what}: {psnr:.1} dB"));
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
            let paint = |model: &StableDiffusion| {
                model.generate(&request(run), &mut |_| ControlFlow::Continue(())).unwrap()
            };
            let (exact, half) = (paint(&exact), paint(&half));
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
    let mut family = all().into_iter().find(|family| family.name == "sd1").unwrap();
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
    let paint = |start: Option<Start>| {
        let request = PictureRequest { start, ..PictureRequest::new("a boat", 32, 32) };
        model.generate(&request, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let painted = paint(None);
    assert!(painted.was_decoded_in_f32 && !painted.was_encoded_in_f32);
    let changed = paint(Some(Start { picture: start(32, 32), strength: 0.5, mask: None }));
    assert!(changed.was_decoded_in_f32 && changed.was_encoded_in_f32);
    let (least, most) = (painted.picture.pixels.iter().min(), painted.picture.pixels.iter().max());
    assert!(least < most, "the picture is plain");
}
