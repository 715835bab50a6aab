//! What of a back-up is nobody else's business: what is not in it, who may read it, and what a killed one leaves behind.

use std::fs::File;

use super::backup::{names_in, open, restored, with_backup};
use super::helpers::config;
use crate::backup::back_up;

#[tokio::test]
async fn what_the_site_signs_with_is_in_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let services = open(folder.path()).await;
    let data = config(folder.path()).data_dir;
    let secret = std::fs::read_to_string(data.join("darkroom.secret")).unwrap();
    // As an older version kept it, whose folder is backed up before it was ever opened by this one.
    services.shared().store.keep_secret("signing", secret.trim()).await;
    let file = folder.path().join("backup.tar");
    back_up(&data, &file).await.unwrap();
    assert!(!names_in(&file).contains(&"darkroom.secret".to_owned()));
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(64).any(|window| window == secret.trim().as_bytes()));

    let other = tempfile::tempdir().unwrap();
    restored(&file, other.path()).await.unwrap();
    let restored = open(other.path()).await;
    assert_ne!(restored.signature("address"), services.signature("address"), "a new one is made");
    restored.shutdown().await;
    services.shutdown().await;
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_restored_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, file) = with_backup().await;
    let other = tempfile::tempdir().unwrap();
    restored(&file, other.path()).await.unwrap();
    let data = config(other.path()).data_dir;
    let rights = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    for folder in ["", "pictures", "uploads", "wildcards"] {
        assert_eq!(rights(folder), 0o700, "{folder}");
    }
    for file in ["darkroom.sqlite3", "wildcards/colour.txt"] {
        assert_eq!(rights(file), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_file_whose_name_has_a_line_break_keeps_no_backup_from_being_restored() {
    let (folder, _file) = with_backup().await;
    let data = config(folder.path()).data_dir;
    std::fs::write(data.join("wildcards/two\nlines.txt"), "red\n").unwrap();
    let file = folder.path().join("second.tar");
    back_up(&data, &file).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    assert!(restored(&file, other.path()).await.is_ok());
    assert!(config(other.path()).data_dir.join("wildcards/colour.txt").exists());
}

#[tokio::test]
async fn what_a_killed_backup_left_is_deleted_by_the_next_one_whatever_it_is_called() {
    let (folder, _file) = with_backup().await;
    let path = |name: &str| folder.path().join(name);
    let of_dead = ["monday.tar.part", "monday.tar.database.part", "monday.tar.database.part-wal"];
    let of_others = ["download.part", "tuesday.tar.part", "tuesday.tar.database.part"];
    for name in of_dead.iter().chain(&of_others) {
        std::fs::write(path(name), "half of it").unwrap();
    }
    // Another program is at work on this one.
    let writing = File::open(path("tuesday.tar.part")).unwrap();
    writing.lock().unwrap();
    let data = config(folder.path()).data_dir;
    back_up(&data, &path("wednesday.tar")).await.unwrap();
    for name in of_dead {
        assert!(!path(name).exists(), "{name}");
    }
    for name in of_others {
        assert!(path(name).exists(), "{name}");
    }
    let refused = back_up(&data, &path("tuesday.tar")).await.unwrap_err().to_string();
    assert!(refused.starts_with("another back-up is being written to"), "{refused}");
    drop(writing);
    assert!(back_up(&data, &path("tuesday.tar")).await.is_ok());
}
