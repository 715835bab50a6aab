//! What the site alone knows, made at first use.

use sea_orm::ActiveValue;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use super::Store;
use super::entities::secret;
use crate::{Error, Result, Visitor};

impl Store {
    /// The secret of that name, in hexadecimal digits. The first who asks makes it, and all get the same.
    pub(crate) async fn secret(&self, name: &str) -> Result<String> {
        let new = secret::ActiveModel {
            name: ActiveValue::Set(name.to_owned()),
            value: ActiveValue::Set(Visitor::new_token()),
        };
        let keep = OnConflict::column(secret::Column::Name).do_nothing().to_owned();
        secret::Entity::insert(new).on_conflict(keep).exec_without_returning(&self.db).await?;
        let known = secret::Entity::find_by_id(name).one(&self.db).await?;
        known.map(|secret| secret.value).ok_or_else(|| Error::Broken(format!("the secret `{name}` is gone")))
    }
}
