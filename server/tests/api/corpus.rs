//! All that the fuzz targets ever found, and where they begin.

use std::path::{Path, PathBuf};

/// The files of a target's corpus.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).expect("the corpus is there");
    let paths = files.map(|file| file.expect("the folder can be read").path());
    paths.map(|path| (path.clone(), std::fs::read(path).expect("the file can be read"))).collect()
}

/// Feeds a reader every file, and every file cut short and with a byte changed here and there.
fn read_all(target: &str, read: fn(&[u8])) {
    let files = corpus(target);
    assert!(files.len() >= 5, "the corpus of {target} has {} files", files.len());
    for (path, bytes) in files {
        println!("{}", path.display());
        read(&bytes);
        for cut in 1..16 {
            read(&bytes[..bytes.len() * cut / 16]);
            let mut changed = bytes.clone();
            if let Some(byte) = changed.get_mut(bytes.len() * cut / 16) {
                *byte ^= 1 << (cut % 8);
            }
            read(&changed);
        }
    }
}

#[test]
fn no_header_of_a_model_brings_the_program_down() {
    read_all("safetensors", server::hostile::safetensors);
}

#[test]
fn no_settings_bring_the_program_down() {
    read_all("metadata", server::hostile::metadata);
}

#[test]
fn no_picture_brings_the_program_down() {
    read_all("picture", server::hostile::picture);
}

#[test]
fn no_prompt_brings_the_program_down() {
    read_all("prompt", server::hostile::prompt);
}

#[test]
fn no_workflow_brings_the_program_down() {
    read_all("workflow", server::hostile::workflow);
}
