//! A picture's settings as text, in the form that the AUTOMATIC1111 web UI writes into a PNG's
//! `parameters` chunk and reads back, as do most tools beside it.
//!
//! Source: `create_infotext` in that project's `modules/processing.py`.

use crate::request::GenerationRequest;
use crate::sampler::Schedule;

/// The settings of picture `index` of a request.
///
/// The first line is the prompt, the second the negative prompt if there is one, the last the settings as
/// `Name: value` pairs.
pub fn to_text(request: &GenerationRequest, index: u32) -> String {
    let mut lines = vec![request.prompt.clone()];
    if !request.negative_prompt.is_empty() {
        lines.push(format!("Negative prompt: {}", request.negative_prompt));
    }
    let schedule_type = match request.schedule {
        Schedule::Normal => "Automatic",
        other => other.label(),
    };
    lines.push(format!(
        "Steps: {}, Sampler: {}, Schedule type: {}, CFG scale: {}, Seed: {}, Size: {}x{}, Model: {}, RNG: CPU, Version: Darkroom {}",
        request.steps,
        request.sampler.label(),
        schedule_type,
        request.guidance_scale,
        request.seed + u64::from(index),
        request.width,
        request.height,
        request.model,
        env!("CARGO_PKG_VERSION"),
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::Sampler;

    #[test]
    fn the_text_is_what_the_web_ui_of_automatic1111_writes() {
        let request = GenerationRequest {
            prompt: "a red sailing boat".into(),
            negative_prompt: "rain".into(),
            model: "demo".into(),
            steps: 20,
            guidance_scale: 4.0,
            sampler: Sampler::DpmPlusPlus2M,
            schedule: Schedule::Karras,
            seed: 7,
            width: 256,
            height: 192,
            count: 2,
        };
        assert_eq!(
            to_text(&request, 1),
            format!(
                "a red sailing boat\nNegative prompt: rain\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, \
                 CFG scale: 4, Seed: 8, Size: 256x192, Model: demo, RNG: CPU, Version: Darkroom {}",
                env!("CARGO_PKG_VERSION")
            )
        );
    }
}
