//! What programs call their uploads.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, QueryOrder, QuerySelect};
use types::upload::UploadId;

use super::Store;
use super::entities::upload_name;
use crate::{Result, Visitor};

impl Store {
    /// From now on the owner's name stands for this upload, whatever it stood for before.
    pub(crate) async fn name_upload(&self, owner: &Visitor, name: &str, id: UploadId) -> Result<()> {
        let replace = OnConflict::columns([upload_name::Column::Owner, upload_name::Column::Name])
            .update_column(upload_name::Column::UploadId)
            .to_owned();
        let row = row(owner, name, id);
        upload_name::Entity::insert(row).on_conflict(replace).exec_without_returning(&self.db).await?;
        Ok(())
    }

    /// The owner's name stands for this upload, unless it stands for one already. Whether it was free.
    pub(crate) async fn name_upload_if_free(
        &self,
        owner: &Visitor,
        name: &str,
        id: UploadId,
    ) -> Result<bool> {
        let keep = OnConflict::columns([upload_name::Column::Owner, upload_name::Column::Name])
            .do_nothing()
            .to_owned();
        let row = row(owner, name, id);
        let n_inserted =
            upload_name::Entity::insert(row).on_conflict(keep).exec_without_returning(&self.db).await?;
        Ok(n_inserted == 1)
    }

    /// The owner's name stands for this upload if it stood for that other one. Whether it did.
    pub(crate) async fn rename_upload(
        &self,
        owner: &Visitor,
        name: &str,
        other: UploadId,
        id: UploadId,
    ) -> Result<bool> {
        let updated = upload_name::Entity::update_many()
            .col_expr(upload_name::Column::UploadId, Expr::value(id.0))
            .filter(upload_name::Column::Owner.eq(owner.owner_id()))
            .filter(upload_name::Column::Name.eq(name))
            .filter(upload_name::Column::UploadId.eq(other.0))
            .exec(&self.db)
            .await?;
        Ok(updated.rows_affected == 1)
    }

    /// The upload that the owner's name stands for.
    pub(crate) async fn named_upload(&self, owner: &Visitor, name: &str) -> Result<Option<UploadId>> {
        let found = upload_name::Entity::find()
            .filter(upload_name::Column::Owner.eq(owner.owner_id()))
            .filter(upload_name::Column::Name.eq(name))
            .one(&self.db)
            .await?;
        Ok(found.map(|found| UploadId(found.upload_id)))
    }

    /// The owner's names, sorted, at most so many.
    pub(crate) async fn upload_names(&self, owner: &Visitor, limit: u64) -> Result<Vec<String>> {
        Ok(upload_name::Entity::find()
            .select_only()
            .column(upload_name::Column::Name)
            .filter(upload_name::Column::Owner.eq(owner.owner_id()))
            .order_by_asc(upload_name::Column::Name)
            .limit(limit)
            .into_tuple()
            .all(&self.db)
            .await?)
    }
}

fn row(owner: &Visitor, name: &str, id: UploadId) -> upload_name::ActiveModel {
    upload_name::ActiveModel {
        owner: ActiveValue::Set(owner.owner_id().to_owned()),
        name: ActiveValue::Set(name.to_owned()),
        upload_id: ActiveValue::Set(id.0),
        ..Default::default()
    }
}
