//! Weights of words as compel writes them, which `InvokeAI` uses, as Darkroom reads them.
//!
//! Source: the documentation of damian0815/compel, "Syntax features".

use std::fmt::Write;

use super::found::LONGEST_PROMPT_BYTES;

/// What one `+` multiplies a weight by, and one `-`.
const PLUS: f64 = 1.1;
const MINUS: f64 = 0.9;

/// `word++` and `(some words)1.3` become `(word:1.21)` and `(some words:1.3)`. Brackets without a weight only hold
/// words together and are left out; square ones are characters like any other.
///
/// A prompt that is far too long for a request stays as it is.
pub(super) fn to_brackets(prompt: &str) -> String {
    if prompt.len() > LONGEST_PROMPT_BYTES {
        return prompt.to_owned();
    }
    let mut text = String::with_capacity(prompt.len());
    // Where each open bracket began in `text`, and where the last word did.
    let mut open: Vec<usize> = Vec::new();
    let mut word: Option<usize> = None;
    let mut rest = prompt;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        match first {
            '\\' => {
                // What is escaped is a character, with its backslash.
                length += rest[length..].chars().next().map_or(0, char::len_utf8);
                word.get_or_insert(text.len());
                text.push_str(&rest[..length]);
            }
            '(' => {
                open.push(text.len());
                word = None;
            }
            ')' => {
                let (weight, n_bytes) = weight_after(&rest[1..]);
                length += n_bytes;
                match open.pop() {
                    Some(start) => weigh(&mut text, start, weight),
                    None => text.push_str("\\)"),
                }
                word = None;
            }
            '[' | ']' => {
                text.push('\\');
                text.push(first);
            }
            '+' | '-' if word.is_some() => {
                let (weight, n_bytes) = signs(rest);
                let is_end = rest[n_bytes..].chars().next().is_none_or(|next| !next.is_alphanumeric());
                length = n_bytes;
                if let (Some(start), Some(weight)) = (word.filter(|_| is_end), weight) {
                    weigh(&mut text, start, Some(weight));
                    word = None;
                } else {
                    // The hyphen of a compound word.
                    text.push_str(&rest[..n_bytes]);
                }
            }
            first if first.is_whitespace() || first == ',' => {
                word = None;
                text.push(first);
            }
            first => {
                word.get_or_insert(text.len());
                text.push(first);
            }
        }
        rest = &rest[length..];
    }
    text
}

/// Puts brackets with a weight round all from byte `start` on.
fn weigh(text: &mut String, start: usize, weight: Option<f64>) {
    let Some(weight) = weight else { return };
    text.insert(start, '(');
    let rounded = (weight * 1000.0).round() / 1000.0;
    // Writing to a `String` cannot fail.
    let _ = write!(text, ":{rounded})");
}

/// The weight behind a closing bracket, and its length in bytes.
fn weight_after(rest: &str) -> (Option<f64>, usize) {
    if rest.starts_with(['+', '-']) {
        return signs(rest);
    }
    let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    match rest[..length].parse() {
        Ok(weight) => (Some(weight), length),
        Err(_) => (None, 0),
    }
}

/// The weight that a run of one sign stands for, and its length in bytes.
fn signs(rest: &str) -> (Option<f64>, usize) {
    let (factor, sign) = if rest.starts_with('+') { (PLUS, '+') } else { (MINUS, '-') };
    let length = rest.len() - rest.trim_start_matches(sign).len();
    let exponent = i32::try_from(length).unwrap_or(i32::MAX);
    (Some(factor.powi(exponent)).filter(|weight| weight.is_finite()), length)
}

#[cfg(test)]
mod tests {
    use super::to_brackets;

    #[test]
    fn signs_and_numbers_become_weights_in_brackets() {
        assert_eq!(to_brackets("a red++ boat"), "a (red:1.21) boat");
        assert_eq!(to_brackets("a red- boat, calm--"), "a (red:0.9) boat, (calm:0.81)");
        assert_eq!(to_brackets("a (red boat)1.3 at (calm sea)+"), "a (red boat:1.3) at (calm sea:1.1)");
        assert_eq!(to_brackets("((red)+ boat)1.2"), "((red:1.1) boat:1.2)");
    }

    #[test]
    fn what_only_holds_words_together_or_is_no_weight_stays_text() {
        assert_eq!(to_brackets("a (red boat) at sea"), "a red boat at sea");
        assert_eq!(to_brackets("a well-made t-shirt - red"), "a well-made t-shirt - red");
        assert_eq!(to_brackets(r"a boat \(1990\) [old]"), r"a boat \(1990\) \[old\]");
        assert_eq!(to_brackets("open (and closed) ) twice"), r"open and closed \) twice");
        assert_eq!(to_brackets("(never closed"), "never closed");
        assert_eq!(to_brackets(""), "");
    }

    #[test]
    fn endless_signs_are_no_weight() {
        let text = to_brackets(&format!("a boat{}", "+".repeat(100_000)));
        assert!(!text.contains("inf"));
        assert!(to_brackets(&format!("a boat{}", "+".repeat(10_000))).starts_with("a boat"));
    }
}
