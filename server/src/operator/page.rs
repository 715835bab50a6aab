//! The operator's page: `GET /` on the operator's listener, and `GET /operator/` on the site, with an operator's key.

use app::{OperatorView, operator_document};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::key::demand;
use crate::security::DOCUMENT_POLICY;
use crate::state::AppState;

/// What the page's form says.
#[derive(Deserialize)]
pub struct Chosen {
    prompts: Option<String>,
    refresh: Option<String>,
}

/// The page, as its form asks for it.
pub async fn show(State(state): State<AppState>, Query(chosen): Query<Chosen>) -> Html<String> {
    let view = OperatorView::read(chosen.prompts.as_deref(), chosen.refresh.as_deref());
    let snapshot = state.services.operator_snapshot(view.shows_prompts).await;
    Html(operator_document(&snapshot, view, &state.site.style_sheet()))
}

/// `GET /operator`: asks for no key, which a browser would then show to every page of the site.
pub async fn lead_to_folder() -> Redirect {
    Redirect::permanent("/operator/")
}

/// The page on the site itself, for whoever shows an operator's key.
pub async fn show_with_key(state: State<AppState>, chosen: Query<Chosen>, headers: HeaderMap) -> Response {
    if let Err(refused) = demand(&state.services, &headers).await {
        return refused;
    }
    let policy = [(header::CONTENT_SECURITY_POLICY, DOCUMENT_POLICY)];
    (policy, show(state, chosen).await).into_response()
}
