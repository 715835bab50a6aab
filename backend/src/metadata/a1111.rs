//! What the AUTOMATIC1111 web UI writes, its forks, and Darkroom itself where a file has room for no more.
//!
//! Source: `create_infotext` in `modules/processing.py` and `parse_generation_parameters` in
//! `modules/infotext_utils.py` of AUTOMATIC1111/stable-diffusion-webui 1.10.

use types::metadata::Program;
use types::request::{MaskFill, NoiseSource, RawRequest};

use super::found::{ClipLayer, Found, FoundModel, whole_way};
use super::infotext::Infotext;
use super::pairs::Pairs;
use super::texts::Texts;
use super::{MetadataError, Read, values};

pub(super) fn read(texts: &Texts) -> Read {
    let Some(text) = texts.get("parameters") else { return Ok(None) };
    let Some(infotext) = Infotext::parse(text) else {
        let why =
            "the text `parameters` has no line of settings such as `Steps: 20, Sampler: Euler, Seed: 7`";
        return Err(MetadataError::unreadable(Program::Automatic1111, why));
    };
    Ok(Some(found(infotext)))
}

fn found(Infotext { prompt, negative_prompt, mut pairs }: Infotext) -> Found {
    let version = pairs.text("Version").unwrap_or_default();
    let mut found = Found::new(program_of(&version));
    read_common(&mut pairs, &mut found);
    found.raw.prompt = prompt;
    found.raw.negative_prompt = Some(negative_prompt).filter(|text| !text.is_empty());
    read_noise(&mut pairs, &mut found);
    read_second_pass(&mut pairs, &mut found);
    read_emphasis(&mut pairs, &mut found);
    if let Some(vae) = pairs.text("VAE") {
        found.leave("VAE", vae, "a model is used with its own VAE here");
    }
    if let Some(blur) = pairs.whole("Mask blur", &mut found) {
        found.raw.mask_feather = Some(blur);
        found.leave("Mask blur", blur.to_string(), "a file does not hold the mask; paint it again");
    }
    if let Some(content) = pairs.text("Masked content") {
        let known = MaskFill::ALL.into_iter().find(|fill| fill.label() == content);
        found.raw.mask_fill = known.map(|fill| fill.to_string());
    }
    pairs.leave_rest(&mut found, &UNSAID, &GROUPS);
    found
}

/// What describes the file, or says again what is said elsewhere.
const UNSAID: [&str; 12] = [
    "User",
    "VAE hash",
    "Lora hashes",
    "TI hashes",
    "TI",
    "Hashes",
    "Created Date",
    "Civitai resources",
    "Civitai metadata",
    "Batch size",
    "Batch pos",
    "Hires upscaler",
];

/// Extensions and features whose settings belong together.
const GROUPS: [(&str, &str); 10] = [
    ("ADetailer", "faces and hands are not painted anew here"),
    ("ControlNet", "there is no ControlNet here"),
    ("Refiner", "a second model does not take over here"),
    ("FreeU", "there is no FreeU here"),
    ("Regional Prompter", "a prompt is for the whole picture here"),
    ("RP ", "a prompt is for the whole picture here"),
    ("Tiled Diffusion", "pictures are not made in tiles here"),
    ("Ultimate SD upscale", "pictures are not made in tiles here"),
    ("Face restoration", "faces are not painted anew here"),
    ("Hires prompt", "the second pass has the prompt of the first here"),
];

/// Forge's versions begin with an `f`: `f2.0.1v1.10.1`.
fn program_of(version: &str) -> Program {
    let is_forge =
        version.strip_prefix('f').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if version.starts_with("Darkroom") {
        Program::Darkroom
    } else if is_forge || version.to_ascii_lowercase().contains("forge") {
        Program::Forge
    } else {
        Program::Automatic1111
    }
}

/// The settings that every program of this form writes under the same names.
pub(super) fn read_common(pairs: &mut Pairs, found: &mut Found) {
    let size = pairs.size("Size", found);
    found.raw = RawRequest {
        steps: pairs.whole("Steps", found),
        sampler: pairs.text("Sampler"),
        schedule: pairs.text("Schedule type"),
        guidance_scale: pairs.number("CFG scale", found),
        picture_guidance_scale: pairs.number("Image CFG scale", found),
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        count: Some(1),
        ..RawRequest::default()
    };
    // With a factor of 1 there is but one such schedule.
    let has_rho = pairs.has("Schedule rho");
    if found.raw.schedule.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("polyexponential"))
        && !has_rho
    {
        found.raw.schedule = Some("exponential".to_owned());
    }
    found.seed = pairs.seed("Seed", found);
    let hash = pairs.text("Model hash");
    let name = pairs.text("Model");
    found.model = match (name, hash) {
        (None, None) => None,
        (name, hash) => Some(FoundModel { name: name.unwrap_or_default(), hash }),
    };
    if let Some(layer) = pairs.whole("Clip skip", found) {
        found.clip = if found.program == Program::Darkroom {
            found.raw.clip_skip = Some(layer);
            ClipLayer::Usual
        } else {
            ClipLayer::FromLastOfSd1(layer)
        };
    }
}

