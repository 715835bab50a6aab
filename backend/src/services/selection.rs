//! Several pictures at once: as one zip file, or deleted.

use std::collections::{HashSet, VecDeque};
use std::io::Write;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use types::error::{ErrorCode, PublicError};
use types::picture::{PictureId, PictureInfo};
use zip::write::{PreparedZipFile, SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::Services;
use super::pictures::words_of;
use crate::store::entities::picture;
use crate::{Error, Result, Visitor};

/// Most pictures that can be selected at once.
pub const MOST_SELECTED: usize = 200;

/// A zip file in pieces, as it is made. Dropping it ends the making.
pub type ZipStream = BoxStream<'static, Result<Bytes>>;

impl Services {
    /// The PNG files of these pictures as one zip file, newest first. Only one of them is in memory at a time.
    ///
    /// Pictures that are not there any more, or are somebody else's, are left out.
    ///
    /// # Errors
    /// None or more than [`MOST_SELECTED`] are selected; none of them is there. A file that cannot be read is
    /// the stream's last item.
    pub async fn zip_pictures(&self, owner: &Visitor, ids: &[PictureId]) -> Result<ZipStream> {
        check_selection(ids)?;
        let pictures = self.0.shared.store.own_pictures(owner, ids).await?;
        if pictures.is_empty() {
            let message = "none of the selected pictures is there any more";
            return Err(PublicError::not_found(message).into());
        }
        let names = file_names(&pictures.iter().map(picture::Model::info).collect::<Vec<_>>());
        let waiting = pictures.into_iter().zip(names).collect();
        let zip = Zip { services: self.clone(), waiting, file: Some(ZipFile::new()) };
        Ok(stream::try_unfold(zip, Zip::next).boxed())
    }

    /// Deletes these pictures for good. Those that are not there any more, or are somebody else's, are passed
    /// over. Gives back how many were deleted.
    ///
    /// # Errors
    /// None or more than [`MOST_SELECTED`] are selected.
    pub async fn delete_pictures(&self, owner: &Visitor, ids: &[PictureId]) -> Result<usize> {
        check_selection(ids)?;
        let mut n_deleted = 0;
        for id in ids {
            match self.delete_picture(owner, *id).await {
                Ok(()) => n_deleted += 1,
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(n_deleted)
    }
}

fn check_selection(ids: &[PictureId]) -> Result<(), PublicError> {
    let message = match ids.len() {
        0 => "no picture is selected; select at least one".to_owned(),
        1..=MOST_SELECTED => return Ok(()),
        n => format!("{n} pictures are selected; at most {MOST_SELECTED} are possible at once"),
    };
    Err(PublicError::new(ErrorCode::InvalidRequest, message))
}

/// A zip file on its way.
struct Zip {
    services: Services,
    waiting: VecDeque<(picture::Model, String)>,
    /// Nothing once its end is written.
    file: Option<ZipFile>,
}

impl Zip {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        let Some(mut file) = self.file.take() else { return Ok(None) };
        while let Some((picture, name)) = self.waiting.pop_front() {
            match self.services.read_png(&picture).await {
                Ok(png) => {
                    let piece = file.add(&name, &png)?;
                    return Ok(Some((piece, Self { file: Some(file), ..self })));
                }
                // No reason to keep the others back: a note stands in its place.
                Err(error @ Error::Damaged { .. }) => {
                    tracing::error!(%error, "a picture was left out of a zip file");
                    let piece = file.add(&format!("{name}.txt"), format!("{error}\n").as_bytes())?;
                    return Ok(Some((piece, Self { file: Some(file), ..self })));
                }
                // Deleted while the others were sent.
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some((file.end()?, self)))
    }
}

/// Where the zip's bytes lie until they are sent.
#[derive(Clone, Default)]
struct Outbox(Arc<Mutex<Vec<u8>>>);

impl Outbox {
    fn take(&self) -> Bytes {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Outbox {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Files stored as they are, as PNG is compressed already.
///
/// Each is written with its size and checksum before it, which is why nothing has to be changed afterwards in
/// what was sent, and why every reader of zip files can read it as it comes.
struct ZipFile {
    writer: ZipWriter<StreamWriter<Outbox>>,
    outbox: Outbox,
}

impl ZipFile {
    fn new() -> Self {
        let outbox = Outbox::default();
        Self { writer: ZipWriter::new(StreamWriter::new(outbox.clone())), outbox }
    }

    /// The bytes that stand for this file.
    fn add(&mut self, name: &str, content: &[u8]) -> Result<Bytes> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        let file = PreparedZipFile::from_data(name, options, content).map_err(broken)?;
        self.writer.add_prepared_file(file).map_err(broken)?;
        Ok(self.outbox.take())
    }

    /// The bytes after the last file.
    fn end(self) -> Result<Bytes> {
        self.writer.finish().map_err(broken)?;
        Ok(self.outbox.take())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(error: zip::result::ZipError) -> Error {
    Error::Broken(format!("a zip file could not be written: {error}"))
}

/// A name for each picture: its day, words of its prompt and its seed; with a number where two would be alike.
fn file_names(pictures: &[PictureInfo]) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut names = Vec::with_capacity(pictures.len());
    for picture in pictures {
        let day = picture.created_at;
        let stem = format!(
            "{}{:02}{:02}{}-{}",
            day.year(),
            u8::from(day.month()),
            day.day(),
            words_of(&picture.prompt),
            picture.seed
        );
        let mut name = format!("{stem}.png");
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{stem}-{number}.png");
            number += 1;
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use types::job::JobId;
    use uuid::Uuid;
    use zip::ZipArchive;

    use super::*;

    fn picture(prompt: &str, seed: u64) -> PictureInfo {
        PictureInfo {
            id: PictureId(Uuid::nil()),
            job_id: JobId(Uuid::nil()),
            index: 0,
            prompt: prompt.into(),
            seed,
            width: 64,
            height: 64,
            favourite: false,
            created_at: time::macros::datetime!(2026-11-21 10:00 UTC),
        }
    }

    #[test]
    fn files_are_named_after_day_prompt_and_seed_and_no_two_alike() {
        let pictures = [("A red boat!", 7), ("a red boat", 7), ("a red boat", 8), ("夕暮れ", 7)];
        let names = file_names(&pictures.map(|(prompt, seed)| picture(prompt, seed)));
        assert_eq!(
            names,
            [
                "20261121-a-red-boat-7.png",
                "20261121-a-red-boat-7-2.png",
                "20261121-a-red-boat-8.png",
                "20261121-7.png"
            ]
        );
    }

    #[test]
    fn a_zip_is_read_back_from_its_pieces() {
        let mut file = ZipFile::new();
        let first = file.add("a.png", b"first").unwrap();
        let second = file.add("b.png", b"second").unwrap();
        // The name and the content stand in the piece as they are, behind a header with their sizes.
        assert!(first.ends_with(b"a.pngfirst"));
        let whole = [first, second, file.end().unwrap()].concat();
        let mut archive = ZipArchive::new(Cursor::new(whole)).unwrap();
        let mut text = String::new();
        archive.by_name("b.png").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((archive.len(), text.as_str()), (2, "second"));
    }

    #[test]
    fn nothing_and_too_much_are_no_selection() {
        let message =
            |n: usize| check_selection(&vec![PictureId(Uuid::nil()); n]).map_err(|error| error.message);
        assert_eq!(message(0), Err("no picture is selected; select at least one".to_owned()));
        assert_eq!(message(MOST_SELECTED), Ok(()));
        assert_eq!(
            message(201),
            Err("201 pictures are selected; at most 200 are possible at once".to_owned())
        );
    }
}
