//! Long lists in pages. A cursor is the place, in the order of arrival, of the last row that was shown.

use types::error::PublicError;

use crate::Result;

/// Rows a page if the query does not say.
const DEFAULT_PAGE: u32 = 24;

/// Most rows a page.
const MAX_PAGE: u32 = 100;

/// Rows a page, from what a query says, where 0 stands for the usual number.
///
/// # Errors
/// More than 100.
pub(crate) fn check_limit(limit: u32) -> Result<u32> {
    match limit {
        0 => Ok(DEFAULT_PAGE),
        1..=MAX_PAGE => Ok(limit),
        _ => Err(PublicError::invalid_field(
            "limit",
            format!("limit {limit} is out of range; allowed are 1 to {MAX_PAGE}, or 0 for the usual {DEFAULT_PAGE}"),
        )
        .into()),
    }
}

/// The place that a cursor stands for.
///
/// # Errors
/// It is no cursor.
pub(crate) fn check_cursor(cursor: &str) -> Result<i64> {
    cursor.parse().ok().filter(|seq| *seq > 0).ok_or_else(|| {
        PublicError::invalid_field(
            "cursor",
            format!("cursor `{cursor}` is not one that a page ended with; leave it out for the first page"),
        )
        .into()
    })
}

/// Cuts rows, of which there is one more than the page holds if another page follows, and gives back the cursor of the
/// next one.
pub(crate) fn cut<T>(rows: &mut Vec<T>, limit: u32, place: impl Fn(&T) -> i64) -> Option<String> {
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    rows.last().filter(|_| has_more).map(|row| place(row).to_string())
}
