//! A row of `upload_names`: what a program calls an upload.

use sea_orm::entity::prelude::*;

/// One name.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload_names")]
pub struct Model {
    /// Of no meaning.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// Whose it is.
    pub owner: String,
    /// The name; each owner's stand for one upload each.
    pub name: String,
    /// The upload.
    pub upload_id: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
