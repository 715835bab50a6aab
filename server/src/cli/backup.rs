//! `darkroom backup`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use backend::backup::{BackedUp, back_up};
use clap::Args;

use super::check::seen;

/// Copy the data folder into one file, while the site runs or not.
///
/// The file holds the database as it is at one moment with all pictures and uploads that it names, and whatever else lies
/// in the data folder, but no models. `darkroom restore` reads it, and so does every tar.
#[derive(Args)]
pub struct Backup {
    /// The tar file to write; nothing may be there under that name yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    /// Copies.
    pub fn run(self, data: &Path) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Runtime::new()?;
        let BackedUp { n_pictures, n_uploads, n_deleted, n_lost, n_bytes } =
            runtime.block_on(back_up(data, &self.file))?;
        let (file, seen) = (self.file.display(), seen(n_pictures, n_uploads));
        let deleted = match n_deleted {
            0 => String::new(),
            n => format!("{n} more were deleted meanwhile, and are not in it\n"),
        };
        let megabytes = n_bytes as f64 / 1e6;
        let printed = write!(std::io::stdout(), "{file}: {seen}, {megabytes:.1} MB\n{deleted}");
        // The back-up is there, but whoever calls this every night has to hear of it, also where nobody reads the lines above.
        ensure!(
            n_lost == 0,
            "pictures and uploads that have lost their files, and are not in the back-up: {n_lost}; all else is in it, \
             and `darkroom check` names them"
        );
        Ok(printed?)
    }
}
