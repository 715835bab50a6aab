//! How much went into a picture and came out of it. Nothing is billed by it; clients expect it to be there.

use serde::Serialize;
use types::request::GenerationRequest;

/// Pixels of a side that the VAE makes one place of a latent of: what counts as one token of a picture.
const PIXELS_PER_TOKEN: u32 = 8;

/// OpenAI's usage object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Usage {
    input_tokens: u64,
    input_tokens_details: Details,
    output_tokens: u64,
    output_tokens_details: Details,
    total_tokens: u64,
}

/// Which of them are of a picture and which of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Details {
    image_tokens: u64,
    text_tokens: u64,
}

impl Usage {
    /// What `n_pictures` of a request come to.
    ///
    /// The text is both prompts, in the pieces that CLIP cuts a text into before it looks them up. A picture is the
    /// places of its latent.
    pub fn of(request: &GenerationRequest, n_pictures: usize) -> Self {
        let start = request.start.as_ref().map_or(0, |_| image_tokens(request.start_size()));
        let text = text_tokens(&request.prompt) + text_tokens(&request.negative_prompt);
        let output = image_tokens(request.picture_size()) * n_pictures as u64;
        Self {
            input_tokens: start + text,
            input_tokens_details: Details { image_tokens: start, text_tokens: text },
            output_tokens: output,
            output_tokens_details: Details { image_tokens: output, text_tokens: 0 },
            total_tokens: start + text + output,
        }
    }
}

fn image_tokens((width, height): (u32, u32)) -> u64 {
    u64::from(width.div_ceil(PIXELS_PER_TOKEN)) * u64::from(height.div_ceil(PIXELS_PER_TOKEN))
}

/// What a character belongs to: a word, a number, or signs.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Space,
    Letter,
    Digit,
    Sign,
}

/// Words, single digits, and runs of other signs.
fn text_tokens(text: &str) -> u64 {
    let mut before = Kind::Space;
    let mut n_tokens = 0;
    for letter in text.chars() {
        let kind = match letter {
            _ if letter.is_whitespace() => Kind::Space,
            _ if letter.is_alphabetic() => Kind::Letter,
            _ if letter.is_numeric() => Kind::Digit,
            _ => Kind::Sign,
        };
        if kind != Kind::Space && (kind != before || kind == Kind::Digit) {
            n_tokens += 1;
        }
        before = kind;
    }
    n_tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_in_words_digits_and_signs() {
        assert_eq!(text_tokens(""), 0);
        assert_eq!(text_tokens("a red  sailing boat"), 4);
        assert_eq!(text_tokens("boat, 35mm!!"), 6);
        assert_eq!(text_tokens("夕暮れ"), 1);
    }

    #[test]
    fn a_picture_is_counted_in_places_of_its_latent() {
        let json = r#"{"prompt": "a red boat", "negative_prompt": "rain", "model": "demo", "steps": 20,
            "guidance_scale": 4.0, "sampler": "euler", "schedule": "normal", "seed": 7, "width": 256, "height": 192,
            "count": 2}"#;
        let request: GenerationRequest = serde_json::from_str(json).unwrap();
        let usage = Usage::of(&request, 2);
        assert_eq!(
            serde_json::to_string(&usage).unwrap(),
            r#"{"input_tokens":4,"input_tokens_details":{"image_tokens":0,"text_tokens":4},"output_tokens":1536,"output_tokens_details":{"image_tokens":1536,"text_tokens":0},"total_tokens":1540}"#
        );
        let start = types::request::PictureSource::File("boat.png".into());
        let start = Some(types::request::Start { source: start, strength: 0.5 });
        let usage = Usage::of(&GenerationRequest { start, ..request }, 1);
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (772, 768, 1540));
    }
}
