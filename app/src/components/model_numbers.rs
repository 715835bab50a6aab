//! What the form says about numbers that differ from model to model.

use types::model::{ModelInfo, Quality, Shape};

use super::choices::{note_id, size_note, steps_note};
use super::finer_settings::clip_skip_note;
use super::more_settings::{sides_note, usual_guidance_scale, usual_label};

/// The form's texts with this model, as JSON: pairs of an element's id and its text. A script puts them in when
/// the visitor chooses the model; a field with that id gets the text as its placeholder.
pub fn numbers_of(model: &ModelInfo) -> String {
    let usual = &model.defaults;
    let shapes = Shape::ALL.map(|shape| (note_id("shape", shape.as_str()), size_note(model, shape)));
    let qualities =
        Quality::ALL.map(|quality| (note_id("quality", quality.as_str()), steps_note(model, quality)));
    let others = [
        ("width-note", sides_note(model)),
        ("height-note", sides_note(model)),
        ("clip_skip-note", clip_skip_note(model)),
        ("guidance_scale", usual_guidance_scale(model)),
        ("sampler-usual", usual_label(usual.sampler.label())),
        ("schedule-usual", usual_label(usual.schedule.label())),
    ];
    let others = others.map(|(id, text)| (id.to_owned(), text));
    let all: Vec<_> = shapes.into_iter().chain(qualities).chain(others).collect();
    // Texts alone always become JSON.
    serde_json::to_string(&all).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_query::tests::model;

    #[test]
    fn every_text_of_the_form_that_depends_on_the_model_is_told() {
        let model = ModelInfo { sizes: [(512, 512), (640, 384), (384, 640)], ..model() };
        let texts: Vec<(String, String)> = serde_json::from_str(&numbers_of(&model)).unwrap();
        let text = |id: &str| texts.iter().find(|(name, _)| name == id).map(|(_, text)| text.as_str());
        assert_eq!(text("shape-landscape-note"), Some("640 × 384"));
        assert_eq!(text("quality-preview-note"), Some("10 steps"));
        assert_eq!(
            text("width-note"),
            Some("Pixels, a multiple of 16 from 64 to 512. Empty: from the shape.")
        );
        assert_eq!(
            text("clip_skip-note"),
            Some(
                "At which layer of the text encoder to stop, 1 (the last) to 12. Some models were trained with 2."
            )
        );
        assert_eq!(text("guidance_scale"), Some("4"));
        assert_eq!(text("schedule-usual"), Some("Karras (usual)"));
    }
}
