//! What is missing on this machine. Each function looks first, says what it installs, and installs nothing
//! that is there already.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// A tool of cargo's, such as `cargo-deny`: the one on the path, else one of our own in the target folder.
///
/// # Errors
/// It is missing and does not build.
pub fn cargo_tool(name: &str) -> Result<PathBuf> {
    if command::exists(name) {
        return Ok(PathBuf::from(name));
    }
    let folder = paths::target().join("tools");
    let program = folder.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        println!("  installing {name}");
        // Built apart from the workspace: `cargo install` takes a folder of its own for that.
        command::run(
            command::cargo()
                .args(["install", "--quiet", "--locked", "--debug", "--root"])
                .arg(&folder)
                .arg(name),
        )?;
    }
    Ok(program)
}

/// The packages of the browser tests, from npm, exactly as `package-lock.json` has them.
///
/// # Errors
/// Node.js is missing or too old, or npm fails.
pub fn npm_packages() -> Result<()> {
    const NEEDED: (u32, u32) = (20, 0);
    let node = command::version("node").filter(|_| command::exists("npm"));
    if node.is_none_or(|version| version < NEEDED) {
        let found = found(node);
        bail!(
            "the browser tests need Node.js 20 or newer with npm, and there is {found}; see https://nodejs.org"
        );
    }
    let lockfile = paths::end2end().join("package-lock.json");
    let modules = paths::end2end().join("node_modules");
    fingerprint::unless_unchanged("npm", &[lockfile], &modules, || {
        println!("  installing the browser tests' npm packages");
        command::run(
            command::new("npm")
                .arg("ci")
                .current_dir(paths::end2end())
                // The browser comes later: see below.
                .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
        )
    })
}

/// Chromium for the browser tests: the one that `CHROMIUM` names, else Debian's, else Playwright's. The npm packages
/// have to be there.
///
/// # Errors
/// It is missing and cannot be installed.
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
    if is_debian() {
        return debian_packages("Chromium for the browser tests", &["chromium", "fonts-dejavu-core"]);
    }
    // Ubuntu's package of that name only leads to a snap, and other systems have no such package.
    playwrights_chromium().context(
        "Chromium for the browser tests cannot be installed; install it and say where it is: \
         `CHROMIUM=/path/to/chromium cargo xtask test`",
    )
}

/// The build of Chromium that Playwright brings, with the libraries it needs where Playwright can install them.
fn playwrights_chromium() -> Result<()> {
    let path = command::output(
        command::new("node")
            .args(["--print", "require('@playwright/test').chromium.executablePath()"])
            .current_dir(paths::end2end()),
    )?;
    if PathBuf::from(path.trim()).exists() {
        return Ok(());
    }
    println!("  installing Playwright's Chromium for the browser tests");
    let mut install = command::new("npx");
    install.args(["playwright", "install", "chromium"]).current_dir(paths::end2end());
    if command::exists("apt-get") {
        install.arg("--with-deps");
    }
    command::run(&mut install)
}

/// Ubuntu and others that descend from Debian do not count: their packages differ.
fn is_debian() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    release.lines().any(|line| line.trim() == "ID=debian")
}

/// What the tests of the painter and the captions need of the packages that training needs: all but the large
/// ones.
const PYTHON_PACKAGES: [&str; 7] =
    ["numpy", "opencv-python-headless", "pillow", "pytest", "skia-python", "tokenizers", "transformers"];

/// A Python environment for the tests of the painter and the captions, and its interpreter. Training itself needs
/// more; see `training/README.md`.
///
/// # Errors
/// Python is missing or too old, or a package cannot be installed.
pub fn python() -> Result<PathBuf> {
    let versions = paths::root().join("training/requirements.lock");
    let python = python_environment("venv", "the painter's tests", &versions, |pip| {
        pip.arg("--constraint").arg(&versions).args(PYTHON_PACKAGES);
    })?;
    // The painter draws with Skia, whose package takes the system's OpenGL for granted.
    if command::output(command::new(&python).args(["-c", "import skia"])).is_err() {
        debian_packages("OpenGL for the painter", &["libegl1", "libgl1"])?;
    }
    Ok(python)
}

/// A Python environment with the clients that people call Darkroom with, and its interpreter.
///
/// # Errors
/// Python is missing or too old, or a package cannot be installed.
pub fn clients() -> Result<PathBuf> {
    let versions = paths::clients().join("requirements.lock");
    python_environment("clients-venv", "the tests with other programs' clients", &versions, |pip| {
        pip.arg("--requirement").arg(&versions);
    })
}

/// A Python environment in the target folder, made anew when the file with its packages' `versions` changes, and its
/// interpreter. `packages` says what pip shall install.
fn python_environment(
    name: &str,
    whose: &str,
    versions: &Path,
    packages: impl Fn(&mut Command),
) -> Result<PathBuf> {
    // What the locked numpy needs.
    const NEEDED: (u32, u32) = (3, 11);
    let environment = paths::target().join(name);
    let python = environment.join("bin/python");
    fingerprint::unless_unchanged(name, &[versions.to_owned()], &python, || {
        let version = command::version("python3");
        if version.is_none_or(|version| version < NEEDED) {
            let found = found(version);
            bail!("{whose} need Python 3.11 or newer, and there is {found}; see https://www.python.org");
        }
        println!("  installing the Python packages of {whose}");
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
        let mut pip = command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        packages(&mut pip);
        command::run(&mut pip)
    })?;
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
        // By way of `env`, since sudo hands no variables on.
        let mut command = command::new(if is_root() { "env" } else { "sudo" });
        if !is_root() {
            command.arg("env");
        }
        command::run(command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments))
    };
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend_from_slice(packages);
    // The list of packages may be missing, or too old to name files that still exist.
    apt(&["update", "--quiet"])
        .and_then(|()| apt(&install))
        .with_context(|| format!("{what} cannot be installed; try `apt-get install {names}`"))
}

/// A version as a sentence names it.
fn found(version: Option<(u32, u32)>) -> String {
    version.map_or_else(|| "none".to_owned(), |(major, minor)| format!("{major}.{minor}"))
}

fn is_root() -> bool {
    command::output(command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
