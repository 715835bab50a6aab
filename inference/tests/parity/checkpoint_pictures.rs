//! Pictures of single files with the original names beside those of folders of the same weights.

use std::ops::ControlFlow;

use candle_core::Device;
use inference::model_files::ModelFiles;
use inference::pipelines::stable_diffusion::{Mask, PictureRequest, Rgb, SoftMask, StableDiffusion, Start};
use tempfile::TempDir;
use types::request::MaskFill;
use types::sampler::{Sampler, Schedule};

use crate::reference;
use crate::two_names::{Names, Stored, names};

/// A tiny model as a folder and as a file, with the tokenizer of the first reference model beside both.
pub fn both(names: &Names, stored: Stored) -> (TempDir, ModelFiles, ModelFiles) {
    let base = TempDir::new().unwrap();
    let (folder, checkpoint) = (base.path().join("folder"), base.path().join("single.safetensors"));
    names.write_both(&folder, &checkpoint, stored);
    let tokenizer = reference::folder().join("tiny-1/tokenizer");
    for place in [&folder, &base.path().join("single")] {
        for part in ["tokenizer", "tokenizer_2"] {
            std::fs::create_dir_all(place.join(part)).unwrap();
            for entry in std::fs::read_dir(&tokenizer).unwrap().map(Result::unwrap) {
                std::fs::copy(entry.path(), place.join(part).join(entry.file_name())).unwrap();
            }
        }
    }
    let single = ModelFiles::checkpoint(&checkpoint).unwrap();
    std::fs::create_dir(folder.join("scheduler")).unwrap();
    for file in ["model_index.json", "scheduler/scheduler_config.json"] {
        std::fs::write(folder.join(file), single.text(file).unwrap()).unwrap();
    }
    (base, ModelFiles::folder(folder), single)
}

fn request() -> PictureRequest {
    PictureRequest {
        negative_prompt: "blue".into(),
        steps: 2,
        sampler: Sampler::Euler,
        schedule: Schedule::Normal,
        ..PictureRequest::new("a red sailing boat", 64, 64)
    }
}

/// Half of a gradient is painted anew.
fn start() -> Start {
    let (width, height) = (64, 64);
    let pixels = (0..3 * width * height).map(|i| (i * 7 / 11 % 256) as u8).collect();
    let mask = (0..width * height).map(|i| if i % width < width / 2 { 0 } else { 255 }).collect();
    let mask =
        SoftMask { mask: Mask { width, height, pixels: mask }, feather: 0.0, fill: MaskFill::Original };
    Start { picture: Rgb { width, height, pixels }, strength: 1.0, mask: Some(mask) }
}

#[test]
fn a_file_written_by_diffusers_conversion_gives_the_same_picture_as_its_folder() {
    let from_picture = || PictureRequest { start: Some(start()), ..request() };
    for (family, stored, channels) in [
        ("tiny-sd1", Stored::F16, 4),
        ("tiny-sd1", Stored::F32, 4),
        ("tiny-sd1", Stored::F16, 8),
        ("tiny-sd1", Stored::F16, 9),
        ("tiny-sd2", Stored::BF16, 4),
        ("tiny-sd2", Stored::F16, 9),
        ("tiny-sdxl", Stored::F16, 4),
        ("tiny-sdxl", Stored::F32, 4),
        ("tiny-sdxl", Stored::F16, 9),
        ("tiny-sdxl_refiner", Stored::F16, 4),
    ] {
        let (_base, folder, single) = both(&names(family).with_inputs(channels), stored);
        let load = |files: &ModelFiles| StableDiffusion::load(files, &Device::Cpu).unwrap();
        let (folder, single) = (load(&folder), load(&single));
        // A model that changes a picture by an instruction needs one.
        let requests = if channels == 8 { vec![from_picture()] } else { vec![request(), from_picture()] };
        for request in requests {
            let paint = |model: &StableDiffusion| {
                model.generate(&request, &mut |_| ControlFlow::Continue(())).unwrap().picture
            };
            let picture = paint(&single);
            assert_eq!(paint(&folder), picture, "{family} with {channels} channels");
            let (least, most) = (picture.pixels.iter().min().unwrap(), picture.pixels.iter().max().unwrap());
            assert!(most - least > 20, "a picture of one colour would show nothing: {least} to {most}");
        }
    }
}
