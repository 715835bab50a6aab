//! Leptos' pages as answers: rendered whole, with the status that the page asks for.

use app::{ApiDocument, DoorState, FormState, PageStatus, shell, wait_document};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use backend::Visitor;
use leptos::nonce::use_nonce;
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;

use crate::api::document;
use crate::callers::entry::DOOR;
use crate::callers::{address_of, count_address};
use crate::error::{Advice, ApiError, status_of};
use crate::security;
use crate::state::AppState;
use types::error::PublicError;

/// `GET` of any page.
pub async fn show(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Response {
    render(state, visitor, None, request).await
}

/// The page that a refused form stands on, with what was typed and what is wrong with it.
pub async fn refused_form(
    state: AppState,
    visitor: Visitor,
    address: Uri,
    form: FormState,
    status: StatusCode,
) -> Response {
    let advice = form.error.as_ref().map(Advice::of).unwrap_or_default();
    let mut page = render(state, visitor, Some(form), page_request(address)).await;
    *page.status_mut() = status;
    page.headers_mut().extend(advice.headers());
    page
}

/// The page of the form, filled in.
pub async fn filled_form(state: AppState, visitor: Visitor, form: FormState) -> Response {
    render(state, visitor, Some(form), page_request(Uri::from_static("/"))).await
}

/// The page that says that there is nothing here.
pub async fn not_found(state: AppState, visitor: Visitor) -> Response {
    let mut page = render(state, visitor, None, page_request(Uri::from_static("/not-found"))).await;
    *page.status_mut() = StatusCode::NOT_FOUND;
    page
}

/// The page for those who asked for more than is allowed at a time.
pub fn wait(state: &AppState, refused: &PublicError) -> Response {
    let page = Html(wait_document(&refused.message, &state.site.style_sheet()));
    let policy = [(header::CONTENT_SECURITY_POLICY, security::DOCUMENT_POLICY)];
    (status_of(refused.code), Advice::of(refused).headers(), policy, page).into_response()
}

/// The door of a site with a password.
pub async fn door(state: AppState, door: DoorState, status: StatusCode) -> Response {
    let contexts = move || {
        provide_context(door.clone());
        provide_context(ApiDocument(document::as_value()));
        restrict_page();
    };
    let options = state.leptos;
    let render = leptos_axum::render_app_async_with_context(contexts, move || shell(options.clone()));
    let mut page = render(page_request(Uri::from_static(DOOR))).await;
    *page.status_mut() = status;
    page
}

/// What no route has: a file of the site, or the page that says that there is nothing here.
pub async fn fallback(State(state): State<AppState>, request: Request) -> Response {
    if let Some(file) = state.site.answer(request.uri(), request.headers()).await {
        return file;
    }
    let path = request.uri().path();
    let is_own_api = path.starts_with("/api/v1/");
    if let Err(refused) = count_address(&state, address_of(&request)) {
        return if is_own_api { ApiError::from(refused).into_response() } else { wait(&state, &refused) };
    }
    if is_own_api {
        let message = "there is nothing at this address; `/api` describes what there is";
        return ApiError::from(PublicError::not_found(message)).into_response();
    }
    // Nobody in particular: an address that does not exist gives out no cookie.
    not_found(state, Visitor::from_token("")).await
}

fn page_request(address: Uri) -> Request {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = address;
    request
}

async fn render(state: AppState, visitor: Visitor, form: Option<FormState>, request: Request) -> Response {
    let status = PageStatus::default();
    let contexts = {
        let (state, status) = (state.clone(), status.clone());
        move || {
            provide_context(state.services.clone());
            provide_context(visitor.clone());
            provide_context(status.clone());
            provide_context(ApiDocument(document::as_value()));
            if let Some(form) = form.clone() {
                provide_context(form);
            }
            restrict_page();
        }
    };
    let options = state.leptos;
    let render = leptos_axum::render_app_async_with_context(contexts, move || shell(options.clone()));
    let mut page = render(request).await;
    if let Some(code) = status.error() {
        *page.status_mut() = status_of(code);
    }
    page
}

/// The page's policy holds its nonce, so it can only be written while the page is rendered.
fn restrict_page() {
    let (Some(nonce), Some(answer)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    if let Ok(policy) = HeaderValue::from_str(&security::page_policy(&nonce)) {
        answer.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
