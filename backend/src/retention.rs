//! For how long pictures are kept, and the task that deletes what is kept no longer.
//!
//! The task looks at the start of the program, when something was added, when the oldest picture grows too old, and once an
//! hour.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::files::thumbnail_file;
use crate::shared::Shared;
use crate::store::entities::picture;
use crate::store::{Excess, to_ms};
use crate::{Error, Result, deleted_files, uploads};

/// How many pictures are deleted at once. Others can write in between.
const CHUNK: u64 = 200;

/// Favourites take at most this part of the bytes that are kept: one in two.
const FAVOURITES_PART: u64 = 2;

/// Where several have about as many favourites, what is too much of them is deleted in about so many parts: in turn, and not a
/// picture at a time.
const PARTS: u64 = 64;

/// Longest time until the task looks again: a clock that was set meanwhile is noticed within it, and what was written down of
/// visitors' addresses is forgotten.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// When the task tries again after the database failed.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// For how long pictures are kept. Without any limit, they are kept for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Pictures that were made longer ago than this are deleted, and so are jobs that ended longer ago and have no picture.
    pub max_age: Option<Duration>,
    /// So many of the newest pictures are kept.
    pub max_pictures: Option<u64>,
    /// So many of each visitor's newest pictures are kept.
    pub max_pictures_per_visitor: Option<u64>,
    /// As many of the newest pictures are kept as take so many bytes together, thumbnails included.
    pub max_bytes: Option<u64>,
    /// Whether favourites are kept, whatever the limits of age and number say, for which they do not count then either. Of the
    /// bytes they take what they take, up to half: beyond that the oldest go of whoever has the most of them.
    pub keep_favourites: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            max_age: None,
            max_pictures: None,
            max_pictures_per_visitor: None,
            max_bytes: None,
            keep_favourites: true,
        }
    }
}

/// The rule, and the bell that the task waits for.
#[derive(Default)]
pub(crate) struct Housekeeping {
    retention: Retention,
    woken: Notify,
}

impl Housekeeping {
    pub(crate) fn new(retention: Retention) -> Self {
        Self { retention, woken: Notify::new() }
    }

    /// Says that something was added, or may be deleted from now on.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }
}

/// What a clean-up deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cleaned {
    pub(crate) n_pictures: u64,
    pub(crate) n_jobs: u64,
}

