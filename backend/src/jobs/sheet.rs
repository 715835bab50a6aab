//! The last picture of a grid: the sheet with its cells, from the files in which they are stored.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;
use types::job::JobId;
use types::picture::PictureFormat;
use types::request::{GenerationRequest, Grid};

use super::bound::Bound;
use super::pace::Pace;
use super::painter::{Painted, Painting};
use crate::measures::PictureKind;
use crate::pictures::{self, Sheet};
use crate::shared::Shared;
use crate::{Error, Result, Signer, background};

/// Draws the sheet on a thread of its own. A cell whose picture was deleted meanwhile, or whose file is damaged,
/// stays blank.
///
/// # Errors
/// The database or the file store is out of order.
pub(super) async fn begin(
    shared: &Shared,
    job: JobId,
    request: Arc<GenerationRequest>,
    pace: Pace,
    bound: Bound,
) -> Result<oneshot::Receiver<Result<Painting>>> {
    let mut cells = Vec::new();
    for picture in shared.store.pictures_of([job]).await? {
        match shared.files.read(&picture.file).await {
            Ok(png) if pictures::is_whole_png(&png) => cells.push((picture.info().index, png)),
            Ok(_) | Err(Error::Files(object_store::Error::NotFound { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    let signer = shared.signer.clone();
    background::compute(move || {
        let pictures = match &request.grid {
            Some(grid) => vec![draw(&request, grid, &cells, &signer)],
            None => Vec::new(),
        };
        Ok(Painting { pictures, pace, bound, kind: PictureKind::of(&request), failed: None })
    })
}

fn draw(
    request: &GenerationRequest,
    grid: &Grid,
    cells: &[(u32, Bytes)],
    signer: &Signer,
) -> Result<Painted> {
    let mut sheet = Sheet::new(grid, request.picture_size())?;
    for (index, png) in cells.iter().filter(|(index, _)| !request.is_sheet(*index)) {
        sheet.place(grid, *index, &pictures::decode_png(png)?);
    }
    let image = sheet.into_image();
    let png = signer.encode(&image, request, grid.n_cells(), PictureFormat::Png)?;
    let thumbnail = pictures::thumbnail(&image)?;
    Ok(Painted { png, thumbnail, width: image.width(), height: image.height(), notes: Vec::new() })
}
