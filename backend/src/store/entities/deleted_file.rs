//! A row of `deleted_files`: a file whose own row is gone, and which is to go too.

use sea_orm::entity::prelude::*;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deleted_files")]
pub struct Model {
    /// Its place in the order of deletion.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The folder that it lies in: `pictures` or `uploads`.
    pub place: String,
    /// Where it lies in there: a picture's PNG, whose thumbnail goes with it, or an upload.
    pub file: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
