//! `GET /`: the operator's page.

use app::{OperatorView, operator_document};
use axum::extract::{Query, State};
use axum::response::Html;
use serde::Deserialize;

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
