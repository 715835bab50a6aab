//! A job's settings, each to be copied.

use leptos::prelude::*;
use types::job::{JobInfo, JobStatus};
use types::request::{
    GenerationRequest, LoraUse, MaskFill, NoiseSource, RawGrid, USUAL_MASK_FEATHER, Weighting,
};

use super::grid_fields::title;
use crate::direction::with_marks_seen;
use crate::format::{counted, machine_moment, moment};

/// All settings of a job but its prompt, as a list of terms.
pub fn settings_list(job: &JobInfo) -> AnyView {
    let request = &job.request;
    let seeds = if request.count > 1 && request.grid.is_none() && request.variation.is_none() {
        format!("{} to {}", request.seed, request.seed_of(request.count - 1))
    } else {
        request.seed.to_string()
    };
    let settings = [
        ("Negative prompt", "negative", request.negative_prompt.clone()),
        ("Seed", "seed", seeds),
        ("Size", "size", format!("{} × {}", request.width, request.height)),
        ("Steps", "steps", request.steps.to_string()),
        ("Guidance scale", "guidance", request.guidance_scale.to_string()),
        ("Sampler", "sampler", request.sampler.label().to_owned()),
        ("Noise schedule", "schedule", request.schedule.label().to_owned()),
        ("Model", "model", request.model.clone()),
    ];
    let settings = settings.into_iter().chain(unusual(request));
    let rows = settings.filter(|(_, _, value)| !value.is_empty()).map(|(name, id, value)| {
        let id = format!("setting-{id}");
        view! {
            <div class="setting">
                <dt>{name}</dt>
                <dd>
                    <span class="setting-value" id=id.clone()>
                        {value}
                    </span>
                    {copy_button(id, name.to_lowercase())}
                </dd>
            </div>
        }
    });
    view! {
        <dl class="settings">
            {materials(job)} {rows.collect_view()}
            <div class="setting">
                <dt>"Asked for"</dt>
                <dd>
                    <time datetime=machine_moment(job.created_at)>{moment(job.created_at)}</time>
                </dd>
            </div>
            {job
                .finished_at
                .zip(job.started_at)
                .filter(|_| job.status == JobStatus::Done)
                .map(|(finished_at, started_at)| {
                    let seconds = (finished_at - started_at).as_seconds_f64();
                    view! {
                        <div class="setting">
                            <dt>"Took"</dt>
                            <dd>{format!("{seconds:.1} s")}</dd>
                        </div>
                    }
                })}
        </dl>
    }
    .into_any()
}

/// What a request says that is not the usual: name, id and value of each.
fn unusual(request: &GenerationRequest) -> Vec<(&'static str, &'static str, String)> {
    let mut rows = Vec::new();
    let grid = request.grid.as_ref().map(RawGrid::from).unwrap_or_default();
    let names = [("Columns", "grid-columns"), ("Rows", "grid-rows"), ("Blocks", "grid-sheets")];
    for ((name, id), axis) in names.into_iter().zip(grid.axes()) {
        if let Some(axis) = axis.filter(|axis| !axis.field.is_empty()) {
            rows.push((name, id, format!("{}: {}", title(&axis.field), with_marks_seen(&axis.list()))));
        }
    }
    if let Some(strength) = request.strength() {
        rows.push(("Strength", "strength", strength.to_string()));
    }
    if let Some(scale) = request.picture_guidance_scale {
        rows.push(("Guidance to the picture", "picture-guidance", scale.to_string()));
    }
    if let Some(mask) = request.mask.as_ref().filter(|mask| mask.feather != USUAL_MASK_FEATHER) {
        rows.push(("Mask feather", "mask-feather", counted(u64::from(mask.feather), "pixel", "pixels")));
    }
    if request.mask_fill != MaskFill::default() {
        rows.push(("Under the mask", "mask-fill", request.mask_fill.to_string()));
    }
    if let Some(margins) = request.outpaint {
        let sides = [
            ("left", margins.left),
            ("top", margins.top),
            ("right", margins.right),
            ("bottom", margins.bottom),
        ];
        let sides = sides.into_iter().filter(|(_, pixels)| *pixels > 0);
        let sides: Vec<_> = sides.map(|(side, pixels)| format!("{side} {pixels}")).collect();
        rows.push(("Extended by", "outpaint", sides.join(", ")));
    }
    if !request.loras.is_empty() {
        let loras: Vec<_> = request.loras.iter().map(LoraUse::in_list).collect();
        rows.push(("LoRAs", "loras", loras.join(", ")));
    }
    if let Some(hires) = request.hires {
        let (width, height, steps, strength) = (hires.width, hires.height, hires.steps, hires.strength);
        let steps = counted(u64::from(steps), "step", "steps");
        rows.push(("Second pass", "hires", format!("{width} × {height}, {steps}, strength {strength}")));
    }
    if let Some(variation) = request.variation {
        rows.push(("Variation seed", "variation-seed", variation.seed.to_string()));
        rows.push(("Variation strength", "variation-strength", variation.strength.to_string()));
    }
    if request.guidance_rescale > 0.0 {
        rows.push(("Guidance rescale", "guidance-rescale", request.guidance_rescale.to_string()));
    }
    if request.clip_skip > 1 {
        rows.push(("Clip skip", "clip-skip", request.clip_skip.to_string()));
    }
    if request.weighting != Weighting::default() {
        rows.push(("Word weights", "weighting", request.weighting.as_str().to_owned()));
    }
    if request.noise != NoiseSource::default() {
        rows.push(("Noise", "noise", request.noise.as_str().to_uppercase()));
    }
    rows
}

