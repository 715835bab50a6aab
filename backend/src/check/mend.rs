//! What is done about what is not in order. Rows go before files, as everywhere.

use std::io::ErrorKind;
use std::path::Path;

use super::{Check, in_pictures, in_uploads};
use crate::data_folder::LOST_AND_FOUND;
use crate::files::thumbnail_file;
use crate::store::entities::{picture, upload};
use crate::{Error, Result, pictures};

impl Check<'_> {
    /// Removes the row of a picture whose file is lost or damaged, and moves away what there is of its files.
    pub(super) async fn drop_picture(&mut self, row: &picture::Model) -> Result<&'static str> {
        self.store.drop_lost_picture(row).await?;
        self.move_away(&in_pictures(&row.file))?;
        self.move_away(&in_pictures(&thumbnail_file(&row.file)))?;
        Ok("its row was removed, and the job says so")
    }

    /// Removes the row of an upload whose file is lost or damaged, and moves away what there is of it.
    pub(super) async fn drop_upload(&mut self, row: &upload::Model) -> Result<&'static str> {
        self.store.drop_lost_upload(row).await?;
        self.move_away(&in_uploads(&row.file))?;
        Ok("its row was removed")
    }

    /// Makes a thumbnail anew from its picture, which is whole.
    pub(super) fn remake_thumbnail(&self, picture_file: &str) -> Result<&'static str> {
        let folder = self.folder.pictures();
        let failed = |source| Error::Io { what: format!("making a thumbnail of {picture_file}"), source };
        let png = std::fs::read(folder.join(picture_file)).map_err(failed)?;
        let thumbnail = pictures::thumbnail(&pictures::decode_png(&png)?)?;
        // Under a name that says that it is not finished, so that a program that dies leaves no half one.
        let file = folder.join(thumbnail_file(picture_file));
        let mut unfinished = file.clone().into_os_string();
        unfinished.push("#0");
        std::fs::write(&unfinished, thumbnail).map_err(failed)?;
        std::fs::rename(&unfinished, &file).map_err(failed)?;
        Ok("it was made anew")
    }

    /// Moves a file of the data folder into `lost+found`, under the same name; with a number where there is one of that
    /// name already. A file that is not there is passed over.
    pub(super) fn move_away(&self, file: &str) -> Result<&'static str> {
        let from = self.folder.path().join(file);
        let failed = |source| Error::Io { what: format!("moving {file} to {LOST_AND_FOUND}"), source };
        let mut to = self.folder.lost_and_found().join(file);
        let mut number = 2;
        while to.exists() {
            to = self.folder.lost_and_found().join(format!("{file}.{number}"));
            number += 1;
        }
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            moved => moved.map_err(failed)?,
        }
        // The folder of a job.
        if let Some(parent) = from.parent()
            && parent.parent() != Some(self.folder.path())
        {
            // Goes if it is empty, and stays if it is not.
            let _ = std::fs::remove_dir(parent);
        }
        Ok("it was moved to lost+found")
    }
}

/// Deletes a file that was never finished, or was to be deleted.
pub(super) fn delete(file: &Path) -> Result<&'static str> {
    std::fs::remove_file(file)
        .map_err(|source| Error::Io { what: format!("deleting {}", file.display()), source })?;
    Ok("it was deleted")
}
