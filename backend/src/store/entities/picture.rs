//! A row of `pictures`.

use sea_orm::entity::prelude::*;
use types::job::JobId;
use types::picture::{PictureId, PictureInfo};

use crate::store::from_ms;

/// One finished picture.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pictures")]
pub struct Model {
    /// Its place in the order of arrival; what the search index points to.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// Its name in URLs.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// The job that made it.
    pub job_id: Uuid,
    /// Its place among the job's pictures, from 0.
    pub idx: i32,
    /// The attempt at the job that made it.
    pub attempt: i64,
    /// Whose it is.
    pub owner: String,
    /// What it was made from, for the search.
    pub prompt: String,
    /// The seed of its own noise.
    pub seed: i64,
    /// Pixels.
    pub width: i32,
    /// Pixels.
    pub height: i32,
    /// Kept as a favourite.
    pub favourite: bool,
    /// Where its PNG lies in the file store.
    pub file: String,
    /// How long that file and its thumbnail are together, in bytes. Nothing for a picture of an older version that was not
    /// measured yet.
    pub size_bytes: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(belongs_to = "super::job::Entity", from = "Column::JobId", to = "super::job::Column::Id")]
    Job,
}

impl Related<super::job::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Job.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The picture as pages show it.
    pub fn info(&self) -> PictureInfo {
        PictureInfo {
            id: PictureId(self.id),
            job_id: JobId(self.job_id),
            index: self.idx.unsigned_abs(),
            prompt: self.prompt.clone(),
            seed: self.seed.unsigned_abs(),
            width: self.width.unsigned_abs(),
            height: self.height.unsigned_abs(),
            favourite: self.favourite,
            created_at: from_ms(self.created_at),
        }
    }
}
