//! A row of `spending`: how many pixels somebody asked for, and when. Kept for a day.

use sea_orm::entity::prelude::*;

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "spending")]
pub struct Model {
    /// Of no meaning.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// Who asked.
    pub owner: String,
    /// Where they called from, as a hash. Empty if that is not known.
    pub address: String,
    /// The job; nothing if an older version of the program wrote it down.
    pub job_id: Option<Uuid>,
    /// Pixels of all its pictures, but for those that were given back.
    pub n_pixels: i64,
    /// Milliseconds since 1970.
    pub at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
