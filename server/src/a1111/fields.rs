//! The fields of a body, read as leniently as pydantic reads them there: a number may stand in quotation marks, `null` is
//! the same as leaving out, and what nobody asks for is passed over.

use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::extract::{MAX_BODY_BYTES, check_separators};

/// Largest body with pictures in it, in bytes: room for the largest start picture and a mask in base64.
const MAX_BYTES_WITH_PICTURES: usize = 64 << 20;

/// The fields of a JSON object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    values: Map<String, Value>,
    /// The keys on the way to them.
    place: &'static [&'static str],
}

impl Fields {
    /// Fields that stand at the top of a body.
    pub fn new(values: Map<String, Value>) -> Self {
        Self { values, place: &[] }
    }

    /// As they were sent.
    pub fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// A value, unless it was left out.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.refuse(name, value, "text"))
    }

    /// A text that is not empty.
    ///
    /// # Errors
    /// It is something else than text.
    pub fn word(&self, name: &str) -> Result<Option<&str>, Refusal> {
        Ok(self.text(name)?.map(str::trim).filter(|text| !text.is_empty()))
    }

    /// A whole number.
    ///
    /// # Errors
    /// It is none, or has more digits than a number of 64 bits.
    pub fn whole(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let found = match value {
            Value::Number(number) => number.as_i64().or_else(|| whole_of(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok().or_else(|| whole_of(text.trim().parse().ok()?)),
            _ => None,
        };
        found.map(Some).ok_or_else(|| self.refuse(name, value, "a whole number"))
    }

    /// A number.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str) -> Result<Option<f64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let found = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        found.map(Some).ok_or_else(|| self.refuse(name, value, "a number"))
    }

    /// Yes or no; no if it was left out.
    ///
    /// # Errors
    /// It is neither.
    pub fn is_set(&self, name: &str) -> Result<bool, Refusal> {
        self.is_set_or(name, false)
    }

    /// Yes or no.
    ///
    /// # Errors
    /// It is neither.
    pub fn is_set_or(&self, name: &str, usual: bool) -> Result<bool, Refusal> {
        let Some(value) = self.get(name) else { return Ok(usual) };
        let found = match value {
            Value::Bool(found) => Some(*found),
            Value::Number(number) => match number.as_f64() {
                Some(0.0) => Some(false),
                Some(1.0) => Some(true),
                _ => None,
            },
            Value::String(text) => truth_of(text),
            _ => None,
        };
        found.ok_or_else(|| self.refuse(name, value, "true or false"))
    }

    /// Texts; none if they were left out.
    ///
    /// # Errors
    /// It is no list, or something in it is no text.
    pub fn texts(&self, name: &str) -> Result<Vec<&str>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let texts = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
        texts.ok_or_else(|| self.refuse(name, value, "a list of texts"))
    }

    /// The fields of an object that is itself a field; none if it was left out.
    ///
    /// # Errors
    /// It is something else.
    pub fn within(&self, name: &'static str, place: &'static [&'static str]) -> Result<Self, Refusal> {
        match self.get(name) {
            None => Ok(Self { values: Map::new(), place }),
            Some(Value::Object(values)) => Ok(Self { values: values.clone(), place }),
            Some(other) => Err(self.refuse(name, other, "an object")),
        }
    }

    /// These, and what they leave out from `others`.
    #[must_use]
    pub fn over(mut self, others: &Map<String, Value>) -> Self {
        for (name, value) in others {
            if self.get(name).is_none() {
                self.values.insert(name.clone(), value.clone());
            }
        }
        self
    }

    /// Leaves a value out from now on, so that it takes no memory while the caller waits.
    pub fn forget(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// Leaves out what has none of these names, so that it takes no memory while the caller waits.
    pub fn keep_only(&mut self, names: &Map<String, Value>) {
        self.values.retain(|name, _| names.contains_key(name));
    }

    /// About how much memory the values take, in bytes.
    pub fn n_bytes(&self) -> usize {
        fn of(value: &Value) -> usize {
            size_of::<Value>()
                + match value {
                    Value::String(text) => text.len(),
                    Value::Array(values) => values.iter().map(of).sum(),
                    Value::Object(values) => values.iter().map(|(name, value)| name.len() + of(value)).sum(),
                    Value::Null | Value::Bool(_) | Value::Number(_) => 0,
                }
        }
        self.values.iter().map(|(name, value)| name.len() + of(value)).sum()
    }

    /// A field that cannot be used.
    pub fn refusal(&self, name: &str, message: impl Into<String>) -> Refusal {
        let place: Vec<&str> = self.place.iter().copied().chain([name]).collect();
        Refusal::of_field(&place, message)
    }

    fn refuse(&self, name: &str, value: &Value, expected: &str) -> Refusal {
        self.refusal(name, format!("{name} is {}; expected is {expected}", said(value)))
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    /// Whatever the body is said to be: many clients do not say it.
    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        Self::read(request, state, MAX_BODY_BYTES).await
    }
}

/// The fields of a body that has pictures in it, and may therefore be larger.
pub struct WithPictures(pub Fields);

impl<S: Send + Sync> FromRequest<S> for WithPictures {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        Fields::read(request, state, MAX_BYTES_WITH_PICTURES).await.map(Self)
    }
}

