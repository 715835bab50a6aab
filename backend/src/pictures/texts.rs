//! The texts inside a PNG.

use std::io::Cursor;

/// Memory that reading them may take, in bytes: small chunks may unpack to large texts.
const MAX_BYTES: usize = 16 << 20;

/// Keyword and text of each text chunk before the pixels, which is where the web UIs write them; none of what is no PNG.
pub fn png_texts(bytes: &[u8]) -> Vec<(String, String)> {
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: MAX_BYTES });
    let Ok(header) = decoder.read_header_info().map(png::Info::size) else { return Vec::new() };
    // Nothing has pixels without an area.
    if header.0 == 0 || header.1 == 0 {
        return Vec::new();
    }
    let Ok(reader) = decoder.read_info() else { return Vec::new() };
    let info = reader.info();
    let plain = info.uncompressed_latin1_text.iter().map(|text| (text.keyword.clone(), text.text.clone()));
    let packed = info
        .compressed_latin1_text
        .iter()
        .filter_map(|text| Some((text.keyword.clone(), text.get_text().ok()?)));
    let international =
        info.utf8_text.iter().filter_map(|text| Some((text.keyword.clone(), text.get_text().ok()?)));
    plain.chain(packed).chain(international).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG of one pixel with these texts.
    fn png(texts: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
        encoder.set_color(png::ColorType::Grayscale);
        for (i, (keyword, text)) in texts.iter().enumerate() {
            let (keyword, text) = ((*keyword).to_owned(), (*text).to_owned());
            match i % 3 {
                0 => encoder.add_text_chunk(keyword, text).unwrap(),
                1 => encoder.add_ztxt_chunk(keyword, text).unwrap(),
                _ => encoder.add_itxt_chunk(keyword, text).unwrap(),
            }
        }
        encoder.write_header().unwrap().write_image_data(&[7]).unwrap();
        bytes
    }

    #[test]
    fn texts_of_every_kind_are_read() {
        let texts = [("parameters", "a red boat\nSteps: 4"), ("Comment", "packed"), ("Title", "Лодка")];
        let expected = texts.map(|(keyword, text)| (keyword.to_owned(), text.to_owned()));
        assert_eq!(png_texts(&png(&texts)), expected);
    }

    #[test]
    fn what_is_no_png_or_a_broken_one_has_none() {
        assert!(png_texts(b"").is_empty());
        assert!(png_texts(b"a red boat").is_empty());
        let whole = png(&[("parameters", "a red boat")]);
        assert!(png_texts(&whole[..20]).is_empty());
    }
}
