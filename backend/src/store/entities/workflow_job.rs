//! A row of `workflow_jobs`: a job that was made of a workflow.

use sea_orm::entity::prelude::*;

/// One job of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflow_jobs")]
pub struct Model {
    /// Of no meaning.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The workflow.
    pub workflow_seq: i64,
    /// The job.
    pub job_id: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
