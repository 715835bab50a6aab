//! What was asked for: OpenAI's parameters and Darkroom's own fields, which clients send along as `extra_body`.

use backend::pictures::JPEG_QUALITY;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use types::error::ErrorCode;
use types::model::{ModelInfo, Quality};
use types::picture::PictureFormat;
use types::request::{RawRequest, check_prompt};

use super::choices::{self, ResponseFormat, is_gpt_image, is_openai_model, within};
use super::error::{OpenAiError, OpenAiResult};
use crate::error::ApiError;
use crate::extract::from_json;

/// OpenAI's parameters that mean something here.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    prompt: Option<String>,
    model: Option<String>,
    n: Option<i64>,
    size: Option<String>,
    quality: Option<String>,
    response_format: Option<String>,
    output_format: Option<String>,
    output_compression: Option<i64>,
    stream: Option<bool>,
    partial_images: Option<i64>,
}

/// Their names.
pub const OWN: [&str; 10] = [
    "prompt",
    "model",
    "n",
    "size",
    "quality",
    "response_format",
    "output_format",
    "output_compression",
    "stream",
    "partial_images",
];

/// Parameters of OpenAI's that mean nothing here, whatever they hold.
const WITHOUT_MEANING: [&str; 8] = [
    "background",
    "complexity",
    "input_fidelity",
    "moderation",
    "safety_identifier",
    "style",
    "user",
    // Tells a client's own bookkeeping apart, and is sent by some with every call.
    "metadata",
];

/// Most partial images of a picture.
const MOST_PARTIAL_IMAGES: u8 = 3;

/// What was asked for.
#[derive(Debug)]
pub struct Asked {
    /// What is to be made.
    pub raw: RawRequest,
    /// How it is to be sent.
    pub answer: AnswerOptions,
    /// How many partial images of each picture a stream is to tell; nothing if no stream is wanted.
    pub stream: Option<u8>,
    /// How it was said.
    pub said: Said,
}

/// How the pictures are to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerOptions {
    /// As addresses or as base64.
    pub response: ResponseFormat,
    /// The files' format.
    pub format: PictureFormat,
    /// 1 to 100.
    pub jpeg_quality: u8,
    /// What the answer says of the quality.
    pub quality: Option<Quality>,
}

/// How a request was said, for answers in the same words.
#[derive(Debug, Clone, Default)]
pub struct Said {
    prompt: String,
    n: bool,
    size: Option<String>,
}

impl Asked {
    /// Reads an object of parameters. What is null counts as left out.
    ///
    /// # Errors
    /// A parameter that is not known, or holds what it cannot hold. What a picture may be is checked with its job.
    pub fn read(mut object: Map<String, Value>, models: &[ModelInfo]) -> OpenAiResult<Self> {
        object.retain(|name, value| !value.is_null() && !WITHOUT_MEANING.contains(&name.as_str()));
        let (own, rest) = object.into_iter().partition(|(name, _)| OWN.contains(&name.as_str()));
        let own: Parameters = from_json(Value::Object(own))?;
        let raw = read_rest(rest)?;

        let model = own.model.filter(|model| !model.is_empty());
        let stream = own.stream.unwrap_or(false);
        let usual_response = match &model {
            _ if stream => ResponseFormat::Base64,
            Some(model) if is_gpt_image(model) => ResponseFormat::Base64,
            _ => ResponseFormat::Url,
        };
        let partial_images = within("partial_images", own.partial_images, 0, MOST_PARTIAL_IMAGES, 0)?;
        let format = choices::output_format(own.output_format.as_deref())?;
        let quality = choices::quality(own.quality.as_deref())?;
        let size = choices::size(own.size.as_deref())?;
        let prompt = own.prompt.unwrap_or_default();
        let is_installed = |name: &String| models.iter().any(|model| model.name == *name);
        Ok(Self {
            answer: AnswerOptions {
                response: choices::response_format(own.response_format.as_deref(), usual_response)?,
                format,
                jpeg_quality: jpeg_quality(own.output_compression, format)?,
                quality,
            },
            stream: stream.then_some(partial_images),
            said: Said {
                prompt: prompt.clone(),
                n: own.n.is_some(),
                size: own.size.filter(|_| size.is_some()),
            },
            raw: RawRequest {
                prompt,
                model: model.filter(|model| is_installed(model) || !is_openai_model(model)),
                quality,
                count: own.n.or(raw.count),
                width: size.map(|(width, _)| width).or(raw.width),
                height: size.map(|(_, height)| height).or(raw.height),
                ..raw
            },
        })
    }
}

