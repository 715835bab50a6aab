//! Pictures that visitors send, and which jobs use them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, integer, pk_auto, string, uuid, uuid_uniq};

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
        manager
            .create_table(
                Table::create()
                    .table("uploads")
                    .col(pk_auto("seq"))
                    .col(uuid_uniq("id"))
                    .col(string("owner"))
                    .col(integer("width"))
                    .col(integer("height"))
                    .col(string("file").unique_key())
                    .col(big_integer("created_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("upload_uses")
                    .col(pk_auto("seq"))
                    .col(uuid("upload_id"))
                    .col(uuid("job_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("upload_uses", "upload_id")
                            .to("uploads", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("upload_uses", "job_id")
                            .to("jobs", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        // What is swept is old and not used.
        for (name, table, column) in [
            ("uploads_by_age", "uploads", "created_at"),
            ("upload_uses_by_upload", "upload_uses", "upload_id"),
            ("upload_uses_by_job", "upload_uses", "job_id"),
        ] {
            manager.create_index(Index::create().name(name).table(table).col(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("upload_uses").to_owned()).await?;
        manager.drop_table(Table::drop().table("uploads").to_owned()).await
    }
}
