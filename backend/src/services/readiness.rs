//! Whether the program can do its work.

use std::path::Path;
use std::time::Duration;

use super::Services;
use crate::data_folder;
use crate::disk::{self, DiskSpace};

/// How long the database may take for a small question. Its own patience with a stalled disk is twice that.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Least room for the program to be ready, in bytes: enough for the pictures of a few jobs, so that whoever watches has
/// time to make room before one fails.
const LEAST_ROOM: u64 = 100_000_000;

/// What is written to see whether the data folder takes anything: a page of memory, which no file system keeps inside
/// of a directory's entry.
const PROBE: [u8; 4096] = [0; 4096];

/// Whether each of the things is in order that the program needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// One for each of them, always in the same order.
    pub checks: Vec<Check>,
}

/// One thing that the program needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name: `program`, `database`, `worker`, `data_folder` or `blocked_words`.
    pub name: &'static str,
    /// What is wrong with it, in one sentence; nothing if it is in order.
    pub problem: Option<String>,
}

impl Readiness {
    /// Whether all of them are.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| check.problem.is_none())
    }
}

impl Services {
    /// Looks at each of the things that the program needs.
    pub async fn readiness(&self) -> Readiness {
        let is_stopping = self.0.shared.stopping.is_cancelled();
        let works = self.0.worker.lock().await.as_ref().is_some_and(|worker| !worker.is_finished());
        let (database, data_folder) = tokio::join!(self.problem_of_database(), self.problem_of_folder());
        let check = |name, problem| Check { name, problem };
        Readiness {
            checks: vec![
                check("program", is_stopping.then(|| "the program is stopping".to_owned())),
                check("database", database),
                check("worker", (!works).then(|| "nobody works off the queue any more".to_owned())),
                check("data_folder", data_folder),
                check("blocked_words", self.problem_of_words().await),
            ],
        }
    }

    async fn problem_of_database(&self) -> Option<String> {
        match tokio::time::timeout(DATABASE_TIMEOUT, self.0.shared.store.queue_depth()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("the database did not answer within {} s", DATABASE_TIMEOUT.as_secs())),
        }
    }

    /// A list that was read before is in order, whatever became of its file: the log says that.
    async fn problem_of_words(&self) -> Option<String> {
        let services = self.clone();
        let looked = tokio::task::spawn_blocking(move || services.0.shared.helpers.blocked()).await;
        match looked {
            Ok(Ok(_)) => None,
            Ok(Err(unread)) => Some(unread.to_string()),
            Err(panic) => Some(format!("reading the blocked words ended early: {panic}")),
        }
    }

    async fn problem_of_folder(&self) -> Option<String> {
        let folder = self.0.shared.folder.path().to_owned();
        let looked = tokio::task::spawn_blocking(move || look_at(&folder, LEAST_ROOM)).await;
        looked.unwrap_or_else(|panic| Some(format!("looking at the data folder ended early: {panic}")))
    }
}

/// What is wrong with the data folder.
fn look_at(folder: &Path, least_room: u64) -> Option<String> {
    if let Err(error) = write_into(folder) {
        return Some(format!("nothing can be written into the data folder: {error}"));
    }
    let DiskSpace { free_bytes, .. } = disk::space(folder).filter(|disk| disk.free_bytes < least_room)?;
    let megabytes = |bytes| bytes / 1_000_000;
    Some(format!(
        "the disk of the data folder has {} MB left; {} MB at least are needed",
        megabytes(free_bytes),
        megabytes(least_room)
    ))
}

/// Writes a file and deletes it. Two who do so at once do not get into each other's way.
fn write_into(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(data_folder::PROBE);
    std::fs::write(&file, PROBE)?;
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_takes_files_is_in_order_and_keeps_none_of_them() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look_at(folder.path(), 0), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_gone_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let problem = look_at(&folder.path().join("nowhere"), 0).unwrap();
        assert!(problem.starts_with("nothing can be written into the data folder: "), "{problem}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_is_nearly_full_is_told_with_what_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let problem = look_at(folder.path(), u64::MAX).unwrap();
        assert!(problem.starts_with("the disk of the data folder has "), "{problem}");
        assert!(problem.ends_with(" MB left; 18446744073709 MB at least are needed"), "{problem}");
    }
}
