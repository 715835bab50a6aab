//! Marks that turn text around, in what visitors type.
//!
//! A text of its own (a heading, a paragraph, a tile) may read in any direction. Within a sentence of the page a
//! single mark would turn around what the page says after it, and so would one that ends the element's own direction:
//! so there they are shown instead of followed. Within code they would show other code than is copied ("Trojan
//! Source", CVE-2021-42574).

/// What is shown in the place of a mark: Unicode's replacement character.
const SEEN: &str = "\u{FFFD}";

/// Whether a character begins or ends a stretch of another direction: the embeddings, overrides and isolates of UAX #9.
pub fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A text for within a sentence: its marks are seen, and turn nothing around.
pub fn with_marks_seen(text: &str) -> String {
    text.replace(is_direction_mark, SEEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_seen_and_letters_of_any_direction_stay() {
        assert_eq!(with_marks_seen("a \u{202E}gnp.exe\u{2069}"), "a \u{FFFD}gnp.exe\u{FFFD}");
        assert_eq!(with_marks_seen("قارب أحمر, 夕, \u{200F}!"), "قارب أحمر, 夕, \u{200F}!");
    }
}
