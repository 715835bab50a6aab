//! What is asked for again: a job by the key that its asker gave it, its pictures by a hash of all that makes them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, text_null};

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
        let columns = [text_null("fingerprint"), text_null("idempotency_key"), text_null("idempotency_hash")];
        for column in columns.into_iter().chain([boolean("cached").default(false).take()]) {
            manager.alter_table(Table::alter().table("jobs").add_column(column).to_owned()).await?;
        }
        let by_fingerprint =
            Index::create().name("jobs_by_fingerprint").table("jobs").col("fingerprint").to_owned();
        manager.create_index(by_fingerprint).await?;
        // Rows without a key do not count: to SQL, no two of them are equal.
        let by_key = Index::create()
            .name("jobs_by_idempotency_key")
            .table("jobs")
            .col("owner")
            .col("idempotency_key")
            .unique()
            .to_owned();
        manager.create_index(by_key).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in ["jobs_by_fingerprint", "jobs_by_idempotency_key"] {
            manager.drop_index(Index::drop().name(index).table("jobs").to_owned()).await?;
        }
        for column in ["fingerprint", "idempotency_key", "idempotency_hash", "cached"] {
            manager.alter_table(Table::alter().table("jobs").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
