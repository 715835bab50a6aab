//! Whether the data folder is in order: every row with its files, every file with its row, every picture whole.
//!
//! A check that only looks may run while a server works on the folder, and keeps none from starting: it locks nothing and writes
//! nothing, so a folder that may be read alone will do. It judges nothing that may be under way: files are written before their
//! rows, and rows are deleted before their files. Mending wants the folder for itself.
//!
//! # Layout
//! * `rows`: from the rows to their files
//! * `files`: from the files to their rows
//! * `losses`: whether too much is missing to be mended
//! * `mend`: what is done about what was found

mod files;
mod losses;
mod mend;
mod rows;

use std::fmt;
use std::path::Path;

use crate::Result;
use crate::data_folder::{DATABASE, DataFolder, PICTURES, UPLOADS};
use crate::store::Store;

/// Something that is not in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file or the row that it is about, from the data folder on: `pictures/…/1-0.png`.
    pub what: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// What was done about it, if something was.
    pub mended: Option<&'static str>,
}

/// What is not in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A row names a file that is not there.
    Lost,
    /// A file that a row names holds something else than it did: why that is known.
    Damaged(String),
    /// A file cannot be read, whatever it holds: the system's reason. Nothing is done about it.
    Unreadable(String),
    /// A picture's thumbnail is not there.
    NoThumbnail,
    /// A picture's thumbnail is no picture.
    DamagedThumbnail,
    /// No row names the file.
    NoRow,
    /// The file's row was deleted, and the file was not yet when the program died.
    NotDeleted,
    /// The file was being written when the program died.
    Unfinished,
    /// SQLite says that its own file is out of order.
    Database(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.what)?;
        match &self.fault {
            Fault::Lost => f.write_str("the file is missing")?,
            Fault::Damaged(why) => write!(f, "the file is damaged: {why}")?,
            Fault::Unreadable(why) => write!(f, "the file cannot be read: {why}")?,
            Fault::NoThumbnail => f.write_str("the thumbnail is missing")?,
            Fault::DamagedThumbnail => f.write_str("the thumbnail is damaged")?,
            Fault::NoRow => f.write_str("the file belongs to nothing in the database")?,
            Fault::NotDeleted => f.write_str("the file was to be deleted")?,
            Fault::Unfinished => f.write_str("the file was never finished")?,
            Fault::Database(sentence) => write!(f, "the database is damaged: {sentence}")?,
        }
        match self.mended {
            Some(deed) => write!(f, "; {deed}"),
            None => Ok(()),
        }
    }
}

/// What is done about what is not in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mend {
    /// Nothing.
    No,
    /// What can be done; nothing if the rows of a large part of all pictures would be removed.
    Carefully,
    /// What can be done, however much is missing.
    Whatever,
}

/// What a check looked at, and how it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Pictures whose rows there are.
    pub n_pictures: u64,
    /// Uploads whose rows there are.
    pub n_uploads: u64,
    /// Things that are not in order.
    pub n_found: u64,
    /// How many of them were put in order.
    pub n_mended: u64,
}

impl Checked {
    /// Whether everything is in order now.
    pub fn is_in_order(&self) -> bool {
        self.n_found == self.n_mended
    }
}

/// Checks a data folder, and mends what can be mended if it is asked to. `on_finding` is told of everything that is not in
/// order, as it is found.
///
/// * A row without its file, or with a damaged one, is removed, and its job says so; what there is of the file is moved to
///   `lost+found` in the data folder.
/// * A file without a row is moved there too; one that was never finished, or was to be deleted, is deleted.
/// * Thumbnails are made anew.
/// * A file that is there and cannot be read is left, and so is its row.
///
/// # Errors
/// There is no database; it is of an older version, and nothing is to be mended; something is to be mended, and a program
/// works on the folder, or so much is missing that it has to be forced.
pub async fn check_folder(
    data_dir: &Path,
    mend: Mend,
    on_finding: &mut (dyn FnMut(&Finding) + Send),
) -> Result<Checked> {
    require_database(data_dir)?;
    let folder = if mend == Mend::No { DataFolder::beside(data_dir) } else { DataFolder::lock(data_dir)? };
    check_in(&folder, mend, on_finding).await
}

/// The same in a folder that is locked, unless nothing is to be mended or it cannot be.
pub(crate) async fn check_in(
    folder: &DataFolder,
    mend: Mend,
    on_finding: &mut (dyn FnMut(&Finding) + Send),
) -> Result<Checked> {
    let database = folder.database();
    let store = match mend {
        Mend::No => Store::look_at_newest(&database).await?,
        Mend::Carefully | Mend::Whatever => Store::open(&database).await?,
    };
    if mend == Mend::Carefully {
        losses::refuse_suspicious(folder, &store).await?;
    }
    let check =
        Check { folder, store: &store, mend: mend != Mend::No, checked: Checked::default(), on_finding };
    let checked = check.run().await?;
    store.close().await?;
    Ok(checked)
}

/// A look at a folder that is this program's, whose database is open.
pub(crate) async fn check_own(
    folder: &DataFolder,
    store: &Store,
    on_finding: &mut (dyn FnMut(&Finding) + Send),
) -> Result<Checked> {
    Check { folder, store, mend: false, checked: Checked::default(), on_finding }.run().await
}

/// A check under way.
struct Check<'a> {
    folder: &'a DataFolder,
    store: &'a Store,
    mend: bool,
    checked: Checked,
    on_finding: &'a mut (dyn FnMut(&Finding) + Send),
}

impl Check<'_> {
    async fn run(mut self) -> Result<Checked> {
        for sentence in self.store.faults().await? {
            self.tell(DATABASE.to_owned(), Fault::Database(sentence), None);
        }
        self.pictures().await?;
        self.uploads().await?;
        self.files().await?;
        Ok(self.checked)
    }

    fn tell(&mut self, what: String, fault: Fault, mended: Option<&'static str>) {
        self.checked.n_found += 1;
        self.checked.n_mended += u64::from(mended.is_some());
        (self.on_finding)(&Finding { what, fault, mended });
    }
}

/// Refuses a folder in which nothing was ever kept.
///
/// # Errors
/// There is no database in it.
pub(crate) fn require_database(data_dir: &Path) -> Result<()> {
    if DataFolder::beside(data_dir).database().is_file() {
        return Ok(());
    }
    let sentence = format!(
        "there is no database in the data folder `{}`; name the folder that the site works on",
        data_dir.display()
    );
    Err(types::error::PublicError::invalid_field("data", sentence).into())
}

/// A picture's file as findings name it.
fn in_pictures(file: &str) -> String {
    format!("{PICTURES}/{file}")
}

/// An upload's file as findings name it.
fn in_uploads(file: &str) -> String {
    format!("{UPLOADS}/{file}")
}
