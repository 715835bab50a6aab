//! Texts and objects as languages write them.

use std::fmt::Write;

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value};

use crate::direction::is_direction_mark;

/// A word of a shell's command. Within single quotes a shell takes everything literally but the quote itself.
pub fn shell(text: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ',' | ':' | '/' | '=');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else if text.contains(is_direction_mark) {
        shell_with_marks(text)
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A word in which what turns text around is written in numbers, as bash and zsh read them.
fn shell_with_marks(text: &str) -> String {
    let mut word = String::from("$'");
    for c in text.chars() {
        match c {
            '\\' | '\'' => word.extend(['\\', c]),
            c if is_direction_mark(c) => {
                word.extend(c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("\\{byte:03o}")));
            }
            c => word.push(c),
        }
    }
    word + "'"
}

/// A text of JSON, which is one of Python and of JavaScript as well.
pub fn literal(text: &str) -> String {
    with_marks_in_numbers(&Value::from(text).to_string())
}

/// JSON in which what turns text around is written in numbers: such characters stand within texts alone.
pub fn with_marks_in_numbers(json: &str) -> String {
    let mut written = String::with_capacity(json.len());
    for c in json.chars() {
        if is_direction_mark(c) {
            // Writing to a `String` cannot fail.
            let _ = write!(written, "\\u{:04x}", u32::from(c));
        } else {
            written.push(c);
        }
    }
    written
}

/// An object of JSON whose lines stand so many spaces further in, but for the first. It is one of Python and of
/// JavaScript as well: nothing in a request is true, false or null.
pub fn object(fields: &Map<String, Value>, indent: usize) -> String {
    let mut json = Vec::new();
    let mut writer = Serializer::with_formatter(&mut json, PrettyFormatter::with_indent(b"    "));
    // Texts and numbers always become JSON.
    let _ = fields.serialize(&mut writer);
    let json = String::from_utf8_lossy(&json).replace('\n', &format!("\n{}", " ".repeat(indent)));
    with_marks_in_numbers(&json)
}

/// The fields of a request, without some.
pub fn fields_but(raw: &types::request::RawRequest, left_out: &[&str]) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(raw) else { return Map::new() };
    fields.retain(|name, _| !left_out.contains(&name.as_str()));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_quotes_dollars_and_backslashes_as_they_are() {
        assert_eq!(shell("demo"), "demo");
        assert_eq!(shell(""), "''");
        assert_eq!(shell("a boat"), "'a boat'");
        assert_eq!(shell(r#"a "sailor's" $boat `at` \sea"#), r#"'a "sailor'\''s" $boat `at` \sea'"#);
    }

    #[test]
    fn what_turns_text_around_is_written_in_numbers_so_that_code_is_what_it_looks_like() {
        assert_eq!(shell("it's \u{202E}\\1"), r"$'it\'s \342\200\256\\1'");
        assert_eq!(literal("a \u{2066}\"boat\""), r#""a \u2066\"boat\"""#);
        let fields = Map::from_iter([("prompt".to_owned(), Value::from("\u{202E}at"))]);
        assert!(object(&fields, 4).contains(r#""prompt": "\u202eat""#), "{}", object(&fields, 4));
    }

    #[test]
    fn a_text_keeps_its_letters_and_escapes_what_would_end_it() {
        assert_eq!(literal("a \"red\" \\ boat\nat 夕"), r#""a \"red\" \\ boat\nat 夕""#);
    }
}
