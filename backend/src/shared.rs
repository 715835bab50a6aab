//! What the services and the worker have in common.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use types::preset::Presets;

use crate::data_folder::DataFolder;
use crate::files::Files;
use crate::jobs::progress::ProgressHub;
use crate::jobs::queue::Queue;
use crate::prompt_helpers::PromptHelpers;
use crate::samples::Samples;
use crate::store::Store;
use crate::{Config, Engine, Measures, Result};

/// One program's hold on a data folder. Lives as long as anybody works on it.
pub(crate) struct Shared {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) store: Store,
    /// The pictures.
    pub(crate) files: Files,
    /// What visitors sent.
    pub(crate) uploads: Files,
    pub(crate) hub: Arc<ProgressHub>,
    pub(crate) queue: Queue,
    /// Styles and lists of words.
    pub(crate) helpers: PromptHelpers,
    /// What is meant by preview, standard and premium.
    pub(crate) presets: Presets,
    /// Given to whoever reads what a visitor sent: to one at a time.
    pub(crate) decoding: Semaphore,
    /// Whether pictures that were made before are given out again.
    pub(crate) caches: bool,
    /// Where it is counted what happens.
    pub(crate) measures: Measures,
    /// The last hour.
    pub(crate) samples: Samples,
    /// Cancelled when the program stops.
    pub(crate) stopping: CancellationToken,
    pub(crate) folder: DataFolder,
}

impl Shared {
    /// Opens everything and puts the jobs back into the queue that were running when the program died. Works
    /// on no job yet.
    pub(crate) async fn open(config: &Config, engine: Arc<dyn Engine>) -> Result<Self> {
        let folder = DataFolder::lock(&config.data_dir)?;
        let files = Files::in_folder(&folder.pictures())?;
        for preset in config.presets.describe(&engine.picture_models()) {
            if let Some(problem) = preset.problem {
                tracing::warn!(preset = preset.name.as_str(), problem, "a preset cannot be used");
            }
        }
        let opened = Self::open_with_files(folder, files, engine, config.measures.clone()).await?;
        Ok(Self { presets: config.presets.clone(), caches: config.cache, ..opened })
    }

    /// The same with the pictures elsewhere.
    pub(crate) async fn open_with_files(
        folder: DataFolder,
        files: Files,
        engine: Arc<dyn Engine>,
        measures: Measures,
    ) -> Result<Self> {
        let uploads = Files::in_folder(&folder.uploads())?;
        let helpers = PromptHelpers::in_folder(folder.path());
        let store = Store::open(&folder.database()).await?;
        let (n_back, n_given_up) = store.recover().await?;
        if n_back + n_given_up > 0 {
            tracing::info!(n_back, n_given_up, "jobs were left behind by a program that died");
        }
        measures.jobs_given_up(n_given_up);
        let stopping = CancellationToken::new();
        let queue = Queue::new(stopping.clone());
        Ok(Self {
            engine,
            store,
            files,
            uploads,
            hub: Arc::default(),
            queue,
            helpers,
            presets: Presets::default(),
            decoding: Semaphore::new(1),
            caches: false,
            measures,
            samples: Samples::default(),
            stopping,
            folder,
        })
    }
}
