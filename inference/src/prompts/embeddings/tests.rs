use std::collections::HashMap;

use candle_core::DType;
use tempfile::TempDir;

use super::*;
use crate::tokenizers::clip::Padding;

const SD1: Needed<'_> = Needed { width: 8, key: None, other: None };
const SDXL: Needed<'_> = Needed { width: 8, key: Some("clip_l"), other: Some(("clip_g", 12)) };

/// A folder with one file: tensors by name and shape.
fn folder(file: &str, tensors: &[(&str, &[usize])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let tensors: HashMap<String, Tensor> = tensors
        .iter()
        .map(|(name, shape)| ((*name).to_owned(), Tensor::ones(*shape, DType::F32, &Device::Cpu).unwrap()))
        .collect();
    candle_core::safetensors::save(&tensors, folder.path().join(file)).unwrap();
    folder
}

fn find(folder: &TempDir, text: &str, needed: Needed<'_>) -> Result<Option<Found>> {
    let tokenizer = ClipTokenizer::bundled(Padding::EndOfText).unwrap();
    let dictionary = Embeddings::folder(folder.path()).dictionary(&tokenizer, needed)?;
    dictionary.find(&tokenizer.words(text)?)
}

fn complaint(folder: &TempDir, text: &str, needed: Needed<'_>) -> String {
    find(folder, text, needed).unwrap_err().to_string()
}

#[test]
fn every_way_of_storing_vectors_is_read() {
    for (tensors, needed, n_vectors) in [
        (&[("emb_params", &[3usize, 8][..])][..], SD1, 3),
        (&[("<ink-wash>", &[2, 8])], SD1, 2),
        (&[("<ink-wash>", &[8])], SD1, 1),
        (&[("clip_l", &[4, 8]), ("clip_g", &[4, 12])], SDXL, 4),
    ] {
        let found = find(&folder("ink-wash.safetensors", tensors), "ink-wash boat", needed).unwrap().unwrap();
        assert_eq!(found.vectors.dims(), [n_vectors, 8]);
        assert_eq!(found.n_tokens, 3);
    }
}

#[test]
fn a_name_is_whole_words_in_capitals_or_not() {
    let folder = folder("ink-wash.safetensors", &[("emb_params", &[1, 8])]);
    for (text, is_found) in [
        ("ink-wash", true),
        ("INK-Wash, a boat", true),
        ("ink - wash", true),
        ("ink-washes", false),
        ("ink", false),
        ("a ink-wash", false),
    ] {
        assert_eq!(find(&folder, text, SD1).unwrap().is_some(), is_found, "{text}");
    }
}

#[test]
fn the_longest_name_goes_first() {
    let folder = folder("ink.safetensors", &[("emb_params", &[1, 8])]);
    let long = HashMap::from([("emb_params", Tensor::ones((2, 8), DType::F16, &Device::Cpu).unwrap())]);
    candle_core::safetensors::save(&long, folder.path().join("ink wash.safetensors")).unwrap();
    assert_eq!(find(&folder, "ink wash boat", SD1).unwrap().unwrap().vectors.dims(), [2, 8]);
    assert_eq!(find(&folder, "ink boat", SD1).unwrap().unwrap().vectors.dims(), [1, 8]);
    assert_eq!(Embeddings::folder(folder.path()).names(), ["ink", "ink wash"]);
}

#[test]
fn vectors_for_another_kind_of_model_are_refused_with_both_widths() {
    for (tensors, needed, expected) in [
        (
            &[("emb_params", &[2usize, 16][..])][..],
            SD1,
            "its vectors have 16 channels, and this model's have 8",
        ),
        (
            &[("clip_l", &[2, 8]), ("clip_g", &[2, 12])],
            SD1,
            "its vectors have 8 and 12 channels, for two text encoders, and this model's have 8",
        ),
        (
            &[("emb_params", &[2, 8])],
            SDXL,
            "its vectors have 8 channels, and this model needs clip_l with 8 and clip_g with 12",
        ),
        (
            &[("clip_l", &[2, 9]), ("clip_g", &[2, 12])],
            SDXL,
            "its vectors have 9 channels, and this model's have 8",
        ),
        (
            &[("clip_l", &[2, 8]), ("clip_g", &[3, 12])],
            SDXL,
            "it has 2 vectors in clip_l and 3 in clip_g, and the numbers have to be equal",
        ),
        (
            &[("one", &[2, 8]), ("two", &[2, 8])],
            SD1,
            "it has 2 tensors, and a textual inversion has emb_params alone, or clip_l and clip_g",
        ),
        (&[("emb_params", &[76, 8])], SD1, "it has 76 vectors; allowed are 1 to 75"),
        (
            &[("emb_params", &[1, 2, 8])],
            SD1,
            "`emb_params` has shape [1, 2, 8], and vectors are a table of two sizes",
        ),
    ] {
        let folder = folder("ink.safetensors", tensors);
        let expected = format!("embedding `ink.safetensors` cannot be used: {expected}");
        assert_eq!(complaint(&folder, "ink", needed), expected);
        // Nobody who does not name it hears of it.
        assert!(find(&folder, "boat", needed).unwrap().is_none());
    }
}

#[test]
fn a_pickle_is_refused_with_the_reason_unless_there_is_a_better_file() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("ink.pt"), [0x80]).unwrap();
    assert_eq!(
        complaint(&folder, "ink", SD1),
        "embedding `ink.pt` cannot be used: it is a pickle, and reading one can run any program; convert it to \
         ink.safetensors"
    );
    assert!(Embeddings::folder(folder.path()).names().is_empty());
    let vectors = HashMap::from([("emb_params", Tensor::ones((2, 8), DType::F32, &Device::Cpu).unwrap())]);
    candle_core::safetensors::save(&vectors, folder.path().join("ink.safetensors")).unwrap();
    assert!(find(&folder, "ink", SD1).unwrap().is_some());
}

#[test]
fn a_broken_file_is_named_and_a_missing_folder_is_an_empty_one() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("ink.safetensors"), [0xFF; 20]).unwrap();
    let complaint = complaint(&folder, "ink", SD1);
    let start = "embedding `ink.safetensors` cannot be used: it is no whole safetensors file (";
    assert!(complaint.starts_with(start), "{complaint}");
    assert!(Embeddings::folder(folder.path().join("none")).names().is_empty());
}
