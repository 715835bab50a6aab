//! Lines with `*`, and regular expressions.

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

use super::LEAST_SPELLED;
use super::letters::{UPRIGHT, meant_by};

/// Most bytes that one regular expression may take once it is compiled, so that no line takes the program's memory.
const MOST_COMPILED_BYTES: usize = 1 << 20;

/// What is looked for in texts, in any case.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As the line has it; nothing for a line with `*`, which is about words alone.
    written: Option<Regex>,
    /// The same for the readings of a text, in which an upright line is an `i` or an `l`.
    read: Regex,
    /// The same for letters that stand apart, where nobody knows at which of them a word begins or ends.
    spelled: Option<Regex>,
}

impl Pattern {
    /// A regular expression, in the syntax of `regex`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn regular_expression(pattern: &str) -> Result<Self, String> {
        let written = compile(pattern, true)?;
        if written.is_match("") {
            return Err("it is found in every prompt".to_owned());
        }
        let read = compile_widened(pattern, true)?;
        let spelled = compile_widened(pattern, false)?;
        Ok(Self { written: Some(written), read, spelled: Some(spelled) })
    }

    /// A line in the form of [`super::letters::plain`] in which `*` stands for any letters of the same word, or none.
    ///
    /// # Errors
    /// It is too long.
    pub(super) fn wildcard(line: &str) -> Result<Self, String> {
        let ends = |c: char| !c.is_alphanumeric() && c != '*';
        let words: Vec<String> = line
            .split(ends)
            .filter(|word| !word.is_empty())
            .map(|word| word.split('*').map(regex::escape).collect::<Vec<_>>().join("[^ ]*"))
            .collect();
        // Words of a reading have one space between each two, and none at the ends.
        let read = compile_widened(&format!("(?:^| ){}(?:$| )", words.join(" ")), true)?;
        let n_letters = line.chars().filter(|c| c.is_alphanumeric()).count();
        let spelled = (n_letters >= LEAST_SPELLED).then(|| compile_widened(&words.concat(), false));
        Ok(Self { written: None, read, spelled: spelled.transpose()? })
    }

    /// Whether it is in a text as it stands.
    pub(super) fn is_in_text(&self, text: &str) -> bool {
        self.written.as_ref().is_some_and(|written| written.is_match(text))
    }

    /// Whether it is in a text of [`super::reading::Reading::texts`].
    pub(super) fn is_in_reading(&self, text: &str) -> bool {
        self.read.is_match(text)
    }

    /// Whether it is in a word of [`super::reading::Reading::spelled_words`].
    pub(super) fn is_in_spelled(&self, word: &str) -> bool {
        let is_long = |found: regex::Match<'_>| found.as_str().chars().count() >= LEAST_SPELLED;
        self.spelled.as_ref().is_some_and(|spelled| spelled.find_iter(word).any(is_long))
    }
}

/// In time that grows with the text and not with its square: this engine never goes back.
fn compile(pattern: &str, is_in_any_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(is_in_any_case)
        .size_limit(MOST_COMPILED_BYTES)
        .dfa_size_limit(MOST_COMPILED_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(most) => {
                format!("its regular expression takes more than {most} bytes of memory")
            }
            // The error's own text is a drawing of several lines, of which the last says what is wrong.
            error => error.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        })
}

/// The same expression with upright lines beside each `i` and `l`. Without places, ends of words and lines match anywhere.
fn compile_widened(pattern: &str, has_places: bool) -> Result<Regex, String> {
    let parsed = ParserBuilder::new().case_insensitive(true).build().parse(pattern);
    let parsed = parsed.map_err(|error| error.to_string())?;
    // Either case is in there by now.
    compile(&widened(&parsed, has_places).to_string(), false)
}

fn widened(hir: &Hir, has_places: bool) -> Hir {
    let inside = |hir: &Hir| widened(hir, has_places);
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Look(_) if !has_places => Hir::empty(),
        HirKind::Look(look) => Hir::look(*look),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Hir::concat(text.chars().map(letter).collect()),
            Err(_) => hir.clone(),
        },
        HirKind::Class(Class::Unicode(class)) => Hir::class(Class::Unicode(with_upright(class))),
        HirKind::Class(Class::Bytes(_)) => hir.clone(),
        HirKind::Repetition(repetition) => {
            let Repetition { min, max, greedy, sub } = repetition;
            Hir::repetition(Repetition { min: *min, max: *max, greedy: *greedy, sub: Box::new(inside(sub)) })
        }
        // What was found is nobody's business, so a group is as good as what is in it.
        HirKind::Capture(capture) => inside(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(inside).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(inside).collect()),
    }
}

/// A letter of the pattern, whatever it may be in a reading.
fn letter(letter: char) -> Hir {
    let meant = meant_by(&letter).iter().map(|&meant| ClassUnicodeRange::new(meant, meant));
    Hir::class(Class::Unicode(ClassUnicode::new(meant)))
}

fn with_upright(class: &ClassUnicode) -> ClassUnicode {
    let has = |c: char| class.iter().any(|range| (range.start()..=range.end()).contains(&c));
    let mut class_with_it = class.clone();
    if has('i') || has('l') {
        class_with_it.push(ClassUnicodeRange::new(UPRIGHT, UPRIGHT));
    }
    class_with_it
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in_reading(pattern: &str, text: &str) -> bool {
        Pattern::regular_expression(pattern).unwrap().is_in_reading(text)
    }

    #[test]
    fn an_upright_line_is_any_letter_that_it_may_be() {
        assert!(is_in_reading("^child$", "chǀǀd"));
        assert!(is_in_reading("(?:k|m)i[lm]{2}", "kǀǀǀ"));
        assert!(is_in_reading("^k[a-z]+d$", "kǀd"));
        assert!(!is_in_reading("^chord$", "chǀǀd"));
        assert!(!is_in_reading("\\d{2}", "ǀǀ"), "a digit is not meant where a line is");
    }

    #[test]
    fn what_is_no_letter_is_as_it_was() {
        for (pattern, found, passed) in [
            ("^a.{3}b$", "a123b", "a12b"),
            ("[^ ]{4} x", "abcd x", "abc x"),
            ("\\bcat\\b", "a cat", "concatenate"),
            ("(?-i:K)nife", "Knife", "knife"),
            ("猫{2}", "猫猫", "猫"),
        ] {
            assert!(is_in_reading(pattern, found), "{pattern}");
            assert!(!is_in_reading(pattern, passed), "{pattern}");
        }
    }

    #[test]
    fn letters_that_stand_apart_have_no_words_that_end() {
        let pattern = Pattern::regular_expression("\\bgun(s|ner)\\b").unwrap();
        assert!(pattern.is_in_spelled("agunner") && !pattern.is_in_spelled("agun"));
        assert!(!Pattern::regular_expression("\\bab\\b").unwrap().is_in_spelled("abc"), "too short");
    }
}
