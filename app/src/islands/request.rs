//! One call of the site's own API.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

/// Posts JSON to an address of this site. Says whether the server did as it was asked.
pub async fn post_json(path: &str, body: &str) -> bool {
    matches!(try_post(path, body).await, Ok(true))
}

async fn try_post(path: &str, body: &str) -> Result<bool, JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", "application/json")?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_headers(&headers);
    request.set_body(&JsValue::from_str(body));
    let answer = JsFuture::from(leptos::prelude::window().fetch_with_str_and_init(path, &request)).await?;
    Ok(answer.dyn_into::<Response>()?.ok())
}
