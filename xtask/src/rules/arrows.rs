//! Which crate may depend on which, and what must be out of reach.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;

/// Each crate of the workspace, with the others of it that it may depend on.
const ALLOWED: [(&str, &[&str]); 7] = [
    ("types", &[]),
    ("inference", &["types"]),
    ("backend", &["types", "inference"]),
    ("app", &["types", "backend"]),
    ("frontend", &["app"]),
    ("server", &["types", "inference", "backend", "app"]),
    ("xtask", &[]),
];

/// What a crate must not reach, however many crates lie between. A name stands for itself and for all
/// that begin with it and a hyphen: `sea-orm` for `sea-orm-migration` as well.
const BARRIERS: [Barrier; 3] = [
    Barrier {
        from: "types",
        flags: &[],
        to: &["tokio", "axum", "hyper", "leptos", "candle", "sea-orm", "sqlx"],
        reason: "types does no input or output",
    },
    Barrier {
        from: "inference",
        flags: &[],
        to: &["tokio", "axum", "hyper", "tower", "leptos", "sea-orm", "sqlx", "reqwest"],
        reason: "inference knows no HTTP, no SQL and no async",
    },
    Barrier {
        from: "frontend",
        flags: &["--target", "wasm32-unknown-unknown"],
        to: &["candle", "inference", "backend", "server", "sea-orm", "sqlx", "axum"],
        reason: "nothing in a browser bundle reaches the engine or the database",
    },
];

struct Barrier {
    from: &'static str,
    flags: &'static [&'static str],
    to: &'static [&'static str],
    reason: &'static str,
}

/// Every arrow that may not be.
pub fn breaches() -> Result<Vec<String>> {
    let metadata =
        command::output(command::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let mut breaches = wrong_arrows(&arrows(&serde_json::from_str(&metadata)?)?);
    for barrier in &BARRIERS {
        let tree = command::output(
            command::cargo()
                .args(["tree", "--package", barrier.from, "--edges", "normal", "--prefix", "none"])
                .args(["--format", "{p}"])
                .args(barrier.flags),
        )?;
        for name in within_reach(&tree, barrier.to) {
            breaches.push(format!("{} reaches {name}: {}", barrier.from, barrier.reason));
        }
    }
    Ok(breaches)
}

/// The crates of the workspace, each with those of its dependencies that lie in it too.
fn arrows(metadata: &Value) -> Result<BTreeMap<String, Vec<String>>> {
    let mut arrows = BTreeMap::new();
    for package in metadata["packages"].as_array().context("cargo metadata lists packages")? {
        let to = package["dependencies"]
            .as_array()
            .context("cargo metadata lists dependencies")?
            .iter()
            .filter(|dependency| dependency["path"].is_string())
            .filter_map(|dependency| Some(dependency["name"].as_str()?.to_owned()))
            .collect();
        arrows.insert(package["name"].as_str().context("a package has a name")?.to_owned(), to);
    }
    Ok(arrows)
}

fn wrong_arrows(arrows: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (from, to) in arrows {
        match ALLOWED.iter().find(|(name, _)| name == from) {
            None => {
                wrong
                    .push(format!("the crate {from} has no place in the table of xtask/src/rules/arrows.rs"));
            }
            Some((_, allowed)) => wrong.extend(
                to.iter()
                    .filter(|to| !allowed.contains(&to.as_str()))
                    .map(|to| format!("{from} depends on {to}: arrows go one way, and this is another")),
            ),
        }
    }
    wrong
}

/// Those of the names that stand in a tree of `name version` lines.
fn within_reach<'a>(tree: &str, names: &[&'a str]) -> Vec<&'a str> {
    let in_tree: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    names
        .iter()
        .copied()
        .filter(|name| {
            in_tree.iter().any(|found| {
                found.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows_of(from: &str, to: &[&str]) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([(from.to_owned(), to.iter().map(|&to| to.to_owned()).collect())])
    }

    #[test]
    fn an_arrow_against_the_order_is_found_and_one_with_it_is_not() {
        assert_eq!(wrong_arrows(&arrows_of("backend", &["inference", "types"])), Vec::<String>::new());
        assert_eq!(
            wrong_arrows(&arrows_of("inference", &["types", "backend"])),
            ["inference depends on backend: arrows go one way, and this is another"]
        );
    }

    #[test]
    fn a_crate_that_nobody_placed_is_found() {
        assert_eq!(wrong_arrows(&arrows_of("helpers", &[])).len(), 1);
    }

    #[test]
    fn a_workspace_dependency_is_told_by_its_path() {
        let metadata = serde_json::json!({"packages": [{
            "name": "backend",
            "dependencies": [{"name": "types", "path": "/somewhere/types"}, {"name": "tokio", "path": null}],
        }]});
        assert_eq!(arrows(&metadata).unwrap(), arrows_of("backend", &["types"]));
    }

    #[test]
    fn a_name_stands_for_its_family_and_not_for_its_namesakes() {
        let tree = "inference v0.1.0 (/somewhere)\ncandle-core v0.11.1\ntokio-util v0.7\nhyperloop v1.0.0\n";
        assert_eq!(within_reach(tree, &["candle", "tokio", "hyper", "axum"]), ["candle", "tokio"]);
    }
}
