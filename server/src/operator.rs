//! A listener of its own for whoever operates the site: health, metrics and the operator's page.
//!
//! It has no password. It is for this machine, or for a network in which everybody may see it.
//!
//! # Invariants
//! Nothing here is on the site's own listener, and nothing of the site is here but its style sheet and its icons.

mod health;
mod host;
mod metrics;
pub mod page;

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::security;
use crate::state::AppState;

/// What the page may load: its own style sheet and icons. It may send its form to itself.
pub const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                               base-uri 'none'; frame-ancestors 'none'";

/// The icons of the page.
const ICONS: [&str; 3] = ["/favicon.ico", "/favicon.svg", "/logo.svg"];

/// Tells the log where the operator looks, and gives back what serves [`router`] there until `stopped`.
///
/// # Errors
/// The listener has no address; later, it breaks.
pub fn serve(
    listener: TcpListener,
    state: AppState,
    stopped: CancellationToken,
) -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    let address = listener.local_addr().context("the operator's listener has no address")?;
    let url = format!("http://{address}");
    tracing::info!(operator.url = url, "the operator's page and metrics are served");
    if !address.ip().is_loopback() {
        tracing::warn!("the operator's page has no password, and other machines can reach it");
    }
    let routes = router(state, Some(address)).into_make_service();
    let server = axum::serve(listener, routes).with_graceful_shutdown(stopped.cancelled_owned());
    Ok(async { server.await.context("the operator's listener broke off") })
}

/// Every route of the operator's. A test sends requests to it without a socket.
///
/// On a listener at `address` that only this machine reaches, requests that call it by any name but its address or
/// `localhost` are refused.
pub fn router(state: AppState, address: Option<SocketAddr>) -> Router {
    let routes = Router::new()
        .route("/", get(page::show))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .fallback(file)
        .with_state(state);
    let routes = match address {
        Some(address) if address.ip().is_loopback() => routes.layer(from_fn(host::only_this_machine)),
        _ => routes,
    };
    // The innermost is the one that holds.
    let policy = (header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    std::iter::once(policy)
        .chain(security::HEADERS)
        .fold(routes, |routes, header| routes.layer(security::header_layer(header)))
}

/// A file of the site that the page needs to look like one of it: the style sheet or an icon.
async fn file(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    let file = if path == state.site.style_sheet() || ICONS.contains(&path) {
        state.site.answer(request.uri(), request.headers()).await
    } else {
        None
    };
    file.unwrap_or_else(|| (StatusCode::NOT_FOUND, "there is nothing at this address\n").into_response())
}
