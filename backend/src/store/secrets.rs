//! What older versions signed with. It lies in a file of its own now: see [`crate::signing_secret`].

use sea_orm::ConnectionTrait;
use sea_orm::entity::prelude::*;

use super::Store;
use super::entities::secret;
use crate::Result;

impl Store {
    /// The secret of that name, in hexadecimal digits, if an older version made one.
    pub(crate) async fn secret(&self, name: &str) -> Result<Option<String>> {
        Ok(secret::Entity::find_by_id(name).one(&self.db).await?.map(|secret| secret.value))
    }

    /// Deletes the secret of that name, and overwrites the place in the database's file where it lay.
    ///
    /// # Source
    /// <https://sqlite.org/pragma.html#pragma_secure_delete>
    pub(crate) async fn forget_secret(&self, name: &str) -> Result<()> {
        let transaction = self.begin_writing().await?;
        transaction.execute_unprepared("PRAGMA secure_delete = ON").await?;
        secret::Entity::delete_by_id(name).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
impl Store {
    /// Keeps a secret as older versions did.
    pub(crate) async fn keep_secret(&self, name: &str, value: &str) {
        use sea_orm::ActiveValue::Set;
        let row = secret::ActiveModel { name: Set(name.to_owned()), value: Set(value.to_owned()) };
        secret::Entity::insert(row).exec_without_returning(&self.db).await.unwrap();
    }
}
