//! From prompt to what the U-Net listens to.

use candle_core::{Device, Tensor};
use inference::Error;
use inference::prompts::{PromptEncoder, PromptOptions};

use crate::kinds;

fn bits(x: &Tensor) -> Vec<u32> {
    x.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
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
fn without_guidance_no_negative_prompt_is_encoded() {
    let kind = kinds::all().remove(0);
    let encoder = PromptEncoder::load(&kind.files, &Device::Cpu).unwrap();
    let found = encoder.encode("a red boat", None, PromptOptions::default()).unwrap();
    assert!(found.negative.is_none());
}

#[test]
fn a_clip_skip_that_leaves_no_block_is_refused_with_what_is_allowed() {
    let kind = kinds::all().remove(0);
    let encoder = PromptEncoder::load(&kind.files, &Device::Cpu).unwrap();
    for clip_skip in [0, 4] {
        let options = PromptOptions { clip_skip, ..PromptOptions::default() };
        let error = encoder.encode("a red boat", None, options).unwrap_err();
        assert!(matches!(error, Error::ClipSkip { .. }));
        assert_eq!(
            error.to_string(),
            format!("clip skip {clip_skip} is not possible with this model; allowed are 1 to 3")
        );
    }
}
