//! One tiny model of each family, part by part, beside what diffusers makes of it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use inference::model_files::ModelFiles;
use inference::models::unet::{Added, Condition, Unet};
use inference::models::vae::{Portion, VaeDecoder, VaeEncoder};
use inference::nn::embedding::guidance_waves;
use inference::noise::TorchCpuGenerator;
use inference::prompts::{PromptEncoder, PromptOptions};
use serde::Deserialize;
use tempfile::TempDir;

use crate::compare::{PART_TOLERANCE, relative_error};
use crate::family_pictures::Run;
use crate::reference::{reference, tensors};

/// A model without weights, and what was made with it.
#[derive(Deserialize)]
pub struct Family {
    pub name: String,
    files: BTreeMap<String, serde_json::Value>,
    /// Folder of each tokenizer, and the reference model that it is from.
    tokenizers: BTreeMap<String, String>,
    pub weights: BTreeMap<String, Weights>,
    unet: UnetCall,
    pub runs: Vec<Run>,
}

/// How the weights of one part, or those of a LoRA file, are drawn.
#[derive(Deserialize)]
pub struct Weights {
    seed: String,
    /// Shape, offset and factor of each.
    pub tensors: BTreeMap<String, (Vec<usize>, f64, f64)>,
}

#[derive(Deserialize)]
struct UnetCall {
    timestep: f64,
    numbers: Option<Vec<Vec<f64>>>,
    guidance_scale: Option<f64>,
}

pub fn all() -> Vec<Family> {
    reference("families.json")
}

/// The family of that name.
pub fn family(name: &str) -> Family {
    all().into_iter().find(|family| family.name == name).unwrap()
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
        for (tokenizer, model) in &self.tokenizers {
            copy(&reference.join(model).join("tokenizer"), &folder.path().join(tokenizer));
        }
        folder
    }
}

impl Weights {
    /// The tensors by their names.
    pub fn draw(&self) -> HashMap<String, Tensor> {
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

#[test]
fn every_family_predicts_the_same() {
    let tensors = tensors("families.safetensors");
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
    let tensors = tensors("families.safetensors");
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
fn every_family_decodes_a_latent_the_same() {
    let tensors = tensors("families.safetensors");
    for family in all() {
        let folder = family.write();
        let decoder = VaeDecoder::load(&ModelFiles::folder(folder.path()), "vae", &Device::Cpu).unwrap();
        let tensor = |name: &str| &tensors[&format!("{}.vae.{name}", family.name)];
        let error = relative_error(&decoder.decode(tensor("latent")).unwrap(), tensor("decoded"));
        println!("{}: VAE decoder {error:.1e}", family.name);
        assert!(error <= PART_TOLERANCE, "{}: {error:.1e}", family.name);
    }
}

#[test]
fn every_family_reads_a_prompt_the_same() {
    let tensors = tensors("families.safetensors");
    for family in all() {
        let folder = family.write();
        let encoder = PromptEncoder::load(&ModelFiles::folder(folder.path()), &Device::Cpu).unwrap();
        let prompt = &family.runs[0].prompt;
        let found = encoder.encode(prompt, None, PromptOptions::default()).unwrap().positive;
        for (name, found) in [("context", Some(&found.context)), ("pooled", found.pooled.as_ref())] {
            let expected = tensors.get(&format!("{}.text.{name}", family.name));
            assert_eq!(found.is_some(), expected.is_some(), "{}: {name}", family.name);
            if let (Some(found), Some(expected)) = (found, expected) {
                let error = relative_error(found, expected);
                println!("{}: text encoders, {name} {error:.1e}", family.name);
                assert!(error <= PART_TOLERANCE, "{}: {name} {error:.1e}", family.name);
            }
        }
    }
}

#[test]
fn a_large_picture_is_cut_into_the_same_tiles() {
    let tensors = tensors("families.safetensors");
    let folder = family("sd1").write();
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
