//! How much of what callers send is in memory at a time.
//!
//! Forms with files and JSON with pictures are read whole before anything is done with them. Room for a body is taken
//! before each piece of it is read, from what all have and from what everybody at one address has; it is free again
//! once the answer begins, or begins to wait for a picture ([`give_back_room`]). Who finds none waits a little, and is then told to come again. A small body costs nothing,
//! since connections are bounded: so what has no pictures in it is taken at all times.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt;
use futures::stream::try_unfold;
use http_body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::error::PublicError;

use super::address::network_of;
use super::identity::address_of;
use super::shape::Shape;
use crate::state::AppState;

/// Bytes of a body that cost nothing, unless it is said beforehand that there are more.
const FREE_BYTES: u64 = 16 << 10;

/// Room is counted in these, as a semaphore counts to four thousand million alone.
const UNIT_BYTES: u64 = 1 << 10;

/// As much room is taken at once.
const STEP_BYTES: u64 = 512 << 10;

/// How long somebody waits for room.
const WAIT: Duration = Duration::from_secs(5);

/// Seconds after which one may try again: what is on its way is mostly there by then.
const RETRY_S: u64 = 5;

/// Who reads too much.
const READING_HERE: &str = "everybody at your address together is reading";
const READING: &str = "everybody together is reading";

/// Most bytes of bodies, or of answers, that are in memory at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Of everybody at one address.
    pub per_address: u64,
    /// Of all.
    pub in_all: u64,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { per_address: 128 << 20, in_all: 512 << 20 }
    }
}

/// The room that there is for bodies, or for answers.
pub struct Bodies {
    limits: BodyLimits,
    all: Arc<Semaphore>,
    by_address: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self::new(BodyLimits::default())
    }
}

impl Bodies {
    /// With these limits.
    pub fn new(limits: BodyLimits) -> Self {
        Self { limits, all: semaphore(limits.in_all), by_address: Mutex::default() }
    }

    /// The room of one address, and of all.
    pub(super) fn of(&self, address: IpAddr) -> Room {
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of whom nothing is read are forgotten: nobody else holds their room.
        by_address.retain(|_, room| Arc::strong_count(room) > 1);
        let own = by_address.entry(network_of(address)).or_insert_with(|| semaphore(self.limits.per_address));
        Room { own: Arc::clone(own), all: Arc::clone(&self.all), limits: self.limits }
    }
}

fn semaphore(n_bytes: u64) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(units(n_bytes) as usize))
}

