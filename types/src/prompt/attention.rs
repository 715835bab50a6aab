//! Brackets and breaks.

/// A stretch of a prompt that is stressed alike, or the end of a chunk.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Words with one weight.
    Text {
        /// The words without their brackets, spaces as they stood.
        text: String,
        /// 1 is as it stands, more is stressed, less is played down; it may be 0 or negative.
        weight: f64,
    },
    /// `BREAK`: what follows begins a new chunk of tokens.
    Break,
}

/// What one pair of round brackets multiplies a weight by; square ones divide by it.
const BRACKET: f64 = 1.1;

/// Reads a prompt's brackets.
///
/// * `(words)` weighs 1.1, `((words))` 1.1 · 1.1, `[words]` 1 / 1.1.
/// * `(words:1.3)` weighs 1.3. Square brackets take no number.
/// * `\(`, `\)`, `\[`, `\]` and `\\` are the characters themselves; a backslash before anything else vanishes.
/// * `BREAK` as a word of its own, in capitals and outside of brackets, is a [`Part::Break`].
/// * A bracket that is never closed counts up to the end; one that was never opened is text.
///
/// Neighbours of equal weight are one part. There is at least one part, and the parts in a row give the text
/// without its syntax. Inside brackets `BREAK` is a word, as it is in the reference, where its mark is
/// multiplied along with the rest.
///
/// # Source
/// `parse_prompt_attention` in `modules/prompt_parser.py` of AUTOMATIC1111/stable-diffusion-webui 1.10, against
/// which `inference/tests/parity/prompts.rs` holds it.
pub fn parse(prompt: &str) -> Vec<Part> {
    let mut stretches = Stretches::default();
    let mut rest = prompt;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\\' => stretches.escaped(&rest[1..]),
            '(' => stretches.open(Bracket::Round),
            '[' => stretches.open(Bracket::Square),
            ':' => match closing_weight(rest) {
                Some((weight, length)) => stretches.weigh(weight, &rest[..length]),
                None => stretches.text(":"),
            },
            ')' => stretches.close(Bracket::Round),
            ']' => stretches.close(Bracket::Square),
            _ => {
                let length = rest.find(['\\', '(', ')', '[', ']', ':']).unwrap_or(rest.len());
                stretches.text(&rest[..length])
            }
        };
        rest = &rest[length..];
    }
    stretches.finish()
}

/// The number in `:1.2)` at the beginning of `rest`, and the length of it all in bytes.
fn closing_weight(rest: &str) -> Option<(f64, usize)> {
    let body = &rest[1..rest.find(')')?];
    let number = body.trim();
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    // Letters would make numbers of `inf`, `nan` and `1e5`.
    let is_plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let weight = number.parse().ok().filter(|weight: &f64| is_plain && weight.is_finite())?;
    Some((weight, body.len() + 2))
}

#[derive(Debug, Clone, Copy)]
enum Bracket {
    Round,
    Square,
}

impl Bracket {
    fn symbols(self) -> (&'static str, f64) {
        match self {
            Self::Round => (")", BRACKET),
            Self::Square => ("]", 1.0 / BRACKET),
        }
    }
}

/// The weight by which a break is told from the word.
const BREAK_MARK: f64 = -1.0;

/// What has been read. Each method returns how many bytes it took.
#[derive(Default)]
struct Stretches {
    /// A break is the word `BREAK` with the weight [`BREAK_MARK`] until all brackets are closed.
    list: Vec<(String, f64)>,
    /// Where each open bracket began, round and square ones apart: `([a)]` closes both.
    round: Vec<usize>,
    square: Vec<usize>,
}

impl Stretches {
    fn opened(&mut self, bracket: Bracket) -> &mut Vec<usize> {
        match bracket {
            Bracket::Round => &mut self.round,
            Bracket::Square => &mut self.square,
        }
    }

