//! The row of `served_round`: which round of the queue is being served.

use sea_orm::entity::prelude::*;

/// The number of the one row.
pub const ONLY: i64 = 1;

/// The round.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "served_round")]
pub struct Model {
    /// [`ONLY`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// Its number.
    pub round: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
