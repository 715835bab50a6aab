//! What the engine says of what went wrong in `inference`.

use inference::Error;
use inference::model_files::ModelFiles;
use types::error::PublicError;

use crate::engine::EngineError;
use crate::models;

/// What went wrong while a model was loaded.
pub(super) fn of_loading(name: &str, files: &ModelFiles, error: &Error) -> EngineError {
    if matches!(error, Error::Cancelled) {
        return EngineError::Cancelled;
    }
    if is_out_of_memory(error) {
        let sentence = format!("there is not enough memory on the graphics card for model `{name}` now");
        return EngineError::OutOfMemory(PublicError::invalid_field("model", sentence));
    }
    EngineError::Unusable {
        model: name.to_owned(),
        // Visitors know the model by its name, and not by its path on this machine.
        reason: models::without_path(error, files, name),
    }
}

/// What went wrong while a model computed. A part that is read no sooner than it is needed, from `files`, may be missing
/// or broken.
pub(super) fn of_run(model: &str, files: Option<&ModelFiles>, error: &Error) -> EngineError {
    if let (Some(files), true) = (files, is_about_files(error)) {
        return of_loading(model, files, error);
    }
    match error {
        Error::Cancelled => EngineError::Cancelled,
        Error::ClipSkip { .. } => refused("clip_skip", error),
        Error::Embedding { .. } => refused("prompt", error),
        Error::NotFinite(_) => EngineError::NotFinite(PublicError::invalid_field("model", error.to_string())),
        Error::Request(_) => refused("model", error),
        Error::Size { .. } => refused("width", error),
        Error::Schedule(_) => refused("steps", error),
        error if is_out_of_memory(error) => EngineError::OutOfMemory(PublicError::invalid_field(
            "width",
            "there is not enough memory on the graphics card for this picture; ask for a smaller one"
                .to_owned(),
        )),
        error => EngineError::Fault { model: model.to_owned(), reason: error.to_string() },
    }
}

fn is_about_files(error: &Error) -> bool {
    matches!(
        error,
        Error::MissingFile { .. }
            | Error::BrokenFile { .. }
            | Error::MissingPart { .. }
            | Error::MissingTensor { .. }
            | Error::MissingTensors { .. }
            | Error::TensorShape { .. }
    )
}

/// What the asker can mend.
fn refused(field: &'static str, error: &Error) -> EngineError {
    EngineError::Refused(PublicError::invalid_field(field, error.to_string()))
}

/// candle has no kind of its own for it, and hands on what the driver says.
pub(super) fn is_out_of_memory(error: &Error) -> bool {
    let said = error.to_string().to_lowercase();
    let words = ["out of memory", "out_of_memory", "alloc_failed", "allocation_failed"];
    matches!(error, Error::Candle(_)) && words.iter().any(|words| said.contains(words))
}
