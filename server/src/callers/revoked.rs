//! Streams outlive the moment in which their caller was asked who they are. A key that is revoked meanwhile is found by
//! looking now and then: whoever revokes it may be another process.

use std::time::Duration;

use axum::http::HeaderMap;
use backend::access::looks_like_a_key;
use types::error::ErrorCode;

use super::credentials;
use crate::state::AppState;

/// How often it is looked.
pub const RECHECK: Duration = Duration::from_secs(15);

/// Comes to its end once the key in these headers is valid no longer; without a key, never.
pub fn until_revoked(state: &AppState, headers: &HeaderMap) -> impl Future<Output = ()> + Send + use<> {
    let key = credentials::shown(headers).filter(|key| looks_like_a_key(key));
    let state = state.clone();
    async move {
        let Some(key) = key else { return std::future::pending().await };
        until_not(state.access.recheck, || is_valid(&state, &key)).await;
    }
}

/// A database that does not answer says nothing of the key.
async fn is_valid(state: &AppState, key: &str) -> bool {
    let holder = state.services.keyring().holder(key).await;
    holder.err().is_none_or(|error| error.public().code != ErrorCode::Unauthorized)
}

/// Comes to its end when it `is_so` no longer, by a look at each tick.
async fn until_not<F: Future<Output = bool>>(every: Duration, is_so: impl Fn() -> F) {
    loop {
        tokio::time::sleep(every).await;
        if !is_so().await {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_at_the_first_look_at_which_it_is_no_longer_so() {
        let (begin, n_looks) = (Instant::now(), AtomicU32::new(0));
        until_not(RECHECK, async || n_looks.fetch_add(1, Ordering::Relaxed) < 2).await;
        assert_eq!((begin.elapsed(), n_looks.into_inner()), (3 * RECHECK, 3));
    }
}
