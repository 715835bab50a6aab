//! What a browser downloads before the page is alive.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::paths;

/// Most bytes that the wasm and the JavaScript may have together, compressed.
const MOST_BYTES: u64 = 200_000;

/// Checks the size of the bundle that was built last, and prints it.
///
/// # Errors
/// There is no bundle, or it is too large.
pub fn check_size() -> Result<()> {
    let mut total = 0;
    for file in ["darkroom.wasm.br", "darkroom.js.br"] {
        let path = paths::site().join("pkg").join(file);
        let bytes = fs::metadata(&path).with_context(|| format!("{} is missing", path.display()))?.len();
        println!("  {file}: {bytes} bytes");
        total += bytes;
    }
    if total > MOST_BYTES {
        bail!("the browser bundle has {total} bytes in brotli; at most {MOST_BYTES} are allowed");
    }
    println!("  browser bundle: {total} bytes in brotli, {MOST_BYTES} allowed");
    Ok(())
}