/// Darkroom's own fields.
fn read_rest(rest: Map<String, Value>) -> OpenAiResult<RawRequest> {
    if let Some(name) = rest.keys().find(|name| !is_field(name)) {
        let message = format!(
            "there is no parameter {}; known are those of OpenAI's Images API, and the fields of a request that \
             /api lists",
            choices::said(name)
        );
        return Err(OpenAiError::invalid(name, "unknown_parameter", message));
    }
    Ok(from_json(Value::Object(rest))?)
}

fn is_field(name: &str) -> bool {
    match serde_json::from_value::<RawRequest>(json!({ name: null })) {
        Ok(_) => true,
        Err(error) => !error.to_string().starts_with("unknown field"),
    }
}

/// OpenAI's compression is what other programs call a JPEG's quality.
fn jpeg_quality(compression: Option<i64>, format: PictureFormat) -> OpenAiResult<u8> {
    let quality = within("output_compression", compression, 0, 100, JPEG_QUALITY)?;
    if format == PictureFormat::Png && compression.is_some() && quality < 100 {
        let message = format!(
            "output_compression {quality} is not possible with png, which loses nothing; allowed is 100, or jpeg as \
             output_format"
        );
        return Err(OpenAiError::invalid_value("output_compression", message));
    }
    Ok(quality.max(1))
}

impl Said {
    /// The prompt that a picture was made from, unless it is the one that was sent.
    pub fn revised(&self, prompt: &str) -> Option<String> {
        let is_the_same = check_prompt("prompt", &self.prompt).is_ok_and(|sent| sent == prompt);
        (!is_the_same).then(|| prompt.to_owned())
    }

