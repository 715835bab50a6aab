//! The operator's page: `GET /` on the operator's listener, and `GET /operator` on the site, with an operator's key.

use app::{OperatorView, operator_document};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use backend::access::Scope;
use serde::Deserialize;

use super::PAGE_POLICY;
use crate::callers::shown_by;
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

/// The page on the site itself, for whoever shows an operator's key: browsers ask for it as a password, under any name.
pub async fn show_with_key(state: State<AppState>, chosen: Query<Chosen>, headers: HeaderMap) -> Response {
    let holder = match shown_by(&headers) {
        Some(key) => state.services.keyring().holder(&key).await.ok(),
        None => None,
    };
    let may_look =
        holder.and_then(|holder| Some(holder.allowance()?.allows(Scope::Operator))).unwrap_or(false);
    if !may_look {
        let ask = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"an operator's key\""))];
        let sentence =
            "this page takes an operator's key: `darkroom keys create NAME --scope operator` makes one\n";
        return (StatusCode::UNAUTHORIZED, ask, sentence).into_response();
    }
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY))];
    (policy, show(state, chosen).await).into_response()
}
