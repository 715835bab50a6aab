//! What visitors send: pictures to start from, and masks.

use bytes::Bytes;
use tracing::Instrument;
use types::error::PublicError;
use types::request::{KnownPicture, PictureSource};
use types::upload::{MAX_UPLOAD_BYTES, UploadId, UploadInfo};
use uuid::Uuid;

use super::Services;
use crate::pictures::{Decoded, mask_of_transparency};
use crate::shared::Shared;
use crate::store::entities::upload;
use crate::store::now_ms;
use crate::{Error, Result, Visitor, deleted_files, uploads};

/// An upload's file, ready to be sent back.
#[derive(Debug, Clone)]
pub struct UploadFile {
    /// The file as it came.
    pub bytes: Bytes,
    /// Its MIME type.
    pub content_type: &'static str,
    /// Its entity tag with quotation marks, strong: these bytes never change.
    pub etag: String,
}

impl Services {
    /// Keeps a picture that a visitor sent, as it came: a PNG, JPEG or WebP file of at most [`MAX_UPLOAD_BYTES`]
    /// that was read to its end. It is kept for a day, and as long as a job that uses it.
    ///
    /// # Errors
    /// The file is too large or no such picture, said of the field `file`; the visitor sent as much as is allowed; the disk
    /// is full.
    pub async fn store_upload(&self, owner: &Visitor, bytes: Bytes) -> Result<UploadInfo> {
        let Shared { decoding, limits, upload_account, stopping, .. } = &*self.0.shared;
        if stopping.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        if bytes.len() > MAX_UPLOAD_BYTES {
            return Err(uploads::too_large(bytes.len()).into());
        }
        let id = UploadId(Uuid::new_v4());
        let reserved = upload_account.reserve(owner, limits, id, bytes.len(), now_ms())?;
        let file = bytes.clone();
        let read = move || Decoded::read(&file).map(|picture| (picture.format, picture.size()));
        let (read, _) = decoding.turn(owner).await?.work("reading an upload", read).await?;
        let (format, (width, height)) = read.map_err(|error| uploads::refusal(&error))?;
        let (services, owner) = (self.clone(), owner.clone());
        let keep = async move {
            let Shared { store, uploads: files, .. } = &*services.0.shared;
            let info = UploadInfo { id, width, height };
            let file = uploads::file_of(id, format);
            files.create(&file, bytes).await?;
            if let Err(error) = store.insert_upload(&owner, &info, &file).await {
                files.discard(&file).await;
                return Err(error);
            }
            reserved.keep();
            Ok(info)
        };
        // A task of its own: a sender who hangs up leaves no file without its row, and none that does not count.
        tokio::spawn(keep.in_current_span())
            .await
            .map_err(|panic| Error::Broken(format!("keeping an upload ended early: {panic}")))?
    }

    /// Keeps a mask that is drawn by making a picture transparent: what is transparent in it is painted anew. `None` if
    /// nothing is wholly so.
    ///
    /// # Errors
    /// The file is too large or no picture, said of the field `file`; the disk is full.
    pub async fn store_transparency(&self, owner: &Visitor, bytes: Bytes) -> Result<Option<UploadInfo>> {
        if bytes.len() > MAX_UPLOAD_BYTES {
            return Err(uploads::too_large(bytes.len()).into());
        }
        let read = move || {
            let picture = Decoded::read(&bytes).map_err(|error| uploads::refusal(&error))?;
            Ok::<_, Error>(mask_of_transparency(&picture)?)
        };
        let turn = self.0.shared.decoding.turn(owner).await?;
        let (mask, _) = turn.work("reading a mask", read).await?;
        match mask? {
            Some(mask) => self.store_upload(owner, mask.into()).await.map(Some),
            None => Ok(None),
        }
    }

    /// Deletes those of the visitor's uploads that no job uses, before their day is over: what came with a request that was
    /// refused is of no use. What cannot be deleted now is deleted when its day is over, so that is only logged.
    pub async fn discard_uploads(&self, owner: &Visitor, ids: &[UploadId]) {
        if ids.is_empty() {
            return;
        }
        let shared = &*self.0.shared;
        match shared.store.delete_own_unused_uploads(owner, ids).await {
            Ok(deleted) => {
                // First the rows and then the files: a row never points to nothing.
                deleted_files::of_uploads(shared, &deleted).await;
                for upload in &deleted {
                    shared.upload_account.give_back(owner, UploadId(upload.id));
                }
            }
            Err(error) => tracing::warn!(%error, "uploads of a refused request could not be deleted"),
        }
    }

