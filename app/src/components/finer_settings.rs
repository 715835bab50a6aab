//! Settings for people who know them from elsewhere, two folds away.

use leptos::prelude::*;
use types::model::ModelInfo;
use types::request::{
    HIRES_SCALE_MOST, NoiseSource, PICTURE_GUIDANCE_SCALE, RawRequest, USUAL_HIRES_STRENGTH,
    USUAL_PICTURE_GUIDANCE_SCALE, Weighting,
};

use super::create_form::chosen_model;
use super::field::Range;
use super::fields::{Choice, Fields};
use super::grid_fields::grid_fields;
use crate::state::FormState;

/// The number fields of the fold.
const NUMBERS: [&str; 8] = [
    "clip_skip",
    "picture_guidance_scale",
    "guidance_rescale",
    "hires_scale",
    "hires_steps",
    "hires_strength",
    "variation_seed",
    "variation_strength",
];
/// Its other fields.
const NAMES: [&str; 3] = ["noise", "weighting", "grid"];

/// The fold.
pub fn finer_settings(models: &[ModelInfo], form: &FormState) -> AnyView {
    let raw = &form.raw;
    let fields = Fields { form };
    let is_open = form.has_error_in(&NAMES)
        || form.has_error_in(&NUMBERS)
        || form.typed.has_any(&NUMBERS)
        || says_finer(raw);
    view! {
        <details class="more" id="finer-settings" open=is_open>
            <summary>"Finer settings"</summary>
            <div class="fields">{second_pass(&fields, raw)} {variation(&fields, raw)} {words(&fields, raw, chosen_model(models, raw))} {instruction(&fields, raw, models)} {grid_fields(&fields, raw)}</div>
        </details>
    }
    .into_any()
}

fn second_pass(fields: &Fields<'_>, raw: &RawRequest) -> AnyView {
    let strength = Range { min: 0.0, max: 1.0, step: 0.05, usual: USUAL_HIRES_STRENGTH };
    view! {
        <fieldset class="group">
            <legend>"A larger second pass (hires fix)"</legend>
            {fields.decimal(
                "hires_scale",
                "Enlarge",
                format!("The finished picture is enlarged by this factor, up to {HIRES_SCALE_MOST}, and painted over with more detail. Empty: no second pass."),
                raw.hires_scale,
                "off",
            )}
            {fields.whole("hires_steps", "Steps of the second pass", "Empty: as many as the first.", raw.hires_steps, "same")}
            {fields.sliding(
                "hires_strength",
                "Strength of the second pass",
                "How far it may depart from the enlarged picture.",
                raw.hires_strength,
                strength,
            )}
        </fieldset>
    }
    .into_any()
}

fn variation(fields: &Fields<'_>, raw: &RawRequest) -> AnyView {
    let strength = Range { min: 0.0, max: 1.0, step: 0.05, usual: 0.0 };
    view! {
        <fieldset class="group">
            <legend>"Pictures close to one of yours"</legend>
            {fields.sliding(
                "variation_strength",
                "Variation strength",
                "How much of a second noise is mixed into that of the seed: 0.1 changes little things, 1 everything.",
                raw.variation_strength,
                strength,
            )}
            {fields.whole(
                "variation_seed",
                "Variation seed",
                "Names the second noise. Empty: a new one each time.",
                raw.variation_seed.filter(|seed| *seed != -1),
                "random",
            )}
        </fieldset>
    }
    .into_any()
}

/// Shown where there is a model that has a use for it.
fn instruction(fields: &Fields<'_>, raw: &RawRequest, models: &[ModelInfo]) -> Option<AnyView> {
    let (min, max) = (*PICTURE_GUIDANCE_SCALE.start(), *PICTURE_GUIDANCE_SCALE.end());
    let range = Range { min, max, step: 0.1, usual: USUAL_PICTURE_GUIDANCE_SCALE };
    let group = || {
        view! {
            <fieldset class="group">
                <legend>"A picture changed by an instruction"</legend>
                {fields.sliding(
                    "picture_guidance_scale",
                    "Guidance to the picture",
                    "How closely to keep to the start picture. Only models that change a picture by an instruction use it; they use no strength.",
                    raw.picture_guidance_scale,
                    range,
                )}
            </fieldset>
        }
        .into_any()
    };
    models.iter().any(|model| model.edits).then(group)
}

