//! Rebuilds the program when what it carries has changed.

fn main() {
    if std::env::var_os("CARGO_FEATURE_EMBED").is_some() {
        println!("cargo::rerun-if-changed=../target/site");
        println!("cargo::rerun-if-changed=../models");
    } else {
        println!("cargo::rerun-if-changed=build.rs");
    }
}
