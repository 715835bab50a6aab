//! The files of rows that were deleted, until they are deleted too.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{pk_auto, string};

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
        let deleted_files = Table::create()
            .table("deleted_files")
            .col(pk_auto("seq"))
            .col(string("place"))
            .col(string("file"))
            .to_owned();
        manager.create_table(deleted_files).await?;
        let by_name = Index::create()
            .name("deleted_files_by_name")
            .table("deleted_files")
            .col("place")
            .col("file")
            .to_owned();
        manager.create_index(by_name).await?;
        manager.get_connection().execute_unprepared(TRIGGERS).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for trigger in ["pictures_deleted_files", "uploads_deleted_files"] {
            manager.get_connection().execute_unprepared(&format!("DROP TRIGGER {trigger}")).await?;
        }
        manager.drop_table(Table::drop().table("deleted_files").to_owned()).await
    }
}

/// Whoever deletes a row, its file is noted in the same transaction. Places are called as their folders are.
const TRIGGERS: &str = "
CREATE TRIGGER pictures_deleted_files AFTER DELETE ON pictures BEGIN
    INSERT INTO deleted_files (place, file) VALUES ('pictures', old.file);
END;
CREATE TRIGGER uploads_deleted_files AFTER DELETE ON uploads BEGIN
    INSERT INTO deleted_files (place, file) VALUES ('uploads', old.file);
END;
";
