use types::request::{LoraUse, PictureSource, Start};
use types::sampler::{Sampler, Schedule};
use types::upload::UploadId;
use uuid::Uuid;

use super::*;
use crate::engine::fake::{fake_lora, fake_model};

/// Makes multiples of 8 from 64 to 512.
fn small() -> ModelInfo {
    ModelInfo { name: "small".into(), family: Family::Sd1, ..fake_model() }
}

fn large() -> ModelInfo {
    let mut large = ModelInfo { name: "large".into(), family: Family::Sdxl, ..fake_model() };
    large.limits = SizeLimits { multiple: 64, min_side: 512, max_side: 2048 };
    large.defaults.steps = 30;
    large.defaults.guidance_scale = 7.0;
    (large.defaults.sampler, large.defaults.schedule) = (Sampler::Euler, Schedule::Normal);
    large
}

fn request(more: &str) -> GenerationRequest {
    let json = format!(
        r#"{{"prompt": "a boat", "negative_prompt": "", "model": "large", "steps": 30, "guidance_scale": 7,
            "sampler": "euler", "schedule": "normal", "seed": 7, "width": 1024, "height": 640, "count": 2{more}}}"#
    );
    serde_json::from_str(&json).unwrap()
}

fn for_small(asked: &GenerationRequest) -> GenerationRequest {
    rewritten(asked, Some(&large()), &small(), &[]).unwrap()
}

#[test]
fn the_nearest_size_of_the_same_form_is_taken() {
    let limits = small().limits;
    for (size, expected) in [
        ((512, 256), (512, 256)),
        ((1024, 640), (512, 320)),
        ((640, 1024), (320, 512)),
        ((32, 64), (64, 128)),
        ((500, 100), (504, 104)),
        ((2048, 64), (512, 64)),
        ((8, 512), (64, 512)),
    ] {
        assert_eq!(nearest(size, limits), expected, "{size:?}");
    }
    assert_eq!(nearest((256, 256), large().limits), (512, 512));
    assert_eq!(nearest((1000, 600), large().limits), (1024, 576));
}

#[test]
fn what_was_usual_becomes_what_is_usual_and_what_was_chosen_stays() {
    let usual = for_small(&request(""));
    assert_eq!((usual.model.as_str(), usual.steps, usual.guidance_scale), ("small", 4, 4.0));
    assert_eq!((usual.sampler, usual.schedule), (Sampler::DpmPlusPlus2M, Schedule::Karras));
    let chosen = GenerationRequest { steps: 12, guidance_scale: 3.0, sampler: Sampler::Ddim, ..request("") };
    let chosen = for_small(&chosen);
    assert_eq!((chosen.steps, chosen.guidance_scale, chosen.sampler), (12, 3.0, Sampler::Ddim));
    let of_nobody = rewritten(&request(""), None, &small(), &[]).unwrap();
    assert_eq!(of_nobody.steps, 30, "nobody knows what was usual with a model that is gone");
    assert_eq!((usual.seed, usual.count, usual.prompt.as_str()), (7, 2, "a boat"));
}

#[test]
fn loras_of_another_family_are_left_out_of_list_and_prompt() {
    let lora = |name: &str, family| LoraInfo { name: name.into(), family, ..fake_lora() };
    let loras = [lora("ink", Family::Sd1), lora("grain", Family::Sdxl), lora("own", Family::Other)];
    let mut asked = request("");
    asked.loras = ["ink", "grain", "own"].map(|name| LoraUse { name: name.into(), weight: 0.5 }).into();
    asked.prompt = "a boat <lora:ink:0.8:0.5> at <lora:grain:1>sea".into();
    let kept = rewritten(&asked, None, &small(), &loras).unwrap();
    assert_eq!(kept.loras, [LoraUse { name: "ink".into(), weight: 0.5 }]);
    assert_eq!(kept.prompt, "a boat  at sea <lora:ink:0.8:0.5>");
    asked.prompt = "a boat <lora:ink:0.8>".into();
    assert_eq!(rewritten(&asked, None, &small(), &loras).unwrap().prompt, asked.prompt);
    let other = ModelInfo { family: Family::Other, ..small() };
    assert!(rewritten(&asked, None, &other, &loras).unwrap().loras.is_empty());
}

fn upload() -> Start {
    Start { source: PictureSource::Upload(UploadId(Uuid::nil())), strength: 0.6 }
}

#[test]
fn margins_shrink_with_the_picture() {
    let mut asked = request("");
    asked.start = Some(upload());
    asked.outpaint = Some(Margins { left: 256, right: 128, ..Margins::default() });
    let smaller = for_small(&asked);
    assert_eq!((smaller.width, smaller.height), (512, 320));
    assert_eq!(smaller.outpaint, Some(Margins { left: 128, right: 64, ..Margins::default() }));
    assert_eq!(smaller.start_size(), (320, 320));
}

#[test]
fn a_second_pass_is_as_much_larger_as_the_model_allows() {
    let mut asked = request("");
    asked.hires = Some(Hires { scale: 1.5, width: 1536, height: 960, steps: 20, strength: 0.7 });
    let hires = for_small(&asked).hires.unwrap();
    assert_eq!((hires.width, hires.height, hires.scale), (768, 480, 1.5));
    asked.hires = Some(Hires { scale: 4.0, width: 4096, height: 2560, steps: 20, strength: 0.7 });
    let hires = for_small(&asked).hires.unwrap();
    assert_eq!((hires.width, hires.height), (1024, 640));
}

#[test]
fn what_a_model_by_instruction_was_asked_is_done_from_the_picture_with_the_usual_strength() {
    let mut asked = request("");
    (asked.start, asked.picture_guidance_scale) = (Some(Start { strength: 1.0, ..upload() }), Some(1.5));
    let from_picture = for_small(&asked);
    assert_eq!(from_picture.picture_guidance_scale, None);
    assert_eq!(from_picture.strength(), Some(USUAL_STRENGTH));
}

#[test]
fn at_least_one_step_is_walked() {
    let mut asked = request("");
    asked.start = Some(Start { strength: 0.1, ..upload() });
    let rewritten = for_small(&asked);
    assert_eq!((rewritten.steps, rewritten.strength()), (4, Some(1.0)));
}

#[test]
fn a_model_that_cannot_be_used_or_has_no_use_for_it_does_not_stand_in() {
    let broken = ModelInfo { problem: Some("it is broken".into()), ..small() };
    assert!(rewritten(&request(""), None, &broken, &[]).is_none());
    let edits = ModelInfo { edits: true, ..small() };
    assert!(rewritten(&request(""), None, &edits, &[]).is_none());
    let mut asked = request("");
    asked.start = Some(upload());
    let edited = rewritten(&asked, None, &edits, &[]).unwrap();
    assert_eq!(edited.picture_guidance_scale, Some(USUAL_PICTURE_GUIDANCE_SCALE));
}
