//! From prompt to what the U-Net listens to.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use inference::Error;
use inference::model_files::ModelFiles;
use inference::models::clip::{ClipTextEncoder, Encoding, Vectors};
use inference::pipelines::stable_diffusion::{LoadOptions, PictureRequest, StableDiffusion};
use inference::prompts::chunks::cut;
use inference::prompts::embeddings::{Embeddings, Needed};
use inference::prompts::{Conditioning, PromptEncoder, PromptOptions, TextPart};
use inference::tokenizers::clip::{ClipTokenizer, Padding};
use serde::Deserialize;
use tempfile::TempDir;
use types::prompt::{Part, Weighting, parse};

use crate::compare::{PART_TOLERANCE, relative_error};
use crate::kinds;
use crate::reference::reference;

#[derive(Deserialize)]
struct Card {
    brackets: Vec<Brackets>,
    cases: HashMap<String, Vec<Case>>,
}

#[derive(Deserialize)]
struct Brackets {
    prompt: String,
    parts: Vec<(String, f64)>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    prompt: String,
    negative_prompt: String,
    weighting: Weighting,
    clip_skip: usize,
    ids: Vec<Vec<u32>>,
    weights: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct Tokens {
    padding: String,
    text: String,
    ids: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

fn tensors() -> HashMap<String, Tensor> {
    candle_core::safetensors::load(folder().join("prompts.safetensors"), &Device::Cpu).unwrap()
}

fn tiny_text() -> ModelFiles {
    ModelFiles::folder(folder().join("tiny-text"))
}

/// One of the tiny text encoders as SD 1.x and 2.x have theirs, or both as SDXL has them.
fn prompt_encoder(kind: &str) -> PromptEncoder {
    let files = tiny_text();
    let (one, two) = match kind {
        "first" => ("text_encoder", "tokenizer"),
        "second" => ("text_encoder_2", "tokenizer_2"),
        _ => {
            let encoder = PromptEncoder::load(&files, &Device::Cpu).unwrap();
            return encoder.with_embeddings(Embeddings::folder(folder().join("embeddings-xl")));
        }
    };
    let part = TextPart::load(&files, one, two, &Device::Cpu).unwrap();
    PromptEncoder::single(part).with_embeddings(Embeddings::folder(folder().join("embeddings")))
}

fn bits(x: &Tensor) -> Vec<u32> {
    x.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn brackets_mean_what_they_mean_in_the_web_ui() {
    for Brackets { prompt, parts } in reference::<Card>("prompts.json").brackets {
        let found: Vec<(String, f64)> = parse(&prompt)
            .into_iter()
            .map(|part| match part {
                Part::Text { text, weight } => (text, weight),
                Part::Break => ("BREAK".to_owned(), -1.0),
            })
            .collect();
        assert_eq!(found.len(), parts.len(), "{prompt:?}: {found:?}");
        for ((text, weight), (expected_text, expected_weight)) in found.iter().zip(&parts) {
            assert_eq!(text, expected_text, "{prompt:?}");
            assert!((weight - expected_weight).abs() < 1e-12, "{prompt:?}: {weight} {expected_weight}");
        }
    }
}

#[test]
fn the_programs_own_tokenizer_gives_the_tokens_of_transformers() {
    let [end, zero] = [Padding::EndOfText, Padding::Zero].map(|p| ClipTokenizer::bundled(p).unwrap());
    for Tokens { padding, text, ids } in reference::<Vec<Tokens>>("clip-vocabulary.json") {
        let tokenizer = if padding == "!" { &zero } else { &end };
        let found: Vec<String> = tokenizer.encode(&text).unwrap().iter().map(u32::to_string).collect();
        assert_eq!(found.join(" "), ids, "{text:?}");
    }
}

#[test]
fn prompts_are_cut_into_the_same_chunks_with_the_same_weights() {
    for (kind, cases) in reference::<Card>("prompts.json").cases {
        let encoder = prompt_encoder(&kind);
        let part = &encoder.parts()[0];
        let (key, place) =
            if kind == "both" { (Some("clip_l"), "embeddings-xl") } else { (None, "embeddings") };
        let needed = Needed { width: part.encoder.config().width, key, other: None };
        let dictionary =
            Embeddings::folder(folder().join(place)).dictionary(&part.tokenizer, needed).unwrap();
        for case in cases {
            let chunks = cut(&case.prompt, &part.tokenizer, &dictionary).unwrap();
            let ids: Vec<Vec<u32>> = chunks.iter().map(|chunk| chunk.ids.clone()).collect();
            assert_eq!(ids, case.ids, "{kind}: {}", case.name);
            for (chunk, expected) in chunks.iter().zip(&case.weights) {
                assert_eq!(chunk.weights.len(), expected.len());
                for (found, expected) in chunk.weights.iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-6, "{kind}: {}", case.name);
                }
            }
        }
    }
}

#[test]
fn prompts_say_the_same_to_the_unet_in_every_weighting_and_layer() {
    let tensors = tensors();
    for (kind, cases) in reference::<Card>("prompts.json").cases {
        let encoder = prompt_encoder(&kind);
        for case in cases {
            let options = PromptOptions { weighting: case.weighting, clip_skip: case.clip_skip };
            let found = encoder.encode(&case.prompt, Some(&case.negative_prompt), options).unwrap();
            let negative = found.negative.unwrap();
            assert_eq!(negative.context.dims(), found.positive.context.dims());
            for (side, conditioning) in [("positive", found.positive), ("negative", negative)] {
                let Conditioning { context, pooled } = conditioning;
                let key = format!("{kind}.{}.{side}", case.name);
                // Where the negative prompt is empty it says nothing of its own.
                let Some(expected) = tensors.get(&key) else {
                    assert_eq!((side, case.negative_prompt.as_str()), ("negative", ""));
                    continue;
                };
                let error = relative_error(&context, expected);
                println!("{key}: {error:.1e}");
                assert!(error <= PART_TOLERANCE, "{key}: {error:.1e}");
                let expected = tensors.get(&format!("{key}.pooled"));
                assert_eq!(pooled.is_some(), expected.is_some(), "{key}");
                if let (Some(pooled), Some(expected)) = (pooled, expected) {
                    let error = relative_error(&pooled, expected);
                    println!("{key}.pooled: {error:.1e}");
                    assert!(error <= PART_TOLERANCE, "{key}.pooled: {error:.1e}");
                }
            }
        }
    }
}

#[test]
fn the_pooled_output_is_taken_at_the_end_that_the_config_means() {
    let tensors = tensors();
    let rows: Vec<Vec<i64>> = tensors["ends.ids"].to_vec2().unwrap();
    let texts: Vec<Vec<u32>> = rows.iter().map(|row| row.iter().map(|&id| id as u32).collect()).collect();
    for end in [2, 500] {
        let copy = tempfile::tempdir().unwrap();
        for file in ["config.json", "model.safetensors"] {
            let from = folder().join("tiny-text/text_encoder_2").join(file);
            let to = copy.path().join("text_encoder");
            std::fs::create_dir_all(&to).unwrap();
            std::fs::copy(from, to.join(file)).unwrap();
        }
        let path = copy.path().join("text_encoder/config.json");
        let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        config["eos_token_id"] = end.into();
        std::fs::write(&path, config.to_string()).unwrap();
        let files = ModelFiles::folder(copy.path());
        let encoder = ClipTextEncoder::load(&files, "text_encoder", &Device::Cpu).unwrap();
        let pooled = encoder.encode(&texts, Encoding::default()).unwrap().pooled.unwrap();
        let error = relative_error(&pooled, &tensors[&format!("ends.{end}")]);
        println!("end {end}: {error:.1e}");
        assert!(error <= PART_TOLERANCE, "end {end}: {error:.1e}");
    }
}

#[test]
fn an_empty_negative_prompt_is_zero_in_sdxl_and_encoded_elsewhere() {
    for (kind, is_zero) in [("first", false), ("both", true)] {
        let found = prompt_encoder(kind).encode("a red boat", Some(" "), PromptOptions::default()).unwrap();
        let negative = found.negative.unwrap();
        let all_zero = |x: &Tensor| bits(x).iter().all(|&bits| bits == 0);
        assert_eq!(all_zero(&negative.context), is_zero, "{kind}");
        assert_eq!(negative.pooled.as_ref().is_some_and(all_zero), is_zero, "{kind}");
    }
}

#[test]
fn a_short_prompt_without_syntax_is_encoded_to_the_bit_as_without_chunks() {
    for kind in kinds::all() {
        let encoder = PromptEncoder::load(&kind.files, &Device::Cpu).unwrap();
        let part = &encoder.parts()[0];
        let [prompt, negative] = ["a red sailing boat, on a calm sea", ""];
        let found = encoder.encode(prompt, Some(negative), PromptOptions::default()).unwrap();
        let context = found.negative.unwrap().context;
        for (text, context) in [(prompt, &found.positive.context), (negative, &context)] {
            let plain = part.encoder.forward(&[part.tokenizer.encode(text).unwrap()]).unwrap();
            assert_eq!(context.dims(), [1, 77, encoder.width()]);
            assert_eq!(bits(context), bits(&plain), "{}: {text:?}", kind.name);
        }
        assert!(found.positive.pooled.is_none());
    }
}

#[test]
fn a_negative_prompt_has_as_many_chunks_as_the_prompt_and_the_other_way_round() {
    let encoder = prompt_encoder("both");
    for (prompt, negative) in [("a boat BREAK a sea BREAK a car", "a car"), ("a car", "a BREAK b BREAK c")] {
        let found = encoder.encode(prompt, Some(negative), PromptOptions::default()).unwrap();
        assert_eq!(found.positive.context.dims(), [1, 3 * 77, 40]);
        assert_eq!(found.negative.unwrap().context.dims(), [1, 3 * 77, 40]);
    }
}

#[test]
fn without_guidance_no_negative_prompt_is_encoded() {
    let found = prompt_encoder("first").encode("a red boat", None, PromptOptions::default()).unwrap();
    assert!(found.negative.is_none());
}

#[test]
fn a_clip_skip_that_leaves_no_block_is_refused_with_what_is_allowed() {
    for (kind, most) in [("first", 3), ("both", 2)] {
        let encoder = prompt_encoder(kind);
        assert_eq!(encoder.max_clip_skip(), most);
        for clip_skip in [0, most + 1] {
            let options = PromptOptions { clip_skip, ..PromptOptions::default() };
            let error = encoder.encode("a red boat", None, options).unwrap_err();
            assert!(matches!(error, Error::ClipSkip { .. }));
            assert_eq!(
                error.to_string(),
                format!("clip skip {clip_skip} is not possible with this model; allowed are 1 to {most}")
            );
        }
    }
}

#[test]
fn vectors_that_reach_beyond_a_text_or_blocks_beyond_the_first_are_an_error() {
    let encoder = ClipTextEncoder::load(&tiny_text(), "text_encoder", &Device::Cpu).unwrap();
    let texts = [vec![3; 8]];
    let vectors = |position: usize, width: usize| {
        let values = Tensor::zeros((3, width), DType::F32, &Device::Cpu).unwrap();
        [Vectors { text: 0, position, values }]
    };
    for (skip, vectors, is_right) in [
        (2, vectors(5, 16), true),
        (3, vectors(5, 16), false),
        (0, vectors(6, 16), false),
        (0, vectors(0, 24), false),
    ] {
        let encoding = Encoding { skip, vectors: &vectors, ..Encoding::default() };
        assert_eq!(encoder.encode(&texts, encoding).is_ok(), is_right, "{skip} {vectors:?}");
    }
}

#[test]
fn a_second_text_encoder_without_its_projection_is_refused() {
    let copy = tempfile::tempdir().unwrap();
    for part in ["text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"] {
        std::fs::create_dir(copy.path().join(part)).unwrap();
        for entry in std::fs::read_dir(folder().join("tiny-text").join(part)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, copy.path().join(part).join(path.file_name().unwrap())).unwrap();
        }
    }
    let path = copy.path().join("text_encoder_2/config.json");
    let config = std::fs::read_to_string(&path).unwrap().replace("WithProjection", "");
    std::fs::write(&path, config).unwrap();
    let error = PromptEncoder::load(&ModelFiles::folder(copy.path()), &Device::Cpu).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`architectures` in `text_encoder_2/config.json` is `[\"CLIPTextModel\"]`, and only \
         CLIPTextModelWithProjection is supported"
    );
}

