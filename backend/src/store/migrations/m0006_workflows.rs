//! Workflows that programs post in ComfyUI's form, the jobs that were made of them, and what such programs call their uploads.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, pk_auto, string, string_null, text, uuid, uuid_uniq};

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
                    .table("workflows")
                    .col(pk_auto("seq"))
                    .col(uuid_uniq("id"))
                    .col(string("owner"))
                    .col(string_null("client_id"))
                    .col(text("document"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("workflow_jobs")
                    .col(pk_auto("seq"))
                    .col(big_integer("workflow_seq"))
                    .col(uuid("job_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("workflow_jobs", "workflow_seq")
                            .to("workflows", "seq")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("workflow_jobs", "job_id")
                            .to("jobs", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("upload_names")
                    .col(pk_auto("seq"))
                    .col(string("owner"))
                    .col(string("name"))
                    .col(uuid("upload_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("upload_names", "upload_id")
                            .to("uploads", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for (name, table, column) in [
            ("workflows_by_owner", "workflows", "owner"),
            ("workflow_jobs_by_workflow", "workflow_jobs", "workflow_seq"),
            ("workflow_jobs_by_job", "workflow_jobs", "job_id"),
            ("upload_names_by_upload", "upload_names", "upload_id"),
        ] {
            manager.create_index(Index::create().name(name).table(table).col(column).to_owned()).await?;
        }
        // A name stands for one upload.
        let index = Index::create()
            .name("upload_names_by_owner")
            .table("upload_names")
            .col("owner")
            .col("name")
            .unique()
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["upload_names", "workflow_jobs", "workflows"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}
