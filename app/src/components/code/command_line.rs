//! The program's own command line.

use types::prompt::Weighting;
use types::request::{GenerationRequest, MaskFill, NoiseSource, RawGrid};

use super::quoting::shell;
use super::{files_note, n_calls};

/// The command that paints the same pictures without a server.
pub fn code(request: &GenerationRequest) -> String {
    let mut flags = Vec::new();
    let mut flag = |name: &str, value: String| flags.push(with_value(name, &value));
    if !request.negative_prompt.is_empty() {
        flag("negative", request.negative_prompt.clone());
    }
    flag("model", request.model.clone());
    flag("steps", request.steps.to_string());
    flag("guidance", request.guidance_scale.to_string());
    flag("sampler", request.sampler.to_string());
    flag("schedule", request.schedule.to_string());
    flag("seed", request.seed.to_string());
    flag("width", request.width.to_string());
    flag("height", request.height.to_string());
    if n_calls(request) > 1 {
        flag("count", request.count.to_string());
    }
    let grid = request.grid.as_ref().map(RawGrid::from).unwrap_or_default();
    for axis in grid.axes().into_iter().flatten().filter(|axis| !axis.field.is_empty()) {
        flag("grid", format!("{}={}", axis.field, axis.list()));
    }
    if request.start.is_some() {
        flag("init", "start.png".to_owned());
    }
    if let Some(strength) = request.strength() {
        flag("strength", strength.to_string());
    }
    if let Some(scale) = request.picture_guidance_scale {
        flag("picture-guidance", scale.to_string());
    }
    if let Some(mask) = &request.mask {
        flag("mask", "mask.png".to_owned());
        flag("mask-feather", mask.feather.to_string());
        if request.mask_fill != MaskFill::default() {
            flag("mask-fill", request.mask_fill.to_string());
        }
    }
    if let Some(margins) = request.outpaint {
        let sides = [margins.left, margins.top, margins.right, margins.bottom].map(|side| side.to_string());
        flag("outpaint", sides.join(","));
    }
    if let Some(hires) = request.hires {
        flag("hires", hires.scale.to_string());
        flag("hires-steps", hires.steps.to_string());
        flag("hires-strength", hires.strength.to_string());
    }
    for lora in &request.loras {
        flag("lora", lora.to_string());
    }
    if request.clip_skip > 1 {
        flag("clip-skip", request.clip_skip.to_string());
    }
    if let Some(variation) = request.variation {
        flag("variation-seed", variation.seed.to_string());
        flag("variation-strength", variation.strength.to_string());
    }
    if request.guidance_rescale > 0.0 {
        flag("guidance-rescale", request.guidance_rescale.to_string());
    }
    if request.weighting != Weighting::default() {
        flag("weighting", request.weighting.as_str().to_owned());
    }
    if request.noise != NoiseSource::default() {
        flag("noise", request.noise.to_string());
    }
    let flags = flags.join(" \\\n  ");
    // Behind the dashes a prompt may begin with one.
    format!(
        "{}darkroom generate -o picture.png \\\n  {flags} \\\n  -- {}",
        files_note(request, "#"),
        shell(&request.prompt)
    )
}

/// A value that begins with a dash would be taken for a flag of its own.
fn with_value(name: &str, value: &str) -> String {
    let between = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{between}{}", shell(value))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EVERYTHING, request};
    use super::*;

    #[test]
    fn a_command_has_a_flag_for_every_setting() {
        assert_eq!(
            code(&request(EVERYTHING)),
            r#"darkroom generate -o picture.png \
  --negative fog \
  --model demo \
  --steps 20 \
  --guidance 4.5 \
  --sampler dpmpp_2m \
  --schedule karras \
  --seed 7 \
  --width 256 \
  --height 192 \
  --hires 1.5 \
  --hires-steps 9 \
  --hires-strength 0.6 \
  --lora 'ink, old:0.5' \
  --clip-skip 2 \
  --variation-seed 100 \
  --variation-strength 0.2 \
  --guidance-rescale 0.7 \
  --weighting compel \
  --noise cuda \
  -- 'a "sailor'\''s" $boat `at` \sea, 夕'"#
        );
    }

    #[test]
    fn a_text_that_begins_with_a_dash_is_no_flag() {
        let dashed =
            GenerationRequest { prompt: "-boat".into(), negative_prompt: "-fog".into(), ..request("") };
        let code = code(&dashed);
        assert!(code.ends_with("-- -boat"), "{code}");
        assert!(code.contains("--negative=-fog"), "{code}");
    }
}