    /// What is wrong with a request, by the names that it was said with.
    pub fn explain(&self, error: ApiError) -> OpenAiError {
        let code = error.public.code;
        let mut error = OpenAiError::from(error);
        let Some(field) = error.error.param.as_deref() else { return error };
        match (field, &self.size) {
            ("model", _) if code == ErrorCode::InvalidField => {
                OpenAiError::unknown_model(error.error.message)
            }
            ("prompt", _) if code == ErrorCode::InvalidField && self.prompt.trim().is_empty() => {
                OpenAiError::missing("prompt", error.error.message)
            }
            ("count", _) if self.n => {
                if let Some(rest) = error.error.message.strip_prefix("count ") {
                    error.error.message = format!("n {rest}");
                }
                error.of("n")
            }
            ("width" | "height", Some(size)) => {
                error.error.message = format!("size {}: {}", choices::said(size), error.error.message);
                error.of("size")
            }
            ("start", _) => error.of("image"),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use types::error::PublicError;

    use super::*;

    fn read(object: Value) -> OpenAiResult<Asked> {
        let Value::Object(object) = object else { panic!("an object is asked for with") };
        Asked::read(object, &[])
    }

    fn refused(object: Value) -> String {
        let error = read(object).unwrap_err();
        let (param, code) = (error.error.param.unwrap_or_default(), error.error.code.unwrap_or_default());
        format!("{} {param} {code}: {}", error.status.as_u16(), error.error.message)
    }

    #[test]
    fn openais_parameters_and_darkrooms_own_fields_become_one_request() {
        let asked = read(json!({
            "prompt": "a boat", "n": 2, "size": "256x192", "quality": "high", "seed": 7, "steps": 12,
            "negative_prompt": "rain", "loras": [{ "name": "ink" }], "user": "anna", "background": "opaque",
            "moderation": "low", "style": "vivid", "input_fidelity": "high", "model": null,
        }))
        .unwrap();
        let expected = json!({
            "prompt": "a boat", "count": 2, "width": 256, "height": 192, "quality": "premium", "seed": 7,
            "steps": 12, "negative_prompt": "rain", "loras": [{ "name": "ink" }],
        });
        assert_eq!(serde_json::to_value(asked.raw).unwrap(), expected);
    }

    #[test]
    fn openais_words_go_before_darkrooms_own() {
        let raw = read(json!({ "n": 2, "count": 3, "size": "256x192", "width": 64 })).unwrap().raw;
        assert_eq!((raw.count, raw.width, raw.height), (Some(2), Some(256), Some(192)));
        let raw = read(json!({ "count": 3, "size": "auto", "width": 64 })).unwrap().raw;
        assert_eq!((raw.count, raw.width, raw.height), (Some(3), Some(64), None));
    }

    #[test]
    fn names_of_openais_models_stand_for_the_default_one() {
        let model = |name: &str| read(json!({ "model": name })).unwrap().raw.model;
        assert_eq!(model("dall-e-3"), None);
        assert_eq!(model("gpt-image-1"), None);
        assert_eq!(model("sdxl").as_deref(), Some("sdxl"));
    }

    #[test]
    fn addresses_are_usual_but_for_streams_and_for_models_that_know_none() {
        let response = |object| read(object).unwrap().answer.response;
        assert_eq!(response(json!({})), ResponseFormat::Url);
        assert_eq!(response(json!({ "model": "dall-e-3" })), ResponseFormat::Url);
        assert_eq!(response(json!({ "model": "gpt-image-1" })), ResponseFormat::Base64);
        assert_eq!(response(json!({ "stream": true })), ResponseFormat::Base64);
        assert_eq!(
            response(json!({ "model": "gpt-image-1", "response_format": "url" })),
            ResponseFormat::Url
        );
        assert_eq!(response(json!({ "response_format": "b64_json" })), ResponseFormat::Base64);
    }

    #[test]
    fn compression_is_the_quality_of_a_jpeg() {
        let quality = |object| read(object).map(|asked| asked.answer.jpeg_quality);
        assert_eq!(quality(json!({})).unwrap(), JPEG_QUALITY);
        assert_eq!(quality(json!({ "output_format": "jpeg", "output_compression": 40 })).unwrap(), 40);
        assert_eq!(quality(json!({ "output_format": "jpeg", "output_compression": 0 })).unwrap(), 1);
        assert_eq!(quality(json!({ "output_format": "webp", "output_compression": 40 })).unwrap(), 40);
        assert_eq!(quality(json!({ "output_compression": 100 })).unwrap(), 100);
        assert_eq!(
            refused(json!({ "output_compression": 40 })),
            "400 output_compression invalid_value: output_compression 40 is not possible with png, which loses \
             nothing; allowed is 100, or jpeg as output_format"
        );
    }

    #[test]
    fn what_is_not_known_or_of_the_wrong_kind_is_refused_by_its_name() {
        assert_eq!(
            refused(json!({ "prompt": "boat", "stepps": 3 })),
            "400 stepps unknown_parameter: there is no parameter `stepps`; known are those of OpenAI's Images API, \
             and the fields of a request that /api lists"
        );
        assert_eq!(
            refused(json!({ "n": "two" })),
            "400 n invalid_type: `n` cannot be used: invalid type: string \"two\", expected a whole number"
        );
        assert_eq!(
            refused(json!({ "steps": "many" })),
            "400 steps invalid_type: `steps` cannot be used: invalid type: string \"many\", expected a whole number"
        );
        assert_eq!(
            refused(json!({ "stream": true, "partial_images": 4 })),
            "400 partial_images invalid_value: partial_images 4 is out of range; allowed are 0 to 3"
        );
        assert_eq!(
            refused(json!({ "response_format": "png" })),
            "400 response_format invalid_value: response_format `png` is unknown; allowed are url, b64_json"
        );
    }

    #[test]
    fn the_names_are_those_of_the_parameters() {
        for name in OWN {
            let error = from_json::<Parameters>(json!({ name: [] })).unwrap_err();
            assert_eq!(error.field.as_deref(), Some(name), "{}", error.message);
        }
    }

    #[test]
    fn a_refusal_speaks_of_what_was_sent() {
        let explained = |said: &Said, field: &str, message: &str| {
            let error = said.explain(PublicError::invalid_field(field, message).into());
            let (param, code) = (error.error.param.unwrap(), error.error.code.unwrap());
            format!("{} {param} {code}: {}", error.status.as_u16(), error.error.message)
        };
        let said = Said { prompt: "boat".into(), n: true, size: Some("1024x1024".into()) };
        assert_eq!(
            explained(&said, "count", "count 9 is out of range; allowed are 1 to 8"),
            "400 n invalid_value: n 9 is out of range; allowed are 1 to 8"
        );
        assert_eq!(
            explained(&said, "width", "width 1024 is not possible"),
            "400 size invalid_value: size `1024x1024`: width 1024 is not possible"
        );
        assert_eq!(explained(&said, "start", "start is gone"), "400 image invalid_value: start is gone");
        assert_eq!(explained(&said, "prompt", "too long"), "400 prompt invalid_value: too long");
        assert_eq!(
            explained(&said, "model", "model `sdxl` is not installed"),
            "404 model model_not_found: model `sdxl` is not installed"
        );
        let said = Said::default();
        assert_eq!(
            explained(&said, "count", "count 9 is wrong"),
            "400 count invalid_value: count 9 is wrong"
        );
        assert_eq!(
            explained(&said, "width", "width 7 is wrong"),
            "400 width invalid_value: width 7 is wrong"
        );
        assert_eq!(
            explained(&said, "prompt", "the prompt is empty"),
            "400 prompt missing_required_parameter: the prompt is empty"
        );
    }

    #[test]
    fn a_prompt_is_called_revised_if_it_is_another_one() {
        let said = Said { prompt: " a red\nboat ".into(), ..Said::default() };
        assert_eq!(said.revised("a red boat"), None);
        assert_eq!(said.revised("a red boat, at night").as_deref(), Some("a red boat, at night"));
    }
}
