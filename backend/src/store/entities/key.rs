//! A row of `keys`: what a program shows to say who it is.

use sea_orm::entity::prelude::*;

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "keys")]
pub struct Model {
    /// Of no meaning.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// Its first characters, by which it is found.
    #[sea_orm(unique)]
    pub prefix: String,
    /// SHA-256 of the whole key, in hexadecimal digits.
    pub hash: String,
    /// What the operator calls it.
    pub name: String,
    /// What it allows: names of [`crate::access::Scope`]s, with spaces between them.
    pub scopes: String,
    /// Its own limit in place of the visitors'.
    pub requests_per_minute: Option<i64>,
    /// Its own limit in place of the visitors'.
    pub queued_jobs: Option<i64>,
    /// Its own limit in place of the visitors'.
    pub megapixels_per_day: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Since when it is not valid any more. Milliseconds since 1970.
    pub revoked_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
