//! The licences of every crate that is in the program or in the browser bundle it serves, as one text.
//!
//! Most of them ask that their text comes along with every copy; `darkroom licences` prints it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{command, fingerprint, paths};

const WASM: &str = "wasm32-unknown-unknown";

/// Beginnings of the names under which packages keep their licences.
const FILES: [&str; 6] = ["LICENSE", "LICENCE", "UNLICENSE", "COPYING", "COPYRIGHT", "NOTICE"];

/// A package from a registry.
struct Crate {
    /// Name and version.
    name: String,
    /// The licence as its author names it.
    licence: String,
    folder: PathBuf,
}

/// Writes the text, unless no dependency has changed since the last time.
///
/// # Errors
/// Cargo fails, or a file cannot be read or written.
pub fn collect() -> Result<()> {
    let inputs = ["Cargo.lock", "Cargo.toml", "xtask/src/licences.rs"].map(|file| paths::root().join(file));
    fingerprint::unless_unchanged("licences", &inputs, &paths::licences(), || {
        fs::create_dir_all(paths::licences().parent().context("the file has a folder")?)?;
        Ok(fs::write(paths::licences(), text_of(&crates()?)?)?)
    })
}

/// What the program and the bundle are linked from, in the order of the names.
fn crates() -> Result<Vec<Crate>> {
    let mut linked = names_in(&["--package", "server", "--features", "server/embed"])?;
    linked.extend(names_in(&["--package", "frontend", "--target", WASM])?);
    let metadata =
        command::output(
            command::cargo()
                .args(["metadata", "--format-version", "1", "--features", "server/embed"])
                .args(["--filter-platform", &host()?, "--filter-platform", WASM]),
        )?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let mut crates = BTreeMap::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists packages")? {
        let text = |field: &str| package[field].as_str().unwrap_or_default();
        let name = format!("{} {}", text("name"), text("version"));
        // What lies in this repository comes from nowhere else.
        if linked.contains(&name) && package["source"].is_string() {
            let folder = Path::new(text("manifest_path")).parent().context("a manifest lies in a folder")?;
            let licence = text("license").to_owned();
            crates.insert(name.clone(), Crate { name, licence, folder: folder.to_owned() });
        }
    }
    Ok(crates.into_values().collect())
}

/// Names and versions in a tree of dependencies.
fn names_in(flags: &[&str]) -> Result<BTreeSet<String>> {
    let tree = command::output(
        command::cargo()
            .args(["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
            .args(flags),
    )?;
    let name = |line: &str| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    };
    Ok(tree.lines().filter_map(name).collect())
}

fn host() -> Result<String> {
    let version = command::output(command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names its host")?.to_owned())
}

/// A list of the crates, and each different text once, with the names of those that bring it.
fn text_of(crates: &[Crate]) -> Result<String> {
    let mut list = String::new();
    let mut texts: BTreeMap<String, (String, Vec<&str>)> = BTreeMap::new();
    for one in crates {
        writeln!(list, "    {}: {}", one.name, one.licence)?;
        for file in licence_files(&one.folder)? {
            let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
            // The same words in lines of another length are the same text.
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let (_, names) = texts.entry(words).or_insert_with(|| (text, Vec::new()));
            if names.last() != Some(&one.name.as_str()) {
                names.push(&one.name);
            }
        }
    }
    let mut whole = format!(
        "These crates are in the program or in the browser bundle that it serves. Where a crate brings the text \
         of its licence, it stands below.\n\n{list}"
    );
    for (text, names) in texts.values() {
        write!(whole, "\n{}\n{}\n\n{}\n", "=".repeat(80), names.join(", "), text.trim_end())?;
    }
    Ok(whole)
}

fn licence_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        if path.is_file() && FILES.iter().any(|start| name.starts_with(start)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_two_crates_bring_is_there_once_with_both_names() {
        let folder = tempfile::tempdir().unwrap();
        let bring = |name: &str, file: &str, text: &str| {
            let folder = folder.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(file), text).unwrap();
            Crate { name: name.to_owned(), licence: "MIT".to_owned(), folder }
        };
        let text = text_of(&[
            bring("one 1.0.0", "LICENSE-MIT", "Do as\nyou like."),
            bring("two 2.0.0", "license.txt", "Do as you like."),
            bring("three 3.0.0", "README.md", "Three."),
        ])
        .unwrap();
        assert!(text.contains("    one 1.0.0: MIT\n    two 2.0.0: MIT\n    three 3.0.0: MIT\n"), "{text}");
        assert!(text.ends_with("\none 1.0.0, two 2.0.0\n\nDo as\nyou like.\n"), "{text}");
    }
}
