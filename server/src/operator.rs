//! A listener of its own for whoever operates the site: health, metrics and the operator's page.
//!
//! On an address of this machine alone it has no password. On any other it takes an operator's key.
//!
//! # Invariants
//! Nothing here is on the site's own listener, and nothing of the site is here but its style sheet and its icons.

mod health;
mod host;
mod key;
mod metrics;
pub mod page;

use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use self::key::check_address;
use crate::patience::Patience;
use crate::state::AppState;
use crate::{listen, security};

/// The icons of the page.
const ICONS: [&str; 3] = ["/favicon.ico", "/favicon.svg", "/logo.svg"];

/// Tells the log where the operator looks, and gives back what serves [`router`] there until `stopped`.
///
/// # Errors
/// The listener has no address.
pub fn serve(
    listener: TcpListener,
    state: AppState,
    stopped: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()>> {
    let address = listener.local_addr().context("the operator's listener has no address")?;
    let url = format!("http://{address}");
    tracing::info!(operator.url = url, "the operator's page and metrics are served");
    let routes = router(state, Some(address));
    Ok(listen::serve(listener, routes, Patience::default(), Vec::new(), stopped))
}

/// Every route of the operator's. A test sends requests to it without a socket.
///
/// On a listener at `address` that only this machine reaches, requests that call it by any name but its address or
/// `localhost` are refused; on any other, those without an operator's key.
pub fn router(state: AppState, address: Option<SocketAddr>) -> Router {
    let guard = from_fn_with_state(state.clone(), key::guard);
    let routes = Router::new()
        .route("/", get(page::show))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::show))
        .fallback(file)
        .with_state(state);
    let routes = match address {
        Some(address) if address.ip().is_loopback() => routes.layer(from_fn(host::only_this_machine)),
        Some(_) => routes.layer(guard),
        None => routes,
    };
    // The innermost is the one that holds.
    let policy = (header::CONTENT_SECURITY_POLICY, security::DOCUMENT_POLICY);
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
