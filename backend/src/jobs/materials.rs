//! The pictures that a job names, from the file store to pixels.

use bytes::Bytes;
use types::error::{ErrorCode, PublicError};
use types::request::{GenerationRequest, PictureSource};

use crate::engine::Materials;
use crate::pictures::Decoded;
use crate::shared::Shared;
use crate::{Error, Result};

/// What a start picture is to a request, in sentences.
const START: &str = "the picture it starts from";
/// What a mask is to a request, in sentences.
const MASK: &str = "its mask";

/// Reads the pictures that a request of this owner's names.
///
/// # Errors
/// One of them is not there any more.
pub(crate) async fn gather(
    shared: &Shared,
    owner_id: &str,
    request: &GenerationRequest,
) -> Result<Materials> {
    let start = match &request.start {
        Some(start) => Some(read(shared, owner_id, &start.source, START).await?),
        None => None,
    };
    let mask = match &request.mask {
        Some(mask) => Some(read(shared, owner_id, &mask.source, MASK).await?),
        None => None,
    };
    if start.is_none() && mask.is_none() {
        return Ok(Materials::default());
    }
    let decode = move || -> Result<Materials> {
        let start = start.map(|bytes| decode(&bytes, START)).transpose()?.map(Decoded::into_rgb);
        let mask = mask.map(|bytes| decode(&bytes, MASK)).transpose()?.map(Decoded::into_gray);
        Ok(Materials { start, mask })
    };
    tokio::task::spawn_blocking(decode)
        .await
        .map_err(|panic| Error::Broken(format!("reading the pictures of a job ended early: {panic}")))?
}

/// The pixels of a file that held a whole picture when it was stored.
fn decode(bytes: &[u8], role: &str) -> Result<Decoded> {
    Decoded::read(bytes).map_err(|error| {
        tracing::error!(%error, "the file of {role} is damaged");
        let sentence = format!("the file of {role} is damaged; ask anew with another one");
        PublicError::new(ErrorCode::Internal, sentence).into()
    })
}

/// The file of a picture that a request of this owner's names. `role` is what it is to the request, for the sentence.
///
/// # Errors
/// It is not there any more.
pub(super) async fn read(
    shared: &Shared,
    owner_id: &str,
    source: &PictureSource,
    role: &str,
) -> Result<Bytes> {
    let Shared { store, files, uploads, .. } = shared;
    let found = match source {
        PictureSource::Upload(id) => match store.upload(owner_id, *id).await? {
            Some(upload) => Some(uploads.read(&upload.file).await),
            None => None,
        },
        PictureSource::Picture(id) => match store.own_picture(owner_id, *id).await? {
            Some(picture) => Some(files.read(&picture.file).await),
            None => None,
        },
        // Files are read by the command line alone, which has no jobs.
        PictureSource::File(_) => None,
    };
    match found {
        Some(Err(Error::Files(object_store::Error::NotFound { .. }))) | None => {
            Err(PublicError::not_found(format!("{role} is not there any more; ask anew with another one"))
                .into())
        }
        Some(read) => read,
    }
}