impl Fields {
    async fn read<S: Send + Sync>(mut request: Request, state: &S, most: usize) -> Result<Self, Refusal> {
        DefaultBodyLimit::max(most).apply(&mut request);
        let body = Bytes::from_request(request, state).await.map_err(|error| body_error(&error, most))?;
        check_separators(&body)?;
        if body.trim_ascii().is_empty() {
            return Err(Refusal::of_field(
                &[],
                "the body is empty; send a JSON object such as {\"prompt\": \"a boat\"}",
            ));
        }
        match serde_json::from_slice(&body) {
            Ok(Value::Object(values)) => Ok(Self::new(values)),
            Ok(other) => {
                let sentence = format!("the body is {}; expected is a JSON object", said(&other));
                Err(Refusal::of_field(&[], sentence))
            }
            Err(error) => Err(Refusal::of_field(&[], format!("the body is not JSON: {error}"))),
        }
    }
}

fn body_error(rejection: &BytesRejection, most: usize) -> Refusal {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let sentence = format!("the body is too large; at most {most} bytes are allowed");
        Refusal::new(rejection.status(), sentence)
    } else {
        Refusal::new(rejection.status(), "the body broke off before its end")
    }
}

/// A number without a fraction that 64 bits hold exactly.
fn whole_of(number: f64) -> Option<i64> {
    const MOST: f64 = (1_i64 << 53) as f64;
    (number.fract() == 0.0 && number.abs() <= MOST).then_some(number as i64)
}

/// The words that pydantic takes.
fn truth_of(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "y" | "t" => Some(true),
        "false" | "0" | "no" | "off" | "n" | "f" => Some(false),
        _ => None,
    }
}

/// As much of a value as belongs into a sentence.
fn said(value: &Value) -> String {
    const LONGEST: usize = 40;
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.chars().count() > LONGEST => {
            format!("\"{}…\"", text.chars().take(LONGEST).collect::<String>())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(values: Value) -> Fields {
        match values {
            Value::Object(values) => Fields::new(values),
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn numbers_may_stand_in_quotation_marks_and_null_is_left_out() {
        let fields = fields(json!({
            "a": 7, "b": "7", "c": 7.0, "d": null, "e": " 7.0 ", "f": "2.5", "g": 1, "h": "no", "i": "",
        }));
        for name in ["a", "b", "c", "e"] {
            assert_eq!(fields.whole(name).unwrap(), Some(7), "{name}");
            assert_eq!(fields.number(name).unwrap(), Some(7.0), "{name}");
        }
        assert_eq!((fields.whole("d").unwrap(), fields.text("missing").unwrap()), (None, None));
        assert_eq!(fields.number("f").unwrap(), Some(2.5));
        assert_eq!((fields.is_set("g").unwrap(), fields.is_set_or("h", true).unwrap()), (true, false));
        assert_eq!((fields.text("i").unwrap(), fields.word("i").unwrap()), (Some(""), None));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_was_expected() {
        let fields = fields(json!({
            "steps": "many", "seed": 2.5, "cfg_scale": true, "prompt": 3, "styles": ["ink", 1],
            "enable_hr": "perhaps", "override_settings": [], "width": 1e300, "height": "x".repeat(50),
        }));
        let said = |refusal: Refusal| refusal.message().to_owned();
        assert_eq!(said(fields.whole("steps").unwrap_err()), "steps is \"many\"; expected is a whole number");
        assert_eq!(said(fields.whole("seed").unwrap_err()), "seed is 2.5; expected is a whole number");
        let large = json!(1e300);
        let expected = format!("width is {large}; expected is a whole number");
        assert_eq!(said(fields.whole("width").unwrap_err()), expected);
        assert_eq!(said(fields.number("cfg_scale").unwrap_err()), "cfg_scale is true; expected is a number");
        assert_eq!(said(fields.text("prompt").unwrap_err()), "prompt is 3; expected is text");
        assert_eq!(
            said(fields.texts("styles").unwrap_err()),
            "styles is a list; expected is a list of texts"
        );
        assert_eq!(
            said(fields.is_set("enable_hr").unwrap_err()),
            "enable_hr is \"perhaps\"; expected is true or false"
        );
        assert_eq!(
            said(fields.within("override_settings", &["override_settings"]).unwrap_err()),
            "override_settings is a list; expected is an object"
        );
        assert_eq!(
            said(fields.whole("height").unwrap_err()),
            format!("height is \"{}…\"; expected is a whole number", "x".repeat(40))
        );
    }

    #[test]
    fn what_is_left_out_comes_from_below() {
        let above = fields(json!({ "a": 1, "b": null }));
        let below = fields(json!({ "a": 2, "b": 3, "c": 4 }));
        let both = above.over(below.values());
        assert_eq!(both.values(), fields(json!({ "a": 1, "b": 3, "c": 4 })).values());
    }
}
