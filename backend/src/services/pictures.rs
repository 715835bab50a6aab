//! Finished pictures: history, files, favourites, deleting.

use bytes::Bytes;
use types::history::{HistoryPage, HistoryQuery};
use types::picture::{PictureFormat, PictureId, PictureInfo};

use super::Services;
use crate::jobs::info;
use crate::pictures::{self, JPEG_QUALITY, THUMBNAIL_CONTENT_TYPE};
use crate::shared::Shared;
use crate::store::entities::{job, picture};
use crate::{Error, Result, Visitor, deleted_files, files};

/// A file of a picture, ready to be sent.
#[derive(Debug, Clone)]
pub struct PictureFile {
    /// The file.
    pub bytes: Bytes,
    /// Its MIME type.
    pub content_type: &'static str,
    /// A name to save it under, from the prompt and the seed: letters, digits and hyphens alone.
    pub file_name: String,
    /// Its entity tag with quotation marks: strong, as these bytes never change, but for what is converted and signed each
    /// time anew.
    pub etag: String,
}

impl Services {
    /// A page of a visitor's pictures, newest first.
    ///
    /// # Errors
    /// A limit or a cursor that is not allowed.
    pub async fn history(&self, owner: &Visitor, query: HistoryQuery) -> Result<HistoryPage> {
        self.0.shared.store.history(owner, &query).await
    }

    /// A picture, without its pixels.
    ///
    /// # Errors
    /// There is no such picture, or the viewer may not see it.
    pub async fn picture(&self, viewer: &Visitor, id: PictureId) -> Result<PictureInfo> {
        Ok(self.visible(viewer, id).await?.0.info())
    }

    /// A picture in some format, for its owner, for everybody if its job is shared, and for whoever shows a pass.
    ///
    /// # Errors
    /// There is no such picture, or the viewer may not see it.
    pub async fn picture_file(
        &self,
        viewer: &Visitor,
        id: PictureId,
        format: PictureFormat,
    ) -> Result<PictureFile> {
        self.picture_file_at(viewer, id, format, JPEG_QUALITY).await
    }

    /// The same as [`Self::picture_file`] with a JPEG's quality, 1 to 100, which the other formats have no use for.
    /// The entity tag does not tell it.
    ///
    /// # Errors
    /// As [`Self::picture_file`].
    pub async fn picture_file_at(
        &self,
        viewer: &Visitor,
        id: PictureId,
        format: PictureFormat,
        jpeg_quality: u8,
    ) -> Result<PictureFile> {
        let (picture, job) = self.visible(viewer, id).await?;
        let bytes = match format {
            PictureFormat::Png => self.read_png(&picture).await?,
            format => {
                // Whoever waits for a turn has nothing in memory yet.
                let _turn = self.0.shared.converting.acquire().await.map_err(|_| Error::ShuttingDown)?;
                let png = self.read_png(&picture).await?;
                let (request, index) = (job.generation_request()?, picture.idx.unsigned_abs());
                let signer = self.0.shared.signer.clone();
                let convert = move || {
                    // Where another model had to stand in, the file knows what its job does not.
                    let (request, index) = match pictures::origin_of(&png) {
                        Some(origin) => (origin.request, origin.index),
                        None => (request, index),
                    };
                    signer.encode_at(&pictures::decode_png(&png)?, &request, index, format, jpeg_quality)
                };
                tokio::task::spawn_blocking(convert)
                    .await
                    .map_err(|panic| Error::Broken(format!("converting picture {id} ended early: {panic}")))??
                    .into()
            }
        };
        Ok(PictureFile {
            bytes,
            content_type: format.content_type(),
            file_name: file_name(&picture.info(), format.extension()),
            etag: self.etag(id, format),
        })
    }

    /// A preview from the `data:` URL in an event, enlarged to `size`: a file without settings inside, for whoever
    /// wants the whole picture as it is now. `jpeg_quality` is 1 to 100, for JPEG alone.
    ///
    /// # Errors
    /// The URL holds no preview.
    pub async fn enlarge_preview(
        &self,
        url: String,
        size: (u32, u32),
        format: PictureFormat,
        jpeg_quality: u8,
    ) -> Result<Bytes> {
        let enlarge = move || pictures::enlarge_preview(&url, size, format, jpeg_quality);
        let enlarged = tokio::task::spawn_blocking(enlarge)
            .await
            .map_err(|panic| Error::Broken(format!("enlarging a preview ended early: {panic}")))??;
        Ok(enlarged.into())
    }

    /// The entity tag that [`Self::picture_file`] gives a picture, or its thumbnail where no format is named,
    /// without reading the file.
    ///
    /// # Errors
    /// As [`Self::picture_file`].
    pub async fn picture_tag(
        &self,
        viewer: &Visitor,
        id: PictureId,
        format: Option<PictureFormat>,
    ) -> Result<String> {
        self.visible(viewer, id).await?;
        Ok(format.map_or_else(|| etag(id, THUMBNAIL), |format| self.etag(id, format)))
    }