/// The web UI draws the numbers of an NVIDIA card unless it is told otherwise, and is silent about it then.
fn read_noise(pairs: &mut Pairs, found: &mut Found) {
    let source = pairs.text("RNG").unwrap_or_default();
    let source = if source.eq_ignore_ascii_case("CPU") { NoiseSource::Cpu } else { NoiseSource::Cuda };
    found.raw.noise = Some(source.as_str().to_owned());
    found.raw.variation_strength = pairs.number("Variation seed strength", found);
    found.raw.variation_seed = pairs.whole("Variation seed", found);
}

/// One that keeps the mean of what the text encoder says is what Darkroom has too.
fn read_emphasis(pairs: &mut Pairs, found: &mut Found) {
    if let Some(emphasis) = pairs.text("Emphasis").filter(|name| !name.eq_ignore_ascii_case("Original")) {
        found.leave("Emphasis", emphasis, "the weights of words are applied as in `Original` here");
    }
}

/// The second pass ("hires fix"), or else the strength with which the picture was made from another one.
fn read_second_pass(pairs: &mut Pairs, found: &mut Found) {
    let strength = pairs.number("Denoising strength", found);
    let first = pairs.size("First pass size", found).filter(|(width, height)| *width > 0 && *height > 0);
    let resized = pairs.size("Hires resize", found).filter(|(width, height)| *width > 0 && *height > 0);
    let mut scale = pairs.number("Hires upscale", found);
    let size = found.raw.width.zip(found.raw.height);
    // Before there were factors, the size was that of the second pass, and that of the first stood beside it.
    let (first, second) = match (first, resized) {
        (Some(first), _) => (Some(first), size),
        (None, resized) => (size, resized),
    };
    if let (Some((first_width, first_height)), Some((width, height))) = (first, second)
        && scale.is_none()
    {
        (found.raw.width, found.raw.height) = (Some(first_width), Some(first_height));
        scale = Some(width as f64 / first_width as f64);
        // A file may say any size at all.
        if i128::from(first_width) * i128::from(height) != i128::from(first_height) * i128::from(width) {
            let value = format!("{width}x{height}");
            found.leave("Hires resize", value, "the second pass keeps the shape of the first here");
        }
    }
    let Some(scale) = scale else {
        if let Some(strength) = strength {
            found.raw.strength = Some(strength);
            let hash = pairs.text("Init image hash").unwrap_or_default();
            found.leave_start("start picture", &hash);
        }
        return;
    };
    found.raw.hires_scale = Some(scale);
    found.raw.hires_strength = strength;
    let walked = pairs.whole("Hires steps", found).filter(|steps| *steps > 0);
    found.raw.hires_steps = if found.program == Program::Darkroom {
        walked
    } else {
        // The web UI walks all of these steps, and lays them out over a way that is longer by as much.
        walked.or(found.raw.steps).map(|walked| whole_way(walked, strength.unwrap_or(1.0)))
    };
    if let Some(upscaler) = pairs.text("Hires upscaler").filter(|name| !name.eq_ignore_ascii_case("Lanczos"))
    {
        found.leave("Hires upscaler", upscaler, "the picture is enlarged by Lanczos' filter here");
    }
    leave_others(
        pairs,
        found,
        [
            ("Hires sampler", "the second pass has the sampler of the first here"),
            ("Hires schedule type", "the second pass has the schedule of the first here"),
            ("Hires checkpoint", "the second pass has the model of the first here"),
        ],
    );
}

fn leave_others<const N: usize>(pairs: &mut Pairs, found: &mut Found, names: [(&str, &str); N]) {
    for (name, reason) in names {
        let value = pairs.take(name).map(|value| values::said(&value));
        if let Some(value) = value.filter(|value| !value.starts_with("Use same")) {
            found.leave(name, value, reason);
        }
    }
}

#[cfg(test)]
#[path = "a1111_tests.rs"]
mod tests;
