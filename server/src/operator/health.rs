//! Whether the process lives, and whether it can work: for whoever restarts it, and for whoever sends it visitors.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use backend::{Readiness, Services};
use serde::Serialize;

/// `GET /livez`: the process answers. Whoever hears nothing should restart it.
pub async fn live() -> &'static str {
    "ok\n"
}

/// Whether each thing is in order that the program needs.
#[derive(Serialize)]
pub struct Ready {
    /// `ready` or `not_ready`.
    status: &'static str,
    checks: Vec<Checked>,
}

#[derive(Serialize)]
struct Checked {
    name: &'static str,
    ok: bool,
    /// What is wrong with it: one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// `GET /readyz`: whether the program can work; else 503, and which thing is not in order.
pub async fn ready(State(services): State<Services>) -> (StatusCode, Json<Ready>) {
    let readiness = services.readiness().await;
    let (status, word) = if readiness.is_ready() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not_ready")
    };
    let Readiness { checks } = readiness;
    let checks = checks.into_iter().map(|check| Checked {
        name: check.name,
        ok: check.problem.is_none(),
        problem: check.problem,
    });
    (status, Json(Ready { status: word, checks: checks.collect() }))
}
