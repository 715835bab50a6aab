//! Every route of the program.

use std::any::Any;

use any_spawner::Executor;
use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Request, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::trace::TraceLayer;
use tracing::Span;
use types::error::{ErrorCode, PublicError};

use crate::api::{self, document};
use crate::callers::{self, Shape, entry};
use crate::error::ApiError;
use crate::extract::MAX_BODY_BYTES;
use crate::measures::{self, HttpMeasures};
use crate::request_id::{self, RequestId};
use crate::state::AppState;
use crate::{a1111, comfyui, forms, openai, operator, pages, security, selection, slow_bodies};

/// The whole program as one service; a test sends requests to it without a socket.
pub fn router(state: &AppState) -> Router {
    // What pages wait for runs on tokio. It is said once a process; a second router says it in vain.
    let _ = Executor::init_tokio();
    let pages = Router::new()
        .route("/", get(pages::show))
        .route("/j/{id}", get(pages::show))
        .route("/history", get(pages::show))
        .route("/models", get(pages::show))
        .route("/api", get(pages::show));

    let forms = Router::new()
        .route("/", post(forms::create))
        .route("/write-prompt", post(forms::prompt).get(forms::page_of))
        .route("/read-settings", post(forms::read_settings).get(forms::page_of))
        .route("/j/{id}/cancel", post(forms::cancel).get(forms::page_of))
        .route("/images/{id}/favourite", post(forms::favourite).get(forms::page_of))
        .route("/images/{id}/delete", post(forms::delete).get(forms::page_of))
        .route("/history/zip", post(selection::zip).get(forms::page_of))
        .route("/history/delete", post(selection::delete).get(forms::page_of))
        .route("/j/{id}/share", post(forms::share).get(forms::page_of));

    let api = Router::from(api::routes()).route(document::PATH, get(document::show));
    let own = for_programs(state, Shape::Own, api);
    // The shapes of other programs' APIs.
    let others = for_programs(state, Shape::OpenAi, openai::routes())
        .merge(for_programs(state, Shape::Automatic1111, a1111::routes()))
        .merge(for_programs(state, Shape::ComfyUi, comfyui::routes()));

    let http = state.http.clone();
    let on_pages = (state.clone(), Shape::Own);
    let door =
        get(entry::show).post(entry::enter).layer(from_fn_with_state(on_pages.clone(), callers::bound));
    // What has doors of its own, so that `admit` does not stand before it. A browser sends the operator's key along to
    // whatever lies in the folder of the page that asked for it, which is this page alone.
    let outside = Router::new()
        .route("/operator/", get(operator::page::show_with_key))
        .route("/operator", get(operator::page::lead_to_folder))
        .route(entry::DOOR, door)
        .layer(from_fn_with_state(state.clone(), callers::count));
    let routes = pages
        .merge(forms)
        .layer(from_fn_with_state(on_pages.clone(), callers::bound))
        .layer(from_fn_with_state(on_pages.clone(), callers::admit))
        .layer(from_fn_with_state(state.clone(), forms::errors_as_pages))
        .layer(from_fn_with_state(state.clone(), callers::identify_visitor))
        .layer(from_fn_with_state(state.clone(), comfyui::unless_page))
        // Pages come in pieces. What is long at their addresses is ComfyUI's.
        .layer(from_fn_with_state((state.clone(), Shape::ComfyUi), callers::hold))
        .merge(own)
        .merge(others)
        .merge(outside)
        .fallback(pages::fallback)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state.clone());
    surround(routes, state, http)
}

/// Routes that programs call, with what stands before them: who it is, and whether they may.
fn for_programs(state: &AppState, shape: Shape, routes: Router<AppState>) -> Router<AppState> {
    let with_shape = (state.clone(), shape);
    routes
        .layer(from_fn_with_state(with_shape.clone(), callers::bound))
        .layer(from_fn_with_state(with_shape.clone(), callers::hold))
        .layer(from_fn_with_state(with_shape.clone(), callers::admit))
        .layer(from_fn_with_state(with_shape, callers::identify_program))
}

/// What stands around every handler, the innermost first.
fn surround(routes: Router, state: &AppState, http: HttpMeasures) -> Router {
    let guarded = routes
        .layer(from_fn_with_state(state.clone(), callers::arrive))
        .layer(from_fn_with_state(state.access.patience, slow_bodies::give_up))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(security::same_site_layer());
    let headed = security::HEADERS
        .into_iter()
        .fold(guarded, |routes, header| routes.layer(security::header_layer(header)));
    // Pages and JSON shrink to a quarter; streams, pictures and what is packed already are let through.
    let packed = DefaultPredicate::new().and(NotForContentType::const_new(selection::ZIP));
    // Failures are logged where they are handled, so the trace says nothing of them.
    headed
        .layer(CompressionLayer::new().compress_when(packed))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .layer(from_fn(request_id::assign))
        .layer(from_fn_with_state(http, measures::measure))
}

/// The path alone: what stands after `?` may be a prompt, which is nobody's business. At the level of errors, so that the
/// request stands beside every line, whatever is logged.
fn span(request: &Request<Body>) -> Span {
    let id = request.extensions().get::<RequestId>().map_or("", RequestId::as_str);
    let (method, path) = (request.method(), request.uri().path());
    tracing::error_span!("request", request.id = %id, %method, path)
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    // The panic itself was written to stderr where it happened.
    let message = "something went wrong on the server; its log has the details";
    ApiError::from(PublicError::new(ErrorCode::Internal, message)).into_response()
}

async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::unreadable(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("method {method} is not possible at this address; `/api` describes what is"),
    )
}
