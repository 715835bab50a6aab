//! The form of settings that the AUTOMATIC1111 web UI writes, and many programs after it: the prompt, a line that begins
//! with `Negative prompt:`, and a last line of `Name: value` pairs.
//!
//! Source: `parse_generation_parameters` and `quote` in that project's `modules/infotext_utils.py`.

use serde_json::Value;

use super::pairs::Pairs;

/// What stands before the negative prompt.
const NEGATIVE: &str = "Negative prompt:";

/// Longest text that is taken apart, in bytes.
const LONGEST: usize = 256 << 10;

/// Fewest pairs that make a line one of settings rather than of a prompt.
const FEWEST_PAIRS: usize = 3;

/// A text of settings, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Infotext {
    pub(super) prompt: String,
    pub(super) negative_prompt: String,
    /// Values that are JSON are read as such, all others are texts without their quotation marks.
    pub(super) pairs: Pairs,
}

impl Infotext {
    /// Takes a text apart. Nothing if it has no line of settings.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
        // Extensions write lines of their own behind that of the settings.
        let (at, pairs) = lines.iter().enumerate().rev().find_map(|(at, line)| {
            let pairs = Pairs::from(pairs(line));
            (pairs.len() >= FEWEST_PAIRS && pairs.has("Steps")).then_some((at, pairs))
        })?;
        let (mut prompt, mut negative_prompt) = (Vec::new(), Vec::new());
        let mut is_negative = false;
        for line in &lines[..at] {
            let begun = line.strip_prefix(NEGATIVE);
            is_negative |= begun.is_some();
            let line = begun.unwrap_or(line).trim();
            if is_negative { negative_prompt.push(line) } else { prompt.push(line) }
        }
        Some(Self { prompt: prompt.join("\n"), negative_prompt: negative_prompt.join("\n"), pairs })
    }
}

/// The pairs of a line. What lies between them and is none is passed over.
fn pairs(line: &str) -> Vec<(String, Value)> {
    let mut pairs = Vec::new();
    let mut rest = line;
    while let Some(colon) = rest.find(':') {
        if let Some(comma) = rest[..colon].rfind(',') {
            rest = &rest[comma + 1..];
            continue;
        }
        let name = rest[..colon].trim();
        let after = rest[colon + 1..].trim_start();
        let (value, length) = value(after);
        if is_name(name) {
            pairs.push((name.to_owned(), value));
        }
        rest = after[length..].strip_prefix(',').unwrap_or(&after[length..]);
    }
    pairs
}

/// Longest name of a setting, in characters.
const LONGEST_NAME: usize = 60;

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '/' | '.' | '(' | ')');
    name.len() > 1
        && name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && name.chars().count() <= LONGEST_NAME
        && name.chars().all(is_plain)
}

/// The value at the beginning of `rest`, and its length in bytes.
fn value(rest: &str) -> (Value, usize) {
    if rest.starts_with(['"', '{', '[']) {
        let mut json = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        if let Some(Ok(value)) = json.next() {
            let length = json.byte_offset();
            let end = rest[length..].trim_start();
            // A quotation mark that ends before the value does belongs to it.
            if end.is_empty() || end.starts_with(',') {
                return (value, rest.len() - end.len());
            }
        }
    }
    let length = rest.find(',').unwrap_or(rest.len());
    (Value::String(rest[..length].trim().to_owned()), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, String, Vec<(String, String)>) {
        let Infotext { prompt, negative_prompt, pairs: _ } = Infotext::parse(text).unwrap();
        let line = text.trim().lines().last().unwrap();
        let pairs = pairs(line).into_iter().map(|(name, value)| (name, super::super::values::said(&value)));
        (prompt, negative_prompt, pairs.collect())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn prompt_negative_prompt_and_settings_are_told_apart() {
        let (prompt, negative, pairs) = read(
            "a (red:1.2) boat,\nat sea: calm\nNegative prompt: fog, rain\nwind\n\
             Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 7, Size: 512x768",
        );
        assert_eq!(prompt, "a (red:1.2) boat,\nat sea: calm");
        assert_eq!(negative, "fog, rain\nwind");
        assert_eq!(
            pairs,
            [
                pair("Steps", "20"),
                pair("Sampler", "DPM++ 2M Karras"),
                pair("CFG scale", "7.5"),
                pair("Seed", "7"),
                pair("Size", "512x768"),
            ]
        );
    }

    #[test]
    fn commas_colons_quotes_and_line_breaks_stand_in_quoted_values() {
        let (.., pairs) = read(
            r#"boat
Steps: 20, Hires prompt: "a \"calm\" sea,\nat: night", Lora hashes: "ink: 1a2b, oil: 3c4d", Seed: 7, Hashes: {"model": "ca5befc099", "lora:ink": "21895f3ba9"}, Version: v1.6.0"#,
        );
        assert_eq!(
            pairs,
            [
                pair("Steps", "20"),
                pair("Hires prompt", "a \"calm\" sea,\nat: night"),
                pair("Lora hashes", "ink: 1a2b, oil: 3c4d"),
                pair("Seed", "7"),
                pair("Hashes", r#"{"lora:ink":"21895f3ba9","model":"ca5befc099"}"#),
                pair("Version", "v1.6.0"),
            ]
        );
    }

    #[test]
    fn what_is_no_pair_is_passed_over() {
        let (.., pairs) =
            read("boat\nSteps: 20, Tiling, Model: \"quoted\" name, Seed: 7, : nothing, Size: 8x8,");
        assert_eq!(
            pairs,
            [pair("Steps", "20"), pair("Model", "\"quoted\" name"), pair("Seed", "7"), pair("Size", "8x8")]
        );
    }

    #[test]
    fn lines_behind_the_settings_do_not_hide_them_and_a_prompt_alone_has_none() {
        let text = "boat\nSteps: 20, Seed: 7, Size: 8x8\nTemplate: a {red|blue} boat";
        assert_eq!(Infotext::parse(text).unwrap().prompt, "boat");
        assert_eq!(Infotext::parse("a boat: red, a sea: blue, a sky: grey"), None);
        assert_eq!(Infotext::parse(""), None);
        let without_prompt = Infotext::parse("Steps: 20, Seed: 7, Size: 8x8").unwrap();
        assert_eq!(without_prompt.prompt, "");
    }
}
