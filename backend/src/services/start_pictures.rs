//! A start picture and its mask, as programs mean them that know pictures with four channels.

use std::io::Cursor;

use bytes::Bytes;
use image::imageops::{FilterType, resize};
use image::{DynamicImage, GrayImage, ImageFormat};
use types::error::PublicError;
use types::picture::PictureFormat;
use types::request::PictureSource;
use types::upload::UploadInfo;

use super::Services;
use crate::pictures::{Channel, Decoded, PictureError, grey_under, grown, with_transparency};
use crate::{Error, Result, Visitor, uploads};

/// Where a mask comes from, and what is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskUse<'a> {
    /// The picture that it is read from, as a request names it: an upload, or a picture of the visitor's own.
    pub name: &'a str,
    /// Which channel it is.
    pub channel: Channel,
    /// Whether it is one of black and white alone, under which the start picture is grey; and by how many pixels it
    /// grows then.
    pub grow: Option<u32>,
}

/// What a request names as its start and its mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartNames {
    /// [`RawRequest::start`](types::request::RawRequest::start)
    pub start: String,
    /// [`RawRequest::mask`](types::request::RawRequest::mask)
    pub mask: Option<String>,
}

/// What has to be kept beside what was sent.
struct Prepared {
    start: Option<Bytes>,
    mask: Option<Bytes>,
}

impl Services {
    /// Makes of a picture and a mask what a request can name: the colours without transparency, and the mask in grey and
    /// as large as the picture. What is made is kept as uploads.
    ///
    /// # Errors
    /// One of the two is not there, said of the field `start` or `mask`; the disk is full.
    pub async fn prepare_start(
        &self,
        owner: &Visitor,
        start: &str,
        mask: Option<MaskUse<'_>>,
    ) -> Result<StartNames> {
        // Whoever waits holds no files meanwhile.
        let turn = self.0.shared.decoding.turn(owner).await?;
        let picture = self.picture_bytes(owner, "start", start).await?;
        let mask = match mask {
            Some(wanted) => Some((self.picture_bytes(owner, "mask", wanted.name).await?, wanted)),
            None => None,
        };
        let mask = mask.map(|(bytes, wanted)| (bytes, wanted.channel, wanted.grow));
        let (prepared, _) = turn.work("preparing a start picture", move || prepare(&picture, mask)).await?;
        let prepared = prepared?;
        let mut names = StartNames { start: start.to_owned(), mask: None };
        if let Some(bytes) = prepared.start {
            names.start = self.store_upload(owner, bytes).await?.id.to_string();
        }
        if let Some(bytes) = prepared.mask {
            names.mask = Some(self.store_upload(owner, bytes).await?.id.to_string());
        }
        Ok(names)
    }

    /// Keeps the colours of a picture with the transparency of a file that was sent, as large as the picture.
    ///
    /// # Errors
    /// There is no such picture, said of the field `start`; the file is too large or no picture, said of the field `file`;
    /// the disk is full.
    pub async fn with_transparency_of(
        &self,
        owner: &Visitor,
        start: &str,
        file: Bytes,
    ) -> Result<UploadInfo> {
        // Whoever waits holds no files meanwhile.
        let turn = self.0.shared.decoding.turn(owner).await?;
        let picture = self.picture_bytes(owner, "start", start).await?;
        let combine = move || -> Result<Bytes> {
            let refuse = |error| Error::from(uploads::refusal(&error));
            let mask = Decoded::read(&file).map_err(refuse)?.channel(Channel::Transparency);
            let pixels = Decoded::read(&picture)?.into_opaque();
            let mask = fitted(mask, pixels.dimensions());
            to_png(with_transparency(&pixels, &mask))
        };
        let (combined, _) = turn.work("putting a mask on a picture", combine).await?;
        self.store_upload(owner, combined?).await
    }

    async fn picture_bytes(&self, owner: &Visitor, field: &'static str, name: &str) -> Result<Bytes> {
        let known = self.known_start(owner, Some(name)).await?;
        match known.map(|known| known.source) {
            Some(PictureSource::Upload(id)) => Ok(self.upload_file(owner, id).await?.bytes),
            Some(PictureSource::Picture(id)) => {
                Ok(self.picture_file(owner, id, PictureFormat::Png).await?.bytes)
            }
            Some(PictureSource::File(_)) | None => {
                let sentence = format!("{field} `{name}` is neither an upload nor a picture of yours");
                Err(PublicError::invalid_field(field, sentence).into())
            }
        }
    }
}

fn prepare(picture: &[u8], mask: Option<(Bytes, Channel, Option<u32>)>) -> Result<Prepared> {
    let picture = Decoded::read(picture)?;
    let size = picture.size();
    let mut is_changed = picture.has_transparency();
    let mask = match mask {
        Some((bytes, channel, grow)) => {
            let mask = fitted(Decoded::read(&bytes)?.channel(channel), size);
            is_changed |= grow.is_some();
            Some((mask, grow))
        }
        None => None,
    };
    let mut start = None;
    if is_changed {
        let mut pixels = picture.into_opaque();
        if let Some((mask, Some(_))) = &mask {
            grey_under(&mut pixels, mask);
        }
        start = Some(to_png(pixels)?);
    }
    let mask = mask.map(|(mask, grow)| match grow {
        Some(by) => to_png(grown(&mask, by)),
        None => to_png(mask),
    });
    Ok(Prepared { start, mask: mask.transpose()? })
}

/// The mask at a size.
fn fitted(mask: GrayImage, (width, height): (u32, u32)) -> GrayImage {
    if mask.dimensions() == (width, height) {
        return mask;
    }
    resize(&mask, width, height, FilterType::Triangle)
}

fn to_png(image: impl Into<DynamicImage>) -> Result<Bytes> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, ImageFormat::Png).map_err(PictureError::from)?;
    Ok(bytes.into_inner().into())
}
