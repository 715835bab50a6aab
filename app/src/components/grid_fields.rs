//! Fields for a grid: up to three settings, each with the values it takes.

use leptos::prelude::*;
use types::request::{GridAxis, MAX_GRID_CELLS, RawGrid, RawGridAxis, RawRequest};

use super::fields::Fields;

/// What the three axes are called.
const AXES: [&str; 3] = ["Columns", "Rows", "Blocks"];

/// The fields. What is wrong with the grid stands below them.
pub fn grid_fields(fields: &Fields<'_>, raw: &RawRequest) -> AnyView {
    let grid = raw.grid.clone().unwrap_or_default();
    let error = fields.error_of("grid");
    let invalid = error.is_some().then_some("true");
    let by = if error.is_some() { "grid-error grid-note" } else { "grid-note" };
    let axes = AXES.into_iter().zip(RawGrid::FIELDS).zip(grid.axes()).map(|((label, names), axis)| {
        axis_fields(label, names, &axis.cloned().unwrap_or_default(), by, invalid)
    });
    view! {
        <fieldset class="group" id="grid">
            <legend>"A grid of pictures"</legend>
            {axes.collect_view()}
            <div class="field field-grid">
                {error.map(|error| view! { <p class="field-error" id="grid-error">{error}</p> })}
                <p class="note" id="grid-note">
                    {format!("One picture for each combination of the values, {MAX_GRID_CELLS} at most, and a sheet that shows them all. Values stand with commas in between. For words in the prompt the first value is looked for, and each is put in its place.")}
                </p>
            </div>
        </fieldset>
    }
    .into_any()
}

/// One axis: the setting and its values.
fn axis_fields(
    label: &'static str,
    [field, values]: [&'static str; 2],
    axis: &RawGridAxis,
    by: &'static str,
    invalid: Option<&'static str>,
) -> AnyView {
    let (chosen, list) = (axis.field.clone(), axis.list());
    let options = GridAxis::FIELDS.map(|name| {
        let is_chosen = name == chosen;
        view! { <option value=name selected=is_chosen>{title(name)}</option> }
    });
    view! {
        <div class="field">
            <label for=field>{label}</label>
            <select id=field name=field aria-describedby=by aria-invalid=invalid>
                <option value="">"None"</option>
                {options.into_iter().collect_view()}
            </select>
            <label class="visually-hidden" for=values>{format!("Values of the {}", label.to_lowercase())}</label>
            <input
                type="text"
                id=values
                name=values
                autocomplete="off"
                value=list
                placeholder="none"
                aria-describedby=by
                aria-invalid=invalid
            />
        </div>
    }
    .into_any()
}

/// A setting as the form calls it.
pub fn title(field: &str) -> &'static str {
    match field {
        "sampler" => "Sampler",
        "schedule" => "Noise schedule",
        "steps" => "Steps",
        "guidance_scale" => "Guidance scale",
        "seed" => "Seed",
        "strength" => "Strength",
        "clip_skip" => "Clip skip",
        _ => "Words in the prompt",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_setting_of_a_grid_has_a_title_of_its_own() {
        let titles: HashSet<_> = GridAxis::FIELDS.map(title).into();
        assert_eq!(titles.len(), GridAxis::FIELDS.len());
    }
}
