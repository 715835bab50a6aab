//! The services as a visitor lives through them, on a real database and real files, with a fake engine.

mod access;
mod backup;
mod blocked_words;
mod cache;
mod check;
mod clock;
mod current_job;
mod damaged;
mod disk;
mod events;
mod fairness;
mod fallback;
mod fitted_uploads;
mod grid;
mod helpers;
mod history;
mod locked;
mod metadata;
mod notes;
mod operator;
mod outage;
mod pictures;
mod prompts;
mod queue;
mod refusals;
mod restart;
mod retention;
mod safety;
#[cfg(feature = "c2pa")]
mod signing;
mod storage;
mod uploads;
mod workflows;
