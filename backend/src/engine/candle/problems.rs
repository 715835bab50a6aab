//! What is wrong with models whose loading failed.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::unpoisoned;
use crate::engine::EngineError;
use crate::models::Stamp;

/// After so long the model is tried again, with the same files as well: a disk may have failed, or too many files been open.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);

/// What went wrong when a model was loaded, by its name. Whoever asks for it next is told the same at once, and waits for no
/// second try, for as long as the files are the same and it is not forgotten.
#[derive(Debug, Default)]
pub(super) struct Problems(Mutex<HashMap<String, Problem>>);

#[derive(Debug)]
struct Problem {
    stamp: Stamp,
    reason: String,
    noted: Instant,
}

impl Problems {
    /// Remembers what is wrong with the model. What is wrong with anything else is passed over.
    pub(super) fn note(&self, name: &str, stamp: &Stamp, error: &EngineError) {
        if let EngineError::Unusable { reason, .. } = error {
            let problem = Problem { stamp: stamp.clone(), reason: reason.clone(), noted: Instant::now() };
            unpoisoned(&self.0).insert(name.to_owned(), problem);
        }
    }

    /// What is wrong with the model, if that is known of these files.
    pub(super) fn of(&self, name: &str, stamp: &Stamp) -> Option<String> {
        self.of_then(name, stamp, Instant::now())
    }

    fn of_then(&self, name: &str, stamp: &Stamp, now: Instant) -> Option<String> {
        let problems = unpoisoned(&self.0);
        let problem = problems.get(name).filter(|known| known.stamp == *stamp)?;
        (now.saturating_duration_since(problem.noted) < FORGOTTEN_AFTER).then(|| problem.reason.clone())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_known_for_a_while_and_of_the_same_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("weights"), "broken").unwrap();
        let stamp = Stamp::of(folder.path());
        let problems = Problems::default();
        let error = EngineError::Unusable { model: "large".to_owned(), reason: "it is broken".to_owned() };
        problems.note("large", &stamp, &error);
        assert_eq!(problems.check("large", &stamp).unwrap_err().to_string(), error.to_string());
        assert_eq!(problems.of("large", &Stamp::default()), None, "the files are others");
        let later = Instant::now() + FORGOTTEN_AFTER;
        assert_eq!(problems.of_then("large", &stamp, later), None, "it is tried again");
    }
}
