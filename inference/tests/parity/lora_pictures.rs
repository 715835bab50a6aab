//! Whole pictures of every family with LoRA files beside those that diffusers paints with them, and without them again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use candle_core::Device;
use inference::lora::{Lora, LoraUse};
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::StableDiffusion;
use serde::Deserialize;
use tempfile::TempDir;

use crate::compare::{PICTURE_PSNR, psnr};
use crate::families::{Weights, all, family};
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

/// The LoRA files: some are stored, and of the others it is known how they are drawn.
struct Files {
    drawn: BTreeMap<String, Weights>,
    written: TempDir,
}

impl Files {
    fn open() -> Self {
        Self { drawn: reference("lora/drawn.json"), written: TempDir::new().unwrap() }
    }

    fn lora(&self, name: &str) -> Lora {
        let file = format!("{name}.safetensors");
        let path = if let Some(weights) = self.drawn.get(name) {
            let path = self.written.path().join(file);
            candle_core::safetensors::save(&weights.draw(), &path).unwrap();
            path
        } else {
            folder().join("lora").join(file)
        };
        Lora::open(path).unwrap()
    }
}

#[test]
fn pictures_with_loras_are_those_of_diffusers_and_without_them_again_the_plain_ones() {
    let (stored, tensors) = (Files::open(), tensors("lora-pictures.safetensors"));
    let mut failed = Vec::new();
    for Case { family: name, loras, run } in reference::<Vec<Case>>("lora-pictures.json") {
        let model = family(&name).write();
        let files = ModelFiles::folder(model.path());
        let load = |files: &ModelFiles| StableDiffusion::load(files, &Device::Cpu).unwrap();
        let plain = paint(&load(&files), &request(&run)).picture;

        let open = |Use { file, weight }: &Use| LoraUse::new(Arc::new(stored.lora(file)), *weight);
        let uses: Vec<LoraUse> = loras.iter().map(open).collect();
        for used in &uses {
            assert_eq!(used.lora.n_ignored(&files).unwrap(), 0, "{name}");
        }
        let changed = files.with_loras(&uses).unwrap();
        let what: Vec<String> = loras.iter().map(|lora| format!("{} {}", lora.file, lora.weight)).collect();
        let what = format!("{} {}", what.join(", "), run.name());
        let found = run.psnr(&load(&changed), &tensors[&run.picture]);
        println!("{what}: {found:.1} dB");
        if found < PICTURE_PSNR {
            failed.push(format!("{what}: {found:.1} dB"));
        }

        let with = paint(&load(&changed), &request(&run)).picture;
        let distance = psnr(&with.pixels, &plain.pixels);
        assert!(distance < LOOKS_ALIKE, "{what} changes too little: {distance:.1} dB");
        let without = changed.with_loras(&[]).unwrap();
        assert_eq!(paint(&load(&without), &request(&run)).picture, plain, "{what}");
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_family_has_a_picture_with_one_lora() {
    let cases: Vec<Case> = reference("lora-pictures.json");
    let alone = cases.iter().filter(|case| case.loras.len() == 1).map(|case| case.family.clone());
    let families: BTreeSet<String> = all().into_iter().map(|family| family.name).collect();
    assert_eq!(alone.collect::<BTreeSet<String>>(), families);
}