fn units(n_bytes: u64) -> u32 {
    u32::try_from(n_bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}

/// Where a body's room comes from, or an answer's.
pub(super) struct Room {
    own: Arc<Semaphore>,
    all: Arc<Semaphore>,
    limits: BodyLimits,
}

impl Room {
    /// So much more of it.
    async fn take(&self, n_bytes: u64) -> Result<[OwnedSemaphorePermit; 2], PublicError> {
        let BodyLimits { per_address, in_all } = self.limits;
        let own = taken(&self.own, n_bytes, per_address).await;
        let own = own.ok_or_else(|| no_room("everybody at your address together is sending", per_address))?;
        let all = taken(&self.all, n_bytes, in_all).await;
        Ok([own, all.ok_or_else(|| no_room("everybody together is sending", in_all))?])
    }

    /// So much of it for an answer, at once or not at all: an answer is in memory already, so that nobody may wait with one. One
    /// that is longer than there is room for takes all of it, as it would never be sent otherwise.
    pub(super) fn take_now(&self, n_bytes: u64) -> Result<[OwnedSemaphorePermit; 2], PublicError> {
        let BodyLimits { per_address, in_all } = self.limits;
        let n_units = units(n_bytes.min(per_address).min(in_all));
        let taken = |room: &Arc<Semaphore>| Arc::clone(room).try_acquire_many_owned(n_units).ok();
        let own = taken(&self.own);
        let own = own.ok_or_else(|| no_room(READING_HERE, per_address))?;
        let all = taken(&self.all);
        Ok([own, all.ok_or_else(|| no_room(READING, in_all))?])
    }

    /// The same for an answer that somebody worked for: it waits as a body does, since whoever is refused would have it worked
    /// for once more.
    pub(super) async fn take_soon(&self, n_bytes: u64) -> Result<[OwnedSemaphorePermit; 2], PublicError> {
        let BodyLimits { per_address, in_all } = self.limits;
        let n_bytes = n_bytes.min(per_address).min(in_all);
        let own = taken(&self.own, n_bytes, per_address).await;
        let own = own.ok_or_else(|| no_room(READING_HERE, per_address))?;
        let all = taken(&self.all, n_bytes, in_all).await;
        Ok([own, all.ok_or_else(|| no_room(READING, in_all))?])
    }
}

async fn taken(room: &Arc<Semaphore>, n_bytes: u64, most: u64) -> Option<OwnedSemaphorePermit> {
    // There is no sense in waiting for what can never be.
    if n_bytes > most {
        return None;
    }
    let acquired = Arc::clone(room).acquire_many_owned(units(n_bytes));
    // Nobody closes a semaphore.
    tokio::time::timeout(WAIT, acquired).await.ok()?.ok()
}

fn no_room(who_does_what: &str, most: u64) -> PublicError {
    let sentence = format!(
        "{who_does_what} as much as is allowed at a time, which is {} megabytes; try again in {RETRY_S} s",
        most >> 20
    );
    PublicError::limit_reached(sentence, RETRY_S)
}

tokio::task_local! {
    /// What is known of the body of the request that is being answered.
    static KEPT: Arc<Kept>;
}

/// Gives back the room of the body that this request had, from within its handler: an answer that waits for its picture does
/// not keep what was sent.
pub fn give_back_room() {
    // A request without a body has none.
    let _ = KEPT.try_with(|kept| kept.permits.lock().unwrap_or_else(PoisonError::into_inner).clear());
}

/// Middleware that takes room for a body while it is read, and refuses it where there is none.
pub async fn bound(
    State((state, shape)): State<(AppState, Shape)>,
    request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let room = state.access.bodies.of(address_of(&request).ip);
    let kept = Arc::new(Kept::default());
    let read = Arc::clone(&kept);
    let request = request.map(|body| limited(body, room, read));
    let answer = KEPT.scope(Arc::clone(&kept), next.run(request)).await;
    match kept.refused.get() {
        Some(refused) => shape.answer(refused.clone()),
        None => answer,
    }
}

/// What is known of a body while its request is answered.
#[derive(Default)]
struct Kept {
    /// The room that it has; free again when this is dropped.
    permits: Mutex<Vec<[OwnedSemaphorePermit; 2]>>,
    /// Why it was not read to its end.
    refused: OnceLock<PublicError>,
}

/// A body that takes room as it is read.
fn limited(body: Body, room: Room, kept: Arc<Kept>) -> Body {
    let length = body.size_hint().exact();
    let n_paid = if length.is_some_and(|length| length > FREE_BYTES) { 0 } else { FREE_BYTES };
    let reader = Reader { pieces: body.into_data_stream(), length, room, kept, n_read: 0, n_paid };
    Body::from_stream(try_unfold(reader, async |mut reader| {
        Ok::<_, axum::Error>(reader.next().await?.map(|piece| (piece, reader)))
    }))
}

struct Reader {
    pieces: BodyDataStream,
    /// How many bytes there are, where that was said.
    length: Option<u64>,
    room: Room,
    kept: Arc<Kept>,
    n_read: u64,
    /// For how many bytes there is room.
    n_paid: u64,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Bytes>, axum::Error> {
        let rest = self.length.map(|length| length.saturating_sub(self.n_read));
        if self.n_read >= self.n_paid && rest != Some(0) {
            // A piece may be larger than what was paid for; that is made up for now.
            let missing = self.n_read - self.n_paid + rest.unwrap_or(STEP_BYTES).min(STEP_BYTES);
            match self.room.take(missing).await {
                Ok(permits) => self.kept.permits.lock().unwrap_or_else(PoisonError::into_inner).push(permits),
                Err(refused) => {
                    let error = axum::Error::new(refused.message.clone());
                    // It ends here, so it is set once.
                    let _ = self.kept.refused.set(refused);
                    return Err(error);
                }
            }
            self.n_paid += missing;
        }
        let piece = self.pieces.next().await.transpose()?;
        self.n_read += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use tokio::time::Instant;

    use super::*;

    const LIMITS: BodyLimits = BodyLimits { per_address: 1 << 20, in_all: 3 << 19 };

    /// As much of a body as there is room for: how many bytes, what they hold, and why it ended if too early.
    async fn read(bodies: &Bodies, address: &str, n_bytes: usize) -> (u64, Arc<Kept>, Option<String>) {
        let pieces = (0..n_bytes / 4096).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 4096])));
        let kept = Arc::new(Kept::default());
        let room = bodies.of(address.parse().unwrap());
        let body = limited(Body::from_stream(stream::iter(pieces)), room, Arc::clone(&kept));
        let mut body = body.into_data_stream();
        let mut n_read = 0;
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => n_read += piece.len() as u64,
                Err(error) => return (n_read, kept, Some(error.to_string())),
            }
        }
        (n_read, kept, None)
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_at_an_address_has_so_much_room_and_who_finds_none_waits_a_little() {
        let bodies = Bodies::new(LIMITS);
        let (n_read, first, refused) = read(&bodies, "192.0.2.1", 512 << 10).await;
        assert_eq!((n_read, refused), (512 << 10, None));
        let begin = Instant::now();
        let (n_read, _second, refused) = read(&bodies, "192.0.2.1", 2 << 20).await;
        assert_eq!(n_read, FREE_BYTES + STEP_BYTES, "no piece is read for which there is no room");
        assert_eq!(
            refused.unwrap(),
            "everybody at your address together is sending as much as is allowed at a time, which is 1 megabytes; try \
             again in 5 s"
        );
        assert_eq!(begin.elapsed(), WAIT);
        drop(first);
        assert_eq!(read(&bodies, "192.0.2.1", 512 << 10).await.2, None);
    }

    #[tokio::test(start_paused = true)]
    async fn all_together_have_so_much_room_and_what_is_small_needs_none() {
        let bodies = Bodies::new(LIMITS);
        let _first = read(&bodies, "192.0.2.1", 1 << 20).await;
        let _second = read(&bodies, "192.0.2.2", 512 << 10).await;
        let refused = read(&bodies, "192.0.2.3", 512 << 10).await.2.unwrap();
        assert!(refused.starts_with("everybody together is sending as much as is allowed"), "{refused}");
        assert_eq!(read(&bodies, "192.0.2.3", 8 << 10).await.2, None);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_room_has_it_once_somebody_is_answered() {
        let bodies = Bodies::new(LIMITS);
        let (_, first, _) = read(&bodies, "192.0.2.1", 1 << 20).await;
        let (next, ()) = tokio::join!(read(&bodies, "192.0.2.1", 1 << 20), async {
            tokio::time::sleep(WAIT / 2).await;
            drop(first);
        });
        assert_eq!((next.0, next.2), (1 << 20, None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_of_which_nothing_is_read_is_forgotten() {
        let bodies = Bodies::new(LIMITS);
        drop(read(&bodies, "192.0.2.1", 1 << 20).await);
        let _room = bodies.of("192.0.2.2".parse().unwrap());
        assert_eq!(bodies.by_address.lock().unwrap().len(), 1);
    }
}
