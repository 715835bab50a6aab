//! Addresses that are pages of the site as well: a program gets its JSON there, and a browser its page.

use std::panic::AssertUnwindSafe;

use axum::Extension;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::cookie::CookieJar;
use futures::FutureExt;

use super::faults::panicked;
use super::{history, info};
use crate::callers::{self, Shape};
use crate::extract::ApiQuery;
use crate::state::AppState;

/// Middleware that answers a program at `/history` and `/models`, and lets everything else pass.
pub async fn unless_page(
    State(state): State<AppState>,
    jar: CookieJar,
    request: Request,
    next: Next,
) -> Response {
    let is_both = request.method() == Method::GET && ["/history", "/models"].contains(&request.uri().path());
    if !is_both {
        return next.run(request).await;
    }
    let mut answer = if wants_page(request.headers()) {
        next.run(request).await
    } else {
        let answer = AssertUnwindSafe(for_program(state, &jar, request)).catch_unwind();
        answer.await.unwrap_or_else(panicked)
    };
    answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    answer
}

async fn for_program(state: AppState, jar: &CookieJar, request: Request) -> Response {
    let visitor = callers::visitor_of_program(
        &state,
        jar,
        request.headers(),
        callers::address_of(&request),
        Shape::ComfyUi,
    )
    .await;
    let admitted = visitor.and_then(|visitor| {
        callers::allowed(&state, &visitor, &request)?;
        Ok(visitor)
    });
    let visitor = match admitted {
        Ok(visitor) => Extension(visitor),
        Err(error) => return Shape::ComfyUi.answer(error),
    };
    if request.uri().path() == "/models" {
        return info::folders().await.into_response();
    }
    let (mut parts, _) = request.into_parts();
    let window = ApiQuery::from_request_parts(&mut parts, &state).await;
    history::list(State(state.services), visitor, window).await.into_response()
}

/// Browsers say that they want a page; programs say that they want JSON, or anything. Who says nothing gets the page, which
/// was there first.
fn wants_page(headers: &HeaderMap) -> bool {
    let mut said =
        headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok()).peekable();
    said.peek().is_none() || said.any(|accept| accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_for_those_who_ask_for_one_or_for_nothing() {
        let wants = |accept: &[&'static str]| {
            let values = accept.iter().map(|accept| (header::ACCEPT, accept.parse().unwrap()));
            wants_page(&values.collect())
        };
        assert!(wants(&[]));
        assert!(wants(&["text/html,application/xhtml+xml,*/*;q=0.8"]));
        for accept in ["*/*", "application/json", "application/json, text/plain, */*"] {
            assert!(!wants(&[accept]), "{accept}");
        }
    }
}
