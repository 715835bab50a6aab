//! Readers of what strangers send, for those who feed them anything: see `server/src/hostile.rs`.

use crate::metadata;

/// Reads the settings inside a file, whatever it is.
pub fn settings_inside(bytes: &[u8]) {
    let _ = metadata::read(bytes);
    let _ = metadata::texts(bytes);
}
