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
        let row = upload_name::ActiveModel {
            owner: ActiveValue::Set(owner.owner_id().to_owned()),
            name: ActiveValue::Set(name.to_owned()),
            upload_id: ActiveValue::Set(id.0),
            ..Default::default()
        };
        let replace = OnConflict::columns([upload_name::Column::Owner, upload_name::Column::Name])
            .update_column(upload_name::Column::UploadId)
            .to_owned();
        upload_name::Entity::insert(row).on_conflict(replace).exec_without_returning(&self.db).await?;
        Ok(())
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
