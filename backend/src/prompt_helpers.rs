//! What the site itself adds to prompts, and keeps out of them: styles in `styles.csv`, lists of words in `wildcards`, words
//! that are not painted in `blocked-words.txt`, all of them in the data folder.
//!
//! Whoever runs the site edits these files while it runs. They are looked at anew whenever they are asked for, and read
//! if anything about them changed. What is wrong in them is said in the log, once for each change, and passed over; but
//! where the words that are not painted cannot be read, those that were read before hold.
//!
//! # Layout
//! * `styles`: the file of styles
//! * `wildcards`: the folder of lists
//! * [`blocked`]: the file of words that are not painted
//! * `watched`: what was read, for as long as the files are as they were

pub mod blocked;
mod styles;
mod watched;
mod wildcards;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use types::prompt::{Style, Wildcard};
use types::request::RawRequest;

use blocked::{BlockedFile, BlockedWords, Unread};
use watched::Watched;

/// The file of styles, in the data folder.
pub const STYLES: &str = "styles.csv";
/// The folder of lists, in the data folder.
pub const WILDCARDS: &str = "wildcards";

/// The file of words that are not painted, in the data folder.
pub const BLOCKED_WORDS: &str = "blocked-words.txt";

/// Largest file that is read, in bytes.
const MOST_BYTES: u64 = 4 << 20;

/// The site's own styles and lists, and the words that it does not paint.
pub struct PromptHelpers {
    styles_file: PathBuf,
    wildcards_folder: PathBuf,
    styles: Watched<Vec<Style>>,
    wildcards: Watched<Vec<Wildcard>>,
    blocked: BlockedFile,
}

impl PromptHelpers {
    /// Those in this data folder. Neither file nor folder has to be there.
    pub fn in_folder(data_dir: &Path) -> Self {
        Self {
            styles_file: data_dir.join(STYLES),
            wildcards_folder: data_dir.join(WILDCARDS),
            styles: Watched::default(),
            wildcards: Watched::default(),
            blocked: BlockedFile::new(data_dir.join(BLOCKED_WORDS)),
        }
    }

    /// The styles of the file, in its order.
    pub fn styles(&self) -> Arc<Vec<Style>> {
        self.styles.get(watched::file(&self.styles_file), |_| styles::read(&self.styles_file))
    }

    /// The lists that a request may name: none, and no look at the folder, where it cannot name any.
    pub fn wildcards_for(&self, raw: &RawRequest) -> Arc<Vec<Wildcard>> {
        let texts = [Some(&raw.prompt), raw.negative_prompt.as_ref()];
        let may_name_one =
            !raw.styles.is_empty() || texts.into_iter().flatten().any(|text| text.contains("__"));
        if may_name_one { self.wildcards() } else { Arc::default() }
    }

    /// The words that are not painted: those of the last list that was whole.
    ///
    /// # Errors
    /// There is a file of them, and it was never read.
    pub fn blocked(&self) -> Result<Arc<BlockedWords>, Unread> {
        self.blocked.get()
    }

    /// The lists of the folder and of the folders in it, by name.
    pub fn wildcards(&self) -> Arc<Vec<Wildcard>> {
        let files = wildcards::files(&self.wildcards_folder);
        self.wildcards.get(files, |files| wildcards::read(&self.wildcards_folder, files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_looked_at_where_a_request_may_name_a_list_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(WILDCARDS)).unwrap();
        std::fs::write(folder.path().join(WILDCARDS).join("size.txt"), "small").unwrap();
        let helpers = PromptHelpers::in_folder(folder.path());
        let n_lists = |raw: RawRequest| helpers.wildcards_for(&raw).len();
        let asked = |prompt: &str| RawRequest { prompt: prompt.into(), ..RawRequest::default() };
        assert_eq!(n_lists(asked("a boat")), 0);
        assert_eq!(n_lists(asked("a __size__ boat")), 1);
        assert_eq!(n_lists(RawRequest { negative_prompt: Some("__size__".into()), ..asked("a boat") }), 1);
        assert_eq!(
            n_lists(RawRequest { styles: vec!["Ink".into()], ..asked("a boat") }),
            1,
            "a style may name one"
        );
    }
}
