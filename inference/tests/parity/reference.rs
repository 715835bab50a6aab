//! The committed numbers of `tests/reference/`.

use serde::de::DeserializeOwned;

/// A file of that folder, read as JSON.
pub fn reference<T: DeserializeOwned>(name: &str) -> T {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/").to_owned() + name;
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}
