//! Where things lie.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    // Cargo says at run time where this crate is; what it said at compile time may be a folder ago.
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map_or_else(|| xtask.clone(), Path::to_path_buf)
}

/// Everything that is built.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The site as it is served. Always below the root, where the `server` crate looks for it at compile time.
pub fn site() -> PathBuf {
    root().join("target/site")
}

/// The texts of the crates' licences. Below the root as well, for the same reason.
pub fn licences() -> PathBuf {
    root().join("target/licences.txt")
}

/// What is built for the browser, apart from the rest: beside `server`, features would be unified.
pub fn front_target() -> PathBuf {
    target().join("front")
}

/// The browser tests.
pub fn end2end() -> PathBuf {
    root().join("end2end")
}

/// The tests with other programs' clients.
pub fn clients() -> PathBuf {
    end2end().join("clients")
}

/// The fuzz targets, a workspace of their own.
pub fn fuzz() -> PathBuf {
    root().join("fuzz")
}

/// The program.
pub fn program(release: bool) -> PathBuf {
    let profile = if release { "release" } else { "debug" };
    target().join(profile).join(format!("darkroom{}", std::env::consts::EXE_SUFFIX))
}
