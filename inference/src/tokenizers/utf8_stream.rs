//! Bytes that come in pieces, as text that is never cut inside a character.

/// Collects bytes and gives out whole characters.
///
/// A token of a byte-level vocabulary may end in the middle of a character; its beginning waits here for
/// the rest. Bytes that can never become a character are given out as U+FFFD.
#[derive(Debug, Default)]
pub struct Utf8Stream {
    /// The beginning of one character: at most three bytes.
    waiting: Vec<u8>,
}

impl Utf8Stream {
    /// Takes more bytes; returns the characters that are complete now.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.waiting.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.waiting) {
                Ok(whole) => {
                    text.push_str(whole);
                    self.waiting.clear();
                    return text;
                }
                Err(error) => {
                    let n_valid = error.valid_up_to();
                    text.push_str(&String::from_utf8_lossy(&self.waiting[..n_valid]));
                    self.waiting.drain(..n_valid);
                    // Without a length the character may yet be completed.
                    let Some(n_wrong) = error.error_len() else { return text };
                    self.waiting.drain(..n_wrong);
                    text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_any_pieces_comes_out_whole_and_in_whole_characters() {
        let text = "a café, 雪 and 🌊!";
        for size in 1..=5 {
            let mut stream = Utf8Stream::default();
            let pieces: Vec<String> = text.as_bytes().chunks(size).map(|piece| stream.push(piece)).collect();
            assert_eq!(pieces.concat(), text);
            assert!(!pieces.concat().contains(char::REPLACEMENT_CHARACTER));
        }
    }

    #[test]
    fn the_beginning_of_a_character_waits() {
        let mut stream = Utf8Stream::default();
        assert_eq!(stream.push(&[b'x', 0xf0, 0x9f]), "x");
        assert_eq!(stream.push(&[0x8c]), "");
        assert_eq!(stream.push(&[0x8a]), "🌊");
    }

    #[test]
    fn bytes_that_are_no_character_are_replaced_and_harm_no_others() {
        let mut stream = Utf8Stream::default();
        assert_eq!(stream.push(&[b'a', 0xff, b'b']), "a\u{fffd}b");
        assert_eq!(stream.push(&[0xc3, b'c']), "\u{fffd}c");
    }
}