/// The pictures that a picture was made from. They are for their owner alone.
fn materials(job: &JobInfo) -> AnyView {
    let start = job.request.start.as_ref().map(|start| ("Start picture", &start.source));
    let mask = job.request.mask.as_ref().map(|mask| ("Mask", &mask.source));
    let rows = start.into_iter().chain(mask).map(|(name, source)| {
        let shown = match source.path().filter(|_| job.is_owner) {
            Some(path) => {
                view! { <img class="material" src=path alt=name loading="lazy" decoding="async" /> }
                    .into_any()
            }
            None if job.is_owner => source.to_string().into_any(),
            None => "Seen by its owner alone".into_any(),
        };
        view! {
            <div class="setting">
                <dt>{name}</dt>
                <dd>{shown}</dd>
            </div>
        }
    });
    rows.collect_view().into_any()
}

/// Copies the text of the element with this id. Shown where there is a script to do it.
pub fn copy_button(id: String, name: impl std::fmt::Display) -> AnyView {
    view! {
        <button type="button" class="copy" data-copy=id aria-label=format!("Copy {name}") title=format!("Copy {name}")>
            <svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
                <path class="copy-icon" d="M9 9h10v11H9zM15 9V4H5v11h4" />
                <path class="copied-icon" d="m5 13 4.5 4.5L19 7" />
            </svg>
        </button>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(more: &str) -> GenerationRequest {
        let json = format!(
            r#"{{"prompt": "a boat", "negative_prompt": "", "model": "demo", "steps": 20, "guidance_scale": 4,
                "sampler": "euler", "schedule": "normal", "seed": 7, "width": 256, "height": 256, "count": 1{more}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn said(more: &str) -> Vec<String> {
        unusual(&request(more)).into_iter().map(|(name, _, value)| format!("{name}: {value}")).collect()
    }

    #[test]
    fn nothing_is_said_of_what_is_usual() {
        assert_eq!(said(r#", "clip_skip": 1, "noise": "cpu", "weighting": "a1111""#), Vec::<String>::new());
    }

    #[test]
    fn what_is_not_usual_is_said() {
        let id = "0123456789abcdef0123456789abcdef";
        let start = format!(
            r#", "start": {{"kind": "upload", "id": "{id}", "strength": 0.5}},
            "mask": {{"kind": "upload", "id": "{id}", "feather": 8}},
            "outpaint": {{"left": 64, "top": 0, "right": 0, "bottom": 8}}"#
        );
        assert_eq!(
            said(&start),
            ["Strength: 0.5", "Mask feather: 8 pixels", "Extended by: left 64, bottom 8"]
        );
        let edited = format!(
            r#", "start": {{"kind": "upload", "id": "{id}", "strength": 1.0}}, "picture_guidance_scale": 1.5"#
        );
        assert_eq!(said(&edited), ["Guidance to the picture: 1.5"]);
        let finer = r#", "clip_skip": 2, "noise": "cuda", "weighting": "compel", "guidance_rescale": 0.7,
            "loras": [{"name": "ink", "weight": 0.8}], "variation": {"seed": 3, "strength": 0.1},
            "hires": {"scale": 2, "width": 512, "height": 512, "steps": 10, "strength": 0.6}"#;
        assert_eq!(
            said(finer),
            [
                "LoRAs: ink:0.8",
                "Second pass: 512 × 512, 10 steps, strength 0.6",
                "Variation seed: 3",
                "Variation strength: 0.1",
                "Guidance rescale: 0.7",
                "Clip skip: 2",
                "Word weights: compel",
                "Noise: CUDA",
            ]
        );
    }
}
