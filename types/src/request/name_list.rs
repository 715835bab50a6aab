//! Names with commas between them, as they stand in one field of a form or of a query.

use std::borrow::Cow;

/// A name as [`names_in_list`] reads it: one that has a comma, begins with a quotation mark, or begins or ends with a
/// space stands in quotation marks, and each of its own is doubled.
pub fn name_in_list(name: &str) -> Cow<'_, str> {
    if name.contains(',') || name.starts_with('"') || name.trim() != name {
        Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(name)
    }
}

/// The names in a list. Empty ones are passed over.
pub fn names_in_list(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let quoted = quoted_at_start(rest).and_then(|(name, after)| {
            let (nothing, after) = after.split_once(',').unwrap_or((after, ""));
            nothing.trim().is_empty().then_some((name, after))
        });
        let (name, after) = quoted.unwrap_or_else(|| {
            let (plain, after) = rest.split_once(',').unwrap_or((rest, ""));
            (plain.trim().to_owned(), after)
        });
        if !name.is_empty() {
            names.push(name);
        }
        rest = after;
    }
    names
}

/// The name in quotation marks that a list begins with, and what stands behind them. `None` if it begins otherwise, or
/// if the marks are never closed: then they belong to the name.
pub(super) fn quoted_at_start(list: &str) -> Option<(String, &str)> {
    let mut rest = list.trim_start().strip_prefix('"')?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        let Some(after_two) = after.strip_prefix('"') else { return Some((name, after)) };
        name.push('"');
        rest = after_two;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_goes_into_a_list_and_comes_back() {
        let names = ["Ink", "old, \"thick\" oil", "\"quoted\"", " spaced ", "a:1", "größer", "5\" wide"];
        let list: Vec<_> = names.iter().map(|name| name_in_list(name)).collect();
        assert_eq!(names_in_list(&list.join(",")), names);
    }

    #[test]
    fn names_may_be_typed_without_care() {
        assert_eq!(names_in_list(" Ink ,, Oil,"), ["Ink", "Oil"]);
        assert_eq!(names_in_list("\"Ink, Oil"), ["\"Ink", "Oil"], "a mark that is never closed");
        assert_eq!(names_in_list("\"Ink\" x, Oil"), ["\"Ink\" x", "Oil"]);
        assert_eq!(names_in_list(""), Vec::<String>::new());
    }
}
