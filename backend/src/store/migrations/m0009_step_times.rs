//! What steps took, of which job pixels were asked for, and the round that is being served without the owners in it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, double, pk_auto, string, string_uniq, uuid_null};

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
        let step_times = Table::create()
            .table("step_times")
            .col(pk_auto("seq"))
            .col(string("device"))
            .col(string("name"))
            .col(big_integer("n_pixels"))
            .col(double("seconds"))
            .to_owned();
        manager.create_table(step_times).await?;
        let job = Table::alter().table("spending").add_column(uuid_null("job_id")).to_owned();
        manager.alter_table(job).await?;
        let served_round =
            Table::create().table("served_round").col(pk_auto("id")).col(big_integer("round")).to_owned();
        manager.create_table(served_round).await?;
        // Of the turns, only the newest was ever asked for.
        let newest =
            "INSERT INTO served_round (id, round) SELECT 1, round FROM turns ORDER BY round DESC LIMIT 1";
        manager.get_connection().execute_unprepared(newest).await?;
        manager.drop_table(Table::drop().table("turns").to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let turns =
            Table::create().table("turns").col(string_uniq("owner")).col(big_integer("round")).to_owned();
        manager.create_table(turns).await?;
        let newest = "INSERT INTO turns (owner, round) SELECT '', round FROM served_round";
        manager.get_connection().execute_unprepared(newest).await?;
        manager.drop_table(Table::drop().table("served_round").to_owned()).await?;
        manager.alter_table(Table::alter().table("spending").drop_column("job_id").to_owned()).await?;
        manager.drop_table(Table::drop().table("step_times").to_owned()).await
    }
}
