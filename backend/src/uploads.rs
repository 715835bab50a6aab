//! What visitors sent: where it lies, and for how long.
//!
//! An upload that no job uses is deleted after a day. One that a job uses is kept as long as the job.

use std::collections::HashSet;
use std::time::Duration;

use futures::TryStreamExt;
use time::OffsetDateTime;
use types::error::PublicError;
use types::picture::PictureFormat;
use types::upload::{MAX_UPLOAD_BYTES, UploadId};

use crate::access::upload_account::DAY_MS;
use crate::files::Unfinished;
use crate::pictures::DecodeError;
use crate::shared::Shared;
use crate::store::to_ms;
use crate::{Error, Result, deleted_files};

/// How long an upload is kept that no job uses.
const UNUSED_FOR: Duration = Duration::from_hours(24);

/// How many files are looked up in the database at once.
const SWEEP_CHUNK: usize = 500;

/// Where an upload lies: named after it, and after what it is.
pub(crate) fn file_of(id: UploadId, format: PictureFormat) -> String {
    format!("{id}.{}", format.extension())
}

/// What an upload's file is.
pub(crate) fn format_of(file: &str) -> PictureFormat {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    PictureFormat::from_extension(ending).unwrap_or_default()
}

/// The upload that a file belongs to, if it is named as [`file_of`] names one.
pub(crate) fn id_of(file: &str) -> Option<UploadId> {
    let (id, ending) = file.split_once('.')?;
    let id: UploadId = id.parse().ok()?;
    let format = PictureFormat::from_extension(ending)?;
    (file_of(id, format) == file).then_some(id)
}

/// The sentence with which an upload of too many bytes is refused.
pub(crate) fn too_large(n_bytes: usize) -> PublicError {
    let sentence = format!("the file has {n_bytes} bytes; at most {MAX_UPLOAD_BYTES} are allowed");
    PublicError::invalid_field("file", sentence)
}

/// The sentence with which an upload is refused.
pub(crate) fn refusal(error: &DecodeError) -> PublicError {
    PublicError::invalid_field("file", format!("the file {error}"))
}

/// Deletes uploads that no job uses and that came more than a day before `now`. Gives back how many there were.
pub(crate) async fn sweep_unused(shared: &Shared, now: OffsetDateTime) -> Result<usize> {
    let deleted = shared.store.delete_unused_uploads(to_ms(now - UNUSED_FOR)).await?;
    // First the rows and then the files: a row never points to nothing.
    deleted_files::of_uploads(shared, &deleted).await;
    Ok(deleted.len())
}

/// Deletes what was written when the program died, before its row was. Gives back how many files there were.
///
/// A database without any upload is perhaps not the one that these files belong to, and then they are left alone.
///
/// For a time when nobody sends anything.
pub(crate) async fn sweep_files(shared: &Shared) -> Result<u64> {
    let Shared { store, uploads, .. } = shared;
    let mut n_swept = Unfinished::delete(uploads.unfinished(|file| id_of(file).is_some()).await?).await?;
    if !store.has_uploads().await? {
        return Ok(n_swept);
    }
    let files = uploads.list().try_filter(|file| std::future::ready(id_of(file).is_some()));
    let mut chunks = files.try_chunks(SWEEP_CHUNK);
    while let Some(chunk) = chunks.try_next().await.map_err(|error| error.1)? {
        let used: HashSet<String> = store.uploads_in_use(&chunk).await?;
        for file in chunk.iter().filter(|file| !used.contains(*file)) {
            uploads.discard(file).await;
            n_swept += 1;
        }
    }
    Ok(n_swept)
}

/// Counts what came in the last day before the program was started, where it is limited how much may come.
pub(crate) async fn recount(shared: &Shared, now: OffsetDateTime) -> Result<()> {
    let Shared { limits, store, uploads, upload_account, .. } = shared;
    if limits.visitor.uploaded_megabytes_per_day.is_none() {
        return Ok(());
    }
    for upload in store.uploads_since(to_ms(now) - DAY_MS).await? {
        // A file that is lost takes no room.
        if let Ok(n_bytes) = uploads.size(&upload.file).await {
            upload_account.recount(&upload.owner, UploadId(upload.id), n_bytes, upload.created_at);
        }
    }
    Ok(())
}

/// Sweeps at the start of the program, when nobody sends anything yet. What cannot be swept now is swept at the
/// next start.
pub(crate) async fn sweep_at_start(shared: &Shared) {
    let swept = async {
        let n_unused = sweep_unused(shared, OffsetDateTime::now_utc()).await?;
        Ok::<_, Error>((n_unused, sweep_files(shared).await?))
    };
    match swept.await {
        Ok((0, 0)) => {}
        Ok((n_unused, n_files)) => tracing::info!(n_unused, n_files, "uploads that nobody uses were deleted"),
        Err(error) => tracing::warn!(%error, "uploads that nobody uses could not be looked for"),
    }
    if let Err(error) = recount(shared, OffsetDateTime::now_utc()).await {
        tracing::warn!(%error, "what visitors sent in the last day could not be counted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_this_program_gives_belong_to_an_upload() {
        let id = "0123456789abcdef0123456789abcdef";
        for format in PictureFormat::ALL {
            let file = file_of(id.parse().unwrap(), format);
            assert_eq!(id_of(&file).unwrap().to_string(), id);
            assert_eq!(format_of(&file), format);
        }
        for file in ["notes.txt", "0123.png", "01234567-89ab-cdef-0123-456789abcdef.png", "a/1-0.png"] {
            assert_eq!(id_of(file), None, "{file}");
        }
        assert_eq!(id_of(&format!("{id}.jpeg")), None);
        assert_eq!(id_of(&format!("{id}.png#1")), None);
    }
}
