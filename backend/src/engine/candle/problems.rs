//! What is wrong with models whose loading failed.

use std::collections::HashMap;
use std::sync::Mutex;

use super::unpoisoned;
use crate::engine::EngineError;
use crate::models::Stamp;

/// What went wrong when a model was loaded, by its name, and with which files. Whoever asks for it next is told the same at
/// once, and waits for no second try, for as long as the files are the same.
#[derive(Debug, Default)]
pub(super) struct Problems(Mutex<HashMap<String, (Stamp, String)>>);

impl Problems {
    /// Remembers what is wrong with the model. What is wrong with anything else is passed over.
    pub(super) fn note(&self, name: &str, stamp: &Stamp, error: &EngineError) {
        if let EngineError::Unusable { reason, .. } = error {
            unpoisoned(&self.0).insert(name.to_owned(), (stamp.clone(), reason.clone()));
        }
    }

    /// What is wrong with the model, if that is known of these files.
    pub(super) fn of(&self, name: &str, stamp: &Stamp) -> Option<String> {
        let problems = unpoisoned(&self.0);
        let (_, reason) = problems.get(name).filter(|(known, _)| known == stamp)?;
        Some(reason.clone())
    }

    /// Refuses a model of which something is known to be wrong.
    ///
    /// # Errors
    /// [`EngineError::Unusable`], with the sentence of the first time.
    pub(super) fn check(&self, name: &str, stamp: &Stamp) -> Result<(), EngineError> {
        match self.of(name, stamp) {
            Some(reason) => Err(EngineError::Unusable { model: name.to_owned(), reason }),
            None => Ok(()),
        }
    }
}
