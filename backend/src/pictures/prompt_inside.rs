//! The prompt that a picture was made from, where its file tells it.

use std::io::Cursor;

/// The prompt inside a PNG: the first part of the text chunk `parameters`, which the AUTOMATIC1111 web UI and this
/// program write, and most tools beside them.
///
/// `None` if the file is no PNG, has no such chunk, or nothing stands before its settings.
pub fn prompt_inside(file: &[u8]) -> Option<String> {
    let reader = png::Decoder::new(Cursor::new(file)).read_info().ok()?;
    let info = reader.info();
    let latin = info.uncompressed_latin1_text.iter().filter(|chunk| chunk.keyword == KEYWORD);
    let packed = info.compressed_latin1_text.iter().filter(|chunk| chunk.keyword == KEYWORD);
    let international = info.utf8_text.iter().filter(|chunk| chunk.keyword == KEYWORD);
    let mut texts = latin
        .map(|chunk| chunk.text.clone())
        .chain(international.filter_map(|chunk| {
            let mut chunk = chunk.clone();
            chunk.decompress_text_with_limit(MAX_BYTES).ok()?;
            chunk.get_text().ok()
        }))
        .chain(packed.filter_map(|chunk| {
            let mut chunk = chunk.clone();
            chunk.decompress_text_with_limit(MAX_BYTES).ok()?;
            chunk.get_text().ok()
        }));
    let prompt = prompt_of(&texts.next()?);
    (!prompt.is_empty()).then_some(prompt)
}

const KEYWORD: &str = "parameters";

/// Longest text of such a chunk in bytes: a few thousand are usual, and a packed one could hold any number.
const MAX_BYTES: usize = 1 << 20;

/// What stands before the negative prompt and the settings. A prompt may have several lines.
fn prompt_of(parameters: &str) -> String {
    let is_over = |line: &&str| line.starts_with("Negative prompt:") || line.starts_with("Steps: ");
    let lines: Vec<&str> = parameters.lines().take_while(|line| !is_over(line)).map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_with(add: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>)) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 1, 1);
        encoder.set_color(png::ColorType::Grayscale);
        add(&mut encoder);
        encoder.write_header().unwrap().write_image_data(&[0]).unwrap();
        file
    }

    #[test]
    fn the_prompt_is_what_stands_before_the_negative_prompt_and_the_settings() {
        for (parameters, prompt) in [
            ("a red boat\nNegative prompt: rain\nSteps: 20, Sampler: Euler", "a red boat"),
            ("a red boat\nSteps: 20, Sampler: Euler", "a red boat"),
            ("a red boat,\r\non a sea\nSteps: 20", "a red boat, on a sea"),
            ("a red boat", "a red boat"),
        ] {
            let file = png_with(|png| png.add_text_chunk(KEYWORD.into(), parameters.into()).unwrap());
            assert_eq!(prompt_inside(&file).as_deref(), Some(prompt));
        }
    }

    #[test]
    fn every_kind_of_text_chunk_is_read() {
        let parameters = "ein rotes Böötchen 夕\nSteps: 20";
        let file = png_with(|png| png.add_itxt_chunk(KEYWORD.into(), parameters.into()).unwrap());
        assert_eq!(prompt_inside(&file).as_deref(), Some("ein rotes Böötchen 夕"));
        let file = png_with(|png| png.add_ztxt_chunk(KEYWORD.into(), "a boat\nSteps: 20".into()).unwrap());
        assert_eq!(prompt_inside(&file).as_deref(), Some("a boat"));
    }

    #[test]
    fn a_text_without_end_is_not_unpacked() {
        let long = "a".repeat(2 * MAX_BYTES);
        let file = png_with(|png| png.add_ztxt_chunk(KEYWORD.into(), long).unwrap());
        assert!(file.len() < 64 * 1024);
        assert_eq!(prompt_inside(&file), None);
    }

    #[test]
    fn a_file_that_tells_no_prompt_has_none() {
        assert_eq!(prompt_inside(b"not a picture"), None);
        assert_eq!(prompt_inside(&png_with(|_| ())), None);
        let file = png_with(|png| png.add_text_chunk("Comment".into(), "a boat".into()).unwrap());
        assert_eq!(prompt_inside(&file), None);
        let file = png_with(|png| png.add_text_chunk(KEYWORD.into(), "Steps: 20".into()).unwrap());
        assert_eq!(prompt_inside(&file), None);
    }
}
