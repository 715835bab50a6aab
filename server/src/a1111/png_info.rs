//! The settings inside a picture.

use axum::extract::State;
use axum::{Extension, Json};
use backend::{Services, Visitor};
use serde_json::{Map, Value, json};

use super::fields::WithPictures;
use super::refusal::Refusal;
use crate::base64_picture;

/// The text that the settings stand in.
const PARAMETERS: &str = "parameters";

/// `POST /sdapi/v1/png-info`: the texts of a picture, and its settings taken apart.
pub async fn read(
    State(services): State<Services>,
    Extension(visitor): Extension<Visitor>,
    WithPictures(fields): WithPictures,
) -> Result<Json<Value>, Refusal> {
    let image = fields.word("image")?.ok_or_else(|| {
        let sentence = "image is missing; send a PNG in base64";
        fields.refusal("image", sentence)
    })?;
    let file = base64_picture::decode("image", image)?;
    let texts = services.picture_texts(&visitor, file).await?;
    let info = texts.iter().find(|(keyword, _)| keyword == PARAMETERS).map_or("", |(_, text)| text.as_str());
    let others = texts.iter().filter(|(keyword, _)| keyword != PARAMETERS);
    let items: Map<String, Value> = others.map(|(keyword, text)| (keyword.clone(), json!(text))).collect();
    Ok(Json(json!({ "info": info, "items": items, "parameters": taken_apart(info) })))
}

/// The prompts and the settings of a text, each a text under its name; of what is left out, what that web UI takes it to be.
///
/// # Source
/// `parse_generation_parameters` in its `modules/infotext_utils.py`.
fn taken_apart(text: &str) -> Map<String, Value> {
    let mut found = Map::new();
    if text.trim().is_empty() {
        return found;
    }
    let (before, last) = text.trim().rsplit_once('\n').unwrap_or(("", text.trim()));
    let pairs = pairs(last);
    // A line of fewer is one of a prompt.
    let (prompts, pairs) = if pairs.len() < 3 { (text.trim(), Vec::new()) } else { (before, pairs) };
    let (prompt, negative_prompt) = prompts_of(prompts);
    for (name, usual) in [("Clip skip", "1"), ("RNG", "GPU"), ("Schedule type", "Automatic")] {
        found.insert(name.to_owned(), json!(usual));
    }
    for (name, value) in pairs {
        match value.split_once('x').filter(|(a, b)| is_number(a) && is_number(b)) {
            Some((width, height)) => {
                found.insert(format!("{name}-1"), json!(width));
                found.insert(format!("{name}-2"), json!(height));
            }
            None => {
                found.insert(name, json!(value));
            }
        }
    }
    found.insert("Prompt".to_owned(), json!(prompt));
    found.insert("Negative prompt".to_owned(), json!(negative_prompt));
    found
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The lines before the one that says so, and those from it on.
fn prompts_of(text: &str) -> (String, String) {
    const NEGATIVE: &str = "Negative prompt:";
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.starts_with(NEGATIVE)).unwrap_or(lines.len());
    let negative = lines[at..].iter().map(|line| line.strip_prefix(NEGATIVE).unwrap_or(line).trim());
    (lines[..at].join("\n"), negative.collect::<Vec<_>>().join("\n"))
}

/// `Name: value` pairs with commas in between. A value with a comma of its own stands in quotation marks, as in JSON.
fn pairs(line: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = line;
    while let Some((name, after)) = rest.split_once(':') {
        let after = after.trim_start();
        let (value, length) = quoted(after).unwrap_or_else(|| {
            let plain = after.split(',').next().unwrap_or("");
            (plain.trim().to_owned(), plain.len())
        });
        // What stands before a comma without a name has none.
        let name = name.rsplit(',').next().unwrap_or("").trim();
        if !name.is_empty() {
            pairs.push((name.to_owned(), value));
        }
        rest = after[length..].split_once(',').map_or("", |(_, rest)| rest);
    }
    pairs
}

/// A text in quotation marks at the beginning, and how many bytes it takes with them.
fn quoted(text: &str) -> Option<(String, usize)> {
    if !text.starts_with('"') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = values.next()?.ok()?;
    Some((value, values.byte_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String)> {
        let mut found: Vec<_> = taken_apart(text)
            .into_iter()
            .map(|(name, value)| (name, value.as_str().unwrap().to_owned()))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn settings_are_taken_apart_by_their_names() {
        let text = "a red boat,\nat sea\nNegative prompt: fog: thick,\nrain\nSteps: 4, Sampler: DPM++ 2M, Size: 256x192, \
                    Model: \"a, b: \\\"c\\\"\", Clip skip: 2, Version: Darkroom 0.1.0";
        let expected = [
            ("Clip skip", "2"),
            ("Model", "a, b: \"c\""),
            ("Negative prompt", "fog: thick,\nrain"),
            ("Prompt", "a red boat,\nat sea"),
            ("RNG", "GPU"),
            ("Sampler", "DPM++ 2M"),
            ("Schedule type", "Automatic"),
            ("Size-1", "256"),
            ("Size-2", "192"),
            ("Steps", "4"),
            ("Version", "Darkroom 0.1.0"),
        ];
        assert_eq!(found(text), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_text_without_settings_is_a_prompt() {
        let found = taken_apart("a boat: red, small");
        assert_eq!(found["Prompt"], "a boat: red, small");
        assert_eq!(found["Negative prompt"], "");
        assert!(taken_apart(" \n").is_empty());
    }

    #[test]
    fn what_breaks_off_is_read_as_far_as_it_goes() {
        assert_eq!(taken_apart("boat\nSteps: 4, Seed: 7, Model: \"no end, Size: 8x8")["Model"], "\"no end");
        assert_eq!(taken_apart("boat\nSteps: 4, , Seed: 7, Size:")["Size"], "");
    }
}
