//! Tokenizer and text encoder.

use candle_core::Device;
use inference::models::clip::ClipTextEncoder;
use inference::tokenizers::clip::ClipTokenizer;

use crate::compare::{PART_TOLERANCE, relative_error};
use crate::kinds;

#[test]
fn texts_become_the_same_tokens() {
    for kind in kinds::all() {
        let tokenizer = ClipTokenizer::load(&kind.files, "tokenizer", 77).unwrap();
        for text in &kind.card.texts {
            assert_eq!(tokenizer.encode(&text.text).unwrap(), text.ids, "{}: {:?}", kind.name, text.text);
        }
    }
}

#[test]
fn the_text_encoder_computes_the_same() {
    for kind in kinds::all() {
        let encoder = ClipTextEncoder::load(&kind.files, "text_encoder", &Device::Cpu).unwrap();
        let texts = [kind.card.texts[1].ids.clone(), kind.card.texts[10].ids.clone()];
        let error = relative_error(&encoder.forward(&texts).unwrap(), &kind.tensors["text"]);
        println!("{}: text encoder {error:.1e}", kind.name);
        assert!(error <= PART_TOLERANCE, "{}: {error:.1e}", kind.name);
    }
}
