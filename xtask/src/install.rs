//! What is missing on this machine. Each function looks first, says what it installs, and installs nothing
//! that is there already.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::{command, fingerprint, paths};

const WASM: &str = "wasm32-unknown-unknown";

/// The Rust target of the browser bundle.
///
/// # Errors
/// It is missing and there is no rustup, or rustup fails.
pub fn wasm_target() -> Result<()> {
    let sysroot = command::output(command::new("rustc").args(["--print", "sysroot"]))?;
    if PathBuf::from(sysroot.trim()).join("lib/rustlib").join(WASM).exists() {
        return Ok(());
    }
    if !command::exists("rustup") {
        bail!("the Rust target {WASM} is missing; install it as your system installs Rust, or use rustup");
    }
    println!("  installing the Rust target {WASM}");
    command::run(command::new("rustup").args(["target", "add", WASM]))
}

/// A C compiler: SQLite is C, and Rust needs a linker.
///
/// # Errors
/// There is none and it cannot be installed.
pub fn c_compiler() -> Result<()> {
    if command::exists("cc") || cfg!(windows) {
        return Ok(());
    }
    debian_packages("a C compiler", &["build-essential"])
}

/// The packages of the browser tests, from npm, exactly as `package-lock.json` has them.
///
/// # Errors
/// There is no npm, or npm fails.
pub fn npm_packages() -> Result<()> {
    if !command::exists("npm") {
        bail!("the browser tests need Node.js 20 or newer with npm; https://nodejs.org tells how to get it");
    }
    let lockfile = paths::end2end().join("package-lock.json");
    let modules = paths::end2end().join("node_modules");
    fingerprint::unless_unchanged("npm", &[lockfile], &modules, || {
        println!("  installing the browser tests' npm packages");
        command::run(
            command::new("npm")
                .arg("ci")
                .current_dir(paths::end2end())
                // The browser comes from Debian: see below.
                .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
        )
    })
}

/// Chromium and a font, for the browser tests. `CHROMIUM` names another one than Debian's.
///
/// # Errors
/// They are missing and cannot be installed.
pub fn chromium() -> Result<()> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        if PathBuf::from(&path).exists() {
            return Ok(());
        }
        bail!("CHROMIUM names {}, which does not exist", path.display());
    }
    if PathBuf::from("/usr/bin/chromium").exists() {
        return Ok(());
    }
    debian_packages("Chromium for the browser tests", &["chromium", "fonts-dejavu-core"])
}

/// What the tests of the painter and the captions need of the packages that training needs: all but the large
/// ones.
const PYTHON_PACKAGES: [&str; 7] =
    ["numpy", "opencv-python-headless", "pillow", "pytest", "skia-python", "tokenizers", "transformers"];

/// A Python environment for the tests of the painter and the captions, and its interpreter. Training itself needs
/// more; see `training/README.md`.
///
/// # Errors
/// There is no Python 3, or a package cannot be installed.
pub fn python() -> Result<PathBuf> {
    let versions = paths::root().join("training/requirements.lock");
    let environment = paths::target().join("venv");
    let python = environment.join("bin/python");
    fingerprint::unless_unchanged("venv", std::slice::from_ref(&versions), &python, || {
        if !command::exists("python3") {
            bail!("the tests of the painter need Python 3; https://www.python.org tells how to get it");
        }
        println!("  installing the painter tests' Python packages");
        if environment.exists() {
            fs::remove_dir_all(&environment)?;
        }
        let make =
            || command::output(command::new("python3").args(["-m", "venv"]).arg(&environment)).map(|_| ());
        // Debian keeps a part of Python that a new environment needs in a package of its own.
        make().or_else(|_| {
            debian_packages("Python's venv", &["python3-venv"])?;
            make()
        })?;
        command::run(
            command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint"])
                .arg(&versions)
                .args(PYTHON_PACKAGES),
        )
    })?;
    // The painter draws with Skia, whose package takes the system's OpenGL for granted.
    if command::output(command::new(&python).args(["-c", "import skia"])).is_err() {
        debian_packages("OpenGL for the painter", &["libegl1", "libgl1"])?;
    }
    Ok(python)
}

/// Installs packages with `apt-get`, through `sudo` where that is needed.
fn debian_packages(what: &str, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !command::exists("apt-get") {
        bail!("{what} is missing; install the equivalent of Debian's {names}");
    }
    println!("  installing {what}: {names}");
    let apt = |arguments: &[&str]| {
        let mut command = if is_root() { command::new("apt-get") } else { command::new("sudo") };
        if !is_root() {
            command.arg("apt-get");
        }
        command::run(command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
    };
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend_from_slice(packages);
    // The list of packages may be missing, or too old to name files that still exist.
    apt(&["update", "--quiet"])
        .and_then(|()| apt(&install))
        .with_context(|| format!("{what} cannot be installed; try `apt-get install {names}`"))
}

fn is_root() -> bool {
    command::output(command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
