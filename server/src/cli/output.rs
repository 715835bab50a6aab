//! Where `darkroom generate` writes.

use std::path::{Path, PathBuf};

use types::error::PublicError;
use types::picture::PictureFormat;

/// The files to write: the name as given for one picture, and numbered before its ending for several.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    /// The format that the name's ending stands for.
    pub format: PictureFormat,
}

impl Output {
    /// Checks a name before anything is computed.
    ///
    /// # Errors
    /// Its ending stands for no format, or its folder is not there.
    pub fn check(path: PathBuf) -> Result<Self, PublicError> {
        let refuse = |message| Err(PublicError::invalid_field("output", message));
        let shown = path.display();
        let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
        let Some(format) = ending.as_deref().and_then(PictureFormat::from_extension) else {
            let known = PictureFormat::ALL.map(PictureFormat::extension).join(", ");
            let what = ending.map_or("no ending".to_owned(), |ending| format!("the ending `{ending}`"));
            return refuse(format!("output `{shown}` has {what}; allowed are {known}"));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return refuse(format!("output folder `{}` is not there; make it first", folder.display()));
        }
        Ok(Self { path, format })
    }

    /// The name for picture `index` of `count`.
    pub fn name(&self, index: u32, count: u32) -> PathBuf {
        if count == 1 {
            return self.path.clone();
        }
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let ending = self.path.extension().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!("{stem}-{}.{ending}", index + 1))
    }
}

/// Writes a file whole or not at all: a name never holds half a picture.
///
/// # Errors
/// The disk is full, or the folder may not be written to.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let written = std::fs::write(&unfinished, bytes).and_then(|()| std::fs::rename(&unfinished, path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_picture_keeps_its_name_and_several_are_numbered() {
        let output = Output::check("boat.PNG".into()).unwrap();
        assert_eq!(output.format, PictureFormat::Png);
        assert_eq!(output.name(0, 1), Path::new("boat.PNG"));
        assert_eq!(output.name(0, 3), Path::new("boat-1.PNG"));
        assert_eq!(output.name(2, 3), Path::new("boat-3.PNG"));
    }

    #[test]
    fn a_name_without_a_known_ending_is_refused() {
        let refused = |name: &str| Output::check(name.into()).unwrap_err().message;
        assert_eq!(refused("boat.gif"), "output `boat.gif` has the ending `gif`; allowed are png, jpg, webp");
        assert_eq!(refused("boat"), "output `boat` has no ending; allowed are png, jpg, webp");
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused() {
        let message = Output::check("/nowhere/boat.png".into()).unwrap_err().message;
        assert_eq!(message, "output folder `/nowhere` is not there; make it first");
    }

    #[test]
    fn nothing_is_left_behind_by_a_write_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken.png");
        std::fs::create_dir(&path).unwrap();
        assert!(write_whole(&path, b"bytes").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