    /// A picture's thumbnail, at most 256 pixels a side. One that is lost or damaged is made anew from the picture.
    ///
    /// # Errors
    /// As [`Self::picture_file`].
    pub async fn thumbnail(&self, viewer: &Visitor, id: PictureId) -> Result<PictureFile> {
        let (picture, _) = self.visible(viewer, id).await?;
        let read = self.0.shared.files.read(&files::thumbnail_file(&picture.file)).await;
        let bytes = match read {
            Ok(bytes) if pictures::jpeg_has_end(&bytes) => bytes,
            Ok(_) | Err(Error::Files(object_store::Error::NotFound { .. })) => {
                let png = self.read_png(&picture).await?;
                tracing::warn!(picture.id = %id, "a thumbnail is lost or damaged; `darkroom check --mend` makes it anew");
                let draw = move || Ok::<_, Error>(pictures::thumbnail(&pictures::decode_png(&png)?)?);
                tokio::task::spawn_blocking(draw)
                    .await
                    .map_err(|panic| Error::Broken(format!("drawing thumbnail {id} ended early: {panic}")))??
                    .into()
            }
            Err(error) => return Err(error),
        };
        Ok(PictureFile {
            bytes,
            content_type: THUMBNAIL_CONTENT_TYPE,
            file_name: file_name(&picture.info(), "thumbnail.jpg"),
            etag: etag(id, THUMBNAIL),
        })
    }

    /// Marks a picture as a favourite, or no longer.
    ///
    /// # Errors
    /// There is no such picture or it is somebody else's.
    pub async fn set_favourite(
        &self,
        owner: &Visitor,
        id: PictureId,
        favourite: bool,
    ) -> Result<PictureInfo> {
        let Shared { store, hub, .. } = &*self.0.shared;
        let marked = store.set_favourite(owner, id, favourite).await?;
        let picture = marked.ok_or_else(|| Error::not_found("picture", &id))?.info();
        hub.replace_picture(&picture);
        // It counts otherwise from now on.
        self.0.shared.housekeeping.wake();
        Ok(picture)
    }

    /// Deletes a picture for good.
    ///
    /// # Errors
    /// There is no such picture or it is somebody else's.
    pub async fn delete_picture(&self, owner: &Visitor, id: PictureId) -> Result<()> {
        let shared = &*self.0.shared;
        let deleted = shared.store.delete_picture(owner, id).await?;
        let picture = deleted.ok_or_else(|| Error::not_found("picture", &id))?;
        shared.hub.drop_picture(picture.info().job_id, id);
        // First the row and then the files: a row never points to nothing.
        deleted_files::of_pictures(shared, &[picture]).await;
        Ok(())
    }

    /// Reads the file of a picture that was there a moment ago.
    ///
    /// # Errors
    /// It was deleted in between; it is lost or damaged, which is a fault of the server's.
    pub(super) async fn read_png(&self, picture: &picture::Model) -> Result<Bytes> {
        match self.0.shared.files.read(&picture.file).await {
            Ok(png) if pictures::is_whole_png(&png) => Ok(png),
            Ok(_) | Err(Error::Files(object_store::Error::NotFound { .. })) => {
                // Deleted in between, unless its row is still there.
                let id = PictureId(picture.id);
                self.stored(id).await?;
                let remedy = "delete the picture and make it anew";
                Err(Error::Damaged { kind: "picture", id: id.to_string(), remedy })
            }
            Err(error) => Err(error),
        }
    }

    /// A conversion's signature is another one each time, of the same picture.
    fn etag(&self, id: PictureId, format: PictureFormat) -> String {
        if format == PictureFormat::Png || !self.0.shared.signer.signs() {
            return etag(id, format.extension());
        }
        format!("W/{}", etag(id, &format!("{}-signed", format.extension())))
    }

    /// A picture that the viewer may see.
    async fn visible(&self, viewer: &Visitor, id: PictureId) -> Result<(picture::Model, job::Model)> {
        let (picture, job) = self.stored(id).await?;
        let may_see = info::may_see(viewer, &job) || viewer.pass().is_some_and(|pass| self.is_pass(id, pass));
        if may_see { Ok((picture, job)) } else { Err(Error::not_found("picture", &id)) }
    }

    async fn stored(&self, id: PictureId) -> Result<(picture::Model, job::Model)> {
        self.0.shared.store.picture(id).await?.ok_or_else(|| Error::not_found("picture", &id))
    }
}

/// What a thumbnail's entity tag ends with.
const THUMBNAIL: &str = "thumbnail";

fn etag(id: PictureId, kind: &str) -> String {
    format!("\"{id}-{kind}\"")
}

/// Longest part of a file's name that comes from the prompt.
const MAX_WORDS: usize = 52;

/// The prompt's first words in characters that every file system takes, each behind a hyphen.
pub(super) fn words_of(prompt: &str) -> String {
    let mut words = String::new();
    for word in prompt.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if words.len() + 1 + word.len() > MAX_WORDS {
            break;
        }
        words.push('-');
        words.push_str(&word.to_ascii_lowercase());
    }
    words
}

/// Words of the prompt and the seed.
fn file_name(picture: &PictureInfo, ending: &str) -> String {
    format!("darkroom{}-{}.{ending}", words_of(&picture.prompt), picture.seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::job::JobId;
    use uuid::Uuid;

    fn named(prompt: &str) -> String {
        let picture = PictureInfo {
            id: PictureId(Uuid::nil()),
            job_id: JobId(Uuid::nil()),
            index: 0,
            prompt: prompt.into(),
            seed: 7,
            width: 64,
            height: 64,
            favourite: false,
            created_at: time::OffsetDateTime::UNIX_EPOCH,
        };
        file_name(&picture, "png")
    }

    #[test]
    fn a_file_is_named_after_prompt_and_seed() {
        assert_eq!(named("A red boat, at sunset!"), "darkroom-a-red-boat-at-sunset-7.png");
    }

    #[test]
    fn no_prompt_makes_a_name_that_a_file_system_refuses() {
        assert_eq!(named("../../etc/\"passwd\""), "darkroom-etc-passwd-7.png");
        assert_eq!(named("夕暮れ"), "darkroom-7.png");
        assert!(named(&"long words ".repeat(50)).len() < 80);
    }
}
