//! `GET /metrics`: what Prometheus reads.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

use crate::state::AppState;

/// All metrics in Prometheus' text format.
pub async fn show(State(state): State<AppState>) -> impl IntoResponse {
    let text = state.http.add_to(state.services.metrics().await);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text)
}
