//! What the form says about numbers that differ from model to model.

use types::aspect_ratio::AspectRatio;
use types::model::{ModelInfo, Quality, Shape};

use super::choices::{note_id, quality_note, size_note};
use super::create_form::Offer;
use super::finer_settings::clip_skip_note;
use super::more_settings::{ratio_id, ratio_label, sides_note, usual_guidance_scale, usual_label};
use super::style_picker::{style_note, style_note_id};

/// The form's texts with this model, as JSON: pairs of an element's id and its text. A script puts them in when
/// the visitor chooses the model; a field with that id gets the text as its placeholder.
///
/// The qualities mean what they do with `named`, or each with the model that it stands for.
pub fn numbers_of(offer: &Offer, model: &ModelInfo, named: Option<&ModelInfo>) -> String {
    let usual = &model.defaults;
    let shapes = Shape::ALL.map(|shape| (note_id("shape", shape.as_str()), size_note(offer, model, shape)));
    let qualities = Quality::ALL
        .map(|quality| (note_id("quality", quality.as_str()), quality_note(offer, named, quality)));
    let others = [
        ("width-note", sides_note(model)),
        ("height-note", sides_note(model)),
        ("clip_skip-note", clip_skip_note(model)),
        ("guidance_scale", usual_guidance_scale(model)),
        ("sampler-usual", usual_label(usual.sampler.label())),
        ("schedule-usual", usual_label(usual.schedule.label())),
    ];
    let others = others.map(|(id, text)| (id.to_owned(), text));
    let ratios = AspectRatio::ALL.map(|ratio| (ratio_id(ratio), ratio_label(offer, ratio, Some(model))));
    let styles = offer.styles.iter().enumerate().filter(|(_, style)| style.built_in);
    let styles = styles.map(|(number, style)| (style_note_id(number), style_note(style, Some(model))));
    let all: Vec<_> = shapes.into_iter().chain(qualities).chain(others).chain(ratios).chain(styles).collect();
    // Texts alone always become JSON.
    serde_json::to_string(&all).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use types::preset::{Preset, Presets};
    use types::prompt::Style;

    use super::*;
    use crate::request_query::tests::model;

    #[test]
    fn every_text_of_the_form_that_depends_on_the_model_is_told() {
        let model = ModelInfo { sizes: [(512, 512), (640, 384), (384, 640)], ..model() };
        let own = Style { name: "Mine".into(), prompt: "ink".into(), ..Style::default() };
        let offer = Offer { styles: Style::all(&[own]), ..Offer::default() };
        let texts: Vec<(String, String)> =
            serde_json::from_str(&numbers_of(&offer, &model, Some(&model))).unwrap();
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
        assert!(text("style-1-note").unwrap().starts_with("Adds: product photograph of …, "));
        assert_eq!(text("aspect_ratio-16-9"), Some("16:9, 512 × 320"));
        assert_eq!(text("style-0-note"), None, "it is the same with every model");
    }

    #[test]
    fn a_quality_says_which_model_it_stands_for_unless_another_is_named() {
        let large = ModelInfo { name: "large".into(), title: "Large".into(), ..model() };
        let preset = |width| Preset {
            model: Some("large".into()),
            width: Some(width),
            height: Some(256),
            steps: Some(40),
        };
        let offer = Offer {
            models: vec![model(), large.clone()],
            presets: Presets {
                preview: Preset { model: Some("gone".into()), ..Preset::default() },
                premium: preset(384),
                ..Presets::default()
            },
            ..Offer::default()
        };
        let note = |named: Option<&ModelInfo>, quality| quality_note(&offer, named, quality);
        assert_eq!(
            size_note(&offer, &large, Shape::Landscape),
            "5:3",
            "how large it is depends on the quality"
        );
        assert_eq!(ratio_label(&offer, "16:9".parse().unwrap(), Some(&large)), "16:9");
        assert_eq!(note(None, Quality::Premium), "Large, 40 steps, about 384 × 256");
        assert_eq!(note(Some(&large), Quality::Premium), "40 steps, about 384 × 256");
        assert_eq!(note(Some(&model()), Quality::Premium), "40 steps", "twice its own 20");
        assert_eq!(note(None, Quality::Standard), "20 steps");
        assert_eq!(note(None, Quality::Preview), "not there now");
    }
}
