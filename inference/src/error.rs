//! What can go wrong in a model, with the values involved.

/// Shorthand for this crate's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Errors of the engine. Each sentence is for the person who installed the model or made the request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A model folder lacks one of its files.
    #[error("model `{model}` has no file `{file}`")]
    MissingFile {
        /// Name or path of the model.
        model: String,
        /// Path inside the model's folder, with forward slashes.
        file: String,
    },
    /// A file is there and cannot be understood (truncated, not JSON, not safetensors).
    #[error("file `{file}` of model `{model}` cannot be read: {reason}")]
    BrokenFile {
        /// Name or path of the model.
        model: String,
        /// Path inside the model's folder.
        file: String,
        /// What the reader said.
        reason: String,
    },
    /// A file that could run any program while it is read.
    #[error(
        "file `{file}` is a pickle, and a pickle can run any program while it is read, so it is not opened; take the \
         model's .safetensors file instead, or convert it in a place where it can do no harm"
    )]
    Pickle {
        /// Its name.
        file: String,
    },
    /// A safetensors file that is no model of a family known here.
    #[error("file `{file}` is no Stable Diffusion 1.x, 2.x or XL checkpoint: {found}")]
    UnknownFamily {
        /// Its name.
        file: String,
        /// What is in it.
        found: String,
    },
    /// A file of small changes to a model, which are made in a way that is not known here.
    #[error(
        "file `{file}` is a LoRA of the kind {kind}, which is not supported; supported are LoRA, LoCon and LoHa, under \
         the names of kohya's scripts or of PEFT"
    )]
    UnsupportedLora {
        /// Its name.
        file: String,
        /// As its makers call it.
        kind: &'static str,
    },
    /// A single-file checkpoint without one of its parts.
    #[error(
        "checkpoint `{file}` has no {part}: nothing in it begins with `{prefix}`; take a whole checkpoint, or lay the \
         part in diffusers' layout into a folder `{folder}` beside it"
    )]
    MissingPart {
        /// Its name.
        file: String,
        /// What is missing, in words.
        part: &'static str,
        /// How the part's tensors would begin.
        prefix: &'static str,
        /// The folder that could bring it.
        folder: String,
    },
    /// A single-file checkpoint without some of a part's tensors.
    #[error("file `{file}` lacks {n_missing} of the tensors of its {part}: {}", first(names, *n_missing))]
    MissingTensors {
        /// Its name.
        file: String,
        /// The part, in words.
        part: &'static str,
        /// The first three.
        names: Vec<String>,
        /// How many there are in all.
        n_missing: usize,
    },
    /// A LoRA that changes models of other sizes.
    #[error("LoRA `{lora}` is for {found}, and model `{model}` is {needed}")]
    LoraFamily {
        /// Its name.
        lora: String,
        /// What it fits, in words.
        found: String,
        /// The model's name or path.
        model: String,
        /// What would fit it, in words.
        needed: String,
    },
    /// Weights lack a tensor that the config asks for.
    #[error("file `{file}` has no tensor `{tensor}`")]
    MissingTensor {
        /// Path inside the model's folder.
        file: String,
        /// Full name of the tensor.
        tensor: String,
    },
    /// A tensor has another shape than the config asks for.
    #[error("tensor `{tensor}` in `{file}` has shape {found:?}, and {expected:?} is needed")]
    TensorShape {
        /// Path inside the model's folder.
        file: String,
        /// Full name of the tensor.
        tensor: String,
        /// The shape that the config asks for.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A config asks for something that this engine does not have.
    #[error("`{setting}` in `{file}` is `{value}`, and only {allowed} is supported")]
    Unsupported {
        /// Path inside the model's folder.
        file: String,
        /// Key in the config.
        setting: String,
        /// Its value.
        value: String,
        /// What is supported.
        allowed: String,
    },
    /// A picture size that the model cannot make.
    #[error("size {width}x{height} is not possible with this model: {reason}")]
    Size {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
        /// What is allowed.
        reason: String,
    },
    /// More of the text encoder's blocks are to be left out than it has.
    #[error("clip skip {clip_skip} is not possible with this model; allowed are 1 to {most}")]
    ClipSkip {
        /// As it was asked for; 1 leaves out nothing.
        clip_skip: usize,
        /// The largest that is possible.
        most: usize,
    },
    /// A textual inversion that cannot be used.
    #[error("embedding `{file}` cannot be used: {reason}")]
    Embedding {
        /// Name of the file.
        file: String,
        /// What is wrong, and what is needed.
        reason: String,
    },
    /// A request that this model cannot fulfil.
    #[error("{0}")]
    Request(String),
    /// What came out is no picture.
    #[error("the picture has numbers that are none: {}", out_of_range(.0))]
    NotFinite(&'static str),
    /// A safety checker cannot tell whether a picture may be shown.
    #[error("the safety checker's numbers are none, so nobody knows what it thinks of the picture")]
    NotJudged,
    /// Noise levels that no sampler can walk.
    #[error("noise levels are unusable: {0}")]
    Schedule(String),
    /// The caller's callback asked to stop.
    #[error("the run was cancelled")]
    Cancelled,
    /// The tokenizer refused a text or its own files.
    #[error("the tokenizer failed: {0}")]
    Tokenizer(String),
    /// A fault inside candle: shapes, memory, device.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

/// What left the range of a precision, and whether another one is of any use.
fn out_of_range(precision: &str) -> String {
    if precision == "f32" {
        return "the model left the range of f32, which is the widest there is; its weights may be broken"
            .to_owned();
    }
    format!("the model left the range of {precision}; with dtype f32 it may not")
}

/// Up to three names in quotation marks.
fn first(names: &[String], n_in_all: usize) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.len() < n_in_all { format!("{} and others", quoted.join(", ")) } else { quoted.join(", ") }
}
