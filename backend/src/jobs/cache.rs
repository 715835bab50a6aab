//! Pictures that were made before, given to a job that would make the same.
//!
//! Such a job has pictures and files of its own, so that deleting either leaves the other alone. It is an attempt like any
//! other: begun, its pictures stored one by one, ended with the last. Should the program die in between, or a file be
//! lost, it goes into the queue and is painted.

use bytes::Bytes;
use types::event::JobEvent;
use types::picture::{PictureFormat, PictureInfo};
use types::request::GenerationRequest;

use super::numbers;
use crate::measures::JobEnd;
use crate::shared::Shared;
use crate::store::NewPicture;
use crate::store::entities::{job, picture};
use crate::{Error, Result, Signer, files, pictures};

/// Copies the pictures of `like` for the attempt `claim`, which ends with the last of them, and tells those who watch.
///
/// What cannot be copied is painted: the job goes into the queue.
pub(crate) async fn give(
    shared: &Shared,
    mut claim: job::Model,
    request: &GenerationRequest,
    (like, pictures): &(job::Model, Vec<picture::Model>),
) {
    let (id, attempt) = (claim.job_id(), claim.attempt_number());
    for picture in pictures {
        match copy(shared, &mut claim, request, like, picture).await {
            Ok(Some(picture)) => {
                let number = numbers::picture(attempt, picture.index);
                shared.hub.publish(id, number, JobEvent::Picture { picture });
            }
            // Its owner cancelled it.
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(job.id = %id, %error, "a picture could not be copied; it is painted");
                shared.queue.hand_over(claim);
                return;
            }
        }
    }
    shared.hub.finish(id, numbers::last(attempt), JobEvent::Done);
    shared.measures.job_ended(JobEnd::Cached);
    shared.housekeeping.wake();
    tracing::info!(job.id = %id, like = %like.job_id(), "a job has pictures that were made before");
}

/// Copies one picture. `None` if the attempt is over.
async fn copy(
    shared: &Shared,
    claim: &mut job::Model,
    request: &GenerationRequest,
    like: &job::Model,
    picture: &picture::Model,
) -> Result<Option<PictureInfo>> {
    let Shared { store, files, .. } = shared;
    let (png, thumbnail) =
        (files.read(&picture.file).await?, files.read(&files::thumbnail_file(&picture.file)).await?);
    let info = picture.info();
    if !pictures::is_whole_png(&png) {
        let remedy = "the picture is painted anew";
        return Err(Error::Damaged { kind: "picture", id: info.id.to_string(), remedy });
    }
    let png = written_for(request, info.index, png, &shared.signer).await?;
    let size_bytes = (png.len() + thumbnail.len()) as u64;
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
            size_bytes,
            notes,
        };
        store.add_picture(claim, request, &new).await
    };
    let stored = stored.await;
    if !matches!(&stored, Ok(Some(picture)) if picture.file == file) {
        files.discard_picture(&file).await;
    }
    Ok(stored?.map(|picture| picture.info()))
}

/// The file as this request would have written it. One with a start picture names it inside, and the other request may have
/// called the same picture something else. Where pictures are signed, that one may be from before.
async fn written_for(request: &GenerationRequest, index: u32, png: Bytes, signer: &Signer) -> Result<Bytes> {
    if request.start.is_none() && request.mask.is_none() && !signer.signs() {
        return Ok(png);
    }
    let (request, signer) = (request.clone(), signer.clone());
    let write = move || signer.encode(&pictures::decode_png(&png)?, &request, index, PictureFormat::Png);
    let written = tokio::task::spawn_blocking(write).await;
    let written =
        written.map_err(|panic| Error::Broken(format!("writing a copied picture ended early: {panic}")))?;
    Ok(written?.into())
}
