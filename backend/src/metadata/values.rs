//! JSON values as what they stand for: several programs write numbers as text.

use serde_json::Value;

/// A text; numbers as they are written. Nothing if it is empty.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, of any size that a seed may have.
pub(super) fn whole(value: &Value) -> Option<i128> {
    let exact = match value {
        Value::Number(number) => number.as_i128(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    // 2^53: beyond it a number with a point does not say which whole one is meant.
    exact.or_else(|| number(value).filter(|n| n.fract() == 0.0 && n.abs() <= 9e15).map(|n| n as i128))
}

/// A number; none that is infinite.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// Whether a value says nothing: left out, empty, or switched off.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_on) => !is_on,
        Value::Number(_) => false,
        Value::String(text) => matches!(text.trim(), "" | "None" | "[]" | "False" | "false"),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// A value as a person reads it.
pub(super) fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Reads JSON as Python writes it, which says `NaN` where JSON has no word.
pub(super) fn parse_json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|fault| {
        if text.contains("NaN") || text.contains("Infinity") {
            serde_json::from_str(&without_python_numbers(text))
        } else {
            Err(fault)
        }
    })
}

/// `NaN`, `Infinity` and `-Infinity` outside of strings become `null`.
fn without_python_numbers(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_in_string = false;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        if is_in_string {
            match first {
                '\\' => length += rest[length..].chars().next().map_or(0, char::len_utf8),
                '"' => is_in_string = false,
                _ => {}
            }
        } else if first == '"' {
            is_in_string = true;
        } else if let Some(word) =
            ["NaN", "-Infinity", "Infinity"].iter().find(|word| rest.starts_with(**word))
        {
            clean.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        clean.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    clean
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_from_text_as_well() {
        assert_eq!(whole(&json!("7")), Some(7));
        assert_eq!(whole(&json!(7.0)), Some(7));
        assert_eq!(whole(&json!("20.0")), Some(20));
        assert_eq!(whole(&json!(7.5)), None);
        assert_eq!(whole(&json!(u64::MAX)), Some(i128::from(u64::MAX)));
        assert_eq!(number(&json!("7.5")), Some(7.5));
        assert_eq!(number(&json!("inf")), None);
    }

    #[test]
    fn what_python_writes_for_no_number_is_nothing() {
        let value = parse_json(r#"{"is_changed": [NaN], "text": "NaN \" NaN", "far": -Infinity}"#).unwrap();
        assert_eq!(value, json!({"is_changed": [null], "text": "NaN \" NaN", "far": null}));
        assert!(parse_json("{NaN").is_err());
    }
}
