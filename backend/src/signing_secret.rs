//! What the site signs with: addresses of pictures, entries by password, and hashes of visitors' addresses.
//!
//! It lies in a file of its own, beside the database and in no back-up: whoever reads the database, or a copy of it, can try
//! out no address and sign nothing. Older versions kept it in the database; it is moved out of there.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::data_folder::{DataFolder, private_files};
use crate::store::Store;
use crate::{Error, Result, Visitor};

/// What the secret was called in the database.
pub(crate) const SIGNING: &str = "signing";

/// The secret of a data folder that is this program's alone, in hexadecimal digits; made at the first start.
///
/// # Errors
/// The file cannot be read or written, or holds something else.
pub(crate) async fn signing_secret(folder: &DataFolder, store: &Store) -> Result<String> {
    let file = folder.secret();
    let of_older_version = store.secret(SIGNING).await?;
    let secret = if let Some(secret) = read(&file)? {
        secret
    } else {
        let secret = of_older_version.clone().unwrap_or_else(Visitor::new_token);
        write(&file, &secret)
            .map_err(|source| Error::Io { what: format!("writing {}", file.display()), source })?;
        secret
    };
    // Not before it is in the file.
    if of_older_version.is_some() {
        store.forget_secret(SIGNING).await?;
    }
    Ok(secret)
}

/// The secret in the file; `None` if there is no such file.
fn read(file: &Path) -> Result<Option<String>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::Io { what: format!("reading {}", file.display()), source }),
    };
    let secret = text.trim_end();
    let is_secret = secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_secret { Ok(Some(secret.to_owned())) } else { Err(Error::NoSecret(file.to_owned())) }
}

/// Writes it under another name first: the file never holds half a secret.
fn write(file: &Path, secret: &str) -> std::io::Result<()> {
    let unfinished = file.with_added_extension("part");
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut writing = private_files().open(&unfinished)?;
    writeln!(writing, "{secret}")?;
    writing.sync_all()?;
    std::fs::rename(&unfinished, file)?;
    sync_folder_of(file)
}

/// A new name is on the disk when its folder is. Other systems than Unix have no such call.
fn sync_folder_of(file: &Path) -> std::io::Result<()> {
    match file.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn opened(path: &Path) -> (DataFolder, Store) {
        let folder = DataFolder::lock(path).unwrap();
        let store = Store::open(&folder.database()).await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn a_secret_is_made_once_and_stays_the_same() {
        let path = tempfile::tempdir().unwrap();
        let (folder, store) = opened(path.path()).await;
        let secret = signing_secret(&folder, &store).await.unwrap();
        assert_eq!(secret.len(), 64);
        assert_eq!(signing_secret(&folder, &store).await.unwrap(), secret);
        assert_eq!(store.secret(SIGNING).await.unwrap(), None, "the database does not know it");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let path = tempfile::tempdir().unwrap();
        let (folder, store) = opened(path.path()).await;
        // Left behind by a program that was killed while it wrote, with rights that are too wide.
        std::fs::write(path.path().join("darkroom.secret.part"), "half").unwrap();
        signing_secret(&folder, &store).await.unwrap();
        let rights = std::fs::metadata(folder.secret()).unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
        assert!(!path.path().join("darkroom.secret.part").exists());
    }

    #[tokio::test]
    async fn the_secret_of_an_older_version_is_moved_out_of_the_database() {
        let path = tempfile::tempdir().unwrap();
        let (folder, store) = opened(path.path()).await;
        let old = "0123456789abcdef".repeat(4);
        store.keep_secret(SIGNING, &old).await;
        assert_eq!(signing_secret(&folder, &store).await.unwrap(), old);
        assert_eq!(store.secret(SIGNING).await.unwrap(), None);
        store.close().await.unwrap();
        let database = std::fs::read(folder.database()).unwrap();
        let is_there = database.windows(old.len()).any(|bytes| bytes == old.as_bytes());
        assert!(!is_there, "the place where it lay was overwritten");
    }

    #[tokio::test]
    async fn the_file_is_right_where_the_database_has_another_secret() {
        let path = tempfile::tempdir().unwrap();
        let (folder, store) = opened(path.path()).await;
        let secret = signing_secret(&folder, &store).await.unwrap();
        store.keep_secret(SIGNING, "of a back-up of an older version").await;
        assert_eq!(signing_secret(&folder, &store).await.unwrap(), secret);
        assert_eq!(store.secret(SIGNING).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_file_that_holds_no_secret_is_refused_and_left_alone() {
        let path = tempfile::tempdir().unwrap();
        let (folder, store) = opened(path.path()).await;
        std::fs::write(folder.secret(), "hunter2").unwrap();
        let refused = signing_secret(&folder, &store).await.unwrap_err().to_string();
        assert!(
            refused.ends_with("holds no secret of 64 hexadecimal digits; delete it, and a new one is made")
        );
        assert_eq!(std::fs::read_to_string(folder.secret()).unwrap(), "hunter2");
    }
}
