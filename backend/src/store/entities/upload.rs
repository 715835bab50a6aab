//! A row of `uploads`.

use sea_orm::entity::prelude::*;
use types::upload::{UploadId, UploadInfo};

/// One picture that a visitor sent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "uploads")]
pub struct Model {
    /// Its place in the order of arrival.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// Its name in requests.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// Whose it is.
    pub owner: String,
    /// Pixels, upright.
    pub width: i32,
    /// Pixels, upright.
    pub height: i32,
    /// Where it lies in the uploads' file store, as it came.
    pub file: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The upload as its owner is told of it.
    pub fn info(&self) -> UploadInfo {
        UploadInfo {
            id: UploadId(self.id),
            width: self.width.unsigned_abs(),
            height: self.height.unsigned_abs(),
        }
    }
}
