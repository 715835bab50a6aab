//! The document that describes the API, in `OpenAPI` 3.1, drawn from the handlers themselves.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::Value;
use types::event::JobEvent;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

use super::routes;

/// Where the document lies.
pub const PATH: &str = "/api/v1/openapi.json";

/// What holds for the whole API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Darkroom",
        description = "Pictures from prompts, on your own machine. Whatever the pages do can be done here.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(JobEvent)),
    tags(
        (name = "pictures in one call", description = "The shortest way to a picture."),
        (name = "jobs", description = "A job is asked for, waits for its turn, is worked on, and keeps its pictures. \
            Without a key, whoever calls from one address is one visitor; a key makes jobs the key's own."),
        (name = "images", description = "Finished pictures. A picture is its owner's alone unless its job is shared; a \
            list holds your own."),
        (name = "uploads", description = "Pictures to start from, and masks."),
        (name = "prompts", description = "GPT-2, which writes prompts."),
        (name = "what there is", description = "Models, samplers, limits, and whether the program is up."),
    ),
)]
struct Outline;

/// The document: the same for everybody, and drawn once.
pub fn document() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
        let all = OpenApiRouter::with_openapi(Outline::openapi()).merge(routes());
        all.into_openapi()
    });
    &DOCUMENT
}

/// The same as JSON, for the page that shows it.
pub fn as_value() -> &'static Value {
    static VALUE: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(document()).unwrap_or_default());
    &VALUE
}

/// `GET /api/v1/openapi.json`.
pub async fn show() -> impl IntoResponse {
    static JSON: LazyLock<String> = LazyLock::new(|| as_value().to_string());
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str())
}
