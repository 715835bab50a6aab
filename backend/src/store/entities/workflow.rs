//! A row of `workflows`: what a program posted in ComfyUI's form.

use sea_orm::entity::prelude::*;

/// One workflow.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflows")]
pub struct Model {
    /// Its place in the order of arrival.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// Its name: that of its first job.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// Whose it is.
    pub owner: String,
    /// The name that the program gave itself.
    pub client_id: Option<String>,
    /// The workflow and what was made of it, as JSON that this crate does not read.
    pub document: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
