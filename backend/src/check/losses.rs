//! Whether so much is missing that it had better not be mended: rather a disk is not mounted than that many pictures were lost.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use types::error::PublicError;

use crate::data_folder::{DataFolder, PICTURES, UPLOADS};
use crate::store::Store;
use crate::{Error, Result};

/// How many rows are read at once.
const PAGE: u64 = 500;

/// So many missing files are no reason to ask.
const FEW: u64 = 10;

/// More than one file in so many is a reason.
const ONE_IN: u64 = 10;

/// What is missing of a folder.
#[derive(Debug, Clone, Copy, Default)]
struct Losses {
    n_rows: u64,
    n_missing: u64,
}

impl Losses {
    fn count(&mut self, are_there: &[bool]) {
        self.n_rows += are_there.len() as u64;
        self.n_missing += are_there.iter().filter(|is_there| !**is_there).count() as u64;
    }

    fn are_suspicious(self) -> bool {
        self.n_missing > FEW && self.n_missing * ONE_IN > self.n_rows
    }
}

/// Refuses to mend where the rows of a whole folder, or of a large part of one, would be removed.
///
/// # Errors
/// What is missing, and how to mend all the same.
pub(super) async fn refuse_suspicious(folder: &DataFolder, store: &Store) -> Result<()> {
    let (mut pictures, mut uploads) = (Losses::default(), Losses::default());
    let mut last = i64::MIN;
    loop {
        let rows = store.pictures_after(last, PAGE).await?;
        let Some(newest) = rows.last() else { break };
        last = newest.seq;
        let files = rows.into_iter().map(|row| row.file).collect();
        pictures.count(&are_there(folder.pictures(), files).await?);
    }
    last = i64::MIN;
    loop {
        let rows = store.uploads_after(last, PAGE).await?;
        let Some(newest) = rows.last() else { break };
        last = newest.seq;
        let files = rows.into_iter().map(|row| row.file).collect();
        uploads.count(&are_there(folder.uploads(), files).await?);
    }
    refuse(&folder.pictures(), PICTURES, pictures)?;
    refuse(&folder.uploads(), UPLOADS, uploads)
}

fn refuse(folder: &Path, of_what: &str, losses: Losses) -> Result<()> {
    let Losses { n_rows, n_missing } = losses;
    let is_there = folder.is_dir();
    if n_rows == 0 || (is_there && !losses.are_suspicious()) {
        return Ok(());
    }
    let found = if is_there {
        format!("{n_missing} of {n_rows} {of_what} have no file in {}", folder.display())
    } else {
        format!(
            "the folder {} is not there, and the database has {of_what} that should lie in it",
            folder.display()
        )
    };
    let sentence = format!(
        "{found}, so nothing was changed; see whether its disk is mounted, or add --force to remove all the rows that have no file"
    );
    Err(PublicError::invalid_field("mend", sentence).into())
}

/// Which of these files are there. One that cannot be looked at counts as being there.
async fn are_there(folder: PathBuf, files: Vec<String>) -> Result<Vec<bool>> {
    let is_there = move |file: &String| !matches!(std::fs::symlink_metadata(folder.join(file)), Err(error) if error.kind() == ErrorKind::NotFound);
    tokio::task::spawn_blocking(move || files.iter().map(is_there).collect())
        .await
        .map_err(|panic| Error::Broken(format!("looking for missing files ended early: {panic}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_a_tenth_and_more_than_ten_is_suspicious() {
        let suspicious = |n_missing, n_rows| Losses { n_rows, n_missing }.are_suspicious();
        assert!(suspicious(11, 11) && suspicious(11, 109) && suspicious(101, 1000));
        assert!(!suspicious(10, 10) && !suspicious(11, 110) && !suspicious(100, 1000) && !suspicious(0, 0));
    }
}
