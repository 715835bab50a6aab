//! How the tables came to be: one file a change, never edited once released.

mod m0001_jobs_and_pictures;
mod m0002_attempts_and_faults;
mod m0003_uploads;
mod m0004_notes;
mod m0005_asked_again;
mod m0006_workflows;
mod m0007_rounds_keys_and_shares;
mod m0008_sizes;
mod m0009_step_times;
mod m0010_deleted_files;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All changes, oldest first.
pub(super) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_jobs_and_pictures::Migration),
            Box::new(m0002_attempts_and_faults::Migration),
            Box::new(m0003_uploads::Migration),
            Box::new(m0004_notes::Migration),
            Box::new(m0005_asked_again::Migration),
            Box::new(m0006_workflows::Migration),
            Box::new(m0007_rounds_keys_and_shares::Migration),
            Box::new(m0008_sizes::Migration),
            Box::new(m0009_step_times::Migration),
            Box::new(m0010_deleted_files::Migration),
        ]
    }
}
