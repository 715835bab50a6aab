//! `darkroom restore`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::bail;
use backend::check::Checked;
use backend::restore::restore;
use clap::Args;

use super::check::{Printer, seen};

/// Write what `darkroom backup` copied into an empty data folder, and check all of it.
#[derive(Args)]
pub struct Restore {
    /// The tar file to read
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Restore {
    /// Restores.
    pub fn run(self, data: &Path) -> anyhow::Result<()> {
        let mut printer = Printer::default();
        let runtime = tokio::runtime::Runtime::new()?;
        let checked = runtime.block_on(restore(&self.file, data, &mut |found| printer.print(found)))?;
        let Checked { n_pictures, n_uploads, n_found, .. } = checked;
        let seen = seen(n_pictures, n_uploads);
        if !checked.is_in_order() {
            bail!(
                "{seen} restored: {n_found} were out of order when they were copied; `darkroom check --mend` puts in order what can be"
            );
        }
        printer.end()?;
        writeln!(std::io::stdout(), "{seen} restored to {}", data.display())?;
        Ok(())
    }
}
