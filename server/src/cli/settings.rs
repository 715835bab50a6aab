//! Settings: flags go before environment variables, those before `darkroom.toml`, that before the defaults.

mod access;
mod doors;
mod operator;
mod retention;
mod safety;
mod tunnel;

use std::path::{Path, PathBuf};

use anyhow::Context;
use backend::access::Limits;
use backend::machine::{DeviceKind, Precision};
use backend::{Config, Retention};
use clap::Args;
use serde::Deserialize;
use types::model::Quality;
use types::preset::Presets;
use types::request::COUNT;

pub use self::access::AccessFlags;
use self::access::{AccessTable, LimitsTable};
pub use self::operator::{OperatorFlags, OperatorTable};
use self::safety::{Safety, SafetyFlags, SafetyTable};
pub use self::tunnel::TunnelFlags;
use crate::bundled;
use crate::callers::Access;
use crate::telemetry::LogFormat;

/// The file that is read if no other is named.
const USUAL_FILE: &str = "darkroom.toml";

/// Flags of every command. clap fills in environment variables where a flag is missing.
#[derive(Args, Default)]
#[command(next_help_heading = "Settings")]
pub struct Common {
    /// Folder of models in the layout that diffusers writes, one subfolder each [default: `models` in the data
    /// folder, if it is there]
    #[arg(long, global = true, env = "DARKROOM_MODELS", value_name = "DIR")]
    models: Option<PathBuf>,
    /// Folder of the database and the pictures [default: `darkroom` in the user's data folder, which on Linux is
    /// ~/.local/share]
    #[arg(long, global = true, env = "DARKROOM_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// File with settings [default: darkroom.toml in the current folder, if it is there]
    #[arg(long, global = true, env = "DARKROOM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What computes: cpu, cuda or metal [default: the best that this build has]
    #[arg(long, global = true, env = "DARKROOM_DEVICE", value_name = "NAME", value_parser = parse_device)]
    device: Option<DeviceKind>,
    /// Numbers to compute with: f32, f16 or bf16; the latter two take half the memory [default: f32]
    #[arg(long, global = true, env = "DARKROOM_DTYPE", value_name = "NAME", value_parser = parse_precision)]
    dtype: Option<Precision>,
    /// Most memory that loaded picture models take together, in GB [default: half of what the machine has]
    #[arg(long, global = true, env = "DARKROOM_MEMORY", value_name = "GB", value_parser = parse_gigabytes)]
    memory: Option<u64>,
    /// Most pictures of one job that are made together, where memory allows it [default: 4 on a graphics card, 1 on the
    /// processor]
    #[arg(long, global = true, env = "DARKROOM_BATCH", value_name = "N", value_parser = parse_batch)]
    batch: Option<u32>,
    /// Make every picture anew, even if the same was made before from the same request
    #[arg(long, global = true, env = "DARKROOM_NO_CACHE", value_parser = clap::builder::FalseyValueParser::new())]
    no_cache: bool,
    /// What to log on stderr: error, warn, info, debug or trace, or a list such as warn,server=debug [default:
    /// `RUST_LOG`, else info for `serve` and error for the others]
    #[arg(long, global = true, env = "DARKROOM_LOG", value_name = "LEVEL")]
    log: Option<String>,
    /// How lines of the log are written: text, or json for programs [default: text]
    #[arg(long, global = true, env = "DARKROOM_LOG_FORMAT", value_name = "NAME", value_parser = parse_log_format)]
    log_format: Option<LogFormat>,
    #[command(flatten)]
    retention: retention::Flags,
    #[command(flatten)]
    safety: SafetyFlags,
}

/// What `darkroom.toml` may hold. Paths count from the file's own folder.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    addr: Option<String>,
    data: Option<PathBuf>,
    models: Option<PathBuf>,
    default_model: Option<String>,
    device: Option<String>,
    dtype: Option<String>,
    memory: Option<f64>,
    batch: Option<u32>,
    cache: Option<bool>,
    log: Option<String>,
    log_format: Option<String>,
    #[serde(default)]
    operator: OperatorTable,
    #[serde(default)]
    presets: Presets,
    #[serde(default)]
    access: AccessTable,
    #[serde(default)]
    limits: LimitsTable,
    #[serde(default)]
    retention: retention::Table,
    #[serde(default)]
    safety: SafetyTable,
}

