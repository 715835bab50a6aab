//! The site's folder, as the program carries it: `pkg/` with the browser bundle and the style sheet, what is
//! in `public/`, and a brotli-compressed copy beside everything that gets smaller by it.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::fingerprint::{files_below, unless_unchanged};
use crate::{front, paths};

/// Endings of files that brotli makes smaller. Pictures and fonts are compressed already.
const COMPRESSIBLE: [&str; 10] =
    ["wasm", "js", "css", "html", "svg", "txt", "json", "xml", "ico", "webmanifest"];

/// Builds the folder.
///
/// # Errors
/// The browser bundle or the style sheet does not build, or a file cannot be written.
pub fn build() -> Result<()> {
    let bundle = front::build()?;
    let style = paths::root().join("style");
    let public = paths::root().join("public");
    let inputs = [bundle.clone(), style.clone(), public.clone(), paths::root().join("xtask/src/site.rs")];
    unless_unchanged("site", &inputs, &paths::site(), || {
        // Made beside the old one and then put in its place, so that a failure leaves no half a site.
        let fresh = paths::site().with_extension("new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        let pkg = fresh.join("pkg");
        copy_folder(&bundle, &pkg)?;
        copy_folder(&public, &fresh)?;
        fs::write(pkg.join("darkroom.css"), style_sheet(&style.join("main.scss"))?)?;
        for file in files_below(&fresh)? {
            compress(&file)?;
        }
        if paths::site().exists() {
            fs::remove_dir_all(paths::site())?;
        }
        fs::rename(fresh, paths::site())?;
        Ok(())
    })
}

fn style_sheet(file: &Path) -> Result<String> {
    let options = grass::Options::default().style(grass::OutputStyle::Compressed);
    grass::from_path(file, &options).with_context(|| format!("{} does not compile", file.display()))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for file in files_below(from)? {
        let copy = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(copy.parent().context("a file has a folder")?)?;
        fs::copy(&file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
    }
    Ok(())
}

/// Writes `file.br` beside `file` if that is worth it.
fn compress(file: &Path) -> Result<()> {
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !COMPRESSIBLE.contains(&ending) {
        return Ok(());
    }
    let plain = fs::read(file)?;
    let small = brotli_of(&plain)?;
    if small.len() < plain.len() {
        fs::write(file.with_extension(format!("{ending}.br")), small)?;
    }
    Ok(())
}

/// At the strongest setting: this is done once, and read by every visitor.
fn brotli_of(plain: &[u8]) -> Result<Vec<u8>> {
    const BUFFER_BYTES: usize = 64 * 1024;
    const QUALITY: u32 = 11;
    const WINDOW_BITS: u32 = 22;
    let mut small = Vec::new();
    brotli::CompressorWriter::new(&mut small, BUFFER_BYTES, QUALITY, WINDOW_BITS).write_all(plain)?;
    Ok(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_copy_says_the_same_and_stands_beside_text_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = "a red boat on a calm sea ".repeat(100);
        for name in ["a.css", "b.png"] {
            fs::write(folder.path().join(name), &text).unwrap();
            compress(&folder.path().join(name)).unwrap();
        }
        let mut small = &fs::read(folder.path().join("a.css.br")).unwrap()[..];
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut small, &mut plain).unwrap();
        assert_eq!(String::from_utf8(plain).unwrap(), text);
        assert!(!folder.path().join("b.png.br").exists());
    }

    #[test]
    fn a_file_that_would_grow_has_no_compressed_copy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        fs::write(&file, "a").unwrap();
        compress(&file).unwrap();
        assert!(!folder.path().join("a.txt.br").exists());
    }
}
