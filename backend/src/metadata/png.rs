//! The text chunks of a PNG.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::texts::{MAX_BYTES_OF_ALL, MAX_TEXT_BYTES, MAX_TEXTS};

const SIGNATURE: usize = 8;

/// Keywords whose texts are Latin-1, as the format says, by whoever writes them. Elsewhere UTF-8 is put into such
/// chunks too, and what can be read as that is meant as that.
const STRICT: &str = "darkroom";

/// Keyword and text of each `tEXt`, `zTXt` and `iTXt` chunk. What is broken or too long is passed over, and so is
/// everything from the text on with which they become too long together.
///
/// # Source
/// Portable Network Graphics (third edition), 11.3.3.
pub(super) fn texts(bytes: &[u8]) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    let mut n_bytes = 0;
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    // Length, kind, data and checksum.
    while let Some((length, after)) = rest.split_first_chunk::<4>()
        && let Some((kind, after)) = after.split_first_chunk::<4>()
        && texts.len() < MAX_TEXTS
    {
        let length = u32::from_be_bytes(*length) as usize;
        let Some(data) = after.get(..length) else { break };
        let text = match kind {
            b"tEXt" => plain(data),
            b"zTXt" => packed(data),
            b"iTXt" => international(data),
            b"IEND" => break,
            _ => None,
        };
        n_bytes += text.as_ref().map_or(0, |(keyword, text)| keyword.len() + text.len());
        if n_bytes > MAX_BYTES_OF_ALL {
            break;
        }
        texts.extend(text);
        rest = after.get(length + 4..).unwrap_or_default();
    }
    texts
}

fn plain(data: &[u8]) -> Option<(String, String)> {
    let (keyword, text) = split_at_zero(data)?;
    let keyword = latin1(keyword);
    let text = decoded(&keyword, text)?;
    Some((keyword, text))
}

fn packed(data: &[u8]) -> Option<(String, String)> {
    let (keyword, data) = split_at_zero(data)?;
    let (&method, data) = data.split_first()?;
    let keyword = latin1(keyword);
    let text = unpacked(method, data)?;
    let text = decoded(&keyword, &text)?;
    Some((keyword, text))
}

fn international(data: &[u8]) -> Option<(String, String)> {
    let (keyword, data) = split_at_zero(data)?;
    let (&is_packed, data) = data.split_first()?;
    let (&method, data) = data.split_first()?;
    let (_language, data) = split_at_zero(data)?;
    let (_translated_keyword, text) = split_at_zero(data)?;
    let text = if is_packed == 0 { within_limit(text)?.to_vec() } else { unpacked(method, text)? };
    Some((latin1(keyword), String::from_utf8_lossy(&text).into_owned()))
}

fn decoded(keyword: &str, text: &[u8]) -> Option<String> {
    let text = within_limit(text)?;
    match std::str::from_utf8(text) {
        Ok(text) if keyword != STRICT => Some(text.to_owned()),
        _ => Some(latin1(text)),
    }
}

fn within_limit(text: &[u8]) -> Option<&[u8]> {
    (text.len() <= MAX_TEXT_BYTES).then_some(text)
}

/// A text of at most [`MAX_TEXT_BYTES`]: a small chunk may unpack to gigabytes.
fn unpacked(method: u8, data: &[u8]) -> Option<Vec<u8>> {
    const DEFLATE: u8 = 0;
    if method != DEFLATE {
        return None;
    }
    let mut text = Vec::new();
    ZlibDecoder::new(data).take(MAX_TEXT_BYTES as u64 + 1).read_to_end(&mut text).ok()?;
    within_limit(&text)?;
    Some(text)
}

fn split_at_zero(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = data.iter().position(|byte| *byte == 0)?;
    Some((&data[..at], &data[at + 1..]))
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
        let mut chunk = (data.len() as u32).to_be_bytes().to_vec();
        chunk.extend(kind);
        chunk.extend(data);
        chunk.extend([0; 4]);
        chunk
    }

    fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.extend(chunks.concat());
        bytes
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn all_three_kinds_of_text_are_read() {
        let bytes = png(&[
            chunk(*b"IHDR", &[0; 13]),
            chunk(*b"tEXt", b"parameters\0caf\xe9"),
            chunk(*b"zTXt", &[b"prompt\0\0".to_vec(), zlib(b"{}")].concat()),
            chunk(*b"iTXt", "workflow\0\0\0\0\0夕".as_bytes()),
            chunk(*b"iTXt", &[b"packed\0\x01\0\0\0".to_vec(), zlib("夕".as_bytes())].concat()),
            chunk(*b"IEND", b""),
            chunk(*b"tEXt", b"behind\0the end"),
        ]);
        let texts = texts(&bytes);
        let texts: Vec<_> = texts.iter().map(|(keyword, text)| (keyword.as_str(), text.as_str())).collect();
        assert_eq!(texts, [("parameters", "café"), ("prompt", "{}"), ("workflow", "夕"), ("packed", "夕")]);
    }

    #[test]
    fn a_text_that_unpacks_to_too_much_is_passed_over() {
        let bomb = zlib(&vec![b'x'; MAX_TEXT_BYTES + 1]);
        assert!(bomb.len() < 20_000);
        let bytes = png(&[
            chunk(*b"zTXt", &[b"prompt\0\0".to_vec(), bomb.clone()].concat()),
            chunk(*b"iTXt", &[b"prompt\0\x01\0\0\0".to_vec(), bomb].concat()),
            chunk(*b"tEXt", &[b"prompt\0".to_vec(), vec![b'x'; MAX_TEXT_BYTES + 1]].concat()),
            chunk(*b"tEXt", b"parameters\0boat"),
        ]);
        assert_eq!(texts(&bytes), [("parameters".to_owned(), "boat".to_owned())]);
    }

    #[test]
    fn texts_that_unpack_to_too_much_together_are_read_as_far_as_it_goes() {
        let longest = zlib(&vec![b'x'; MAX_TEXT_BYTES - 100]);
        let chunk = chunk(*b"zTXt", &[b"prompt\0\0".to_vec(), longest].concat());
        let bytes = png(&vec![chunk; MAX_TEXTS]);
        assert!(bytes.len() < 1 << 20);
        assert_eq!(texts(&bytes).len(), MAX_BYTES_OF_ALL / MAX_TEXT_BYTES);
    }

    #[test]
    fn broken_chunks_end_nothing_but_themselves() {
        let whole = png(&[
            chunk(*b"tEXt", b"no zero"),
            chunk(*b"zTXt", b"prompt\0\x07..."),
            chunk(*b"iTXt", b"prompt\0"),
            chunk(*b"tEXt", b"parameters\0boat"),
        ]);
        assert_eq!(texts(&whole).len(), 1);
        for length in 0..whole.len() {
            texts(&whole[..length]);
        }
        assert!(texts(&png(&[b"\xff\xff\xff\xfftEXtparameters\0boat".to_vec()])).is_empty());
    }

    #[test]
    fn only_so_many_texts_are_read() {
        let many: Vec<_> = (0..1000).map(|_| chunk(*b"tEXt", b"a\0b")).collect();
        assert_eq!(texts(&png(&many)).len(), MAX_TEXTS);
    }
}
