//! A row of `upload_uses`: a job that needs an upload.

use sea_orm::entity::prelude::*;

/// One use of an upload by a job.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upload_uses")]
pub struct Model {
    /// Of no meaning.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The upload.
    pub upload_id: Uuid,
    /// The job.
    pub job_id: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
