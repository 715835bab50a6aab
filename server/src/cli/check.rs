//! `darkroom check`.

use std::io::Write;
use std::path::Path;

use anyhow::bail;
use backend::check::{Checked, Finding, Mend, check_folder};
use clap::Args;

/// See whether every picture in the data folder is whole and in its place, and mend what is not.
///
/// Prints a line for everything that is not in order, and ends with status 1 if something is left that way. May run beside
/// a server, and on a folder that may only be read; mending wants the data folder for itself.
#[derive(Args)]
pub struct Check {
    /// Remove rows whose files are missing or damaged, move files that belong to nothing to `lost+found` in the data
    /// folder, delete files that were never finished, and make missing thumbnails anew
    #[arg(long)]
    mend: bool,
    /// Mend however much is missing: without this, nothing is mended if more than ten pictures or uploads and more than a tenth of
    /// them have no file, or if their folder is not there
    #[arg(long, requires = "mend")]
    force: bool,
}

impl Check {
    /// Checks.
    pub fn run(self, data: &Path) -> anyhow::Result<()> {
        let mend = match (self.mend, self.force) {
            (false, _) => Mend::No,
            (true, false) => Mend::Carefully,
            (true, true) => Mend::Whatever,
        };
        let mut printer = Printer::default();
        let runtime = tokio::runtime::Runtime::new()?;
        let checked = runtime.block_on(check_folder(data, mend, &mut |found| printer.print(found)))?;
        // How it ends is said by the status whether anybody read the lines or not.
        end(&checked, self.mend)?;
        Ok(printer.end()?)
    }
}

/// Prints findings as they come. What cannot be printed is said at the end.
#[derive(Default)]
pub struct Printer {
    failed: Option<std::io::Error>,
}

impl Printer {
    /// One line.
    pub fn print(&mut self, finding: &Finding) {
        if let Err(error) = writeln!(std::io::stdout(), "{finding}") {
            self.failed.get_or_insert(error);
        }
    }

    /// Whether all of them were printed.
    pub fn end(self) -> std::io::Result<()> {
        self.failed.map_or(Ok(()), Err)
    }
}

/// The last line, or the sentence with which the command fails.
fn end(checked: &Checked, mend: bool) -> anyhow::Result<()> {
    let Checked { n_pictures, n_uploads, n_found, n_mended } = *checked;
    let seen = seen(n_pictures, n_uploads);
    match (n_found, n_found - n_mended) {
        (0, _) => writeln!(std::io::stdout(), "{seen}: all in order")?,
        (n_found, 0) => writeln!(std::io::stdout(), "{seen}: {n_found} found and mended")?,
        (n_found, n_left) if mend => bail!("{seen}: {n_found} found, of which {n_left} cannot be mended"),
        (n_found, _) => {
            bail!("{seen}: {n_found} found; `darkroom check --mend` puts in order what can be")
        }
    }
    Ok(())
}

/// What was looked at.
pub fn seen(n_pictures: u64, n_uploads: u64) -> String {
    let count = |n: u64, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    format!("{} and {}", count(n_pictures, "picture"), count(n_uploads, "upload"))
}
