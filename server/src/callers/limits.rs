//! What the caller may do, how often, and with how many open streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
use backend::Visitor;
use backend::access::Scope;
use types::error::{ErrorCode, PublicError};

use super::address::{ClientAddress, host};
use super::identity::address_of;
use super::revoked::until_revoked;
use super::scopes;
use super::shape::Shape;
use super::streams::OpenStream;
use crate::state::AppState;
use crate::{pages, security};

/// Middleware behind those that say who calls: what the caller's key does not allow, or what is too often, is refused in
/// the shape of the API that was called. An answer that is a stream of events counts as open until it ends, which is at the
/// latest when the caller's key is revoked.
pub async fn admit(
    State((state, shape)): State<(AppState, Shape)>,
    request: Request,
    next: Next,
) -> Response {
    let Some(visitor) = request.extensions().get::<Visitor>().cloned() else {
        return next.run(request).await;
    };
    if let Err(error) = allowed(&state, &visitor, &request) {
        return shape.answer(error);
    }
    let revoked = until_revoked(&state, request.headers());
    let answer = next.run(request).await;
    if !is_stream(&answer) {
        return answer;
    }
    match state.access.streams.open(visitor.owner_id(), visitor.address()) {
        Ok(open) => answer.map(|body| Body::new(Counted { body, revoked: Box::pin(revoked), _open: open })),
        // What was begun for it is dropped with the answer.
        Err(error) => shape.answer(error),
    }
}

/// Middleware for what anybody reaches without being told who they are: the door and the operator's page. Their address is
/// counted before anything else is done.
pub async fn count(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let counted = count_address(&state, address_of(&request));
    match counted {
        Ok(()) => next.run(request).await,
        Err(refused) => pages::wait(&state, &refused),
    }
}

/// Counts a request of nobody in particular, for the address that it comes from. Those that [`admit`] lets through are
/// counted there.
///
/// # Errors
/// How long everybody at that address has to wait.
pub fn count_address(state: &AppState, address: ClientAddress) -> Result<(), PublicError> {
    count_at(state, &address.hash(|text| state.services.signature(text)))
}

fn count_at(state: &AppState, address: &str) -> Result<(), PublicError> {
    let Some(most) = state.services.limits().address.requests_per_minute else { return Ok(()) };
    let counted = state.access.frequency.count(&format!("address {address}"), most);
    counted.map_err(|wait| too_often("everybody at your address together", most, wait))
}

/// Whether a caller may do that now.
///
/// # Errors
/// What their key does not allow, what another site made their browser ask for, or what is too often.
pub fn allowed(state: &AppState, visitor: &Visitor, request: &Request) -> Result<(), PublicError> {
    let path = request.uri().path();
    let needed = scopes::needed(request);
    // What changes something is posted as a rule, and refused before; there are calls that set GPT-2 to work without.
    let computes = request.method().is_safe() && needed != Scope::Read;
    if computes && security::is_from_another_site(request.headers(), host(request)) {
        return Err(PublicError::new(ErrorCode::Forbidden, security::ANOTHER_SITE));
    }
    if let Some(allowance) = visitor.allowance()
        && !allowance.allows(needed)
    {
        let sentence = format!("this key does not allow that; it takes one with the scope `{needed}`");
        return Err(PublicError::new(ErrorCode::Forbidden, sentence));
    }
    // Files are many to a page, and cost little where nothing is converted.
    let is_stored = ["png", "thumbnail"].into_iter().any(|end| path.ends_with(end));
    if request.method() == Method::GET && path.starts_with("/images/") && is_stored {
        return Ok(());
    }
    let limits = state.services.limits();
    let own = visitor.allowance().map_or(limits.visitor, |allowance| allowance.ration.or(limits.visitor));
    if let Some(most) = own.requests_per_minute {
        let counted = state.access.frequency.count(&format!("caller {}", visitor.owner_id()), most);
        counted.map_err(|wait| too_often("you", most, wait))?;
    }
    if visitor.allowance().is_none() { count_at(state, visitor.address()) } else { Ok(()) }
}

fn too_often(who: &str, most: u32, wait: std::time::Duration) -> PublicError {
    let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
    let sentence = format!("{who} sent more than {most} requests in a minute; wait {seconds} s");
    PublicError::limit_reached(sentence, seconds)
}

fn is_stream(answer: &Response) -> bool {
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// A body that counts as an open stream until it is dropped, and ends when the caller's key is revoked.
struct Counted {
    body: Body,
    revoked: Pin<Box<dyn Future<Output = ()> + Send>>,
    _open: OpenStream,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        if self.revoked.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