    fn open(&mut self, bracket: Bracket) -> usize {
        let start = self.list.len();
        self.opened(bracket).push(start);
        1
    }

    fn close(&mut self, bracket: Bracket) -> usize {
        let (symbol, factor) = bracket.symbols();
        match self.opened(bracket).pop() {
            Some(start) => self.multiply(start, factor),
            None => self.push(symbol),
        }
        1
    }

    fn weigh(&mut self, weight: f64, written: &str) -> usize {
        match self.round.pop() {
            Some(start) => self.multiply(start, weight),
            None => self.push(written),
        }
        written.len()
    }

    /// What comes after a backslash.
    fn escaped(&mut self, rest: &str) -> usize {
        let length = usize::from(rest.starts_with(['\\', '(', ')', '[', ']']));
        self.push(&rest[..length]);
        1 + length
    }

    /// A run without syntax but for breaks.
    fn text(&mut self, run: &str) -> usize {
        let mut start = 0;
        while let Some(at) = find_break(run, start) {
            self.push(run[start..at].trim_end());
            self.list.push(("BREAK".to_owned(), BREAK_MARK));
            start = run.len() - run[at + "BREAK".len()..].trim_start().len();
        }
        self.push(&run[start..]);
        run.len()
    }

    fn push(&mut self, text: &str) {
        self.list.push((text.to_owned(), 1.0));
    }

    fn multiply(&mut self, start: usize, factor: f64) {
        for (_, weight) in &mut self.list[start..] {
            *weight *= factor;
        }
    }

    fn finish(mut self) -> Vec<Part> {
        for bracket in [Bracket::Round, Bracket::Square] {
            let (_, factor) = bracket.symbols();
            for start in std::mem::take(self.opened(bracket)) {
                self.multiply(start, factor);
            }
        }
        let mut merged: Vec<(String, f64)> = Vec::new();
        for (text, weight) in self.list {
            match merged.last_mut() {
                Some((before, same)) if same.total_cmp(&weight).is_eq() => before.push_str(&text),
                _ => merged.push((text, weight)),
            }
        }
        if merged.is_empty() {
            merged.push((String::new(), 1.0));
        }
        let part = |(text, weight): (String, f64)| {
            if text == "BREAK" && weight.total_cmp(&BREAK_MARK).is_eq() {
                Part::Break
            } else {
                Part::Text { text, weight }
            }
        };
        merged.into_iter().map(part).collect()
    }
}

