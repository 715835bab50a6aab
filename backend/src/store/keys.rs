//! Keys: made, found, revoked.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, QueryOrder};

use super::entities::key;
use super::{Store, now_ms};
use crate::Result;
use crate::access::Allowance;

impl Store {
    /// Keeps a new key.
    pub(crate) async fn insert_key(
        &self,
        prefix: &str,
        hash: String,
        name: &str,
        allowance: &Allowance,
    ) -> Result<key::Model> {
        let ration = allowance.ration;
        let scopes: Vec<_> = allowance.scopes.iter().map(|scope| scope.as_str()).collect();
        let row = key::ActiveModel {
            prefix: ActiveValue::Set(prefix.to_owned()),
            hash: ActiveValue::Set(hash),
            name: ActiveValue::Set(name.to_owned()),
            scopes: ActiveValue::Set(scopes.join(" ")),
            requests_per_minute: ActiveValue::Set(ration.requests_per_minute.map(i64::from)),
            queued_jobs: ActiveValue::Set(ration.queued_jobs.map(i64::from)),
            megapixels_per_day: ActiveValue::Set(ration.megapixels_per_day.map(i64::from)),
            created_at: ActiveValue::Set(now_ms()),
            ..Default::default()
        };
        Ok(key::Entity::insert(row).exec_with_returning(&self.db).await?)
    }

    /// All keys, oldest first, revoked ones too.
    pub(crate) async fn keys(&self) -> Result<Vec<key::Model>> {
        Ok(key::Entity::find().order_by_asc(key::Column::Seq).all(&self.db).await?)
    }

    /// The key that begins like this.
    pub(crate) async fn key(&self, prefix: &str) -> Result<Option<key::Model>> {
        Ok(key::Entity::find().filter(key::Column::Prefix.eq(prefix)).one(&self.db).await?)
    }

    /// From now on the key is not valid any more. Whether it was until now.
    pub(crate) async fn revoke_key(&self, prefix: &str) -> Result<bool> {
        let revoked = key::Entity::update_many()
            .col_expr(key::Column::RevokedAt, Expr::value(now_ms()))
            .filter(key::Column::Prefix.eq(prefix))
            .filter(key::Column::RevokedAt.is_null())
            .exec(&self.db)
            .await?;
        Ok(revoked.rows_affected > 0)
    }
}
