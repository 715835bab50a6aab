//! The endpoints of Darkroom's own API, one group a file, and the document that describes them.

pub mod document;
pub mod events;
pub mod generate_image;
pub mod health;
pub mod jobs;
pub mod limits;
pub mod loras;
pub mod metadata;
pub mod models;
pub mod pictures;
pub mod presets;
pub mod prompts;
pub mod samplers;
mod streamed;
pub mod styles;
pub mod uploads;
pub mod wildcards;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

/// All of them.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(generate_image::create))
        .routes(routes!(jobs::create, jobs::list))
        .routes(routes!(jobs::show, jobs::delete))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::share))
        .routes(routes!(events::stream))
        .routes(routes!(pictures::list))
        .routes(routes!(pictures::show, pictures::delete))
        .routes(routes!(pictures::favourite))
        .routes(routes!(pictures::zip))
        .routes(routes!(metadata::read))
        .routes(routes!(uploads::create))
        .routes(routes!(uploads::show))
        .routes(routes!(pictures::file))
        .routes(routes!(pictures::thumbnail))
        .routes(routes!(models::list))
        .routes(routes!(loras::list))
        .routes(routes!(samplers::samplers))
        .routes(routes!(samplers::schedules))
        .routes(routes!(limits::show))
        .routes(routes!(presets::list))
        .routes(routes!(styles::list))
        .routes(routes!(wildcards::list))
        .routes(routes!(prompts::create))
        .routes(routes!(prompts::stream))
        .routes(routes!(health::show))
}
