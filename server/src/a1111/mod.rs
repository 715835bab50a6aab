//! The API of the AUTOMATIC1111 web UI.
//!
//! `docs/api/a1111.md` says what each field comes to here, and which ones have no counterpart.
//!
//! # Layout
//! * `text_to_image`, `image_to_image`: the two ways to pictures; `asked` is what both read, `answer` what both give
//! * `current`: how far the visitor's job is, and stopping it
//! * `options`: what a visitor set, for their later calls
//! * `lists`: what is installed, in the shapes that clients know
//! * `png_info`: the settings inside a picture
//! * `promptgen`: prompts by GPT-2, as the extension of that name offers them
//! * `styles`, `samplers`, `models`: names from there to here
//! * `fields`: values as leniently read as there; `refusal`: errors in the shapes of there

mod answer;
mod asked;
mod current;
mod fields;
mod image_to_image;
mod lists;
mod models;
mod options;
mod png_info;
mod promptgen;
mod refusal;
mod samplers;
mod styles;
mod text_to_image;

use axum::routing::{any, get, post};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;

use self::options::Options;
pub use self::refusal::refused;
use crate::state::AppState;

/// Its routes.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/sdapi/v1/txt2img", post(text_to_image::create))
        .route("/sdapi/v1/img2img", post(image_to_image::create))
        .route("/sdapi/v1/progress", get(current::progress))
        .route("/sdapi/v1/interrupt", post(current::interrupt))
        .route("/sdapi/v1/skip", post(current::skip))
        .route("/sdapi/v1/options", get(options::show).post(options::set))
        .route("/sdapi/v1/png-info", post(png_info::read))
        .route("/sdapi/v1/cmd-flags", get(lists::flags))
        .route("/sdapi/v1/samplers", get(lists::samplers))
        .route("/sdapi/v1/schedulers", get(lists::schedulers))
        .route("/sdapi/v1/upscalers", get(lists::upscalers))
        .route("/sdapi/v1/sd-models", get(lists::models))
        .route("/sdapi/v1/loras", get(lists::loras))
        .route("/sdapi/v1/embeddings", get(lists::embeddings))
        .route("/sdapi/v1/prompt-styles", get(lists::prompt_styles))
        .route("/sdapi/v1/scripts", get(lists::scripts))
        .route("/sdapi/v1/memory", get(lists::memory))
        // What there is nothing of here.
        .route("/sdapi/v1/latent-upscale-modes", get(lists::nothing))
        .route("/sdapi/v1/sd-vae", get(lists::nothing))
        .route("/sdapi/v1/hypernetworks", get(lists::nothing))
        .route("/sdapi/v1/face-restorers", get(lists::nothing))
        .route("/sdapi/v1/realesrgan-models", get(lists::nothing))
        .route("/sdapi/v1/script-info", get(lists::nothing))
        .route("/sdapi/v1/extensions", get(lists::nothing))
        // Folders are looked through at every call.
        .route("/sdapi/v1/refresh-checkpoints", post(lists::refreshed))
        .route("/sdapi/v1/refresh-vae", post(lists::refreshed))
        .route("/sdapi/v1/refresh-loras", post(lists::refreshed))
        .route("/promptgen/list_models", get(promptgen::models))
        .route("/promptgen/generate", post(promptgen::generate))
        .method_not_allowed_fallback(refusal::wrong_method)
        .route("/sdapi/{*rest}", any(refusal::unknown_address))
        .route("/promptgen/{*rest}", any(refusal::unknown_address))
        .layer(CatchPanicLayer::custom(refusal::panicked))
        .layer(Extension(Options::default()))
}
