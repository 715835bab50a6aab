//! How many bytes each picture takes, and an index that finds the oldest ones.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::big_integer_null;

/// This change.
#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// All or nothing: a program that is killed in between starts over.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    /// The sizes of the pictures that are there already are filled in later, from their files: see
    /// [`crate::retention`].
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("pictures").add_column(big_integer_null("size_bytes")).to_owned();
        manager.alter_table(column).await?;
        let index = Index::create().name("pictures_by_age").table("pictures").col("created_at").to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("pictures_by_age").table("pictures").to_owned()).await?;
        manager.alter_table(Table::alter().table("pictures").drop_column("size_bytes").to_owned()).await
    }
}
