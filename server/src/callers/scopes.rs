//! Which scope a key needs for a call: a table of everything that is looked at, by the router's templates.
//!
//! # Invariants
//! What is not in the table takes `generate`, so a route that somebody adds is not open to keys that may only look until
//! they say so here.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use backend::access::Scope;

use crate::api::document;

/// Darkroom's own API, and the addresses of pictures.
const OWN: [&str; 18] = [
    document::PATH,
    "/api/v1/health",
    "/api/v1/images",
    "/api/v1/images/{id}",
    "/api/v1/jobs",
    "/api/v1/jobs/{id}",
    "/api/v1/jobs/{id}/events",
    "/api/v1/limits",
    "/api/v1/loras",
    "/api/v1/models",
    "/api/v1/presets",
    "/api/v1/samplers",
    "/api/v1/schedules",
    "/api/v1/styles",
    "/api/v1/uploads/{id}",
    "/api/v1/wildcards",
    "/images/{file}",
    "/images/{id}/thumbnail",
];

/// Pages, and the addresses of forms, which show their page to whoever opens them.
const PAGES: [&str; 13] = [
    "/",
    "/api",
    "/history",
    "/history/delete",
    "/history/zip",
    "/images/{id}/delete",
    "/images/{id}/favourite",
    "/j/{id}",
    "/j/{id}/cancel",
    "/j/{id}/share",
    "/models",
    "/read-settings",
    "/write-prompt",
];

/// OpenAI's API. At an address that it has not, there is nothing to be kept from anybody.
const OPENAI: [&str; 5] = ["/v1", "/v1/", "/v1/models", "/v1/models/{id}", "/v1/{*rest}"];

/// That of AUTOMATIC1111's web UI.
const AUTOMATIC1111: [&str; 22] = [
    "/promptgen/list_models",
    "/promptgen/{*rest}",
    "/sdapi/v1/cmd-flags",
    "/sdapi/v1/embeddings",
    "/sdapi/v1/extensions",
    "/sdapi/v1/face-restorers",
    "/sdapi/v1/hypernetworks",
    "/sdapi/v1/latent-upscale-modes",
    "/sdapi/v1/loras",
    "/sdapi/v1/memory",
    "/sdapi/v1/options",
    "/sdapi/v1/progress",
    "/sdapi/v1/prompt-styles",
    "/sdapi/v1/realesrgan-models",
    "/sdapi/v1/samplers",
    "/sdapi/v1/schedulers",
    "/sdapi/v1/script-info",
    "/sdapi/v1/scripts",
    "/sdapi/v1/sd-models",
    "/sdapi/v1/sd-vae",
    "/sdapi/v1/upscalers",
    "/sdapi/{*rest}",
];

/// ComfyUI's, as it has them; each lies under `/api` as well.
const COMFYUI: [&str; 14] = [
    "/embeddings",
    "/extensions",
    "/features",
    "/history",
    "/history/{id}",
    "/models",
    "/models/{folder}",
    "/object_info",
    "/object_info/{class}",
    "/prompt",
    "/queue",
    "/system_stats",
    "/view",
    "/ws",
];

/// What changes nothing although it is posted.
const POSTED: [&str; 6] = [
    "/api/v1/images/zip",
    "/api/v1/metadata",
    "/sdapi/v1/png-info",
    "/sdapi/v1/refresh-checkpoints",
    "/sdapi/v1/refresh-loras",
    "/sdapi/v1/refresh-vae",
];

/// The scope that a key needs for this request.
pub(super) fn needed(request: &Request) -> Scope {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    of_route(request.method(), route)
}

/// The scope that a key needs for this method of a route.
fn of_route(method: &Method, route: &str) -> Scope {
    let is_look = if method.is_safe() {
        is_looked_at(route)
    } else {
        *method == Method::POST && POSTED.contains(&route)
    };
    if is_look { Scope::Read } else { Scope::Generate }
}

fn is_looked_at(route: &str) -> bool {
    let without_api = route.strip_prefix("/api").unwrap_or(route);
    OWN.contains(&route)
        || PAGES.contains(&route)
        || OPENAI.contains(&route)
        || AUTOMATIC1111.contains(&route)
        || COMFYUI.contains(&without_api)
}

#[cfg(test)]
#[path = "scopes_tests.rs"]
mod tests;
