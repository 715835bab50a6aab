//! Pictures that visitors sent.

use std::collections::HashSet;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Query;
use sea_orm::{ActiveValue, DatabaseTransaction, QueryOrder, QuerySelect, QueryTrait};
use types::job::JobId;
use types::upload::{UploadId, UploadInfo};

use super::entities::{upload, upload_use};
use super::{Store, now_ms, returning};
use crate::{Result, Visitor};

impl Store {
    /// Stores an upload whose file is written already.
    pub(crate) async fn insert_upload(&self, owner: &Visitor, new: &UploadInfo, file: &str) -> Result<()> {
        let row = upload::ActiveModel {
            id: ActiveValue::Set(new.id.0),
            owner: ActiveValue::Set(owner.owner_id().to_owned()),
            width: ActiveValue::Set(new.width.cast_signed()),
            height: ActiveValue::Set(new.height.cast_signed()),
            file: ActiveValue::Set(file.to_owned()),
            created_at: ActiveValue::Set(now_ms()),
            ..Default::default()
        };
        upload::Entity::insert(row).exec_without_returning(&self.db).await?;
        Ok(())
    }

    /// The upload of that name, if it is this owner's.
    pub(crate) async fn upload(&self, owner_id: &str, id: UploadId) -> Result<Option<upload::Model>> {
        let found = upload::Entity::find()
            .filter(upload::Column::Id.eq(id.0))
            .filter(upload::Column::Owner.eq(owner_id))
            .one(&self.db)
            .await?;
        Ok(found)
    }

    /// Deletes the rows of uploads that came before that time (milliseconds since 1970) and that no job uses, and
    /// gives them back. One statement, so that no job can take one up in between.
    pub(crate) async fn delete_unused_uploads(&self, before: i64) -> Result<Vec<upload::Model>> {
        let used = Query::select().column(upload_use::Column::UploadId).from(upload_use::Entity).to_owned();
        let mut delete = upload::Entity::delete_many()
            .filter(upload::Column::CreatedAt.lt(before))
            .filter(upload::Column::Id.not_in_subquery(used))
            .into_query();
        returning::<upload::Entity>(&self.db, delete.returning_all()).await
    }

    /// Deletes the rows of those of the owner's uploads that no job uses, and gives them back. One statement, as above.
    pub(crate) async fn delete_own_unused_uploads(
        &self,
        owner: &Visitor,
        ids: &[UploadId],
    ) -> Result<Vec<upload::Model>> {
        let used = Query::select().column(upload_use::Column::UploadId).from(upload_use::Entity).to_owned();
        let mut delete = upload::Entity::delete_many()
            .filter(upload::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .filter(upload::Column::Owner.eq(owner.owner_id()))
            .filter(upload::Column::Id.not_in_subquery(used))
            .into_query();
        returning::<upload::Entity>(&self.db, delete.returning_all()).await
    }

    /// Those that came after that time (milliseconds since 1970), the oldest first.
    pub(crate) async fn uploads_since(&self, after: i64) -> Result<Vec<upload::Model>> {
        Ok(upload::Entity::find()
            .filter(upload::Column::CreatedAt.gt(after))
            .order_by_asc(upload::Column::CreatedAt)
            .all(&self.db)
            .await?)
    }

    /// Whether there is any.
    pub(crate) async fn has_uploads(&self) -> Result<bool> {
        Ok(upload::Entity::find().one(&self.db).await?.is_some())
    }

    /// Those of these files that an upload lies in.
    pub(crate) async fn uploads_in_use(&self, files: &[String]) -> Result<HashSet<String>> {
        let used: Vec<String> = upload::Entity::find()
            .select_only()
            .column(upload::Column::File)
            .filter(upload::Column::File.is_in(files.iter().map(String::as_str)))
            .into_tuple()
            .all(&self.db)
            .await?;
        Ok(used.into_iter().collect())
    }
}

/// Notes that a job uses these uploads. False if one of them is not there any more.
pub(super) async fn keep_for(
    transaction: &DatabaseTransaction,
    job: JobId,
    uploads: &HashSet<UploadId>,
) -> Result<bool> {
    if uploads.is_empty() {
        return Ok(true);
    }
    let ids = || uploads.iter().map(|upload| upload.0);
    let found = upload::Entity::find().filter(upload::Column::Id.is_in(ids())).count(transaction).await?;
    if found < uploads.len() as u64 {
        return Ok(false);
    }
    let uses = ids().map(|upload_id| upload_use::ActiveModel {
        upload_id: ActiveValue::Set(upload_id),
        job_id: ActiveValue::Set(job.0),
        ..Default::default()
    });
    upload_use::Entity::insert_many(uses).exec_without_returning(transaction).await?;
    Ok(true)
}