    /// An upload of the visitor's.
    ///
    /// # Errors
    /// There is no such upload or it is somebody else's.
    pub async fn upload_info(&self, owner: &Visitor, id: UploadId) -> Result<UploadInfo> {
        Ok(self.own_upload(owner, id).await?.info())
    }

    /// The file of an upload of the visitor's.
    ///
    /// # Errors
    /// There is no such upload or it is somebody else's.
    pub async fn upload_file(&self, owner: &Visitor, id: UploadId) -> Result<UploadFile> {
        let upload = self.own_upload(owner, id).await?;
        let bytes = match self.0.shared.uploads.read(&upload.file).await {
            Err(Error::Files(object_store::Error::NotFound { .. })) => {
                // Swept in between, unless its row is still there: then its file is lost, which is a fault.
                self.own_upload(owner, id).await?;
                let remedy = "send it again";
                return Err(Error::Damaged { kind: "upload", id: id.to_string(), remedy });
            }
            read => read?,
        };
        let content_type = uploads::format_of(&upload.file).content_type();
        Ok(UploadFile { bytes, content_type, etag: format!("\"{id}\"") })
    }

    /// The picture that a request names as its start: an upload of the visitor's, or a finished picture of theirs.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn known_start(&self, owner: &Visitor, name: Option<&str>) -> Result<Option<KnownPicture>> {
        let Some(id) = id_in(name) else { return Ok(None) };
        if let Some(upload) = self.known_upload(owner, id).await? {
            return Ok(Some(upload));
        }
        let picture =
            self.0.shared.store.own_picture(owner.owner_id(), types::picture::PictureId(id)).await?;
        Ok(picture.map(|picture| picture.info()).map(|picture| KnownPicture {
            source: PictureSource::Picture(picture.id),
            width: picture.width,
            height: picture.height,
        }))
    }

    /// The upload of the visitor's that a request names as its mask.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn known_mask(&self, owner: &Visitor, name: Option<&str>) -> Result<Option<KnownPicture>> {
        let Some(id) = id_in(name) else { return Ok(None) };
        self.known_upload(owner, id).await
    }

    async fn known_upload(&self, owner: &Visitor, id: Uuid) -> Result<Option<KnownPicture>> {
        let upload = self.0.shared.store.upload(owner.owner_id(), UploadId(id)).await?;
        Ok(upload.map(|upload| upload.info()).map(|upload| KnownPicture {
            source: PictureSource::Upload(upload.id),
            width: upload.width,
            height: upload.height,
        }))
    }

    /// Whether two uploads of the visitor's are the same file. It is read only where the sizes are the same.
    ///
    /// # Errors
    /// One of them is not there any more.
    pub(super) async fn are_same_upload(&self, owner: &Visitor, a: UploadId, b: UploadId) -> Result<bool> {
        let (upload, other) = (self.own_upload(owner, a).await?, self.own_upload(owner, b).await?);
        if (upload.width, upload.height) != (other.width, other.height) {
            return Ok(false);
        }
        let files = &self.0.shared.uploads;
        if files.size(&upload.file).await? != files.size(&other.file).await? {
            return Ok(false);
        }
        Ok(files.read(&upload.file).await? == files.read(&other.file).await?)
    }

    async fn own_upload(&self, owner: &Visitor, id: UploadId) -> Result<upload::Model> {
        let upload = self.0.shared.store.upload(owner.owner_id(), id).await?;
        upload.ok_or_else(|| Error::not_found("upload", &id))
    }
}

/// What is told somebody whose upload was swept in the moment they used it.
pub(super) fn swept() -> PublicError {
    PublicError::invalid_field("start", "the start picture or its mask was deleted; send it again")
}

fn id_in(name: Option<&str>) -> Option<Uuid> {
    name?.trim().parse().ok()
}
