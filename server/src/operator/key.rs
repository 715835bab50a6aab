//! Who may look at what is the operator's, where others could reach it: whoever shows an operator's key.

use std::net::SocketAddr;

use anyhow::bail;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use backend::Services;
use backend::access::Scope;
use types::error::ErrorCode;

use crate::callers::shown_by;
use crate::error::ApiError;
use crate::state::AppState;

/// Refuses an address that other machines reach, as long as there is no operator's key.
///
/// # Errors
/// There is none; the database is out of order.
pub async fn check_address(address: SocketAddr, services: &Services) -> anyhow::Result<()> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    let keys = services.keyring().list().await?;
    if keys.iter().any(|key| key.revoked_at.is_none() && key.allowance.allows(Scope::Operator)) {
        return Ok(());
    }
    bail!(
        "other machines can reach the operator's listener at `{address}`, and there is no operator's key; make one \
         with `darkroom keys create NAME --scope operator`, or listen on an address of this machine alone, such as \
         127.0.0.1:{}",
        address.port()
    )
}

/// Refuses whoever shows no operator's key. Browsers ask for it as a password, under any name.
///
/// # Errors
/// The refusal.
pub async fn demand(services: &Services, headers: &HeaderMap) -> Result<(), Response> {
    let holder = match shown_by(headers) {
        Some(key) => match services.keyring().holder(&key).await {
            Ok(holder) => Some(holder),
            Err(error) if error.public().code == ErrorCode::Unauthorized => None,
            Err(error) => return Err(ApiError::from(error).into_response()),
        },
        None => None,
    };
    if holder.is_some_and(|holder| holder.allowance().is_some_and(|may| may.allows(Scope::Operator))) {
        return Ok(());
    }
    let ask = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"an operator's key\""))];
    let sentence =
        "this page takes an operator's key: `darkroom keys create NAME --scope operator` makes one\n";
    Err((StatusCode::UNAUTHORIZED, ask, sentence).into_response())
}

/// Middleware of a listener that other machines reach: it answers to the names that the site answers to, and to whoever
/// shows an operator's key. That the process lives is told to all, since whoever restarts it has no key as a rule.
pub async fn guard(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    if host.is_some_and(|host| !host.to_str().is_ok_and(|host| state.access.hosts.knows(host))) {
        let sentence = "this listener answers to addresses and to the site's own names alone\n";
        return (StatusCode::MISDIRECTED_REQUEST, sentence).into_response();
    }
    if request.uri().path() != "/livez"
        && let Err(refused) = demand(&state.services, request.headers()).await
    {
        return refused;
    }
    next.run(request).await
}
