//! Words as `ComfyUI` reads them.

use types::prompt::{Part, Weighting, parse};
use types::request::{NoiseSource, RawRequest};

use super::super::found::LONGEST_PROMPT_BYTES;

/// Prompts of that program, in which square brackets are characters, and whose weights these are where there are any.
pub(in super::super) fn as_comfyui_reads_it(prompt: &str, negative_prompt: &str) -> RawRequest {
    let (prompt, negative_prompt) = (translated(prompt), translated(negative_prompt));
    let is_weighed = is_weighed(&prompt) || is_weighed(&negative_prompt);
    RawRequest {
        prompt,
        negative_prompt: Some(negative_prompt).filter(|text| !text.trim().is_empty()),
        count: Some(1),
        noise: Some(NoiseSource::Cpu.as_str().to_owned()),
        weighting: is_weighed.then(|| Weighting::Compel.as_str().to_owned()),
        ..RawRequest::default()
    }
}

/// Square brackets get a backslash, and a textual inversion loses what stands before its name there.
fn translated(text: &str) -> String {
    let text = text.replace("embedding:", "");
    let mut translated = String::with_capacity(text.len());
    let mut is_escaped = false;
    for c in text.chars() {
        if matches!(c, '[' | ']') && !is_escaped {
            translated.push('\\');
        }
        is_escaped = c == '\\' && !is_escaped;
        translated.push(c);
    }
    translated
}

/// Whether any word has a weight.
fn is_weighed(text: &str) -> bool {
    text.len() <= LONGEST_PROMPT_BYTES
        && parse(text)
            .iter()
            .any(|part| matches!(part, Part::Text { weight, .. } if (weight - 1.0).abs() > f64::EPSILON))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_brackets_are_characters_there_and_weights_are_its_own() {
        let raw = as_comfyui_reads_it(r"a [red] boat, \[old\], embedding:sketch", "fog");
        assert_eq!(raw.prompt, r"a \[red\] boat, \[old\], sketch");
        assert_eq!(raw.weighting, None);
        assert_eq!(as_comfyui_reads_it("a (red:1.2) boat", "").weighting.as_deref(), Some("compel"));
        assert_eq!(as_comfyui_reads_it("a boat", "(fog)").weighting.as_deref(), Some("compel"));
        assert_eq!(as_comfyui_reads_it(r"a boat \(1990\)", "").weighting, None);
    }
}
