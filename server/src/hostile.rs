//! Anything at all, read by each of the readers that strangers reach: what the fuzz targets call, and a test with all that
//! they ever found.
//!
//! Each function reads its bytes as far as the program would before it makes a picture, and may refuse them. It must not
//! panic.

use std::sync::atomic::{AtomicU64, Ordering};

use backend::pictures::Decoded;
use backend::{Materials, hostile};
use types::prompt::{Expander, Wildcard, WildcardStream, WordLists, lora_tags, parse};

use crate::comfyui;

/// The header of a model file, told apart and listed.
pub fn safetensors(bytes: &[u8]) {
    static N_FILES: AtomicU64 = AtomicU64::new(0);
    let number = N_FILES.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("darkroom-{}-{number}.safetensors", std::process::id()));
    if std::fs::write(&path, bytes).is_ok() {
        if let Ok(files) = backend::models::inspect::open(&path) {
            let _ = backend::models::inspect::inspect(&files);
        }
        let _ = std::fs::remove_file(&path);
    }
}

/// The settings inside a picture of any program.
pub fn metadata(bytes: &[u8]) {
    hostile::settings_inside(bytes);
}

/// The pixels of a picture, as a start picture and as a mask.
pub fn picture(bytes: &[u8]) {
    if let Ok(decoded) = Decoded::read(bytes) {
        let mask = Some(decoded.clone().into_mask());
        let _ = Materials { start: Some(decoded.into_rgb()), mask };
    }
}

/// The weights, LoRA tags, wildcards and choices of a prompt.
pub fn prompt(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = parse(&text);
    let _ = lora_tags(&text);
    let endless = [Wildcard {
        name: "endless".to_owned(),
        entries: vec!["__endless__ __endless__".to_owned(), "{a|b}".to_owned()],
    }];
    let lists = WordLists { files: &endless, vocabulary: None };
    let _ = Expander::new(lists, 7, WildcardStream::Prompt).expand(&text);
}

/// A workflow in ComfyUI's form, to the requests that stand for it.
pub fn workflow(bytes: &[u8]) {
    if let Ok(prompt) = serde_json::from_slice(bytes) {
        comfyui::read_anything(&prompt);
    }
}