/// A model of one tiny text encoder without a tokenizer, that knows `n_tokens` tokens.
fn without_tokenizer(encoder: &str, n_tokens: usize) -> TempDir {
    let copy = TempDir::new().unwrap();
    let (from, to) = (folder().join("tiny-text").join(encoder), copy.path().join("text_encoder"));
    std::fs::create_dir(&to).unwrap();
    let config = std::fs::read_to_string(from.join("config.json")).unwrap();
    let config = config.replace("\"vocab_size\": 576", &format!("\"vocab_size\": {n_tokens}"));
    std::fs::write(to.join("config.json"), config).unwrap();
    let mut tensors = candle_core::safetensors::load(from.join("model.safetensors"), &Device::Cpu).unwrap();
    let (name, table) = tensors.iter().find(|(name, _)| name.ends_with("token_embedding.weight")).unwrap();
    let (name, table) = (name.clone(), table.pad_with_zeros(0, 0, n_tokens - 576).unwrap());
    tensors.insert(name, table);
    candle_core::safetensors::save(&tensors, to.join("model.safetensors")).unwrap();
    copy
}

#[test]
fn a_model_without_a_tokenizer_has_the_programs_own_and_fills_up_as_its_makers_did() {
    for (encoder, filling) in [("text_encoder", 49_407), ("text_encoder_2", 0)] {
        let copy = without_tokenizer(encoder, 49_408);
        let encoder = PromptEncoder::load(&ModelFiles::folder(copy.path()), &Device::Cpu).unwrap();
        let ids = encoder.parts()[0].tokenizer.encode("").unwrap();
        assert_eq!(ids[..3], [49_406, 49_407, filling]);
        encoder.encode("a (red:1.2) boat", Some(""), PromptOptions::default()).unwrap();
    }
}

#[test]
fn a_text_encoder_that_does_not_know_the_programs_tokens_needs_a_tokenizer_of_its_own() {
    let copy = without_tokenizer("text_encoder", 576);
    let error = PromptEncoder::load(&ModelFiles::folder(copy.path()), &Device::Cpu).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the tokenizer failed: it has 49408 tokens and texts of 77, and the text encoder knows 576 and takes 77"
    );
}

#[test]
fn a_picture_that_names_a_textual_inversion_of_another_model_is_refused() {
    let kind = kinds::all().remove(0);
    let embeddings = Some(Embeddings::folder(folder().join("embeddings")));
    let options = LoadOptions { embeddings, ..LoadOptions::default() };
    let model = StableDiffusion::load_with(&kind.files, &Device::Cpu, options).unwrap();
    let paint = |prompt: &str| {
        let request = PictureRequest { steps: 1, ..PictureRequest::new(prompt, 32, 32) };
        model.generate(&request, &mut |_| ControlFlow::Continue(()))
    };
    paint("a red boat").unwrap();
    assert_eq!(
        paint("a red boat, tiny-stroke").unwrap_err().to_string(),
        "embedding `tiny-stroke.safetensors` cannot be used: its vectors have 16 channels, and this model's have 24"
    );
}
