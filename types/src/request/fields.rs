//! One value against what is allowed, with one sentence if it is something else.

use std::ops::RangeInclusive;

use crate::error::PublicError;
use crate::sampler::UnknownName;

/// A whole number in a range.
pub(super) fn within(
    field: &'static str,
    value: i64,
    allowed: &RangeInclusive<u32>,
) -> Result<u32, PublicError> {
    let found = u32::try_from(value).ok().filter(|value| allowed.contains(value));
    found.ok_or_else(|| out_of_range(field, value, allowed.start(), allowed.end()))
}

/// A number in a range. What is no number (NaN) is in none.
pub(super) fn number(
    field: &'static str,
    value: f64,
    allowed: &RangeInclusive<f64>,
) -> Result<f64, PublicError> {
    if allowed.contains(&value) {
        return Ok(value);
    }
    Err(out_of_range(field, value, allowed.start(), allowed.end()))
}

/// A number from 0 to 1, or the usual one.
pub(super) fn fraction(field: &'static str, value: Option<f64>, usual: f64) -> Result<f64, PublicError> {
    number(field, value.unwrap_or(usual), &(0.0..=1.0))
}

/// A name that stands for nothing.
pub(super) fn unknown_name(field: &'static str, unknown: &UnknownName) -> PublicError {
    PublicError::invalid_field(field, unknown.to_string())
}

/// One of a few by its name, or the first of them.
pub(super) fn choose<T: Copy + Default, const N: usize>(
    field: &'static str,
    name: Option<&str>,
    all: [T; N],
    name_of: fn(T) -> &'static str,
) -> Result<T, PublicError> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(T::default()) };
    all.into_iter().find(|item| name_of(*item).eq_ignore_ascii_case(name)).ok_or_else(|| {
        let known = all.map(name_of).join(", ");
        PublicError::invalid_field(field, format!("{field} `{name}` is unknown; known are {known}"))
    })
}

fn out_of_range<T: std::fmt::Display>(
    field: &'static str,
    value: impl std::fmt::Display,
    least: T,
    most: T,
) -> PublicError {
    let said = field.replace('_', " ");
    PublicError::invalid_field(
        field,
        format!("{said} {value} is out of range; allowed are {least} to {most}"),
    )
}
