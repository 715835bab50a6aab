//! Whole pictures of every family from prompts with weights, of many tokens, with `BREAK` and with learned words, beside
//! those that diffusers paints from what such prompts become.

use std::collections::BTreeSet;

use candle_core::Device;
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::{LoadOptions, StableDiffusion};
use inference::prompts::embeddings::Embeddings;
use serde::Deserialize;

use crate::compare::PICTURE_PSNR;
use crate::families::{all, family};
use crate::family_pictures::Run;
use crate::reference::{folder, reference, tensors};

#[derive(Deserialize)]
struct Case {
    family: String,
    run: Run,
}

#[test]
fn pictures_from_weighted_and_from_long_prompts_are_those_of_diffusers() {
    let tensors = tensors("weighted.safetensors");
    let mut failed = Vec::new();
    for Case { family: name, run } in reference::<Vec<Case>>("weighted.json") {
        let model = family(&name).write();
        let files = ModelFiles::folder(model.path());
        // Vectors as wide as the text encoders are there for SDXL alone.
        let embeddings = if name.starts_with("sdxl") {
            Embeddings::folder(folder().join("embeddings-xl"))
        } else {
            Embeddings::default()
        };
        let options = LoadOptions { embeddings: Some(embeddings), ..LoadOptions::default() };
        let model = StableDiffusion::load_with(&files, &Device::Cpu, options).unwrap();
        let psnr = run.psnr(&model, &tensors[&run.picture]);
        let start: String = run.prompt.chars().take(30).collect();
        println!("{name} {start:?} {}: {psnr:.1} dB", run.name());
        if psnr < PICTURE_PSNR {
            failed.push(format!("{name} {:?} {}: {psnr:.1} dB", run.prompt, run.name()));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_family_has_a_picture_from_weights_and_break() {
    let cases: Vec<Case> = reference("weighted.json");
    let found = cases.into_iter().filter(|case| {
        let prompt = &case.run.prompt;
        prompt.contains("(red:1.3)") && prompt.contains("[sailing]") && prompt.contains("BREAK")
    });
    let families: BTreeSet<String> = all().into_iter().map(|family| family.name).collect();
    assert_eq!(found.map(|case| case.family).collect::<BTreeSet<String>>(), families);
}
