//! One request over several values of up to three settings: a grid of pictures, and a sheet that shows them all.
//!
//! # Layout
//! * this file: a grid in which every value is allowed, and its cells
//! * `raw`: a grid as it came in, and as a form's fields
//! * `check`: from the one to the other

mod check;
mod raw;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub(super) use check::check;
pub use raw::{RawGrid, RawGridAxis, RawGridValue};

use super::GenerationRequest;
use crate::sampler::{Sampler, Schedule};

/// Most cells of a grid.
pub const MAX_GRID_CELLS: u32 = 64;

/// Settings that a request is made over: one picture for each combination of their values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Grid {
    /// What changes from left to right.
    pub columns: GridAxis,
    /// What changes from top to bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<GridAxis>,
    /// What changes from one block of columns and rows to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheets: Option<GridAxis>,
}

/// One setting and the values it takes, in their order; at least one, and none twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "field", content = "values", rename_all = "snake_case")]
pub enum GridAxis {
    /// Samplers.
    Sampler(Vec<Sampler>),
    /// Noise schedules.
    Schedule(Vec<Schedule>),
    /// Sampling steps.
    Steps(Vec<u32>),
    /// Guidance scales.
    GuidanceScale(Vec<f64>),
    /// Seeds.
    Seed(Vec<u64>),
    /// How far to go from the start picture.
    Strength(Vec<f64>),
    /// Layers of the text encoder to stop at.
    ClipSkip(Vec<u32>),
    /// Words: the first stands in the prompt or the negative prompt, and each is put in its place.
    PromptPart(Vec<String>),
}

impl GridAxis {
    /// The names of the settings, as requests call them.
    pub const FIELDS: [&str; 8] =
        ["sampler", "schedule", "steps", "guidance_scale", "seed", "strength", "clip_skip", "prompt_part"];

    /// The setting, as requests call it.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Sampler(_) => "sampler",
            Self::Schedule(_) => "schedule",
            Self::Steps(_) => "steps",
            Self::GuidanceScale(_) => "guidance_scale",
            Self::Seed(_) => "seed",
            Self::Strength(_) => "strength",
            Self::ClipSkip(_) => "clip_skip",
            Self::PromptPart(_) => "prompt_part",
        }
    }

    /// How many values.
    pub fn n_values(&self) -> u32 {
        let n_values = match self {
            Self::Sampler(values) => values.len(),
            Self::Schedule(values) => values.len(),
            Self::Steps(values) | Self::ClipSkip(values) => values.len(),
            Self::GuidanceScale(values) | Self::Strength(values) => values.len(),
            Self::Seed(values) => values.len(),
            Self::PromptPart(values) => values.len(),
        };
        n_values as u32
    }

    /// The values as requests write them.
    pub fn values(&self) -> Vec<String> {
        fn texts<T: ToString>(values: &[T]) -> Vec<String> {
            values.iter().map(ToString::to_string).collect()
        }
        match self {
            Self::Sampler(values) => texts(values),
            Self::Schedule(values) => texts(values),
            Self::Steps(values) | Self::ClipSkip(values) => texts(values),
            Self::GuidanceScale(values) | Self::Strength(values) => texts(values),
            Self::Seed(values) => texts(values),
            Self::PromptPart(values) => values.clone(),
        }
    }

    /// The values as they are written beside the pictures: each says by itself what it is.
    pub fn labels(&self) -> Vec<String> {
        let numbered = |said: &str| self.values().iter().map(|value| format!("{said} {value}")).collect();
        match self {
            Self::Sampler(values) => values.iter().map(|sampler| sampler.label().to_owned()).collect(),
            Self::Schedule(values) => values.iter().map(|schedule| schedule.label().to_owned()).collect(),
            Self::Steps(_) => numbered("Steps"),
            Self::GuidanceScale(_) => numbered("Guidance"),
            Self::Seed(_) => numbered("Seed"),
            Self::Strength(_) => numbered("Strength"),
            Self::ClipSkip(_) => numbered("Clip skip"),
            Self::PromptPart(values) => values.clone(),
        }
    }

    /// Puts value `index` into a request; nothing if there are not so many.
    fn put(&self, index: u32, request: &mut GenerationRequest) -> Option<()> {
        let index = index as usize;
        match self {
            Self::Sampler(values) => request.sampler = *values.get(index)?,
            Self::Schedule(values) => request.schedule = *values.get(index)?,
            Self::Steps(values) => request.steps = *values.get(index)?,
            Self::GuidanceScale(values) => request.guidance_scale = *values.get(index)?,
            Self::Seed(values) => request.seed = *values.get(index)?,
            Self::Strength(values) => request.start.as_mut()?.strength = *values.get(index)?,
            Self::ClipSkip(values) => request.clip_skip = *values.get(index)?,
            Self::PromptPart(values) => {
                let (part, words) = (values.first()?, values.get(index)?);
                request.prompt = request.prompt.replace(part, words);
                request.negative_prompt = request.negative_prompt.replace(part, words);
            }
        }
        Some(())
    }
}

impl Grid {
    /// How many columns, rows and blocks; each at least 1.
    pub fn shape(&self) -> [u32; 3] {
        let n_values = |axis: &Option<GridAxis>| axis.as_ref().map_or(1, GridAxis::n_values);
        [self.columns.n_values(), n_values(&self.rows), n_values(&self.sheets)]
    }

    /// How many pictures it has, the sheet not counted. They come row by row, one block after the other.
    pub fn n_cells(&self) -> u32 {
        self.shape().iter().product()
    }

    /// Column, row and block of cell `index`.
    pub fn place_of(&self, index: u32) -> [u32; 3] {
        let [n_columns, n_rows, _] = self.shape();
        [index % n_columns, index / n_columns % n_rows, index / (n_columns * n_rows)]
    }
}

impl GenerationRequest {
    /// Cell `index` of the grid as a request of its own, for one picture and with nothing left of the grid.
    ///
    /// `None` without a grid, and for what lies behind its cells, which is the sheet that shows them all. A cell differs
    /// from the request in the grid's settings alone: its seed, its second noise and the steps of its second pass are
    /// the same as everywhere.
    pub fn cell(&self, index: u32) -> Option<Self> {
        let grid = self.grid.as_ref().filter(|grid| index < grid.n_cells())?;
        let [column, row, sheet] = grid.place_of(index);
        let mut cell =
            Self { grid: None, count: 1, asked_prompt: None, asked_negative_prompt: None, ..self.clone() };
        grid.columns.put(column, &mut cell)?;
        for (axis, place) in [(&grid.rows, row), (&grid.sheets, sheet)] {
            if let Some(axis) = axis {
                axis.put(place, &mut cell)?;
            }
        }
        Some(cell)
    }

    /// Whether picture `index` is the sheet that shows the cells of the grid.
    pub fn is_sheet(&self, index: u32) -> bool {
        self.grid.as_ref().is_some_and(|grid| index >= grid.n_cells())
    }

    /// The request that picture `index` is made from, and its place among the pictures of that one: a cell of a grid
    /// is made from a request of its own.
    pub fn of_picture(&self, index: u32) -> (Cow<'_, Self>, u32) {
        self.cell(index).map_or((Cow::Borrowed(self), index), |cell| (Cow::Owned(cell), 0))
    }

    /// Steps that are walked for picture `index`, both passes together; none for the sheet of a grid.
    pub fn n_steps_of(&self, index: u32) -> u32 {
        if self.is_sheet(index) { 0 } else { self.of_picture(index).0.n_steps() }
    }
}