/// The settings that hold.
pub struct Settings {
    /// Where to listen, if the file says so.
    pub addr: Option<String>,
    /// Folder of the database and the pictures.
    pub data: PathBuf,
    /// Folder of models.
    pub models: Option<PathBuf>,
    /// The model that is used when none is named.
    pub default_model: Option<String>,
    /// What computes, if anything was said about it.
    pub device: Option<DeviceKind>,
    /// Numbers to compute with.
    pub dtype: Precision,
    /// Most bytes of loaded models, if anything was said about it.
    pub memory: Option<u64>,
    /// Most pictures together, if anything was said about it.
    pub batch: Option<u32>,
    /// Whether pictures that were made before are given out again.
    pub cache: bool,
    /// What to log, if anything was said about it.
    pub log: String,
    /// How lines of the log are written.
    pub log_format: LogFormat,
    /// What the file says of the operator's listener.
    pub operator: OperatorTable,
    /// What is meant by preview, standard and premium.
    pub presets: Presets,
    access: AccessTable,
    limits: LimitsTable,
    /// For how long pictures are kept.
    pub retention: Retention,
    /// What may be shown, and what stands in for a model that fails.
    pub safety: Safety,
}

impl Settings {
    /// Puts flags, environment and file together.
    ///
    /// # Errors
    /// The file cannot be read, or says something that is not understood.
    pub fn read(flags: Common, usual_log: &str) -> anyhow::Result<Self> {
        let file = File::find(flags.config.as_deref())?;
        let data = flags.data.or(file.data).unwrap_or_else(usual_data_folder);
        let usual_models = Some(data.join("models")).filter(|folder| folder.is_dir());
        let said =
            |setting: &str, sentence: String| anyhow::anyhow!("setting `{setting}` is wrong: {sentence}");
        let device = file.device.as_deref().map(parse_device).transpose();
        let dtype = file.dtype.as_deref().map(parse_precision).transpose();
        let memory = file.memory.map(|gigabytes| parse_gigabytes(&gigabytes.to_string())).transpose();
        let batch = file.batch.map(|n| parse_batch(&n.to_string())).transpose();
        let log_format = file.log_format.as_deref().map(parse_log_format).transpose();
        for quality in Quality::ALL {
            let preset = file.presets.of(quality);
            preset.check().map_err(|sentence| said(&format!("presets.{}", quality.as_str()), sentence))?;
        }
        let safety =
            Safety::read(flags.safety, file.safety).map_err(|(setting, sentence)| said(setting, sentence))?;
        // An empty one says nothing, and hides nothing.
        let is_said = |log: &String| !log.is_empty();
        let log = flags.log.filter(is_said).or_else(|| std::env::var("RUST_LOG").ok().filter(is_said));
        let log = log.or(file.log);
        Ok(Self {
            addr: file.addr,
            models: flags.models.or(file.models).or(usual_models),
            data,
            default_model: file.default_model,
            device: flags.device.or(device.map_err(|sentence| said("device", sentence))?),
            dtype: flags.dtype.or(dtype.map_err(|sentence| said("dtype", sentence))?).unwrap_or_default(),
            memory: flags.memory.or(memory.map_err(|sentence| said("memory", sentence))?),
            batch: flags.batch.or(batch.map_err(|sentence| said("batch", sentence))?),
            cache: !flags.no_cache && file.cache.unwrap_or(true),
            presets: file.presets,
            access: file.access,
            limits: file.limits,
            operator: file.operator,
            log_format: flags
                .log_format
                .or(log_format.map_err(|sentence| said("log_format", sentence))?)
                .unwrap_or_default(),
            retention: retention::settle(&flags.retention, &file.retention)
                .map_err(|(setting, sentence)| said(&format!("retention.{setting}"), sentence))?,
            safety,
            log: log.filter(|log| !log.is_empty()).unwrap_or_else(|| usual_log.to_owned()),
        })
    }

