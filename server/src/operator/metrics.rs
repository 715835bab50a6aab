//! `GET /metrics`: what Prometheus reads.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::measures::OPEN_METRICS;
use crate::state::AppState;

/// All metrics in the text format of `OpenMetrics` 1.0.
pub async fn show(State(state): State<AppState>) -> impl IntoResponse {
    let text = state.http.complete(state.services.metrics().await);
    ([(header::CONTENT_TYPE, OPEN_METRICS)], text)
}
