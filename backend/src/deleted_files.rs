//! Files whose rows are gone, until they are gone too.
//!
//! Rows are deleted before their files, so that a row never points to nothing. The transaction that deletes a row notes its
//! file (`store/deleted_files.rs`), and the note goes when the file is gone: whatever a program that was killed left, or a disk
//! did not let go, is deleted at the next start or clean-up.

use crate::Result;
use crate::data_folder::{PICTURES, UPLOADS};
use crate::shared::Shared;
use crate::store::entities::{picture, upload};

/// How many files are deleted between two looks into the database.
const CHUNK: u64 = 200;

/// Deletes the files of pictures whose rows were just deleted. What cannot be deleted now is deleted later, so that is only
/// logged.
pub(crate) async fn of_pictures(shared: &Shared, rows: &[picture::Model]) {
    delete_now(shared, PICTURES, rows.iter().map(|row| row.file.clone()).collect()).await;
}

/// The same of uploads.
pub(crate) async fn of_uploads(shared: &Shared, rows: &[upload::Model]) {
    delete_now(shared, UPLOADS, rows.iter().map(|row| row.file.clone()).collect()).await;
}

async fn delete_now(shared: &Shared, place: &str, files: Vec<String>) {
    if let Err(error) = delete(shared, place, files).await {
        tracing::warn!(%error, "it could not be noted that files were deleted");
    }
}

/// Deletes all files that are left of deleted rows. Gives back how many notes went with that.
pub(crate) async fn finish(shared: &Shared) -> Result<u64> {
    let (mut last, mut n_finished) = (i64::MIN, 0);
    while !shared.stopping.is_cancelled() {
        let left = shared.store.deleted_files_after(last, CHUNK).await?;
        let Some(newest) = left.last() else { break };
        last = newest.seq;
        for place in [PICTURES, UPLOADS] {
            let there = left.iter().filter(|deleted| deleted.place == place);
            let files = there.map(|deleted| deleted.file.clone()).collect();
            n_finished += delete(shared, place, files).await?;
        }
    }
    if n_finished > 0 {
        tracing::info!(n_files = n_finished, "files that were left of deleted rows were deleted");
    }
    Ok(n_finished)
}

/// Deletes these files, and forgets those that are gone. Gives back how many those were.
async fn delete(shared: &Shared, place: &str, files: Vec<String>) -> Result<u64> {
    let mut gone = Vec::with_capacity(files.len());
    for file in files {
        let is_gone = if place == PICTURES {
            shared.files.discard_picture(&file).await
        } else {
            shared.uploads.discard(&file).await
        };
        if is_gone {
            gone.push(file);
        }
    }
    if !gone.is_empty() {
        shared.store.forget_deleted_files(place, &gone).await?;
    }
    Ok(gone.len() as u64)
}