/// At which layers the text encoders of a model may stop.
pub fn clip_skip_note(model: &ModelInfo) -> String {
    format!(
        "At which layer of the text encoder to stop, 1 (the last) to {}. Some models were trained with 2.",
        model.max_clip_skip
    )
}

fn words(fields: &Fields<'_>, raw: &RawRequest, model: Option<&ModelInfo>) -> AnyView {
    let weightings = Weighting::ALL.map(|weighting| Choice {
        value: weighting.as_str().to_owned(),
        label: match weighting {
            Weighting::A1111 => "AUTOMATIC1111: keeps the overall level".to_owned(),
            Weighting::Compel => "compel and ComfyUI: towards or away from no words".to_owned(),
        },
        is_chosen: chosen(raw.weighting.as_deref(), weighting.as_str(), weighting == Weighting::default()),
        ..Choice::default()
    });
    let noises = NoiseSource::ALL.map(|noise| Choice {
        value: noise.as_str().to_owned(),
        label: match noise {
            NoiseSource::Cpu => "CPU: as diffusers and ComfyUI draw it".to_owned(),
            NoiseSource::Cuda => "CUDA: as the AUTOMATIC1111 web UI draws it".to_owned(),
        },
        is_chosen: chosen(raw.noise.as_deref(), noise.as_str(), noise == NoiseSource::default()),
        ..Choice::default()
    });
    let rescale = Range { min: 0.0, max: 1.0, step: 0.05, usual: 0.0 };
    view! {
        <fieldset class="group">
            <legend>"Words, guidance and noise"</legend>
            {fields.select("weighting", "Word weights", "How (word:1.2) is applied. Programs differ in it.", weightings.into())}
            {fields.select("noise", "Noise", "Whose random numbers a seed stands for: the same seed gives another picture elsewhere.", noises.into())}
            {fields.whole(
                "clip_skip",
                "Clip skip",
                model.map(clip_skip_note).unwrap_or_default(),
                raw.clip_skip,
                "1",
            )}
            {fields.sliding(
                "guidance_rescale",
                "Guidance rescale",
                "Takes back the glare of a high guidance scale. Models with v-prediction like 0.7.",
                raw.guidance_rescale,
                rescale,
            )}
        </fieldset>
    }
    .into_any()
}

/// Whether an entry is the one that was asked for, or the usual one where nothing was.
fn chosen(asked: Option<&str>, name: &str, is_usual: bool) -> bool {
    asked.map_or(is_usual, |asked| asked.eq_ignore_ascii_case(name))
}

/// Whether a request says anything that stands in this fold and is not the usual.
fn says_finer(raw: &RawRequest) -> bool {
    let is_set = |name: Option<&str>, usual: &str| name.is_some_and(|name| !name.eq_ignore_ascii_case(usual));
    raw.grid.is_some()
        || is_set(raw.weighting.as_deref(), Weighting::default().as_str())
        || is_set(raw.noise.as_deref(), NoiseSource::default().as_str())
        || [raw.clip_skip, raw.hires_steps, raw.variation_seed].iter().any(Option::is_some)
        || [
            raw.hires_scale,
            raw.hires_strength,
            raw.variation_strength,
            raw.guidance_rescale,
            raw.picture_guidance_scale,
        ]
        .iter()
        .any(Option::is_some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fold_opens_for_what_is_not_usual_alone() {
        let usual = RawRequest {
            weighting: Some("A1111".into()),
            noise: Some("cpu".into()),
            steps: Some(7),
            ..RawRequest::default()
        };
        assert!(!says_finer(&usual));
        assert!(says_finer(&RawRequest { noise: Some("cuda".into()), ..usual.clone() }));
        assert!(says_finer(&RawRequest { clip_skip: Some(2), ..usual.clone() }));
        assert!(says_finer(&RawRequest { hires_scale: Some(2.0), ..usual }));
    }
}
