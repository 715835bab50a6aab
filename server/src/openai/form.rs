//! Forms with files: their texts as the values they stand for, and their files. What comes as JSON in their place is
//! read into the same.

use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use types::request::{RawLora, RawRequest};

use super::asked::{OWN, Parameters};
use super::error::{OpenAiError, OpenAiResult, wrong_content_type};
use super::references;
use crate::error::ApiError;
use crate::extract::{Fields, check_separators, json_of};
use crate::multipart::{self, FormWithFiles, SentFile, file_too_large};

/// Largest JSON with pictures inside, in bytes.
pub const MAX_JSON_BYTES: usize = 64 << 20;

/// A form with a picture, and perhaps a mask over it; or JSON that holds the same.
#[derive(Debug, Default, PartialEq)]
pub struct PictureForm {
    /// The other fields, as the JSON object that would say the same.
    pub object: Map<String, Value>,
    /// The file of `image`.
    pub image: Option<Bytes>,
    /// The file of `mask`.
    pub mask: Option<Bytes>,
}

impl<S: Send + Sync> FromRequest<S> for PictureForm {
    type Rejection = OpenAiError;

    async fn from_request(request: Request, state: &S) -> OpenAiResult<Self> {
        if let Some(boundary) = multipart::boundary(request.headers()) {
            return Self::read(multipart::read(request.into_body(), boundary).await?);
        }
        references::read(json_of(request, state, MAX_JSON_BYTES).await.map_err(unreadable)?)
    }
}

impl PictureForm {
    fn read(FormWithFiles { fields, files }: FormWithFiles) -> OpenAiResult<Self> {
        // Texts of a form may be JSON as well.
        for (_, text) in &fields {
            check_separators(text.as_bytes())?;
        }
        let mut form = Self { object: object(fields)?, ..Self::default() };
        for SentFile { field, bytes, .. } in files {
            // A client that is given a list of pictures writes brackets behind the name.
            let (param, place) = match field.trim_end_matches("[]") {
                "image" => ("image", &mut form.image),
                "mask" => ("mask", &mut form.mask),
                _ => {
                    let field: String = field.chars().take(40).collect();
                    let message = format!("there is no file `{field}`; known are image and mask");
                    return Err(OpenAiError::invalid(&field, "unknown_parameter", message));
                }
            };
            let bytes = bytes.ok_or_else(|| OpenAiError::from(file_too_large()).of(param))?;
            if place.replace(bytes).is_some() {
                let message = format!("{param} is there more than once; allowed is 1 picture");
                return Err(OpenAiError::invalid_value(param, message));
            }
        }
        Ok(form)
    }
}

fn unreadable(error: ApiError) -> OpenAiError {
    match error.status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => wrong_content_type(
            "the header `content-type` says neither that a form with files is sent nor JSON; allowed are \
             multipart/form-data with the picture as a file in the field `image`, and application/json with the \
             picture in `images`",
        ),
        _ => error.into(),
    }
}

/// The fields of a form as a JSON object: a text where the request takes a text, and else the number, the truth value or
/// the list that the text is. Empty fields are left out.
fn object(fields: Fields) -> OpenAiResult<Map<String, Value>> {
    let mut object = Map::new();
    let mut loras = Loras::default();
    for (name, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
        match name.as_str() {
            "loras[][name]" => loras.names.push(text),
            "loras[][weight]" => loras.weights.push(text),
            "loras" if !text.trim_start().starts_with('[') => {
                object.insert(name, json!(RawLora::parse_list(&text)));
            }
            other => {
                if let Some(list) = other.strip_suffix("[]") {
                    let list = object.entry(list).or_insert_with(|| json!([]));
                    if let Value::Array(list) = list {
                        list.push(text.into());
                    }
                } else if OWN.contains(&other) {
                    object.insert(name.clone(), typed::<Parameters>(&name, &text));
                } else {
                    object.insert(name.clone(), typed::<RawRequest>(&name, &text));
                }
            }
        }
    }
    if let Some(loras) = loras.paired()? {
        object.insert("loras".to_owned(), loras);
    }
    Ok(object)
}

/// The value of a field that `T` would take.
fn typed<T: DeserializeOwned>(name: &str, text: &str) -> Value {
    let takes_text = serde_json::from_value::<T>(json!({ name: text })).is_ok();
    let value = if takes_text { None } else { serde_json::from_str(text.trim()).ok() };
    value.unwrap_or_else(|| text.into())
}

/// The columns of a list of LoRAs, as OpenAI's clients write a list into a form.
#[derive(Default)]
struct Loras {
    names: Vec<String>,
    weights: Vec<String>,
}

