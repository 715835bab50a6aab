//! The API of ComfyUI: workflows of its own nodes become jobs.
//!
//! # Layout
//! * `nodes`, `node_classes`: which nodes there are; `info`: the same for programs, with what is installed
//! * `graph`, `values`, `validate`: a workflow is read, and checked as ComfyUI checks it; `faults`: what is wrong with it
//! * `recipe`, `pass`, `text`, `lora_weights`, `share`, `enlarging`: from an output back to the one request that stands for it
//! * `prompt`: workflows are posted; `workflow`: what is kept of them; `queue`, `history`: what became of them
//! * `socket`, `telling`, `posted`: what happens to them, as it happens
//! * `uploads`, `view`, `file_names`, `installed`: pictures by the names that programs give them
//! * `pages`: addresses that are pages of the site as well
//!
//! # Invariants
//! What a request may hold is checked where every request is; here is only said which node is to blame. Nothing here walks a
//! graph by calling itself.

mod body;
mod enlarging;
mod faults;
mod file_names;
mod graph;
mod history;
mod info;
mod installed;
mod lora_weights;
mod node_classes;
mod nodes;
mod pages;
mod pass;
mod posted;
mod prompt;
mod queue;
mod recipe;
#[cfg(test)]
mod sample_graphs;
mod share;
mod socket;
mod system;
mod telling;
mod text;
mod uploads;
mod validate;
mod values;
mod view;
mod workflow;

use axum::Router;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

pub use faults::refused;
pub use pages::unless_page;
pub use posted::Posted;
pub use prompt::read_anything;

use crate::state::AppState;

/// Its routes: each as ComfyUI has it, and under `/api`.
pub fn routes() -> Router<AppState> {
    let routes = ["", "/api"].into_iter().fold(Router::new(), |routes, prefix| {
        let at = |path: &str| format!("{prefix}{path}");
        routes
            .route(&at("/prompt"), get(prompt::show).post(prompt::create))
            .route(&at("/queue"), get(queue::show).post(queue::remove))
            .route(&at("/interrupt"), post(queue::interrupt))
            .route(&at("/history/{id}"), get(history::show))
            .route(&at("/view"), get(view::show))
            .route(&at("/upload/image"), post(uploads::image))
            .route(&at("/upload/mask"), post(uploads::mask))
            .route(&at("/object_info"), get(info::nodes))
            .route(&at("/object_info/{class}"), get(info::node))
            .route(&at("/models/{folder}"), get(info::folder))
            .route(&at("/embeddings"), get(info::embeddings))
            .route(&at("/extensions"), get(info::extensions))
            .route(&at("/features"), get(info::show_features))
            .route(&at("/system_stats"), get(system::show))
            .route(&at("/ws"), get(socket::open))
    });
    // Without `/api`, these two are pages of the site as well.
    let routes = routes
        .route("/history", post(history::forget))
        .route("/api/history", get(history::list).post(history::forget))
        .route("/api/models", get(info::folders));
    in_comfyuis_shape(routes)
}

/// The same routes, whose other errors have ComfyUI's shape as well.
fn in_comfyuis_shape<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes.method_not_allowed_fallback(faults::wrong_method).layer(CatchPanicLayer::custom(faults::panicked))
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_in_comfyuis_shape() {
        async fn panics() {
            panic!("this is part of a test");
        }
        let routes = in_comfyuis_shape(Router::new().route("/queue", get(panics)));
        let answer = routes.oneshot(Request::get("/queue").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body: Value =
            serde_json::from_slice(&to_bytes(answer.into_body(), 10_000).await.unwrap()).unwrap();
        assert_eq!(body["error"]["type"], "internal");
        assert_eq!(body["error"]["message"], "something went wrong on the server; its log has the details");
        assert_eq!(body["node_errors"], json!({}));
    }
}
