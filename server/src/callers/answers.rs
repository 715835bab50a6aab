//! How much of what callers are answered is in memory at a time, and for how long.
//!
//! Pictures, and JSON with pictures in it, are in memory whole until their reader has them. Room for them is taken from what
//! all have and from what everybody at one address has, and is free again once the last of it was sent or was given up. An
//! answer that finds none is a refusal, at once or, where pictures were painted for it, after a while; short ones cost nothing, since connections are bounded. Whoever reads a long one
//! more slowly than it takes to have an end is hung up on. Streams have neither length nor end, and are counted elsewhere;
//! files of the site lie in the program itself.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::identity::address_of;
use super::shape::Shape;
use crate::patience::Patience;
use crate::state::AppState;

/// Bytes of an answer that cost nothing: more than a thumbnail has, and less than a picture.
const FREE_BYTES: u64 = 64 << 10;

/// Bytes that are given to the connection at once. It asks for more when its reader took some, so that the pieces tell how
/// far that one is.
const PIECE_BYTES: usize = 16 << 10;

/// Middleware that takes room for a long answer until it is sent, and answers with a refusal where there is none.
pub async fn hold(State((state, shape)): State<(AppState, Shape)>, request: Request, next: Next) -> Response {
    let (address, is_look) = (address_of(&request).ip, request.method().is_safe());
    let answer = next.run(request).await;
    let Some(n_bytes) = answer.body().size_hint().exact().filter(|n_bytes| *n_bytes > FREE_BYTES) else {
        return answer;
    };
    let room = state.access.answers.of(address);
    let taken = if is_look { room.take_now(n_bytes) } else { room.take_soon(n_bytes).await };
    match taken {
        Ok(room) => answer.map(|body| Body::new(Held::new(body, n_bytes, room, state.access.patience))),
        Err(refused) => shape.answer(refused),
    }
}

/// Room for an answer, free again when this is dropped.
type Room = [OwnedSemaphorePermit; 2];

/// An answer that has room in memory until its last piece was sent, and that has to be read in time.
struct Held {
    body: Body,
    /// What was read of the body and not yet given on.
    rest: Bytes,
    n_left: u64,
    n_given: u64,
    begin: Instant,
    patience: Patience,
    room: Arc<Room>,
}

/// Part of an answer. The connection may keep it longer than the answer, and all of the answer's memory with it.
struct Piece {
    bytes: Bytes,
    _room: Arc<Room>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why an answer ended too early.
#[derive(Debug, thiserror::Error)]
#[error("a long answer was read too slowly")]
struct TooSlow;

impl Held {
    fn new(body: Body, n_bytes: u64, room: Room, patience: Patience) -> Self {
        let (rest, begin, room) = (Bytes::new(), Instant::now(), Arc::new(room));
        Self { body, rest, n_left: n_bytes, n_given: 0, begin, patience, room }
    }

    /// Whether what was given on took longer than it may.
    fn is_late(&self) -> bool {
        let Patience { answer, answer_rate, .. } = self.patience;
        let earned = Duration::from_secs(self.n_given / u64::from(answer_rate.max(1)));
        self.begin.elapsed() > answer + earned
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.is_late() {
            return Poll::Ready(Some(Err(axum::Error::new(TooSlow))));
        }
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        let n_bytes = self.rest.len().min(PIECE_BYTES);
        let bytes = self.rest.split_to(n_bytes);
        self.n_given += n_bytes as u64;
        self.n_left = self.n_left.saturating_sub(n_bytes as u64);
        let piece = Piece { bytes, _room: Arc::clone(&self.room) };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.n_left)
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;
    use crate::callers::{Bodies, BodyLimits};

    const LIMITS: BodyLimits = BodyLimits { per_address: 1 << 20, in_all: 3 << 19 };

    /// An answer of zeros, or why there is none.
    fn answer(bodies: &Bodies, address: &str, n_bytes: usize) -> Result<Body, String> {
        let room = bodies.of(address.parse().unwrap()).take_now(n_bytes as u64);
        let room = room.map_err(|refused| refused.message)?;
        Ok(Body::new(Held::new(vec![0_u8; n_bytes].into(), n_bytes as u64, room, Patience::default())))
    }

    /// How much is read of an answer with such a pause before each piece, and why it ended if too early.
    async fn read(body: Body, pause: Duration) -> (usize, Option<String>) {
        let mut pieces = body.into_data_stream();
        let mut n_read = 0;
        loop {
            tokio::time::sleep(pause).await;
            match pieces.next().await {
                Some(Ok(piece)) => n_read += piece.len(),
                Some(Err(error)) => return (n_read, Some(error.to_string())),
                None => return (n_read, None),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_at_an_address_and_all_together_have_so_much_room_for_answers() {
        let bodies = Bodies::new(LIMITS);
        let first = answer(&bodies, "192.0.2.1", 768 << 10).unwrap();
        assert_eq!(
            answer(&bodies, "192.0.2.1", 512 << 10).unwrap_err(),
            "everybody at your address together is reading as much as is allowed at a time, which is 1 megabytes; try \
             again in 5 s"
        );
        let _second = answer(&bodies, "192.0.2.2", 512 << 10).unwrap();
        let refused = answer(&bodies, "192.0.2.3", 512 << 10).unwrap_err();
        assert!(refused.starts_with("everybody together is reading as much as is allowed"), "{refused}");
        assert_eq!(read(first, Duration::ZERO).await, (768 << 10, None));
        assert!(answer(&bodies, "192.0.2.3", 512 << 10).is_ok(), "what was sent takes no room");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_has_room_until_its_last_piece_was_sent_and_one_beyond_all_room_is_sent_alone() {
        let bodies = Bodies::new(LIMITS);
        let body = answer(&bodies, "192.0.2.1", 4 << 20).unwrap();
        assert_eq!(body.size_hint().exact(), Some(4 << 20));
        let mut pieces: Vec<_> = body.into_data_stream().map(Result::unwrap).collect().await;
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        let last = pieces.pop();
        drop(pieces);
        assert!(
            answer(&bodies, "192.0.2.1", 1 << 10).is_err(),
            "a piece holds the memory of the whole answer"
        );
        drop(last);
        assert!(answer(&bodies, "192.0.2.1", 1 << 10).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_answer_that_is_read_a_little_now_and_then_ends_and_one_that_is_read_slowly_arrives() {
        let bodies = Bodies::new(LIMITS);
        let ended = read(answer(&bodies, "192.0.2.1", 1 << 20).unwrap(), Duration::from_secs(10)).await;
        assert_eq!(ended, (6 * PIECE_BYTES, Some("a long answer was read too slowly".to_owned())));
        let arrived = read(answer(&bodies, "192.0.2.1", 1 << 20).unwrap(), Duration::from_millis(1900)).await;
        assert_eq!(arrived, (1 << 20, None), "a picture at 70 kilobits a second");
    }
}
