//! Sends a picture to the server.

use leptos::prelude::window;
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, RequestInit, Response};

use crate::format::sentence;
use crate::material::Material;

const ADDRESS: &str = "/api/v1/uploads";

/// Sends a picture, and says under which name it lies on the server.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub async fn upload(file: &Blob) -> Result<Material, String> {
    let (is_taken, answer) = send(file)
        .await
        .map_err(|_| "The picture could not be sent: the server does not answer.".to_owned())?;
    // Whatever stands between browser and server may refuse it in words of its own.
    let answer: Answer = serde_json::from_str(&answer).unwrap_or_default();
    match answer.id {
        Some(id) if is_taken => Ok(Material::upload(id.replace('-', ""), answer.width, answer.height)),
        _ if answer.message.is_empty() => Err("The picture was not taken; it may be too large.".to_owned()),
        _ => Err(sentence(&answer.message)),
    }
}

/// What is there, or what is wrong.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    id: Option<String>,
    width: u32,
    height: u32,
    message: String,
}

/// Says whether it was taken, and what was answered.
async fn send(file: &Blob) -> Result<(bool, String), JsValue> {
    let request = RequestInit::new();
    request.set_method("POST");
    // The browser says what kind of picture it is.
    request.set_body(file);
    let answer = JsFuture::from(window().fetch_with_str_and_init(ADDRESS, &request)).await?;
    let answer: Response = answer.dyn_into()?;
    let text = JsFuture::from(answer.text()?).await?;
    Ok((answer.ok(), text.as_string().unwrap_or_default()))
}
