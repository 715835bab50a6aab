//! Files whose rows are gone. The database's triggers note each in the transaction that deletes its row.

use std::collections::HashSet;

use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect};

use super::Store;
use super::entities::deleted_file;
use crate::Result;

impl Store {
    /// The first of these files after that place in the order of deletion, at most so many.
    pub(crate) async fn deleted_files_after(&self, seq: i64, limit: u64) -> Result<Vec<deleted_file::Model>> {
        Ok(deleted_file::Entity::find()
            .filter(deleted_file::Column::Seq.gt(seq))
            .order_by_asc(deleted_file::Column::Seq)
            .limit(limit)
            .all(&self.db)
            .await?)
    }

    /// Those of these files whose rows were deleted.
    pub(crate) async fn deleted_among(&self, place: &str, files: &[String]) -> Result<HashSet<String>> {
        let deleted: Vec<String> = deleted_file::Entity::find()
            .select_only()
            .column(deleted_file::Column::File)
            .filter(deleted_file::Column::Place.eq(place))
            .filter(deleted_file::Column::File.is_in(files.iter().map(String::as_str)))
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(deleted.into_iter().collect())
    }

    /// These files are gone.
    pub(crate) async fn forget_deleted_files(&self, place: &str, files: &[String]) -> Result<()> {
        forget(&self.db, place, files).await
    }

    /// Of all these files, none is there.
    pub(crate) async fn forget_all_deleted_files(&self) -> Result<()> {
        deleted_file::Entity::delete_many().exec(&self.db).await?;
        Ok(())
    }
}

/// These files are gone, or are somebody else's to see to.
pub(super) async fn forget(db: &impl ConnectionTrait, place: &str, files: &[String]) -> Result<()> {
    deleted_file::Entity::delete_many()
        .filter(deleted_file::Column::Place.eq(place))
        .filter(deleted_file::Column::File.is_in(files.iter().map(String::as_str)))
        .exec(db)
        .await?;
    Ok(())
}
