//! GPT-2 scores and writes as transformers does.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use candle_transformers::utils::apply_repeat_penalty;
use inference::model_files::ModelFiles;
use inference::models::gpt2::Gpt2;
use inference::pipelines::prompt_writer::{PromptRequest, PromptWriter};
use inference::tokenizers::gpt2::Gpt2Tokenizer;
use serde::Deserialize;

use crate::compare::{PART_TOLERANCE, relative_error};
use crate::reference::reference;

#[derive(Deserialize)]
struct Reference {
    n_new: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    start: String,
    ids: Vec<u32>,
    scores: Vec<f32>,
    greedy: Written,
    greedy_penalised: Written,
}

#[derive(Deserialize)]
struct Written {
    ids: Vec<u32>,
    text: String,
}

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tiny-gpt2")
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/demo-prompts")
}

fn check(folder: &Path, file: &str) {
    let files = ModelFiles::folder(folder);
    let model = Gpt2::load(&files, &Device::Cpu).unwrap();
    let tokenizer = Gpt2Tokenizer::load(&files).unwrap();
    let Reference { n_new, cases } = reference(file);
    for case in cases {
        let start = &case.start;
        assert_eq!([vec![tokenizer.end()], tokenizer.encode(start).unwrap()].concat(), case.ids, "{start}");
        let scores = model.next_scores(&case.ids, &mut model.memory()).unwrap();
        let expected = Tensor::new(case.scores, &Device::Cpu).unwrap();
        let error = relative_error(&scores, &expected);
        println!("{file} `{start}`: scores differ by {error:.1e}");
        assert!(error < PART_TOLERANCE, "`{start}`: {error:.1e} (do the numbers belong to these weights?)");
        for (penalty, written) in [(1.0, case.greedy), (1.3, case.greedy_penalised)] {
            let ids = greedy(&model, &tokenizer, &case.ids, n_new, penalty);
            assert_eq!(ids, written.ids, "`{start}`, penalty {penalty}");
            let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.bytes(id)).copied().collect();
            assert_eq!(String::from_utf8_lossy(&bytes), written.text, "`{start}`, penalty {penalty}");
        }
    }
}

/// Token after token with the memory, always the likeliest.
fn greedy(model: &Gpt2, tokenizer: &Gpt2Tokenizer, start: &[u32], n_new: usize, penalty: f32) -> Vec<u32> {
    let mut memory = model.memory();
    let mut context = start.to_vec();
    let mut n_read = 0;
    while context.len() < start.len() + n_new {
        let scores = model.next_scores(&context[n_read..], &mut memory).unwrap();
        n_read = context.len();
        let scores = apply_repeat_penalty(&scores, penalty, &context).unwrap();
        context.push(scores.argmax(0).unwrap().to_scalar().unwrap());
        if context.last() == Some(&tokenizer.end()) {
            break;
        }
    }
    context.split_off(start.len())
}

#[test]
fn a_tiny_gpt2_scores_and_writes_as_in_transformers() {
    check(&tiny(), "gpt2-tiny.json");
}

#[test]
fn the_demo_gpt2_scores_and_writes_as_in_transformers() {
    check(&demo(), "gpt2-demo.json");
}

#[test]
fn tokens_read_one_by_one_score_as_tokens_read_at_once() {
    let model = Gpt2::load(&ModelFiles::folder(tiny()), &Device::Cpu).unwrap();
    let tokens = [0, 65, 270, 285, 103, 7, 12];
    let at_once = model.scores(&tokens, &mut model.memory()).unwrap();
    for size in [1, 2, 3] {
        let mut memory = model.memory();
        let parts: Vec<Tensor> =
            tokens.chunks(size).map(|part| model.scores(part, &mut memory).unwrap()).collect();
        assert_eq!(memory.n_tokens(), tokens.len());
        assert!(relative_error(&Tensor::cat(&parts, 0).unwrap(), &at_once) < 1e-6, "parts of {size}");
    }
}

