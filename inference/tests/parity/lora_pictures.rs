//! Whole pictures with LoRA files beside those that diffusers paints with them, and without them again.

use std::sync::Arc;

use candle_core::Device;
use inference::lora::{Lora, LoraUse};
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::StableDiffusion;
use serde::Deserialize;

use crate::compare::{PICTURE_PSNR, psnr};
use crate::families::family;
use crate::family_pictures::{Run, paint, request};
use crate::reference::{folder, reference, tensors};

#[derive(Deserialize)]
struct Case {
    family: String,
    loras: Vec<Use>,
    run: Run,
}

#[derive(Deserialize)]
struct Use {
    file: String,
    weight: f64,
}

/// Above this two pictures could be taken for one another, in decibels.
const LOOKS_ALIKE: f64 = 30.0;

#[test]
fn pictures_with_loras_are_those_of_diffusers_and_without_them_again_the_plain_ones() {
    let tensors = tensors("lora-pictures.safetensors");
    for Case { family: name, loras, run } in reference::<Vec<Case>>("lora-pictures.json") {
        let model = family(&name).write();
        let files = ModelFiles::folder(model.path());
        let load = |files: &ModelFiles| StableDiffusion::load(files, &Device::Cpu).unwrap();
        let plain = paint(&load(&files), &request(&run)).picture;

        let open = |Use { file, weight }: &Use| {
            let path = folder().join(format!("lora/{file}.safetensors"));
            LoraUse::new(Arc::new(Lora::open(path).unwrap()), *weight)
        };
        let uses: Vec<LoraUse> = loras.iter().map(open).collect();
        for used in &uses {
            assert_eq!(used.lora.n_ignored(&files).unwrap(), 0, "{name}");
        }
        let changed = files.with_loras(&uses).unwrap();
        let found = run.psnr(&load(&changed), &tensors[&run.picture]);
        let what: Vec<String> = loras.iter().map(|lora| format!("{} {}", lora.file, lora.weight)).collect();
        println!("{} {}: {found:.1} dB", what.join(", "), run.name());
        assert!(found >= PICTURE_PSNR, "{what:?} {}: {found:.1} dB", run.name());

        let with = paint(&load(&changed), &request(&run)).picture;
        let distance = psnr(&with.pixels, &plain.pixels);
        assert!(distance < LOOKS_ALIKE, "{what:?} {} changes too little: {distance:.1} dB", run.name());
        let without = changed.with_loras(&[]).unwrap();
        assert_eq!(paint(&load(&without), &request(&run)).picture, plain, "{what:?} {}", run.name());
    }
}
