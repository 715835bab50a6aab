//! The services as a visitor lives through them, on a real database and real files, with a fake engine.

mod blocked_words;
mod cache;
mod current_job;
mod events;
mod fallback;
mod fitted_uploads;
mod grid;
mod helpers;
mod history;
mod metadata;
mod notes;
mod outage;
mod pictures;
mod prompts;
mod queue;
mod refusals;
mod restart;
mod safety;
mod storage;
mod uploads;
mod workflows;