    /// Who may call, and how much, with the flags of the one command that is called.
    ///
    /// # Errors
    /// The file says something that is not understood.
    pub fn access(&mut self, flags: AccessFlags) -> anyhow::Result<(Access, Limits)> {
        flags.with(std::mem::take(&mut self.access), &self.limits)
    }

    /// The same as the backend takes it.
    pub fn into_config(self) -> Config {
        Config {
            data_dir: self.data,
            models_dir: self.models,
            bundled: bundled::models().into(),
            default_model: self.default_model,
            device: self.device,
            precision: self.dtype,
            memory_bytes: self.memory,
            n_together: self.batch,
            cache: self.cache,
            presets: self.presets,
            retention: self.retention,
            safety: self.safety.mode,
            fallback_model: self.safety.fallback_model,
            signing: self.safety.signing,
            ..Config::default()
        }
    }
}

impl File {
    fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        let usual = Path::new(USUAL_FILE);
        match named.or_else(|| usual.is_file().then_some(usual)) {
            Some(path) => Self::read(path),
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("settings file `{shown}` cannot be read"))?;
        let mut file: Self = toml::from_str(&text).map_err(|error| {
            // The error's own text is a drawing of several lines.
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let fault = error.message().replace('\n', ", ");
            anyhow::anyhow!("settings file `{shown}` cannot be used: {fault} (line {line})")
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let signing = file.safety.paths_mut();
        for setting in [&mut file.data, &mut file.models].into_iter().chain(signing).flatten() {
            *setting = folder.join(&setting);
        }
        Ok(file)
    }
}

fn parse_device(name: &str) -> Result<DeviceKind, String> {
    named(name, DeviceKind::ALL, DeviceKind::as_str)
}

fn parse_precision(name: &str) -> Result<Precision, String> {
    named(name, Precision::ALL, Precision::as_str)
}

fn parse_log_format(name: &str) -> Result<LogFormat, String> {
    named(name, LogFormat::ALL, LogFormat::as_str)
}

fn named<T: Copy, const N: usize>(
    name: &str,
    all: [T; N],
    name_of: fn(T) -> &'static str,
) -> Result<T, String> {
    let found = all.into_iter().find(|item| name_of(*item) == name);
    found.ok_or_else(|| format!("known are {}", all.map(name_of).join(", ")))
}

/// As bytes.
fn parse_gigabytes(text: &str) -> Result<u64, String> {
    let gigabytes: Option<f64> = text.parse().ok().filter(|gigabytes| (0.1..=100_000.0).contains(gigabytes));
    gigabytes
        .map(|gigabytes| (gigabytes * 1e9) as u64)
        .ok_or_else(|| format!("`{text}` is no such number of gigabytes; allowed are 0.1 to 100000"))
}

fn parse_batch(text: &str) -> Result<u32, String> {
    let n: Option<u32> = text.parse().ok().filter(|n| COUNT.contains(n));
    n.ok_or_else(|| {
        format!("`{text}` is no such number of pictures; allowed are {} to {}", COUNT.start(), COUNT.end())
    })
}

/// Where programs keep their data, or a folder right here if the system has no such place.
fn usual_data_folder() -> PathBuf {
    dirs::data_dir().map_or_else(|| PathBuf::from("data"), |folder| folder.join("darkroom"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> anyhow::Result<File> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("darkroom.toml");
        std::fs::write(&path, text).unwrap();
        File::read(&path)
    }

    #[test]
    fn paths_count_from_the_files_own_folder() {
        let mut read = file(
            "data = \"pictures\"\nmodels = \"/srv/models\"\naddr = \"[::1]:80\"\n[safety]\nc2pa_key = \"key.pem\"",
        )
        .unwrap();
        let [_, key] = read.safety.paths_mut();
        assert!(key.take().unwrap().is_absolute());
        assert!(read.data.unwrap().is_absolute());
        assert_eq!(read.models.unwrap(), Path::new("/srv/models"));
        assert_eq!(read.addr.unwrap(), "[::1]:80");
    }

    #[test]
    fn an_unknown_setting_is_refused_with_its_line_and_the_known_ones() {
        let error = file("data = \"d\"\nport = 80").err().unwrap().to_string();
        assert!(
            error.ends_with(
                "cannot be used: unknown field `port`, expected one of `addr`, `data`, `models`, `default_model`, `device`, `dtype`, `memory`, `batch`, `cache`, `log`, `log_format`, `operator`, `presets`, `access`, `limits`, `retention`, `safety` (line 2)"
            ),
            "{error}"
        );
    }

    #[test]
    fn a_preset_is_a_table_of_its_own() {
        let read = file(
            "[presets.premium]\nmodel = \"sdxl\"\nwidth = 1024\nheight = 1024\nsteps = 40\n[presets.preview]\nsteps = 8",
        );
        let presets = read.unwrap().presets;
        assert_eq!(presets.premium.model.as_deref(), Some("sdxl"));
        assert_eq!(
            (presets.premium.width, presets.premium.steps, presets.preview.steps),
            (Some(1024), Some(40), Some(8))
        );
        assert_eq!(presets.standard, types::preset::Preset::default());
        let refused = |text: &str| file(text).err().unwrap().to_string();
        assert!(
            refused("[presets.best]\nsteps = 8").ends_with(
                "cannot be used: unknown field `best`, expected one of `preview`, `standard`, `premium` (line 1)"
            ),
            "{}",
            refused("[presets.best]\nsteps = 8")
        );
        assert!(
            refused("[presets.premium]\nsampler = \"euler\"")
                .contains("unknown field `sampler`, expected one of `model`, `width`, `height`, `steps`")
        );
    }

    #[test]
    fn a_preset_that_is_of_no_use_with_any_model_is_refused_at_the_start() {
        let refused = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            let config = folder.path().join("darkroom.toml");
            std::fs::write(&config, text).unwrap();
            Settings::read(Common { config: Some(config), ..Common::default() }, "info")
                .err()
                .unwrap()
                .to_string()
        };
        assert_eq!(
            refused("[presets.premium]\nsteps = 500"),
            "setting `presets.premium` is wrong: steps 500 is out of range; allowed are 1 to 150"
        );
        assert_eq!(
            refused("[presets.preview]\nwidth = 100\nheight = 64"),
            "setting `presets.preview` is wrong: width 100 is not possible; allowed are multiples of 8"
        );
        assert_eq!(
            refused("[presets.preview]\nwidth = 64"),
            "setting `presets.preview` is wrong: a width goes together with a height"
        );
    }

    #[test]
    fn a_name_that_is_unknown_is_refused_with_the_known_ones() {
        assert_eq!(parse_device("cuda"), Ok(DeviceKind::Cuda));
        assert_eq!(parse_device("gpu"), Err("known are cpu, cuda, metal".to_owned()));
        assert_eq!(parse_log_format("xml"), Err("known are text, json".to_owned()));
        assert_eq!(parse_precision("int8"), Err("known are f32, f16, bf16".to_owned()));
    }

    #[test]
    fn a_batch_is_of_no_more_pictures_than_a_job_has() {
        assert_eq!(parse_batch("8"), Ok(8));
        let refused = parse_batch("9").unwrap_err();
        assert_eq!(refused, "`9` is no such number of pictures; allowed are 1 to 8");
    }

    #[test]
    fn memory_is_said_in_gigabytes() {
        assert_eq!(parse_gigabytes("1.5"), Ok(1_500_000_000));
        for text in ["", "much", "0", "-1", "NaN"] {
            assert_eq!(
                parse_gigabytes(text),
                Err(format!("`{text}` is no such number of gigabytes; allowed are 0.1 to 100000"))
            );
        }
    }

    #[test]
    fn a_file_that_was_named_has_to_be_there() {
        let error = File::find(Some(Path::new("/nowhere/darkroom.toml"))).err().unwrap();
        assert_eq!(error.to_string(), "settings file `/nowhere/darkroom.toml` cannot be read");
    }
}
