//! OpenAI's names for sizes, qualities and formats.

use types::model::Quality;
use types::picture::PictureFormat;

use super::error::{OpenAiError, OpenAiResult};

/// How the pictures are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseFormat {
    /// As addresses on this site.
    Url,
    /// As base64 in the answer.
    Base64,
}

/// Width and height in pixels of a size such as `512x768`. Nothing for `auto`: the model's own size, or the start
/// picture's.
///
/// # Errors
/// The size is neither.
pub fn size(size: Option<&str>) -> OpenAiResult<Option<(i64, i64)>> {
    let Some(size) = size.map(str::trim).filter(|size| !size.is_empty() && *size != "auto") else {
        return Ok(None);
    };
    let pixels = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let sides =
        size.split_once(['x', 'X', '×']).and_then(|(width, height)| Some((pixels(width)?, pixels(height)?)));
    sides.map(Some).ok_or_else(|| {
        let message =
            format!("size {} is unknown; allowed are auto and WIDTHxHEIGHT, such as 512x512", said(size));
        OpenAiError::invalid_value("size", message)
    })
}

/// OpenAI's names of qualities, with Darkroom's own.
const QUALITIES: [(&str, Option<Quality>); 10] = [
    ("auto", None),
    ("low", Some(Quality::Preview)),
    ("medium", Some(Quality::Standard)),
    ("high", Some(Quality::Premium)),
    ("xhigh", Some(Quality::Premium)),
    ("max", Some(Quality::Premium)),
    ("standard", Some(Quality::Standard)),
    ("hd", Some(Quality::Premium)),
    ("preview", Some(Quality::Preview)),
    ("premium", Some(Quality::Premium)),
];

/// The quality that a name stands for; nothing for `auto`.
///
/// # Errors
/// The name stands for none.
pub fn quality(name: Option<&str>) -> OpenAiResult<Option<Quality>> {
    named("quality", name, &QUALITIES, None)
}

/// OpenAI's name of a quality, as answers have it.
pub fn quality_name(quality: Option<Quality>) -> &'static str {
    match quality.unwrap_or_default() {
        Quality::Preview => "low",
        Quality::Standard => "medium",
        Quality::Premium => "high",
    }
}

/// The format that a name stands for; PNG if there is none.
///
/// # Errors
/// The name stands for none.
pub fn output_format(name: Option<&str>) -> OpenAiResult<PictureFormat> {
    let formats = PictureFormat::ALL.map(|format| (output_format_name(format), format));
    named("output_format", name, &formats, PictureFormat::Png)
}

/// OpenAI's name of a format, as answers have it.
pub fn output_format_name(format: PictureFormat) -> &'static str {
    match format {
        PictureFormat::Png => "png",
        PictureFormat::Jpeg => "jpeg",
        PictureFormat::Webp => "webp",
    }
}

/// How the pictures are sent; `usual` if nothing is said of it.
///
/// # Errors
/// The name stands for none.
pub fn response_format(name: Option<&str>, usual: ResponseFormat) -> OpenAiResult<ResponseFormat> {
    let formats = [("url", ResponseFormat::Url), ("b64_json", ResponseFormat::Base64)];
    named("response_format", name, &formats, usual)
}

/// A whole number in a range, or the usual one.
///
/// # Errors
/// The number is out of range.
pub fn within(param: &str, number: Option<i64>, least: u8, most: u8, usual: u8) -> OpenAiResult<u8> {
    let Some(number) = number else { return Ok(usual) };
    u8::try_from(number).ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
        let message = format!("{param} {number} is out of range; allowed are {least} to {most}");
        OpenAiError::invalid_value(param, message)
    })
}

/// Names that OpenAI's clients know for models: they stand for the default one.
pub fn is_openai_model(name: &str) -> bool {
    is_gpt_image(name) || name.starts_with("dall-e-")
}

/// Those of them that answer with base64 where nothing is said of it.
pub fn is_gpt_image(name: &str) -> bool {
    name.starts_with("gpt-image-") || name.starts_with("chatgpt-image-")
}

fn named<T: Copy>(param: &str, name: Option<&str>, all: &[(&str, T)], usual: T) -> OpenAiResult<T> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(usual) };
    all.iter().find(|(known, _)| *known == name).map(|(_, item)| *item).ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|(known, _)| *known).collect();
        let message = format!("{param} {} is unknown; allowed are {}", said(name), known.join(", "));
        OpenAiError::invalid_value(param, message)
    })
}

/// As much of what was sent as belongs into a sentence.
pub fn said(text: &str) -> String {
    let start: String = text.chars().filter(|letter| !letter.is_control()).take(40).collect();
    format!("`{start}{}`", if text.chars().count() > 40 { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_numbers_or_left_to_the_model() {
        for auto in [None, Some(""), Some("auto")] {
            assert_eq!(size(auto).unwrap(), None);
        }
        assert_eq!(size(Some("512x768")).unwrap(), Some((512, 768)));
        assert_eq!(size(Some(" 256X256 ")).unwrap(), Some((256, 256)));
        for wrong in ["large", "512", "x512", "512x", "-1x512", "+1x512", "1e3x512", "99999999999999999999x1"]
        {
            assert_eq!(
                size(Some(wrong)).unwrap_err().error.message,
                format!("size `{wrong}` is unknown; allowed are auto and WIDTHxHEIGHT, such as 512x512")
            );
        }
    }

    #[test]
    fn every_quality_of_openais_is_one_of_ours_and_is_answered_by_their_name() {
        for (name, answered) in [
            ("auto", "medium"),
            ("low", "low"),
            ("medium", "medium"),
            ("high", "high"),
            ("xhigh", "high"),
            ("max", "high"),
            ("standard", "medium"),
            ("hd", "high"),
            ("preview", "low"),
            ("premium", "high"),
        ] {
            assert_eq!(quality_name(quality(Some(name)).unwrap()), answered, "{name}");
        }
        assert_eq!(
            quality(Some("ultra")).unwrap_err().error.message,
            "quality `ultra` is unknown; allowed are auto, low, medium, high, xhigh, max, standard, hd, preview, premium"
        );
    }

    #[test]
    fn a_format_is_png_jpeg_or_webp() {
        assert_eq!(output_format(None).unwrap(), PictureFormat::Png);
        for format in PictureFormat::ALL {
            assert_eq!(output_format(Some(output_format_name(format))).unwrap(), format);
        }
        assert_eq!(
            output_format(Some("gif")).unwrap_err().error.message,
            "output_format `gif` is unknown; allowed are png, jpeg, webp"
        );
    }

    #[test]
    fn what_is_too_long_for_a_sentence_is_shortened() {
        assert_eq!(said(&"x".repeat(60)), format!("`{}…`", "x".repeat(40)));
    }

    #[test]
    fn the_models_of_openai_are_known_by_how_their_names_begin() {
        for name in ["dall-e-2", "dall-e-3", "gpt-image-1", "gpt-image-1-mini", "gpt-image-2.5-flare"] {
            assert!(is_openai_model(name), "{name}");
        }
        assert!(is_gpt_image("chatgpt-image-latest") && !is_gpt_image("dall-e-3"));
        assert!(!is_openai_model("gpt-4o") && !is_openai_model("demo"));
    }
}
