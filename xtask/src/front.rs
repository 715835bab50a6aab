//! The browser bundle: the `frontend` crate as wasm, and the JavaScript that loads it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::{command, fingerprint, install, paths};

/// The files' name; the same as `LEPTOS_OUTPUT_NAME` in `.cargo/config.toml`, which the pages look for.
const NAME: &str = "darkroom";

/// Builds the bundle and returns the folder it is in.
///
/// # Errors
/// The wasm target cannot be installed, the crate does not build, or a file cannot be written.
pub fn build() -> Result<PathBuf> {
    install::wasm_target()?;
    command::run(
        command::cargo()
            .args(["build", "--package", "frontend", "--target", "wasm32-unknown-unknown"])
            .args(["--profile", "wasm-release", "--target-dir"])
            .arg(paths::front_target()),
    )?;
    let wasm = paths::front_target().join("wasm32-unknown-unknown/wasm-release/frontend.wasm");
    let folder = paths::front_target().join("bundle");
    let inputs = [wasm.clone(), paths::root().join("xtask/src/front.rs")];
    fingerprint::unless_unchanged("bundle", &inputs, &folder, || {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        Bindgen::new()
            .input_path(&wasm)
            .out_name(NAME)
            .web(true)?
            .typescript(false)
            .remove_name_section(true)
            .remove_producers_section(true)
            // The page says where the wasm is, so the script need not guess.
            .omit_default_module_path(true)
            .generate(&folder)
            .context("the bindings cannot be made")?;
        // The pages ask for the name without wasm-bindgen's suffix, as `LEPTOS_OUTPUT_NAME` is set.
        fs::rename(folder.join(format!("{NAME}_bg.wasm")), folder.join(format!("{NAME}.wasm")))?;
        Ok(())
    })?;
    Ok(folder)
}
