//! Bodies of requests that come too slowly: a caller who sends a byte now and then holds a connection, and what was read of
//! the body, for as long as they like.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::error::ApiError;
use crate::patience::Patience;

/// Middleware that gives up on a body that comes too slowly.
pub async fn give_up(State(patience): State<Patience>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let gave_up = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| {
        let longest_pause = patience.body_pause;
        let pause = Box::pin(tokio::time::sleep(longest_pause));
        let end = Box::pin(tokio::time::sleep(patience.body));
        Body::new(Impatient { body, longest_pause, pause, end, gave_up: Arc::clone(&gave_up) })
    });
    let answer = next.run(request).await;
    if !gave_up.load(Ordering::Relaxed) {
        return answer;
    }
    let sentence = format!(
        "the body came too slowly; allowed are pauses of {} s, and {} s in all",
        patience.body_pause.as_secs_f64(),
        patience.body.as_secs_f64()
    );
    ApiError::unreadable(StatusCode::REQUEST_TIMEOUT, sentence).into_response()
}

/// A body that ends with an error when it takes too long.
struct Impatient {
    body: Body,
    longest_pause: Duration,
    pause: Pin<Box<Sleep>>,
    end: Pin<Box<Sleep>>,
    gave_up: Arc<AtomicBool>,
}

impl Impatient {
    fn gave_up(&self) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.gave_up.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(TooSlow))))
    }
}

/// Why it ended.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
struct TooSlow;

impl HttpBody for Impatient {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // However quickly it comes, there is an end to it.
        if self.end.as_mut().poll(context).is_ready() {
            return self.gave_up();
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let until = Instant::now() + self.longest_pause;
            self.pause.as_mut().reset(until);
            return Poll::Ready(frame);
        }
        if self.pause.as_mut().poll(context).is_ready() { self.gave_up() } else { Poll::Pending }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use futures::{StreamExt, stream};
    use tower::ServiceExt;

    use super::*;

    fn routes() -> Router {
        let echo = async |body: Bytes| body;
        Router::new().route("/", post(echo)).layer(from_fn_with_state(Patience::default(), give_up))
    }

    /// A body of pieces with pauses before them, on a clock that the test moves.
    async fn answer(n_pieces: usize, pause: Duration) -> (StatusCode, String) {
        let pieces = stream::iter(0..n_pieces).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::io::Error>("x")
        });
        let request = Request::post("/").body(Body::from_stream(pieces)).unwrap();
        let answer = routes().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_takes_its_time_arrives() {
        assert_eq!(answer(10, Duration::from_secs(15)).await, (StatusCode::OK, "x".repeat(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_pause_ends_it_and_so_do_many_short_ones() {
        for (n_pieces, pause) in [(2, 25), (100, 10)] {
            let (status, body) = answer(n_pieces, Duration::from_secs(pause)).await;
            assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
            assert!(
                body.contains("the body came too slowly; allowed are pauses of 20 s, and 300 s in all"),
                "{body}"
            );
        }
    }
}
