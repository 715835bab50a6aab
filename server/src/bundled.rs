//! The models that the program carries.
//!
//! With the feature `embed` they are inside the program; without it they are read from the repository's
//! `models` folder.

use inference::model_files::ModelFiles;

/// The demo models: one that paints, and one that writes prompts.
pub fn models() -> [ModelFiles; 2] {
    #[cfg(feature = "embed")]
    return embedded::models();
    #[cfg(not(feature = "embed"))]
    ["demo", "demo-prompts"]
        .map(|name| ModelFiles::folder(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/").to_owned() + name))
}

#[cfg(feature = "embed")]
mod embedded {
    use std::borrow::Cow;

    use inference::model_files::ModelFiles;
    use rust_embed::RustEmbed;

    /// Uncompressed: the weights hardly shrink, and so they are read straight from the program's file.
    #[derive(RustEmbed)]
    #[folder = "$CARGO_MANIFEST_DIR/../models/demo"]
    struct Demo;

    #[derive(RustEmbed)]
    #[folder = "$CARGO_MANIFEST_DIR/../models/demo-prompts"]
    struct DemoPrompts;

    pub fn models() -> [ModelFiles; 2] {
        [
            ModelFiles::embedded("demo", read::<Demo>),
            ModelFiles::embedded("demo-prompts", read::<DemoPrompts>),
        ]
    }

    fn read<M: RustEmbed>(file: &str) -> Option<Cow<'static, [u8]>> {
        M::get(file).map(|file| file.data)
    }
}
