//! From a grid that came in to one in which every value is allowed.

use std::str::FromStr;

use super::{Grid, GridAxis, MAX_GRID_CELLS, RawGrid, RawGridAxis};
use crate::error::PublicError;
use crate::request::text::check_prompt;
use crate::request::{GenerationRequest, MAX_SEED, RawRequest, RequestContext};
use crate::sampler::parse_pair;

/// The field that every error here names.
const FIELD: &str = "grid";

/// Puts a grid over a request that is checked without one. Every cell is held to what the request would be held to
/// alone.
pub(in crate::request) fn check(
    raw: &RawGrid,
    count: Option<i64>,
    base: GenerationRequest,
    context: &RequestContext<'_>,
) -> Result<GenerationRequest, PublicError> {
    if let Some(count) = count.filter(|count| *count != 1) {
        return refuse(format!(
            "a grid cannot go together with count {count}, as it makes one picture for each cell; leave one of them \
             out, or put several seeds into the grid"
        ));
    }
    let axis =
        |said, raw: &Option<RawGridAxis>| raw.as_ref().map(|raw| check_axis(said, raw, &base)).transpose();
    let grid = Grid {
        columns: check_axis("columns", &raw.columns, &base)?,
        rows: axis("rows", &raw.rows)?,
        sheets: axis("sheets", &raw.sheets)?,
    };
    check_twice(&grid)?;
    let shape = grid.shape();
    let n_cells = shape.iter().map(|n_values| u64::from(*n_values)).product::<u64>();
    if n_cells > u64::from(MAX_GRID_CELLS) {
        let [n_columns, n_rows, n_sheets] = shape;
        return refuse(format!(
            "a grid of {n_columns} columns, {n_rows} rows and {n_sheets} sheets has {n_cells} cells; at most \
             {MAX_GRID_CELLS} are allowed"
        ));
    }
    let request = GenerationRequest { count: n_cells as u32 + 1, grid: Some(grid), ..base };
    for index in 0..n_cells as u32 {
        let Some(cell) = request.cell(index) else { continue };
        let alone = RawRequest::exact(&cell).check(context, || cell.seed).map_err(|error| PublicError {
            field: Some(FIELD.to_owned()),
            message: format!("a cell of the grid is not possible: {}", error.message),
            ..error
        })?;
        if alone.asked_prompt.is_some() || alone.asked_negative_prompt.is_some() {
            return refuse(
                "the grid's words hold wildcards or choices, which stand for no one text; write them out"
                    .to_owned(),
            );
        }
    }
    Ok(request)
}

/// The same setting cannot have two values at once.
fn check_twice(grid: &Grid) -> Result<(), PublicError> {
    let axes = [Some(&grid.columns), grid.rows.as_ref(), grid.sheets.as_ref()];
    let mut named = Vec::new();
    for axis in axes.into_iter().flatten() {
        // Words may be replaced in several places.
        let is_words = matches!(axis, GridAxis::PromptPart(_));
        if !is_words && named.contains(&axis.field()) {
            return refuse(format!(
                "the grid has the field `{}` twice; put all its values into one of columns, rows and sheets",
                axis.field()
            ));
        }
        named.push(axis.field());
    }
    Ok(())
}

fn check_axis(said: &str, raw: &RawGridAxis, base: &GenerationRequest) -> Result<GridAxis, PublicError> {
    let field = raw.field.trim();
    if field.is_empty() {
        return refuse(format!("grid {said} name no field; known are {}", GridAxis::FIELDS.join(", ")));
    }
    if !GridAxis::FIELDS.contains(&field) {
        return refuse(format!(
            "grid {said} field `{field}` is unknown; known are {}",
            GridAxis::FIELDS.join(", ")
        ));
    }
    let texts: Vec<String> = raw.values.iter().map(ToString::to_string).collect();
    if texts.is_empty() {
        return refuse(format!("grid {said} have no values of `{field}`; give at least one"));
    }
    if texts.iter().any(String::is_empty) {
        return refuse(format!("grid {said} have an empty value of `{field}`; leave it out"));
    }
    // What is too long to be a grid is not read through.
    if texts.len() > MAX_GRID_CELLS as usize {
        return refuse(format!(
            "grid {said} have {} values of `{field}`; at most {MAX_GRID_CELLS} cells are allowed",
            texts.len()
        ));
    }
    let axis = match field {
        "sampler" => GridAxis::Sampler(each(&texts, |text| match parse_pair(text) {
            Ok((sampler, None)) => Ok(sampler),
            Ok((sampler, Some(schedule))) => Err(format!(
                "grid sampler `{text}` is a sampler and a schedule; write `{sampler}`, and `{schedule}` as `schedule`"
            )),
            Err(unknown) => Err(unknown.to_string()),
        })?),
        "schedule" => {
            GridAxis::Schedule(each(&texts, |text| text.parse().map_err(|unknown| format!("{unknown}")))?)
        }
        "steps" => GridAxis::Steps(numbers(field, &texts, "a whole number, 0 or more")?),
        "guidance_scale" => GridAxis::GuidanceScale(numbers(field, &texts, "a number")?),
        "seed" => GridAxis::Seed(each(&texts, |text| match text.parse::<u64>() {
            Ok(seed) if seed <= MAX_SEED => Ok(seed),
            _ => Err(format!("grid seed `{text}` is not possible; allowed are 0 to {MAX_SEED}")),
        })?),
        "strength" if base.strength().is_none() => {
            return refuse(format!(
                "grid {said} of `strength` act on nothing, as there is no start picture or the model has no use for \
                 one; name a picture as `start`"
            ));
        }
        "strength" => GridAxis::Strength(numbers(field, &texts, "a number")?),
        "clip_skip" => GridAxis::ClipSkip(numbers(field, &texts, "a whole number, 0 or more")?),
        _ => GridAxis::PromptPart(words(&texts, base)?),
    };
    let written = axis.values();
    if let Some(double) = written.iter().enumerate().find(|(at, value)| written[..*at].contains(value)) {
        return refuse(format!(
            "grid {said} have the value `{}` of `{field}` twice; once is enough",
            double.1
        ));
    }
    Ok(axis)
}

/// The first has to stand in a prompt, or else there is nothing to replace.
fn words(texts: &[String], base: &GenerationRequest) -> Result<Vec<String>, PublicError> {
    let words = texts.iter().map(|text| check_prompt(FIELD, text)).collect::<Result<Vec<_>, _>>()?;
    let is_there = words.first().is_some_and(|first| {
        base.prompt.contains(first.as_str()) || base.negative_prompt.contains(first.as_str())
    });
    if !is_there {
        return refuse(format!(
            "grid `prompt_part` begins with `{}`, which is in neither prompt; the first value is the one that is \
             replaced by the others",
            words.first().map_or("", String::as_str)
        ));
    }
    Ok(words)
}

fn numbers<T: FromStr>(field: &str, texts: &[String], kind: &str) -> Result<Vec<T>, PublicError> {
    let said = field.replace('_', " ");
    each(texts, |text| text.parse().map_err(|_| format!("grid {said} `{text}` is not {kind}")))
}

fn each<T>(texts: &[String], read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, PublicError> {
    texts.iter().map(|text| read(text).or_else(refuse)).collect()
}

fn refuse<T>(sentence: String) -> Result<T, PublicError> {
    Err(PublicError::invalid_field(FIELD, sentence))
}
