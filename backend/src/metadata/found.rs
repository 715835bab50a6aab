//! What was found in a file, before anybody asks whether it is to be had here.

use types::metadata::{NotCarried, Program};
use types::request::RawRequest;

/// Longest value that is shown of what is not carried over, in characters.
const LONGEST_SAID: usize = 120;

/// Longest prompt that is looked into, in bytes: several times what a request may have.
pub(super) const LONGEST_PROMPT_BYTES: usize = 16_000;

/// Most settings that are listed as not carried over.
const MOST_LEFT: usize = 60;

/// Settings in the words of a request.
#[derive(Debug)]
pub(crate) struct Found {
    pub(super) program: Program,
    /// All but what stands beside it here. A sampler's name may carry its schedule.
    pub(super) raw: RawRequest,
    /// Larger ones are in use than a request takes.
    pub(super) seed: Option<i128>,
    pub(super) model: Option<FoundModel>,
    pub(super) loras: Vec<FoundLora>,
    pub(super) clip: ClipLayer,
    pub(super) not_carried: Vec<NotCarried>,
}

/// A model by the name that another program has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundModel {
    /// A file's name, with or without folder and ending.
    pub(super) name: String,
    /// Beginning of the SHA-256 of its file, in hexadecimal digits.
    pub(super) hash: Option<String>,
}

/// A LoRA by the name that another program has for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundLora {
    /// A file's name, with or without folder and ending.
    pub(super) name: String,
    /// How strongly it acts on the text encoders.
    pub(super) text_encoder: f64,
    /// How strongly it acts on the U-Net.
    pub(super) unet: f64,
}

/// At which layer of the text encoder another program stops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ClipLayer {
    /// Where the model was trained to.
    #[default]
    Usual,
    /// The last layer is 1, whatever the model was trained to.
    FromLast(i64),
    /// The same, of a program that stops early with Stable Diffusion 1.x alone.
    FromLastOfSd1(i64),
}

impl Found {
    pub(super) fn new(program: Program) -> Self {
        Self {
            program,
            raw: RawRequest::default(),
            seed: None,
            model: None,
            loras: Vec::new(),
            clip: ClipLayer::Usual,
            not_carried: Vec::new(),
        }
    }

    /// The pictures that the settings name: the one to start from, and a mask.
    pub(crate) fn pictures(&self) -> (Option<&str>, Option<&str>) {
        (self.raw.start.as_deref(), self.raw.mask.as_deref())
    }

    /// Says of a setting that it is not carried over.
    pub(super) fn leave(
        &mut self,
        name: impl Into<String>,
        value: impl AsRef<str>,
        reason: impl Into<String>,
    ) {
        if self.not_carried.len() >= MOST_LEFT {
            return;
        }
        let value = shortened(value.as_ref());
        self.not_carried.push(NotCarried { name: shortened(&name.into()), value, reason: reason.into() });
    }

    /// Says that the picture was made from another one, as far as `strength` went from it.
    pub(super) fn leave_start(&mut self, name: &str, value: &str) {
        self.leave(
            name,
            value,
            "a file does not hold the picture that it was made from; choose that one as start picture again",
        );
    }
}

/// As much of a prompt as is looked into.
pub(super) fn limited(prompt: &mut String) {
    let mut end = LONGEST_PROMPT_BYTES.min(prompt.len());
    while !prompt.is_char_boundary(end) {
        end -= 1;
    }
    prompt.truncate(end);
}

/// One line, and not too much of it.
pub(super) fn shortened(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.char_indices().nth(LONGEST_SAID) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

/// The steps of a run that walks `walked` of them at a strength, where a program counts those that it walks, and a
/// request those of the whole way.
pub(super) fn whole_way(walked: i64, strength: f64) -> i64 {
    if strength <= 0.0 || strength >= 1.0 {
        return walked;
    }
    (walked as f64 / strength).ceil() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_steps_are_walked_of_the_whole_way_as_the_program_walked() {
        for (walked, strength) in [(20, 0.7), (10, 0.5), (7, 0.3), (20, 1.0), (1, 0.05)] {
            let steps = whole_way(walked, strength);
            assert_eq!((steps as f64 * strength) as i64, walked, "{steps} steps at {strength}");
        }
    }

    #[test]
    fn a_long_value_is_cut_and_a_long_list_ends() {
        let mut found = Found::new(Program::ComfyUi);
        for _ in 0..200 {
            found.leave("text", "ä\n".repeat(500), "too much");
        }
        assert_eq!(found.not_carried.len(), MOST_LEFT);
        assert_eq!(found.not_carried[0].value.chars().count(), LONGEST_SAID + 1);
    }
}