#[test]
fn without_tokenizer_json_the_vocabulary_and_merges_give_the_same_tokens() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
        std::fs::copy(tiny().join(file), folder.path().join(file)).unwrap();
    }
    let from_parts = Gpt2Tokenizer::load(&ModelFiles::folder(folder.path())).unwrap();
    let whole = Gpt2Tokenizer::load(&ModelFiles::folder(tiny())).unwrap();
    for text in ["a red sailing boat", "it's 1930,  über  the 雪 🌊\n", "<|endoftext|>"] {
        assert_eq!(from_parts.encode(text).unwrap(), whole.encode(text).unwrap(), "{text}");
        assert!(!whole.encode(text).unwrap().contains(&whole.end()), "{text}");
    }
    assert_eq!(from_parts.end(), whole.end());
}

fn writer() -> PromptWriter {
    PromptWriter::load(&ModelFiles::folder(tiny()), &Device::Cpu).unwrap()
}

fn write(writer: &PromptWriter, request: &PromptRequest) -> String {
    let mut seen = String::new();
    let text = writer.write(request, &mut |piece| {
        seen.push_str(piece);
        ControlFlow::Continue(())
    });
    assert_eq!(text.as_ref().unwrap(), &seen);
    seen
}

#[test]
fn the_same_seed_writes_the_same_text_and_another_seed_another() {
    let writer = writer();
    let text = |seed| write(&writer, &writer.request("a red", seed));
    assert_eq!(text(5), text(5));
    assert_ne!(text(5), text(6));
}

#[test]
fn text_from_random_tokens_is_one_line_of_whole_characters_and_fits_its_start() {
    let writer = writer();
    for seed in 0..40 {
        for start in ["", "a red", "a red ", "a sail", "雪", "two  spaces  "] {
            let text = write(&writer, &writer.request(start, seed));
            assert!(!text.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER), "{text:?}");
            if start.is_empty() || start.ends_with(' ') {
                assert!(!text.starts_with(char::is_whitespace), "{start:?} {text:?}");
            }
            assert!(!text.ends_with(char::is_whitespace), "{text:?}");
        }
    }
}

#[test]
fn a_start_longer_than_the_model_can_look_at_is_continued_from_its_end() {
    let writer = writer();
    let request = PromptRequest { max_new_tokens: 100, ..writer.request("a red boat, ".repeat(60), 1) };
    assert!(!write(&writer, &request).is_empty());
}

#[test]
fn breaking_keeps_what_is_there() {
    let writer = writer();
    let mut n_tried = 0;
    for seed in 0..20 {
        let request = writer.request("a red", seed);
        let whole = write(&writer, &request);
        if whole.trim().contains(' ') {
            let mut n_pieces = 0;
            let text = writer.write(&request, &mut |_| {
                n_pieces += 1;
                ControlFlow::Break(())
            });
            let text = text.unwrap();
            assert_eq!(n_pieces, 1);
            assert!(!text.is_empty() && text.len() < whole.len() && whole.starts_with(&text), "{text:?}");
            n_tried += 1;
        }
    }
    assert!(n_tried > 0, "no text had two words");
}

#[test]
fn a_model_without_a_needed_tensor_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(tiny().join(file), folder.path().join(file)).unwrap();
    }
    let config = std::fs::read_to_string(tiny().join("config.json")).unwrap();
    let load = |from: &str, to: &str| {
        assert!(config.contains(from));
        std::fs::write(folder.path().join("config.json"), config.replace(from, to)).unwrap();
        PromptWriter::load(&ModelFiles::folder(folder.path()), &Device::Cpu).unwrap_err().to_string()
    };
    assert_eq!(
        load("\"n_layer\": 2", "\"n_layer\": 3"),
        "file `model.safetensors` has no tensor `transformer.h.2.ln_1.weight`"
    );
    assert_eq!(
        load("\"n_positions\": 64", "\"n_positions\": 65"),
        "tensor `transformer.wpe.weight` in `model.safetensors` has shape [64, 32], and [65, 32] is needed"
    );
    assert_eq!(
        load("gelu_new", "relu"),
        "`activation_function` in `config.json` is `\"relu\"`, and only \"gelu_new\" or \"gelu_pytorch_tanh\" is supported"
    );
}
