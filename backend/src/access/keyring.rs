//! All keys of a site: made, listed, revoked, recognised.

use types::error::{ErrorCode, PublicError};

use super::keys::{Allowance, KeyInfo, NewKey, Parts, Scope, hash_of, is_hash_of};
use super::limits::Ration;
use crate::check::require_database;
use crate::data_folder::DataFolder;
use crate::store::entities::key;
use crate::store::{Store, from_ms};
use crate::{Config, Result, Visitor};

/// Most characters of a key's name.
const MAX_NAME: usize = 100;

/// The keys of a site.
pub struct Keyring(Store);

impl Keyring {
    /// Those of a data folder. A site that works on it goes on meanwhile, and knows every change at once.
    ///
    /// # Errors
    /// The data folder cannot be made, or its database is of no use.
    pub async fn open(config: &Config) -> Result<Self> {
        let file = DataFolder::database_in(&config.data_dir)?;
        Ok(Self(Store::open(&file).await?))
    }

    /// Those of a data folder that is there, to be looked at.
    ///
    /// # Errors
    /// There is no database in the data folder, or it is of no use.
    pub async fn look(config: &Config) -> Result<Self> {
        require_database(&config.data_dir)?;
        Ok(Self(Store::look_at_newest(&DataFolder::beside(&config.data_dir).database()).await?))
    }

    pub(crate) fn of(store: Store) -> Self {
        Self(store)
    }

    /// Makes a key. Its text is in the answer and nowhere else.
    ///
    /// # Errors
    /// A name that is empty or too long; no scope.
    pub async fn create(&self, name: &str, allowance: Allowance) -> Result<NewKey> {
        let n_characters = name.trim().chars().count();
        if !(1..=MAX_NAME).contains(&n_characters) || name.contains(char::is_control) {
            let sentence = format!(
                "a key's name has {n_characters} characters or a line break; allowed are 1 to {MAX_NAME} in one line"
            );
            return Err(PublicError::invalid_field("name", sentence).into());
        }
        if allowance.scopes.is_empty() {
            let sentence = "a key without a scope allows nothing; known are read, generate, operator";
            return Err(PublicError::invalid_field("scopes", sentence).into());
        }
        let parts = Parts::new_random();
        let row = self.0.insert_key(&parts.prefix, hash_of(&parts.text), name.trim(), &allowance).await?;
        tracing::info!(key = parts.prefix, "a key was made");
        Ok(NewKey { text: parts.text, info: describe(&row) })
    }

    /// All keys, oldest first, revoked ones too.
    ///
    /// # Errors
    /// The database is out of order.
    pub async fn list(&self) -> Result<Vec<KeyInfo>> {
        Ok(self.0.keys().await?.iter().map(describe).collect())
    }

    /// From now on the key that begins like this is not valid any more.
    ///
    /// # Errors
    /// There is no such key, or it is revoked already.
    pub async fn revoke(&self, prefix: &str) -> Result<KeyInfo> {
        let is_new = self.0.revoke_key(prefix).await?;
        match self.0.key(prefix).await? {
            Some(row) if is_new => {
                tracing::info!(key = prefix, "a key was revoked");
                Ok(describe(&row))
            }
            Some(_) => {
                let sentence = format!("key `{prefix}` is revoked already");
                Err(PublicError::new(ErrorCode::Conflict, sentence).into())
            }
            None => {
                let sentence =
                    format!("there is no key `{prefix}`; `darkroom keys list` shows those that there are");
                Err(PublicError::not_found(sentence).into())
            }
        }
    }

    /// Whoever holds this key.
    ///
    /// # Errors
    /// It is no key, or was revoked. Both are answered alike.
    pub async fn holder(&self, text: &str) -> Result<Visitor> {
        let refused =
            || PublicError::new(ErrorCode::Unauthorized, "this key is not valid; ask the operator for one");
        let parts = Parts::of(text).ok_or_else(refused)?;
        let row = self.0.key(&parts.prefix).await?;
        // Without such a key there is a comparison all the same, so that the time tells nothing.
        let hash = row.as_ref().map_or("", |row| row.hash.as_str());
        let is_right = is_hash_of(hash, &parts.text);
        match row {
            Some(row) if is_right && row.revoked_at.is_none() => {
                Ok(Visitor::from_token(&format!("key\n{}", row.prefix)).allowed(describe(&row).allowance))
            }
            _ => Err(refused().into()),
        }
    }
}

fn describe(row: &key::Model) -> KeyInfo {
    let limit = |limit: Option<i64>| limit.and_then(|limit| u32::try_from(limit).ok());
    let ration = Ration {
        requests_per_minute: limit(row.requests_per_minute),
        queued_jobs: limit(row.queued_jobs),
        megapixels_per_day: limit(row.megapixels_per_day),
        // Keys have none of their own.
        uploaded_megabytes_per_day: None,
    };
    // A scope that this version of the program does not know allows nothing.
    let scopes = row.scopes.split(' ').filter_map(|scope| scope.parse::<Scope>().ok()).collect();
    KeyInfo {
        prefix: row.prefix.clone(),
        name: row.name.clone(),
        allowance: Allowance { scopes, ration },
        created_at: from_ms(row.created_at),
        revoked_at: row.revoked_at.map(from_ms),
    }
}
