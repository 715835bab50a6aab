//! One picture at a time.

use std::collections::HashSet;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{QueryOrder, QuerySelect, QueryTrait};
use types::job::JobId;
use types::picture::PictureId;

use super::entities::{job, picture};
use super::{Store, returning};
use crate::{Result, Visitor};

impl Store {
    /// The picture of that name, with the job that made it.
    pub(crate) async fn picture(&self, id: PictureId) -> Result<Option<(picture::Model, job::Model)>> {
        let found = picture::Entity::find()
            .filter(picture::Column::Id.eq(id.0))
            .find_also_related(job::Entity)
            .one(&self.db)
            .await?;
        Ok(found.and_then(|(picture, job)| Some((picture, job?))))
    }

    /// The pictures of these jobs, in order.
    pub(crate) async fn pictures_of(
        &self,
        jobs: impl IntoIterator<Item = JobId>,
    ) -> Result<Vec<picture::Model>> {
        Ok(picture::Entity::find()
            .filter(picture::Column::JobId.is_in(jobs.into_iter().map(|id| id.0)))
            .order_by_asc(picture::Column::Idx)
            .all(&self.db)
            .await?)
    }

    /// The picture of that name, if it is this owner's.
    pub(crate) async fn own_picture(&self, owner_id: &str, id: PictureId) -> Result<Option<picture::Model>> {
        Ok(picture::Entity::find()
            .filter(picture::Column::Id.eq(id.0))
            .filter(picture::Column::Owner.eq(owner_id))
            .one(&self.db)
            .await?)
    }

    /// Those of these pictures that are the visitor's, newest first.
    pub(crate) async fn own_pictures(
        &self,
        owner: &Visitor,
        ids: &[PictureId],
    ) -> Result<Vec<picture::Model>> {
        Ok(picture::Entity::find()
            .filter(picture::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .filter(picture::Column::Owner.eq(owner.owner_id()))
            .order_by_desc(picture::Column::Seq)
            .all(&self.db)
            .await?)
    }

    /// Marks a picture; `None` if there is none or it is not the visitor's.
    pub(crate) async fn set_favourite(
        &self,
        owner: &Visitor,
        id: PictureId,
        favourite: bool,
    ) -> Result<Option<picture::Model>> {
        let mut mark = picture::Entity::update_many()
            .col_expr(picture::Column::Favourite, Expr::val(favourite))
            .filter(picture::Column::Id.eq(id.0))
            .filter(picture::Column::Owner.eq(owner.owner_id()))
            .into_query();
        let marked = returning::<picture::Entity>(&self.db, mark.returning_all()).await?;
        Ok(marked.into_iter().next())
    }

    /// Deletes a picture's row and gives it back; `None` if there is none or it is not the visitor's.
    pub(crate) async fn delete_picture(
        &self,
        owner: &Visitor,
        id: PictureId,
    ) -> Result<Option<picture::Model>> {
        let mut delete = picture::Entity::delete_many()
            .filter(picture::Column::Id.eq(id.0))
            .filter(picture::Column::Owner.eq(owner.owner_id()))
            .into_query();
        let deleted = returning::<picture::Entity>(&self.db, delete.returning_all()).await?;
        Ok(deleted.into_iter().next())
    }

    /// Those of these files that a picture lies in.
    pub(crate) async fn files_in_use(&self, files: &[String]) -> Result<HashSet<String>> {
        let used: Vec<String> = picture::Entity::find()
            .select_only()
            .column(picture::Column::File)
            .filter(picture::Column::File.is_in(files.iter().map(String::as_str)))
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(used.into_iter().collect())
    }
}
