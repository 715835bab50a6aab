//! A picture's settings as text, in the form that the AUTOMATIC1111 web UI writes into a PNG's
//! `parameters` chunk and reads back, as do most tools beside it.
//!
//! Source: `create_infotext` in that project's `modules/processing.py`. Its order of names is kept. What it has no
//! name for (the start picture, margins, guidance rescale, how words are weighted) is left out here, and stands in
//! the whole request that a PNG holds besides.

use std::fmt::Write;

use crate::prompt::can_stand_in_tag;
use crate::request::{GenerationRequest, MaskFill, NoiseSource};
use crate::sampler::Schedule;

/// The settings of picture `index` of a request.
///
/// The first line is the prompt, the second the negative prompt if there is one, the last the settings as
/// `Name: value` pairs. LoRAs that the prompt does not name stand behind it, as that web UI knows no other place
/// for them; one whose name cannot stand in a tag is left out.
pub fn to_text(request: &GenerationRequest, index: u32) -> String {
    let (request, index) = request.of_picture(index);
    let request = &*request;
    let mut prompt = request.prompt.clone();
    for lora in request.loras.iter().filter(|lora| can_stand_in_tag(&lora.name)) {
        // Writing to a `String` cannot fail.
        let _ = write!(prompt, " <lora:{lora}>");
    }
    let mut lines = vec![prompt];
    if !request.negative_prompt.is_empty() {
        lines.push(format!("Negative prompt: {}", request.negative_prompt));
    }
    let settings = settings(request, index);
    lines.push(settings.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join(", "));
    lines.join("\n")
}

/// The settings that say something, by their names.
fn settings(request: &GenerationRequest, index: u32) -> impl Iterator<Item = (&'static str, String)> {
    let schedule_type = match request.schedule {
        Schedule::Normal => "Automatic",
        other => other.label(),
    };
    let variation = request.variation_of(index);
    let hires = request.hires.as_ref();
    let strength = request.strength().or(hires.map(|hires| hires.strength));
    let said = |name, value: String| (name, Some(value));
    let pairs = [
        said("Steps", request.steps.to_string()),
        said("Sampler", request.sampler.label().to_owned()),
        said("Schedule type", schedule_type.to_owned()),
        said("CFG scale", request.guidance_scale.to_string()),
        ("Image CFG scale", request.picture_guidance_scale.map(|scale| scale.to_string())),
        said("Seed", request.seed_of(index).to_string()),
        said("Size", format!("{}x{}", request.width, request.height)),
        said("Model", request.model.clone()),
        ("Variation seed", variation.map(|variation| variation.seed.to_string())),
        ("Variation seed strength", variation.map(|variation| variation.strength.to_string())),
        ("Denoising strength", strength.map(|strength| strength.to_string())),
        ("Clip skip", (request.clip_skip > 1).then(|| request.clip_skip.to_string())),
        // That web UI is silent about the source that it uses itself.
        ("RNG", (request.noise == NoiseSource::Cpu).then(|| "CPU".to_owned())),
        ("Mask blur", request.mask.as_ref().map(|mask| mask.feather.to_string())),
        (
            "Masked content",
            (request.mask_fill != MaskFill::Original).then(|| request.mask_fill.label().to_owned()),
        ),
        ("Hires upscale", hires.map(|hires| hires.scale.to_string())),
        (
            "Hires steps",
            hires.filter(|hires| hires.steps != request.steps).map(|hires| hires.steps.to_string()),
        ),
        said("Version", format!("Darkroom {}", env!("CARGO_PKG_VERSION"))),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Hires, LoraUse, Mask, PictureSource, Start, Variation};

    fn request() -> GenerationRequest {
        let json = r#"{"prompt": "a red sailing boat", "negative_prompt": "rain", "model": "demo", "steps": 20,
            "guidance_scale": 4.0, "sampler": "dpmpp_2m", "schedule": "karras", "seed": 7, "width": 256,
            "height": 192, "count": 2}"#;
        serde_json::from_str(json).unwrap()
    }

    fn ends_with(text: &str, end: &str) {
        let end = format!("{end}, Version: Darkroom {}", env!("CARGO_PKG_VERSION"));
        assert!(text.ends_with(&end), "{text}");
    }

    #[test]
    fn the_text_is_what_the_web_ui_of_automatic1111_writes() {
        assert_eq!(
            to_text(&request(), 1),
            format!(
                "a red sailing boat\nNegative prompt: rain\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, \
                 CFG scale: 4, Seed: 8, Size: 256x192, Model: demo, RNG: CPU, Version: Darkroom {}",
                env!("CARGO_PKG_VERSION")
            )
        );
    }

    #[test]
    fn a_start_with_a_mask_is_told_by_strength_and_blur() {
        let source = PictureSource::File("boat.png".into());
        let start = Some(Start { source: source.clone(), strength: 0.6 });
        let request = GenerationRequest { start, mask: Some(Mask { source, feather: 8 }), ..request() };
        ends_with(&to_text(&request, 0), "Model: demo, Denoising strength: 0.6, RNG: CPU, Mask blur: 8");
        let request = GenerationRequest { mask_fill: MaskFill::Noise, ..request };
        ends_with(&to_text(&request, 0), "RNG: CPU, Mask blur: 8, Masked content: latent noise");
    }

    #[test]
    fn a_second_pass_is_told_by_its_scale_and_its_steps_where_they_are_others() {
        let hires = Hires { scale: 1.5, width: 384, height: 288, steps: 20, strength: 0.7 };
        let twice = |hires| to_text(&GenerationRequest { hires: Some(hires), ..request() }, 0);
        ends_with(&twice(hires), "Denoising strength: 0.7, RNG: CPU, Hires upscale: 1.5");
        ends_with(&twice(Hires { steps: 10, ..hires }), "RNG: CPU, Hires upscale: 1.5, Hires steps: 10");
    }

    #[test]
    fn the_pictures_of_a_variation_have_one_seed_and_a_second_one_each() {
        let variation = Some(Variation { seed: 100, strength: 0.25 });
        let text = to_text(&GenerationRequest { variation, ..request() }, 1);
        assert!(text.contains(", Seed: 7, "), "{text}");
        ends_with(&text, "Variation seed: 101, Variation seed strength: 0.25, RNG: CPU");
    }

    #[test]
    fn an_instruction_is_told_by_the_guidance_to_its_picture_and_not_by_a_strength() {
        let start = Some(Start { source: PictureSource::File("boat.png".into()), strength: 1.0 });
        let text = to_text(&GenerationRequest { start, picture_guidance_scale: Some(2.0), ..request() }, 0);
        assert!(text.contains("CFG scale: 4, Image CFG scale: 2, Seed: 7"), "{text}");
        assert!(!text.contains("Denoising strength"), "{text}");
    }

    #[test]
    fn clip_skip_is_told_unless_it_is_the_last_layer_and_noise_of_a_card_goes_without_saying() {
        let request = GenerationRequest { clip_skip: 2, noise: NoiseSource::Cuda, ..request() };
        ends_with(&to_text(&request, 0), "Model: demo, Clip skip: 2");
    }

    #[test]
    fn loras_stand_behind_the_prompt() {
        let loras = [("ink", 0.8), ("style:v2", 0.5), ("oil, old", 1.0)];
        let loras = loras.map(|(name, weight)| LoraUse { name: name.into(), weight }).into();
        let text = to_text(&GenerationRequest { loras, ..request() }, 0);
        assert!(text.starts_with("a red sailing boat <lora:ink:0.8> <lora:oil, old:1>\nNegative"), "{text}");
    }
}
