//! What the services and the worker have in common.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use types::job::JobId;
use types::preset::Presets;

use crate::access::Limits;
use crate::access::upload_account::UploadAccount;
use crate::data_folder::{DataFolder, Storage};
use crate::files::Files;
use crate::jobs::estimate::Estimates;
use crate::jobs::progress::ProgressHub;
use crate::jobs::queue::Queue;
use crate::prompt_helpers::PromptHelpers;
use crate::retention::Housekeeping;
use crate::safety::SafetyMode;
use crate::samples::Samples;
use crate::signing::Signer;
use crate::signing_secret::signing_secret;
use crate::store::Store;
use crate::turns::{Bounds, Turns};
use crate::{Config, Engine, EngineError, Error, Measures, Result};

/// Shares that are told of while somebody does not listen. Whoever missed one looks at their own.
const MOST_TAKEN_BACK: usize = 64;

/// One at a time: the largest files that visitors send take a quarter of a gigabyte while they are read. Those that wait have room
/// in memory for as long as they do, and programs send many at once.
const DECODING: Bounds =
    Bounds { what: "files that are read", at_once: 1, most_of_owner: 32, most_of_address: 128 };

/// Two at a time. A page may show many.
const CONVERTING: Bounds =
    Bounds { what: "pictures that are converted", at_once: 2, most_of_owner: 32, most_of_address: 128 };

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
    /// How long jobs take, by what was measured.
    pub(crate) estimates: Estimates,
    /// How much everybody may ask for.
    pub(crate) limits: Limits,
    /// How much everybody sent lately.
    pub(crate) upload_account: Arc<UploadAccount>,
    /// Tells of jobs that are shared no longer.
    pub(crate) taken_back: broadcast::Sender<JobId>,
    /// What addresses of pictures are signed with.
    pub(crate) signing_secret: String,
    /// What is deleted by itself, and when.
    pub(crate) housekeeping: Housekeeping,
    /// Styles and lists of words.
    pub(crate) helpers: PromptHelpers,
    /// What is meant by preview, standard and premium.
    pub(crate) presets: Presets,
    /// What becomes of pictures that the safety checker would not show.
    pub(crate) safety: SafetyMode,
    /// Signs what is made, if there is something to sign with.
    pub(crate) signer: Signer,
    /// The model that stands in for one that fails.
    pub(crate) fallback_model: Option<String>,
    /// Whose file is read.
    pub(crate) decoding: Arc<Turns>,
    /// Whose picture is converted.
    pub(crate) converting: Arc<Turns>,
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
        check_safety(config, &*engine)?;
        let signer = Signer::open(config.signing.as_ref())?;
        let folder = DataFolder::lock(&config.data_dir)?;
        let storage = Storage::in_folder(folder)?;
        for preset in config.presets.describe(&engine.picture_models()) {
            if let Some(problem) = preset.problem {
                tracing::warn!(preset = preset.name.as_str(), problem, "a preset cannot be used");
            }
        }
        let opened = Self::open_on(storage, engine, config.measures.clone()).await?;
        Ok(Self {
            presets: config.presets.clone(),
            caches: config.cache,
            limits: config.limits,
            housekeeping: Housekeeping::new(config.retention),
            safety: config.safety,
            signer,
            fallback_model: config.fallback_model.clone(),
            ..opened
        })
    }

    /// The same on any storage, with the usual settings.
    pub(crate) async fn open_on(
        storage: Storage,
        engine: Arc<dyn Engine>,
        measures: Measures,
    ) -> Result<Self> {
        let Storage { folder, pictures: files, uploads, busy_timeout } = storage;
        let helpers = PromptHelpers::in_folder(folder.path());
        // What is wrong with it is in the log from the start, and not from the first prompt on.
        helpers.blocked().ok();
        let store = Store::open_waiting(&folder.database(), busy_timeout).await?;
        let (n_back, n_given_up) = store.recover().await?;
        if n_back + n_given_up > 0 {
            tracing::info!(n_back, n_given_up, "jobs were left behind by a program that died");
        }
        measures.jobs_given_up(n_given_up);
        let estimates = Estimates::known(store.step_times(engine.device().as_str()).await?);
        let signing_secret = signing_secret(&folder, &store).await?;
        let stopping = CancellationToken::new();
        let queue = Queue::new(stopping.clone());
        Ok(Self {
            engine,
            store,
            files,
            uploads,
            hub: Arc::default(),
            queue,
            estimates,
            limits: Limits::default(),
            upload_account: Arc::default(),
            taken_back: broadcast::Sender::new(MOST_TAKEN_BACK),
            signing_secret,
            housekeeping: Housekeeping::default(),
            helpers,
            presets: Presets::default(),
            safety: SafetyMode::Off,
            signer: Signer::default(),
            fallback_model: None,
            decoding: Turns::new(DECODING),
            converting: Turns::new(CONVERTING),
            caches: false,
            measures,
            samples: Samples::default(),
            stopping,
            folder,
        })
    }
}

/// A site that was told to look at its pictures, and cannot, had better not begin.
fn check_safety(config: &Config, engine: &dyn Engine) -> Result<()> {
    let models = engine.picture_models();
    if let Some(name) = &config.fallback_model
        && !models.iter().any(|model| model.name == *name)
    {
        return Err(EngineError::UnknownModel { name: name.clone() }.into());
    }
    let can_look = models.iter().any(|model| engine.safety_checker(&model.name).is_some());
    if config.safety.is_on() && !can_look {
        return Err(Error::NoSafetyChecker(config.safety));
    }
    Ok(())
}
