//! OpenAI's Images API.

mod edits;
mod errors;
mod generations;
mod models;
mod stream;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use image::RgbImage;
use serde_json::Value;

use crate::helpers::{Answer, Browser, Multipart};

pub const GENERATIONS: &str = "/v1/images/generations";
pub const EDITS: &str = "/v1/images/edits";
pub const VARIATIONS: &str = "/v1/images/variations";

impl Browser {
    async fn generations(&self, request: Value) -> Answer {
        self.post_json(GENERATIONS, &request).await
    }

    /// What is answered to a request that is expected to be fulfilled.
    async fn generated(&self, request: Value) -> Value {
        let answer = self.generations(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The same of a form.
    async fn sent(&self, path: &str, form: Multipart) -> Value {
        let answer = self.post_multipart(path, form).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

/// The file that stands in an answer or an event as base64.
pub fn file(object: &Value) -> Bytes {
    let text = object["b64_json"].as_str().expect("there is a file as base64");
    BASE64_STANDARD.decode(text).expect("the file is base64").into()
}

/// The pixels of a file.
pub fn pixels(file: &[u8]) -> RgbImage {
    image::load_from_memory(file).expect("the file is a picture").into_rgb8()
}

/// An error as one line: status, type, parameter, code and sentence.
pub fn complaint(answer: &Answer) -> String {
    let body: Value = answer.json();
    let object = body.as_object().expect("an error is an object");
    assert_eq!(object.len(), 1, "{body}");
    format!("{} {}", answer.status.as_u16(), in_one_line(&body["error"]))
}

pub fn in_one_line(error: &Value) -> String {
    assert_eq!(error.as_object().expect("an error is an object").len(), 4, "{error}");
    let text = |name: &str| error[name].as_str().unwrap_or("-").to_owned();
    assert!(error["message"].is_string() && error["type"].is_string());
    format!("{} {} {}: {}", text("type"), text("param"), text("code"), text("message"))
}
