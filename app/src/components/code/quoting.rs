//! Texts and objects as languages write them.

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value};

/// A word of a shell's command. Within single quotes a shell takes everything literally but the quote itself.
pub fn shell(text: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ',' | ':' | '/' | '=');
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A text of JSON, which is one of Python and of JavaScript as well.
pub fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

/// An object of JSON whose lines stand so many spaces further in, but for the first. It is one of Python and of
/// JavaScript as well: nothing in a request is true, false or null.
pub fn object(fields: &Map<String, Value>, indent: usize) -> String {
    let mut json = Vec::new();
    let mut writer = Serializer::with_formatter(&mut json, PrettyFormatter::with_indent(b"    "));
    // Texts and numbers always become JSON.
    let _ = fields.serialize(&mut writer);
    String::from_utf8_lossy(&json).replace('\n', &format!("\n{}", " ".repeat(indent)))
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
    fn a_text_keeps_its_letters_and_escapes_what_would_end_it() {
        assert_eq!(literal("a \"red\" \\ boat\nat 夕"), r#""a \"red\" \\ boat\nat 夕""#);
    }
}
