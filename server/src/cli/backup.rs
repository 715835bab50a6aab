//! `darkroom backup`.

use std::io::Write;
use std::path::{Path, PathBuf};

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
        let BackedUp { n_pictures, n_uploads, n_gone, n_bytes } =
            runtime.block_on(back_up(data, &self.file))?;
        let mut stdout = std::io::stdout();
        let (file, seen) = (self.file.display(), seen(n_pictures, n_uploads));
        writeln!(stdout, "{file}: {seen}, {:.1} MB", n_bytes as f64 / 1e6)?;
        if n_gone > 0 {
            writeln!(
                stdout,
                "{n_gone} more were deleted meanwhile, or had lost their files, and are not in it"
            )?;
        }
        Ok(())
    }
}
