//! The settings inside pictures that anybody made.

use std::sync::Arc;

use bytes::Bytes;
use types::metadata::ReadSettings;
use types::request::RequestContext;
use types::upload::MAX_UPLOAD_BYTES;

use super::Services;
use crate::metadata::{self, Found, MetadataError};
use crate::shared::Shared;
use crate::{Error, Result, Visitor, uploads};

/// What is done with files here, for whoever reads the log.
const READING: &str = "reading a picture's settings";

impl Services {
    /// Keyword and text of all that a picture's file says: the text chunks of a PNG, and the fields of EXIF in which
    /// programs keep their settings; none of what is no PNG, JPEG or WebP. The file is not kept.
    ///
    /// Texts of more than a few megabytes are passed over, packed or not.
    ///
    /// # Errors
    /// The file is too large, said of the field `file`; too many of the reader's files wait or are read already.
    pub async fn picture_texts(&self, reader: &Visitor, bytes: Bytes) -> Result<Vec<(String, String)>> {
        if bytes.len() > MAX_UPLOAD_BYTES {
            return Err(uploads::too_large(bytes.len()).into());
        }
        // Small files may hold texts of many megabytes.
        let turn = self.0.shared.decoding.turn(reader).await?;
        let (texts, _) = turn.work(READING, move || metadata::texts(&bytes)).await?;
        Ok(texts)
    }

    /// Reads the settings in a picture's file: PNG, JPEG or WebP, by Darkroom, AUTOMATIC1111, Forge, `ComfyUI`, `InvokeAI`,
    /// Fooocus or `SwarmUI`. The file is not kept.
    ///
    /// `reader` is who asks: a picture that was made from one of theirs starts from it again.
    ///
    /// # Errors
    /// The file is too large, is no picture, or holds no settings that make sense, said of the field `file`.
    pub async fn read_settings(&self, reader: &Visitor, bytes: Bytes) -> Result<ReadSettings> {
        let Shared { engine, decoding, stopping, .. } = &*self.0.shared;
        if stopping.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        if bytes.len() > MAX_UPLOAD_BYTES {
            return Err(uploads::too_large(bytes.len()).into());
        }
        // A graph takes many times its size while it is read.
        let turn = decoding.turn(reader).await?;
        let (found, turn) = turn.work(READING, move || metadata::read(&bytes)).await?;
        let found = found.map_err(|fault: MetadataError| Error::Refused(fault.public()))?;
        let (start, mask) = found.pictures();
        let (start, mask) = (start.map(str::to_owned), mask.map(str::to_owned));
        let (start, mask) = (
            self.known_start(reader, start.as_deref()).await?,
            self.known_mask(reader, mask.as_deref()).await?,
        );
        let (models, loras, engine) = (self.models(), self.loras(), Arc::clone(engine));
        let wildcards = self.0.shared.helpers.wildcards();
        let carry = move |found: Found| {
            let installed = RequestContext {
                models: &models,
                loras: &loras,
                wildcards: &wildcards,
                ..Default::default()
            };
            let context = RequestContext { start, mask, ..installed };
            metadata::carry(found, &context, &|hash| engine.model_of_hash(hash))
        };
        let (settings, _) = turn.work(READING, move || carry(found)).await?;
        Ok(settings)
    }
}