impl Loras {
    fn paired(self) -> OpenAiResult<Option<Value>> {
        let Self { names, weights } = self;
        if names.is_empty() && weights.is_empty() {
            return Ok(None);
        }
        if !weights.is_empty() && weights.len() != names.len() {
            let message = format!(
                "loras has {} names and {} weights; in a form give every LoRA a weight, or none",
                names.len(),
                weights.len()
            );
            return Err(OpenAiError::invalid_value("loras", message));
        }
        let weights = weights.into_iter().map(Some).chain(std::iter::repeat(None));
        let lora = |(name, weight): (String, Option<String>)| match weight {
            Some(weight) => json!({ "name": name, "weight": typed::<RawLora>("weight", &weight) }),
            None => json!({ "name": name }),
        };
        Ok(Some(names.into_iter().zip(weights).map(lora).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> OpenAiResult<Value> {
        let fields = fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        object(fields.collect()).map(Value::Object)
    }

    #[test]
    fn a_text_is_read_as_what_its_field_takes() {
        let object = read(&[
            ("prompt", "7"),
            ("n", "2"),
            ("stream", "true"),
            ("size", "512x512"),
            ("negative_prompt", "true"),
            ("seed", " 7 "),
            ("strength", "0.5"),
            ("shape", "portrait"),
            ("model", ""),
            ("steps", "many"),
        ]);
        let expected = json!({
            "prompt": "7", "n": 2, "stream": true, "size": "512x512", "negative_prompt": "true", "seed": 7,
            "strength": 0.5, "shape": "portrait", "steps": "many",
        });
        assert_eq!(object.unwrap(), expected);
    }

    #[test]
    fn loras_are_read_however_a_client_writes_a_list() {
        let both = json!({ "loras": [{ "name": "ink", "weight": 0.5 }, { "name": "7", "weight": 1 }] });
        let columns = [
            ("loras[][name]", "ink"),
            ("loras[][weight]", "0.5"),
            ("loras[][name]", "7"),
            ("loras[][weight]", "1"),
        ];
        assert_eq!(read(&columns).unwrap(), both);
        assert_eq!(
            read(&[("loras", r#"[{"name": "ink", "weight": 0.5}, {"name": "7", "weight": 1}]"#)]).unwrap(),
            both
        );
        assert_eq!(
            read(&[("loras", "ink:0.5, oil")]).unwrap(),
            json!({ "loras": [{ "name": "ink", "weight": 0.5 }, { "name": "oil" }] })
        );
        let names = [("loras[][name]", "ink"), ("loras[][name]", "oil")];
        assert_eq!(read(&names).unwrap(), json!({ "loras": [{ "name": "ink" }, { "name": "oil" }] }));
        assert_eq!(
            read(&[names[0], names[1], ("loras[][weight]", "1")]).unwrap_err().error.message,
            "loras has 2 names and 1 weights; in a form give every LoRA a weight, or none"
        );
    }

    #[test]
    fn a_list_of_texts_is_one() {
        assert_eq!(
            read(&[("styles[]", "ink"), ("styles[]", "7")]).unwrap(),
            json!({ "styles": ["ink", "7"] })
        );
    }

    #[test]
    fn a_text_that_would_become_too_many_values_is_refused() {
        let list = format!("[0{}]", ",0".repeat(200_000));
        let form = FormWithFiles { fields: vec![("steps".to_owned(), list)], files: Vec::new() };
        let refused = PictureForm::read(form).unwrap_err();
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(
            refused.error.message,
            "the body has 200001 commas and opening brackets; at most 100000 are allowed"
        );
    }

    #[test]
    fn files_are_known_by_their_fields_and_each_is_there_once() {
        let file = |field: &str| SentFile {
            field: field.into(),
            name: "boat.png".into(),
            bytes: Some(Bytes::from_static(b"x")),
        };
        let read = |files: Vec<SentFile>| PictureForm::read(FormWithFiles { fields: Vec::new(), files });
        let form = read(vec![file("image[]"), file("mask")]).unwrap();
        assert!(form.image.is_some() && form.mask.is_some());
        let refused = |files| read(files).unwrap_err().error;
        assert_eq!(
            refused(vec![file("image[]"), file("image[]")]).message,
            "image is there more than once; allowed is 1 picture"
        );
        let unknown = refused(vec![file("markup")]);
        assert_eq!(unknown.message, "there is no file `markup`; known are image and mask");
        assert_eq!((unknown.param.as_deref(), unknown.code), (Some("markup"), Some("unknown_parameter")));
        let large = read(vec![SentFile { bytes: None, ..file("mask") }]).unwrap_err();
        assert_eq!((large.status.as_u16(), large.error.param.as_deref()), (413, Some("mask")));
    }
}
