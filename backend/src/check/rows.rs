//! From the rows to their files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use futures::{StreamExt, TryStreamExt, stream};

use super::{Check, Fault, in_pictures, in_uploads};
use crate::files::thumbnail_file;
use crate::pictures::{Decoded, decode_png};
use crate::store::entities::{picture, upload};
use crate::{Error, Result};

/// How many rows are read at once.
const PAGE: u64 = 500;

/// What is wrong with a row's files, if anything is.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    file: Option<Fault>,
    thumbnail: Option<Fault>,
}

impl Check<'_> {
    /// Looks at the files of every picture.
    pub(super) async fn pictures(&mut self) -> Result<()> {
        let mut last = i64::MIN;
        loop {
            let rows = self.store.pictures_after(last, PAGE).await?;
            let Some(newest) = rows.last() else { return Ok(()) };
            last = newest.seq;
            self.checked.n_pictures += rows.len() as u64;
            let folder = self.folder.pictures();
            let judged = judge_all(rows, move |row: &picture::Model| judge_picture(&folder, row)).await?;
            for (row, Verdict { file, thumbnail }) in judged {
                // Its owner may have deleted it meanwhile: the row goes before the files do.
                if (file.is_some() || thumbnail.is_some()) && !self.store.has_picture(row.seq).await? {
                    self.checked.n_pictures -= 1;
                    continue;
                }
                if let Some(fault) = file {
                    let mends = self.mend && can_be_mended(&fault);
                    let mended = if mends { Some(self.drop_picture(&row).await?) } else { None };
                    self.tell(in_pictures(&row.file), fault, mended);
                } else if let Some(fault) = thumbnail {
                    let mends = self.mend && can_be_mended(&fault);
                    let mended = if mends { Some(self.remake_thumbnail(&row.file)?) } else { None };
                    self.tell(in_pictures(&thumbnail_file(&row.file)), fault, mended);
                }
            }
        }
    }

    /// Looks at the file of every upload.
    pub(super) async fn uploads(&mut self) -> Result<()> {
        let mut last = i64::MIN;
        loop {
            let rows = self.store.uploads_after(last, PAGE).await?;
            let Some(newest) = rows.last() else { return Ok(()) };
            last = newest.seq;
            self.checked.n_uploads += rows.len() as u64;
            let folder = self.folder.uploads();
            let judged = judge_all(rows, move |row: &upload::Model| judge_upload(&folder, row)).await?;
            for (row, fault) in judged {
                let Some(fault) = fault else { continue };
                if !self.store.has_upload(row.seq).await? {
                    self.checked.n_uploads -= 1;
                    continue;
                }
                let mends = self.mend && can_be_mended(&fault);
                let mended = if mends { Some(self.drop_upload(&row).await?) } else { None };
                self.tell(in_uploads(&row.file), fault, mended);
            }
        }
    }
}

/// Whether it is known what became of the file. One that cannot be read may be whole, and readable again tomorrow.
fn can_be_mended(fault: &Fault) -> bool {
    !matches!(fault, Fault::Unreadable(_))
}

/// Judges each of the rows, in their order, as many at once as there are cores.
async fn judge_all<R, V>(
    rows: Vec<R>,
    judge: impl Fn(&R) -> V + Clone + Send + 'static,
) -> Result<Vec<(R, V)>>
where
    R: Send + 'static,
    V: Send + 'static,
{
    let n_together = std::thread::available_parallelism().map_or(1, usize::from);
    let judging = rows.into_iter().map(|row| {
        let judge = judge.clone();
        tokio::task::spawn_blocking(move || {
            let verdict = judge(&row);
            (row, verdict)
        })
    });
    stream::iter(judging)
        .buffered(n_together)
        .map_err(|panic| Error::Broken(format!("looking at a file ended early: {panic}")))
        .try_collect()
        .await
}

fn judge_picture(folder: &Path, row: &picture::Model) -> Verdict {
    let size = (row.width.unsigned_abs(), row.height.unsigned_abs());
    let file = judge(folder.join(&row.file), size, |bytes| {
        decode_png(bytes).map(|image| image.dimensions()).map_err(|error| error.to_string())
    });
    let thumbnail = match std::fs::read(folder.join(thumbnail_file(&row.file))) {
        Err(error) if error.kind() == ErrorKind::NotFound => Some(Fault::NoThumbnail),
        Err(error) => Some(Fault::Unreadable(error.to_string())),
        Ok(bytes) if Decoded::read(&bytes).is_ok() => None,
        Ok(_) => Some(Fault::DamagedThumbnail),
    };
    Verdict { file, thumbnail }
}

fn judge_upload(folder: &Path, row: &upload::Model) -> Option<Fault> {
    let size = (row.width.unsigned_abs(), row.height.unsigned_abs());
    judge(folder.join(&row.file), size, |bytes| {
        Decoded::read(bytes).map(|picture| picture.size()).map_err(|error| format!("it {error}"))
    })
}

/// What is wrong with a file that should hold a picture of that size.
fn judge(
    file: PathBuf,
    (width, height): (u32, u32),
    size_of: impl Fn(&[u8]) -> Result<(u32, u32), String>,
) -> Option<Fault> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Some(Fault::Lost),
        Err(error) => return Some(Fault::Unreadable(error.to_string())),
    };
    match size_of(&bytes) {
        Ok(size) if size == (width, height) => None,
        Ok((found_width, found_height)) => Some(Fault::Damaged(format!(
            "it has {found_width}x{found_height} pixels and should have {width}x{height}"
        ))),
        Err(why) => Some(Fault::Damaged(why)),
    }
}
