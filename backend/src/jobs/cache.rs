//! Pictures that were made before, given to a job that would make the same.
//!
//! Such a job has pictures and files of its own, so that deleting either leaves the other alone. It is an attempt like any
//! other: begun, its pictures stored one by one, ended with the last. Should the program die in between, or a file be
//! lost, it goes into the queue and is painted.

use types::request::GenerationRequest;

use crate::shared::Shared;
use crate::store::NewPicture;
use crate::store::entities::{job, picture};
use crate::{Result, files};

/// Copies the pictures of `like` for the attempt `claim`, which ends with the last of them.
///
/// What cannot be copied is painted: the job goes into the queue.
///
/// # Errors
/// The database is out of order.
pub(crate) async fn give(
    shared: &Shared,
    mut claim: job::Model,
    request: &GenerationRequest,
    (like, pictures): &(job::Model, Vec<picture::Model>),
) -> Result<()> {
    for picture in pictures {
        match copy(shared, &mut claim, request, like, picture).await {
            Ok(true) => {}
            // Its owner cancelled it.
            Ok(false) => return Ok(()),
            Err(error) => {
                tracing::warn!(job.id = %claim.job_id(), %error, "a picture could not be copied; it is painted");
                shared.store.put_back(&claim, false).await?;
                shared.queue.wake();
                return Ok(());
            }
        }
    }
    tracing::info!(job.id = %claim.job_id(), like = %like.job_id(), "a job has pictures that were made before");
    Ok(())
}

/// Copies one picture. False if the attempt is over.
async fn copy(
    shared: &Shared,
    claim: &mut job::Model,
    request: &GenerationRequest,
    like: &job::Model,
    picture: &picture::Model,
) -> Result<bool> {
    let Shared { store, files, .. } = shared;
    let (png, thumbnail) =
        (files.read(&picture.file).await?, files.read(&files::thumbnail_file(&picture.file)).await?);
    let info = picture.info();
    let file = files::picture_file(claim.job_id(), claim.attempt, info.index);
    let known = like.known_notes()?;
    let stored = async {
        files.create(&file, png).await?;
        files.create(&files::thumbnail_file(&file), thumbnail).await?;
        let notes = known.iter().filter(|known| known.index == info.index).map(|known| known.note).collect();
        let new = NewPicture {
            index: info.index,
            file: file.clone(),
            width: info.width,
            height: info.height,
            notes,
        };
        store.add_picture(claim, request, &new).await
    };
    let stored = stored.await;
    if !matches!(&stored, Ok(Some(picture)) if picture.file == file) {
        files.discard_picture(&file).await;
    }
    Ok(stored?.is_some())
}
