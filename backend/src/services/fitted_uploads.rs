//! Uploads that are brought into a shape of their own before they are kept.

use std::io::Cursor;

use bytes::Bytes;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use types::upload::{MAX_UPLOAD_BYTES, UploadInfo};

use super::Services;
use crate::pictures::{Decoded, Fit, PictureError, fitted};
use crate::{Result, Visitor, uploads};

/// Longest side of a frame in pixels: no model paints larger ones from a picture.
const MAX_FRAME_SIDE: u32 = 4_096;

/// A size, and how a picture of another shape is brought to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// What becomes of what does not fit.
    pub fit: Fit,
}

impl Frame {
    /// Whether a picture of that size can be made at all. What cannot is refused later, with what is allowed.
    fn is_possible(self) -> bool {
        [self.width, self.height].into_iter().all(|side| (1..=MAX_FRAME_SIDE).contains(&side))
    }
}

impl Services {
    /// Keeps a picture to start from, as [`Services::store_upload`] does; cut or extended to a frame, if one is named.
    ///
    /// # Errors
    /// As [`Services::store_upload`].
    pub async fn store_start(
        &self,
        owner: &Visitor,
        bytes: Bytes,
        frame: Option<Frame>,
    ) -> Result<UploadInfo> {
        let Some(frame) = frame.filter(|frame| frame.is_possible()) else {
            return self.store_upload(owner, bytes).await;
        };
        let fit = move |picture: Decoded| -> RgbImage {
            fitted(&picture.into_rgb(), (frame.width, frame.height), frame.fit)
        };
        let bytes = self.changed(owner, bytes, move |picture| fit(picture).into()).await?;
        self.store_upload(owner, bytes).await
    }

    /// Keeps a mask over a picture of that size, as [`Services::store_upload`] does. It says what it says by what is not
    /// transparent in it, if something is transparent, and else by what is bright; the other way round if `is_inverted`.
    ///
    /// It is cut or extended to the frame as the picture is, and brought to `size`, the picture's own.
    ///
    /// # Errors
    /// As [`Services::store_upload`].
    pub async fn store_mask(
        &self,
        owner: &Visitor,
        bytes: Bytes,
        is_inverted: bool,
        size: (u32, u32),
        frame: Option<Frame>,
    ) -> Result<UploadInfo> {
        let frame = frame.filter(|frame| frame.is_possible());
        let change = move |picture: Decoded| -> GrayImage {
            let mut mask = picture.into_mask();
            if is_inverted {
                image::imageops::invert(&mut mask);
            }
            let mask = match frame {
                Some(Frame { width, height, fit }) => fitted(&mask, (width, height), fit),
                None => mask,
            };
            fitted(&mask, size, Fit::Stretch)
        };
        let bytes = self.changed(owner, bytes, move |picture| change(picture).into()).await?;
        self.store_upload(owner, bytes).await
    }

    /// A picture's file as another PNG.
    async fn changed(
        &self,
        owner: &Visitor,
        bytes: Bytes,
        change: impl FnOnce(Decoded) -> DynamicImage + Send + 'static,
    ) -> Result<Bytes> {
        if bytes.len() > MAX_UPLOAD_BYTES {
            return Err(uploads::too_large(bytes.len()).into());
        }
        let work = move || -> Result<Bytes> {
            let picture = Decoded::read(&bytes).map_err(|error| uploads::refusal(&error))?;
            let mut png = Cursor::new(Vec::new());
            change(picture).write_to(&mut png, ImageFormat::Png).map_err(PictureError::from)?;
            Ok(png.into_inner().into())
        };
        let turn = self.0.shared.decoding.turn(owner).await?;
        let (changed, _) = turn.work("changing an upload", work).await?;
        changed
    }
}
