//! Pictures that are made together, and models that are in memory part by part.

use std::ops::ControlFlow;
use std::path::Path;

use candle_core::Device;
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::{
    LoadOptions, Painted, PictureRequest, Residence, Seeds, StableDiffusion, Variation,
};
use types::noise::NoiseSource;
use types::sampler::Sampler;

use crate::families;
use crate::family_pictures;

const SEEDS: [Seeds; 3] =
    [Seeds { seed: 3, variation: 50 }, Seeds { seed: 4, variation: 51 }, Seeds { seed: 900, variation: 52 }];

fn load(folder: &Path, residence: Residence) -> inference::Result<StableDiffusion> {
    let options = LoadOptions { residence, ..LoadOptions::default() };
    StableDiffusion::load_with(&ModelFiles::folder(folder), &Device::Cpu, options)
}

fn paint(
    model: &StableDiffusion,
    request: &PictureRequest,
    seeds: &[Seeds],
) -> inference::Result<Vec<Painted>> {
    model.generate_batch(request, seeds, &mut |_| ControlFlow::Continue(()))
}

/// What the request makes of those seeds without others beside them.
fn alone(model: &StableDiffusion, request: &PictureRequest, seeds: Seeds) -> Painted {
    let variation = request.variation.map(|variation| Variation { seed: seeds.variation, ..variation });
    let request = PictureRequest { seed: seeds.seed, variation, ..request.clone() };
    model.generate(&request, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn every_picture_of_a_batch_is_the_one_that_it_is_alone() {
    for family in families::all() {
        let folder = family.write();
        let model = load(folder.path(), Residence::Whole).unwrap();
        for run in &family.runs {
            let request = family_pictures::request(run);
            let together = paint(&model, &request, &SEEDS).unwrap();
            for (seeds, painted) in SEEDS.into_iter().zip(&together) {
                let what = format!("{} {}", family.name, run.name());
                assert_eq!(*painted, alone(&model, &request, seeds), "{what}");
            }
            assert_ne!(together[0].picture, together[1].picture);
        }
    }
}

#[test]
fn noise_of_every_kind_belongs_to_its_picture_in_a_batch_too() {
    let family = families::all().remove(0);
    let folder = family.write();
    let model = load(folder.path(), Residence::Whole).unwrap();
    let plain = PictureRequest { steps: 3, ..PictureRequest::new("a boat", 32, 40) };
    let sde = PictureRequest { sampler: Sampler::DpmPlusPlusSde, ..plain.clone() };
    let cuda = PictureRequest { noise: NoiseSource::Cuda, sampler: Sampler::EulerAncestral, ..plain.clone() };
    let varied = PictureRequest { variation: Some(Variation { seed: 0, strength: 0.4 }), ..plain };
    for request in [sde, cuda, varied] {
        for (seeds, painted) in SEEDS.into_iter().zip(paint(&model, &request, &SEEDS).unwrap()) {
            assert_eq!(painted, alone(&model, &request, seeds), "{}", request.sampler);
        }
    }
}

#[test]
fn every_picture_of_a_batch_has_a_preview_of_its_own() {
    let family = families::all().remove(0);
    let folder = family.write();
    let model = load(folder.path(), Residence::Whole).unwrap();
    let request = PictureRequest { steps: 2, ..PictureRequest::new("a boat", 32, 40) };
    model
        .generate_batch(&request, &SEEDS[..2], &mut |report| {
            let previews = [0, 1].map(|i| report.preview(i).unwrap().unwrap());
            assert_eq!((previews[0].width, previews[0].height), (8, 10));
            assert_ne!(previews[0], previews[1]);
            assert!(report.preview(2).is_err());
            ControlFlow::Continue(())
        })
        .unwrap();
}

#[test]
fn a_batch_of_nothing_is_refused() {
    let family = families::all().remove(0);
    let folder = family.write();
    let model = load(folder.path(), Residence::Whole).unwrap();
    let error = paint(&model, &PictureRequest::new("a boat", 32, 40), &[]).unwrap_err();
    assert_eq!(error.to_string(), "a batch needs at least 1 picture");
}

#[test]
fn a_model_that_is_in_memory_part_by_part_paints_the_same() {
    for family in families::all() {
        let folder = family.write();
        let whole = load(folder.path(), Residence::Whole).unwrap();
        let by_part = load(folder.path(), Residence::PartByPart).unwrap();
        for run in &family.runs {
            let request = family_pictures::request(run);
            let paint = |model| paint(model, &request, &SEEDS[..1]).unwrap();
            assert_eq!(paint(&whole), paint(&by_part), "{} {}", family.name, run.name());
        }
        // Its parts are nowhere but in the files.
        drop(folder);
        let request = family_pictures::request(&family.runs[0]);

        let error = paint(&by_part, &request, &SEEDS[..1]).unwrap_err();
        assert!(matches!(error, inference::Error::MissingFile { .. }), "{error}");
    }
}
