//! When a job's attempt began, and what kind of mistake ended it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, string_null};

/// This change.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// All or nothing: a program that is killed in between starts over.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [big_integer_null("started_at"), string_null("error_code")] {
            manager.alter_table(Table::alter().table("jobs").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["error_code", "started_at"] {
            manager.alter_table(Table::alter().table("jobs").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