/// Forgets who asked for what more than a day ago, measures what was never measured, deletes what is kept no longer, uploads
/// that no job uses and what is left of what was deleted, until the program stops.
pub(crate) async fn keep_house(shared: Arc<Shared>) {
    let Housekeeping { woken, .. } = &shared.housekeeping;
    let (mut is_measured, mut finished) = (false, None);
    while !shared.stopping.is_cancelled() {
        // The task asks to be woken before it looks, so that what comes in between is seen.
        let mut woken = pin!(woken.notified());
        woken.as_mut().enable();
        let work = async {
            let now = OffsetDateTime::now_utc();
            shared.store.forget_spending(to_ms(now)).await?;
            if !is_measured {
                measure(&shared).await?;
                is_measured = true;
            }
            if finished.is_none_or(|finished: Instant| finished.elapsed() >= LONGEST_PAUSE) {
                finish_deleting(&shared, now).await?;
                finished = Some(Instant::now());
            }
            clean(&shared, now).await?;
            pause(&shared, now).await
        };
        let pause = match work.await {
            Ok(pause) => pause.unwrap_or(LONGEST_PAUSE),
            Err(error) => {
                let error = &error as &(dyn std::error::Error + 'static);
                tracing::warn!(error, "old pictures could not be deleted; it will be tried again");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(pause) => {}
            () = shared.stopping.cancelled() => {}
        }
    }
}

/// Deletes what is left of what was deleted before, and uploads that no job used in their day.
pub(crate) async fn finish_deleting(shared: &Shared, now: OffsetDateTime) -> Result<()> {
    deleted_files::finish(shared).await?;
    uploads::sweep_unused(shared, now).await?;
    Ok(())
}

/// Deletes what is kept no longer at the time `now`: first rows, then files.
pub(crate) async fn clean(shared: &Shared, now: OffsetDateTime) -> Result<Cleaned> {
    let Shared { store, housekeeping: Housekeeping { retention, .. }, .. } = shared;
    let Retention { max_age, max_pictures, max_pictures_per_visitor, max_bytes, keep_favourites } =
        *retention;
    let mut cleaned = Cleaned::default();
    if let Some(age) = max_age {
        let before = to_ms(now - age);
        cleaned.n_pictures += delete(shared, Excess::Before(before)).await?;
        cleaned.n_jobs += store.delete_empty_jobs(before).await?;
    }
    if let Some(n) = max_pictures_per_visitor {
        for owner in store.owners_beyond(n, keep_favourites).await? {
            if let Some(last) = store.last_beyond(n, Some(&owner), keep_favourites).await? {
                cleaned.n_pictures += delete(shared, Excess::OwnersUpTo(&owner, last)).await?;
            }
        }
    }
    if let Some(n) = max_pictures
        && let Some(last) = store.last_beyond(n, None, keep_favourites).await?
    {
        cleaned.n_pictures += delete(shared, Excess::UpTo(last)).await?;
    }
    if let Some(bytes) = max_bytes {
        let mut for_others = bytes;
        if keep_favourites {
            cleaned.n_pictures += delete_favourites_beyond(shared, bytes / FAVOURITES_PART).await?;
            for_others = bytes.saturating_sub(store.favourite_bytes().await?);
        }
        if let Some(last) = store.last_beyond_bytes(for_others, keep_favourites).await? {
            cleaned.n_pictures += delete(shared, Excess::UpTo(last)).await?;
        }
    }
    if cleaned != Cleaned::default() {
        let Cleaned { n_pictures, n_jobs } = cleaned;
        tracing::info!(n_pictures, n_jobs, "what is kept no longer was deleted");
    }
    Ok(cleaned)
}

/// Deletes favourites until all of them take so many bytes at most: the oldest of whoever has the most, down to what the next
/// one has, and so on. So somebody who marks everything loses their own.
async fn delete_favourites_beyond(shared: &Shared, most_bytes: u64) -> Result<u64> {
    let mut n_deleted = 0;
    while let Some(holder) = shared.store.greatest_holder().await? {
        let excess = holder.all_bytes.saturating_sub(most_bytes);
        if excess == 0 {
            break;
        }
        // Where two have about as many, a small part of what is too much goes, and the other one has the most.
        let part = (excess / PARTS).max(1);
        let excess = excess.min(holder.bytes.saturating_sub(holder.next_bytes).max(part));
        let Some(last) = shared.store.last_favourite_of_bytes(&holder.owner, excess).await? else { break };
        let n_now = delete(shared, Excess::FavouritesUpTo(&holder.owner, last)).await?;
        // The program stops, or somebody was quicker.
        if n_now == 0 {
            break;
        }
        n_deleted += n_now;
    }
    Ok(n_deleted)
}

/// Deletes these pictures, some at a time. Whoever stops the program does not wait for the rest.
async fn delete(shared: &Shared, excess: Excess<'_>) -> Result<u64> {
    let Shared { store, hub, housekeeping, stopping, .. } = shared;
    let mut n_deleted = 0;
    while !stopping.is_cancelled() {
        let keeps_favourites = housekeeping.retention.keep_favourites;
        let deleted = store.delete_excess(excess, keeps_favourites, CHUNK).await?;
        if deleted.is_empty() {
            break;
        }
        for picture in &deleted {
            let info = picture.info();
            hub.drop_picture(info.job_id, info.id);
        }
        deleted_files::of_pictures(shared, &deleted).await;
        n_deleted += deleted.len() as u64;
    }
    Ok(n_deleted)
}

/// How long nothing grows too old, as seen from `now`; `None` if nothing ever does.
pub(crate) async fn pause(shared: &Shared, now: OffsetDateTime) -> Result<Option<Duration>> {
    let Shared { store, housekeeping: Housekeeping { retention, .. }, .. } = shared;
    let Some(age) = retention.max_age else { return Ok(None) };
    let oldest = [store.oldest_picture(retention.keep_favourites).await?, store.oldest_empty_job().await?];
    let Some(oldest) = oldest.into_iter().flatten().min() else { return Ok(None) };
    // One more, since what is exactly as old as that is still kept.
    let due = oldest.saturating_add(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)).saturating_add(1);
    let pause = due.saturating_sub(to_ms(now));
    Ok(Some(Duration::from_millis(pause.max(1).unsigned_abs()).min(LONGEST_PAUSE)))
}

/// Notes the sizes of the pictures of older versions, from their files.
pub(crate) async fn measure(shared: &Shared) -> Result<u64> {
    let Shared { store, stopping, .. } = shared;
    let (mut last, mut n_measured) = (i64::MIN, 0);
    while !stopping.is_cancelled() {
        let unmeasured = store.unmeasured(last, CHUNK).await?;
        let Some(newest) = unmeasured.last() else { break };
        last = newest.seq;
        for picture in &unmeasured {
            match size_of(shared, picture).await {
                Ok(size_bytes) => {
                    store.set_size(picture.seq, size_bytes).await?;
                    n_measured += 1;
                }
                // One that cannot be looked at keeps no other from being deleted in time.
                Err(error) => tracing::warn!(%error, file = picture.file, "a picture could not be measured"),
            }
        }
    }
    if n_measured > 0 {
        tracing::info!(n_measured, "pictures of an older version were measured");
    }
    Ok(n_measured)
}

/// How long a picture's files are together, in bytes. One that is lost takes no room.
async fn size_of(shared: &Shared, picture: &picture::Model) -> Result<u64> {
    let mut size_bytes = 0;
    for file in [picture.file.clone(), thumbnail_file(&picture.file)] {
        size_bytes += match shared.files.size(&file).await {
            Err(Error::Files(object_store::Error::NotFound { .. })) => 0,
            size => size?,
        };
    }
    Ok(size_bytes)
}
