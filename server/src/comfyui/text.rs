//! Encoded prompts of a workflow.

use super::lora_weights::AddedLora;
use super::validate::Checked;

/// An encoded prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The place of the node that encodes it.
    pub place: usize,
    /// Its words.
    pub words: String,
    /// What encodes it.
    pub clip: Clip,
}

/// Text encoders with what was done to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// The checkpoint that they are of.
    pub checkpoint: String,
    /// The place of the node that says where to stop, and where that is.
    pub skip: Option<(usize, i64)>,
    /// LoRAs by name and weight, and where they were added, the first first.
    pub loras: Vec<AddedLora>,
}

impl Text {
    /// The prompt that is linked to an input of a sampler.
    pub fn read(checked: &Checked<'_>, sampler: usize, input: &str) -> Self {
        let (place, _) = checked.link(sampler, input);
        let words = without_embedding_marks(checked.text(place, "text"));
        Self { place, words, clip: Clip::read(checked, place) }
    }
}

impl Clip {
    fn read(checked: &Checked<'_>, encoder: usize) -> Self {
        let (mut skip, mut loras) = (None, Vec::new());
        let (mut place, _) = checked.link(encoder, "clip");
        while checked.class(place) != "CheckpointLoaderSimple" {
            if checked.class(place) == "CLIPSetLastLayer" {
                let layer = checked.integer(place, "stop_at_clip_layer");
                // The last node that says so is the one that counts.
                skip = skip.or(i64::try_from(-layer).ok().map(|layer| (place, layer)));
            } else {
                let name = checked.text(place, "lora_name").to_owned();
                loras.push((name, checked.number(place, "strength_clip"), place));
            }
            place = checked.link(place, "clip").0;
        }
        loras.reverse();
        Self { checkpoint: checked.text(place, "ckpt_name").to_owned(), skip, loras }
    }
}

/// ComfyUI marks the names of textual inversions; here a name alone is one.
fn without_embedding_marks(text: &str) -> String {
    const MARK: &str = "embedding:";
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let (before, marked) = rest.split_at(at);
        plain.push_str(before);
        if before.chars().next_back().or(plain.chars().next_back()).is_some_and(char::is_alphanumeric) {
            plain.push_str(MARK);
        }
        rest = &marked[MARK.len()..];
    }
    plain.push_str(rest);
    plain
}