/// The first `BREAK` from byte `from` on that touches no letter, digit or underscore.
fn find_break(run: &str, from: usize) -> Option<usize> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    run[from..].match_indices("BREAK").map(|(at, _)| from + at).find(|&at| {
        let (before, after) = (&run[..at], &run[at + "BREAK".len()..]);
        !before.ends_with(in_word) && !after.starts_with(in_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text@weight`, parts separated by `|`; a break is `BREAK`.
    fn written(parts: &[Part]) -> String {
        let one = |part: &Part| match part {
            Part::Break => "BREAK".to_owned(),
            Part::Text { text, weight } => format!("{text}@{}", (weight * 1e6).round() / 1e6),
        };
        parts.iter().map(one).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn brackets_become_weights() {
        for (prompt, expected) in [
            ("", "@1"),
            ("a quiet harbour", "a quiet harbour@1"),
            ("a (quiet) harbour", "a @1|quiet@1.1| harbour@1"),
            ("a ((quiet)) harbour", "a @1|quiet@1.21| harbour@1"),
            ("a (quiet:1.4) harbour", "a @1|quiet@1.4| harbour@1"),
            ("a (quiet : 0.5 ) harbour", "a @1|quiet @0.5| harbour@1"),
            ("a (quiet:.5)", "a @1|quiet@0.5"),
            ("a (quiet:-1)", "a @1|quiet@-1"),
            ("a (quiet:+2.)", "a @1|quiet@2"),
            ("a [quiet] harbour", "a @1|quiet@0.909091| harbour@1"),
            ("[[quiet]]", "quiet@0.826446"),
            ("((quiet:1.3) harbour)", "quiet@1.43| harbour@1.1"),
            ("(a [quiet] harbour:2)", "a @2|quiet@1.818182| harbour@2"),
            ("(one)(two)", "onetwo@1.1"),
        ] {
            assert_eq!(written(&parse(prompt)), expected, "{prompt}");
        }
    }

    #[test]
    fn a_bracket_without_a_partner_counts_to_the_end_or_is_text() {
        for (prompt, expected) in [
            ("a (quiet harbour", "a @1|quiet harbour@1.1"),
            ("a [quiet (harbour", "a @1|quiet @0.909091|harbour@1"),
            ("quiet) harbour]", "quiet) harbour]@1"),
            ("quiet:1.2) harbour", "quiet:1.2) harbour@1"),
            ("([quiet)]", "quiet@1"),
            ("()", "@1"),
            ("(quiet:high)", "quiet:high@1.1"),
            ("(quiet:1.2.3)", "quiet:1.2.3@1.1"),
            ("(quiet:1e5)", "quiet:1e5@1.1"),
            ("(quiet:)", "quiet:@1.1"),
            ("[quiet:1.2]", "quiet:1.2@0.909091"),
            ("at 10:30 (sharp)", "at 10:30 @1|sharp@1.1"),
        ] {
            assert_eq!(written(&parse(prompt)), expected, "{prompt}");
        }
        let many = format!("(x:{})", "9".repeat(400));
        assert!(written(&parse(&many)).ends_with("9@1.1"));
    }

    #[test]
    fn a_backslash_takes_the_meaning_from_a_bracket() {
        for (prompt, expected) in [
            (r"\(quiet\]", "(quiet]@1"),
            (r"a harbour \(Brittany\)", "a harbour (Brittany)@1"),
            (r"(harbour \(Brittany\):1.3)", "harbour (Brittany)@1.3"),
            (r"C:\\boats", r"C:\boats@1"),
            (r"\quiet", "quiet@1"),
            (r"quiet\", "quiet@1"),
        ] {
            assert_eq!(written(&parse(prompt)), expected, "{prompt}");
        }
    }

    #[test]
    fn a_break_is_a_word_of_its_own_in_capitals() {
        for (prompt, expected) in [
            ("a harbour BREAK a boat", "a harbour@1|BREAK|a boat@1"),
            ("a harbour BREAKa boat", "a harbour BREAKa boat@1"),
            ("a harbour,BREAK, a boat", "a harbour,@1|BREAK|, a boat@1"),
            ("a harbour break", "a harbour break@1"),
            ("BREAK", "@1|BREAK|@1"),
            ("BREAK BREAK", "@1|BREAK|@1|BREAK|@1"),
            ("OUTBREAK éBREAK BREAK_2", "OUTBREAK éBREAK BREAK_2@1"),
            ("a BREAK (boat)", "a@1|BREAK|@1|boat@1.1"),
            ("(a BREAK b:1.2)", "a@1.2|BREAK@-1.2|b@1.2"),
        ] {
            assert_eq!(written(&parse(prompt)), expected, "{prompt}");
        }
    }

    #[test]
    fn nested_brackets_multiply_in_the_order_in_which_they_close() {
        let Some(Part::Text { weight, .. }) = parse("(((deep:1.3)))").pop() else { panic!() };
        assert!((weight - 1.3 * 1.1 * 1.1).abs() < 1e-12);
        // As the reference's own example is documented: five weights in one prompt.
        assert_eq!(
            written(&parse("a (((tower:1.3)) [by] the (sea:0.5), mist, (((dawn))).")),
            "a @1|tower@1.573| @1.1|by@1| the @1.1|sea@0.55|, mist, @1.1|dawn@1.4641|.@1.1"
        );
    }
}
