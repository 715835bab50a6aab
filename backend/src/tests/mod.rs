//! The services as a visitor lives through them, on a real database and real files, with a fake engine.

mod events;
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
mod storage;
mod uploads;
mod workflows;
