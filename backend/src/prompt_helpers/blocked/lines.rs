//! The lines of the file of blocked words.
//!
//! * `knife`: the word, by itself
//! * `kitchen knife`: these words, one behind the other
//! * `knife*`, `*knife*`: `*` stands for any letters of the same word, or none
//! * `/kni(fe|ves)/`: a regular expression, in any case
//! * `# ...` and empty lines: nothing

use super::letters::plain;
use super::pattern::Pattern;

/// Most lines with `*` or between two `/`: each of them is looked for on its own.
const MOST_PATTERNS: usize = 1_000;

/// What one line blocks.
#[derive(Debug)]
pub(super) enum Line {
    /// These words, one behind the other, in the form of `plain`.
    Words(Vec<String>),
    /// A word of a language that puts no spaces between them.
    Unspaced(String),
    /// Words with `*`, or a regular expression.
    Pattern(Pattern),
}

/// What is wrong with one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: u64,
    pub(super) reason: String,
}

/// The lines that are of use, with their numbers, and what is wrong with the others.
pub(super) fn parse(bytes: &[u8]) -> (Vec<(Line, u64)>, Vec<Fault>) {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    let mut n_patterns = 0;
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        let read = match std::str::from_utf8(line).map(str::trim) {
            Err(_) => Err("it is not written in UTF-8".to_owned()),
            Ok(text) if text.is_empty() || text.starts_with('#') => continue,
            Ok(text) => read_line(text),
        };
        let read = read.and_then(|read| {
            let is_pattern = read.iter().any(|line| matches!(line, Line::Pattern(_)));
            n_patterns += usize::from(is_pattern);
            if n_patterns > MOST_PATTERNS && is_pattern {
                return Err(format!("there are more than {MOST_PATTERNS} lines with patterns before it"));
            }
            Ok(read)
        });
        match read {
            Ok(read) => lines.extend(read.into_iter().map(|line| (line, number))),
            Err(reason) => faults.push(Fault { line: number, reason }),
        }
    }
    (lines, faults)
}

/// A word with signs in it is blocked in two forms: taken apart at these, and without them.
fn read_line(text: &str) -> Result<Vec<Line>, String> {
    if let Some(rest) = text.strip_prefix('/') {
        let inner = rest.strip_suffix('/').filter(|inner| !inner.is_empty());
        let inner = inner.ok_or("a regular expression stands between two `/`")?;
        return Ok(vec![Line::Pattern(Pattern::regular_expression(inner)?)]);
    }
    if !text.contains(char::is_alphanumeric) {
        return Err("it has no letters".to_owned());
    }
    let text = plain(text);
    if text.contains('*') {
        return Ok(vec![Line::Pattern(Pattern::wildcard(&text)?)]);
    }
    let apart = words(&text, false);
    if text.contains(is_unspaced) {
        return Ok(vec![Line::Unspaced(apart.concat())]);
    }
    let joined = words(&text, true);
    let mut forms = vec![apart];
    if joined != forms[0] {
        forms.push(joined);
    }
    Ok(forms.into_iter().map(Line::Words).collect())
}

/// The words of a text: apart at every sign, or at spaces alone.
fn words(text: &str, joined: bool) -> Vec<String> {
    let letters = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let ends = |c: char| if joined { c.is_whitespace() } else { !c.is_alphanumeric() };
    text.split(ends).map(letters).filter(|word| !word.is_empty()).collect()
}

/// Chinese and Japanese, Thai, Lao, Burmese and Khmer are written without spaces.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &[u8]) -> Vec<(u64, String)> {
        parse(text).1.into_iter().map(|Fault { line, reason }| (line, reason)).collect()
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        let (lines, faults) = parse("\u{feff}# mine\r\n\r\nknife\r\n  # more\n".as_bytes());
        assert_eq!(faults, []);
        let numbers: Vec<u64> = lines.iter().map(|(_, number)| *number).collect();
        assert_eq!(numbers, [3]);
    }

    #[test]
    fn a_wrong_line_is_named_with_what_is_wrong_and_the_others_hold() {
        for (line, reason) in [
            (&b"/kni(fe/"[..], "error: unclosed group"),
            (b"/knife", "a regular expression stands between two `/`"),
            (b"//", "a regular expression stands between two `/`"),
            (b"/.*/", "it is found in every prompt"),
            (b"/(a{1000}){1000}/", "its regular expression takes more than 1048576 bytes of memory"),
            (b"-*-", "it has no letters"),
            (b"\xFF", "it is not written in UTF-8"),
        ] {
            let text = [b"knife\n", line, b"\nsword\n"].concat();
            assert_eq!(faults(&text), [(2, reason.to_owned())]);
            assert_eq!(parse(&text).0.len(), 2);
        }
    }

    #[test]
    fn more_patterns_than_are_allowed_are_left_out_and_words_are_not() {
        let text = "knife*\n".repeat(MOST_PATTERNS + 1) + "sword\n";
        let (lines, faults) = parse(text.as_bytes());
        assert_eq!((lines.len(), faults.len()), (MOST_PATTERNS + 1, 1));
        assert_eq!(faults[0].line, MOST_PATTERNS as u64 + 1);
    }
}
