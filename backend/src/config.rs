//! Where things lie.

use std::path::PathBuf;

use inference::model_files::ModelFiles;

/// What [`crate::Services::open`] and [`crate::engine::candle::CandleEngine::open`] have to know.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Folder of the database and the pictures. Made if it is not there.
    pub data_dir: PathBuf,
    /// Folder whose subfolders are models in the layout that diffusers writes.
    pub models_dir: Option<PathBuf>,
    /// Models that the program carries, picture models and prompt writers alike.
    pub bundled: Vec<ModelFiles>,
    /// Name of the model that a request gets which names none; else the first bundled one.
    pub default_model: Option<String>,
}
