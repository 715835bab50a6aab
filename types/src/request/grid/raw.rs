//! A grid as it came in.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Grid, GridAxis};
use crate::request::name_list::{name_in_list, names_in_list};

/// A grid as it came in: one picture for each combination of the values, and a sheet that shows them all behind them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RawGrid {
    /// What changes from left to right.
    pub columns: RawGridAxis,
    /// What changes from top to bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<RawGridAxis>,
    /// What changes from one block of columns and rows to the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheets: Option<RawGridAxis>,
}

/// One setting and its values, as they came in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RawGridAxis {
    /// `sampler`, `schedule`, `steps`, `guidance_scale`, `seed`, `strength`, `clip_skip` or `prompt_part`.
    pub field: String,
    /// The values, each as the setting takes it alone. Of `prompt_part` the first is looked for in both prompts and
    /// replaced by each.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 64))]
    pub values: Vec<RawGridValue>,
}

/// A value as it came in: a number, or a text that may hold one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum RawGridValue {
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for RawGridValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text.trim()),
        }
    }
}

impl RawGridAxis {
    /// An axis as it is typed: the setting, and its values with commas in between. A value with a comma in it stands in
    /// quotation marks.
    pub fn typed(field: &str, values: &str) -> Self {
        let values = names_in_list(values).into_iter().map(RawGridValue::Text).collect();
        Self { field: field.trim().to_owned(), values }
    }

    /// The values as they are typed.
    pub fn list(&self) -> String {
        let values: Vec<String> =
            self.values.iter().map(|value| name_in_list(&value.to_string()).into_owned()).collect();
        values.join(", ")
    }
}

impl RawGrid {
    /// A grid's fields in a form, two for each axis: the setting, and its values as [`RawGridAxis::typed`] reads them.
    pub const FIELDS: [[&str; 2]; 3] = [
        ["grid_columns_field", "grid_columns_values"],
        ["grid_rows_field", "grid_rows_values"],
        ["grid_sheets_field", "grid_sheets_values"],
    ];

    /// A grid out of a form's fields; none if all of them are empty.
    pub fn from_fields(value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let [columns, rows, sheets] = Self::FIELDS.map(|names| {
            let [field, values] = names.map(|name| value(name).unwrap_or_default());
            let axis = RawGridAxis::typed(&field, &values);
            (axis != RawGridAxis::default()).then_some(axis)
        });
        if columns.is_none() && rows.is_none() && sheets.is_none() {
            return None;
        }
        Some(Self { columns: columns.unwrap_or_default(), rows, sheets })
    }

    /// The axes in their order, as far as there are any.
    pub fn axes(&self) -> [Option<&RawGridAxis>; 3] {
        [Some(&self.columns), self.rows.as_ref(), self.sheets.as_ref()]
    }

    /// The grid as the fields of a form, by their names.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let axes = Self::FIELDS.into_iter().zip(self.axes());
        axes.filter_map(|([field, values], axis)| {
            Some([(field, axis?.field.clone()), (values, axis?.list())])
        })
        .flatten()
        .collect()
    }
}

impl From<&GridAxis> for RawGridAxis {
    fn from(axis: &GridAxis) -> Self {
        let number = |text: String| match (text.parse(), text.parse()) {
            (Ok(whole), _) => RawGridValue::Whole(whole),
            (_, Ok(number)) => RawGridValue::Number(number),
            _ => RawGridValue::Text(text),
        };
        let values = axis.values().into_iter();
        let values = match axis {
            GridAxis::PromptPart(_) => values.map(RawGridValue::Text).collect(),
            _ => values.map(number).collect(),
        };
        Self { field: axis.field().to_owned(), values }
    }
}

impl From<&Grid> for RawGrid {
    fn from(grid: &Grid) -> Self {
        let axis = |axis: &Option<GridAxis>| axis.as_ref().map(RawGridAxis::from);
        Self { columns: (&grid.columns).into(), rows: axis(&grid.rows), sheets: axis(&grid.sheets) }
    }
}
