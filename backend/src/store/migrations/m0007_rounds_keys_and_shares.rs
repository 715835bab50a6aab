//! Rounds of the queue, which jobs are shown to whom, keys, and what was asked for in the last day.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, boolean, pk_auto, string, string_uniq};

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
        // SQLite adds one column at a time. Whoever waits at the change keeps their place: all are in round 0.
        for column in [big_integer("round").default(0).take(), boolean("shared").default(false).take()] {
            manager.alter_table(Table::alter().table("jobs").add_column(column).to_owned()).await?;
        }
        let by_round = Index::create()
            .name("jobs_by_round")
            .table("jobs")
            .col("status")
            .col("round")
            .col("seq")
            .to_owned();
        manager.create_index(by_round).await?;
        let turns =
            Table::create().table("turns").col(string_uniq("owner")).col(big_integer("round")).to_owned();
        manager.create_table(turns).await?;
        let keys = Table::create()
            .table("keys")
            .col(pk_auto("seq"))
            .col(string_uniq("prefix"))
            .col(string("hash"))
            .col(string("name"))
            .col(string("scopes"))
            .col(ColumnDef::new("requests_per_minute").big_integer().null())
            .col(ColumnDef::new("queued_jobs").big_integer().null())
            .col(ColumnDef::new("megapixels_per_day").big_integer().null())
            .col(big_integer("created_at"))
            .col(ColumnDef::new("revoked_at").big_integer().null())
            .to_owned();
        manager.create_table(keys).await?;
        let spending = Table::create()
            .table("spending")
            .col(pk_auto("seq"))
            .col(string("owner"))
            .col(string("address"))
            .col(big_integer("n_pixels"))
            .col(big_integer("at"))
            .to_owned();
        manager.create_table(spending).await?;
        for column in ["owner", "address", "at"] {
            let index = Index::create()
                .name(format!("spending_by_{column}"))
                .table("spending")
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        let secrets =
            Table::create().table("secrets").col(string_uniq("name")).col(string("value")).to_owned();
        manager.create_table(secrets).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["secrets", "spending", "keys", "turns"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        manager.drop_index(Index::drop().name("jobs_by_round").table("jobs").to_owned()).await?;
        for column in ["shared", "round"] {
            manager.alter_table(Table::alter().table("jobs").drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
