//! What is to be said of how a job's pictures were made.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text_null;

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
        manager.alter_table(Table::alter().table("jobs").add_column(text_null("notes")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("jobs").drop_column("notes").to_owned()).await
    }
}
