//! How much room a disk has.

use std::path::Path;

/// A disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// What is free for this program: the system keeps a part for itself.
    pub free_bytes: u64,
    /// Its size.
    pub total_bytes: u64,
}

/// The disk that a folder lies on; nothing where the system does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn space(folder: &Path) -> Option<DiskSpace> {
    let told = rustix::fs::statvfs(folder).ok()?;
    Some(DiskSpace {
        free_bytes: told.f_bavail.saturating_mul(told.f_frsize),
        total_bytes: told.f_blocks.saturating_mul(told.f_frsize),
    })
}

/// The disk that a folder lies on; nothing where the system does not tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn space(_folder: &Path) -> Option<DiskSpace> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_some_room_and_less_than_it_is_large() {
        let folder = tempfile::tempdir().unwrap();
        let DiskSpace { free_bytes, total_bytes } = space(folder.path()).unwrap();
        assert!(free_bytes > 0 && free_bytes <= total_bytes, "{free_bytes} of {total_bytes}");
        assert_eq!(space(&folder.path().join("nowhere")), None);
    }
}
