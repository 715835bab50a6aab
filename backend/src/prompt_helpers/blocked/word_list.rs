//! Words and groups of words, and where a text has one of them.

use std::collections::HashSet;
use std::ops::Range;

use super::letters::meant_by;
use super::reading::Symbol;

/// Words in the form of [`super::letters::plain`], several of them with a space between each two, each with the number of
/// its line.
#[derive(Debug, Default)]
pub(super) struct WordList {
    /// In the order of their bytes, so that those that begin alike stand side by side.
    words: Vec<(String, u64)>,
}

/// What a text may be about to say: words of the list, as far as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Begun {
    /// Those that begin so.
    words: Range<usize>,
    /// Bytes of them that were read.
    n_bytes: usize,
    /// Whether a digit or sign was read as a letter.
    has_digits: bool,
    /// Whether the sign that was read last is no letter after all where the word ends with it.
    ends_doubtfully: bool,
}

impl WordList {
    pub(super) fn new(mut words: Vec<(String, u64)>) -> Self {
        words.sort_unstable();
        words.dedup_by(|later, former| later.0 == former.0);
        Self { words }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The line whose words a text has, one behind the other. A word begins and ends at a space or sign; signs in the
    /// middle of it are passed over, or are letters.
    pub(super) fn line_in_text(&self, text: &[Symbol]) -> Option<u64> {
        let mut begun = vec![self.start()];
        for symbol in text {
            let mut next = Vec::new();
            match *symbol {
                Symbol::Letter { written, instead } => {
                    for before in &begun {
                        self.read_letter(before, written, instead, &mut next);
                    }
                }
                Symbol::Sign { sign, letter, is_last } => {
                    if let Some(line) = self.whole(&begun) {
                        return Some(line);
                    }
                    begun.push(self.start());
                    for before in &begun {
                        self.end_word(before, &mut next);
                        if let Some(letter) = letter {
                            // `wow!` is no word with an upright line at its end, and `k1!!` is.
                            let is_doubtful = is_last && matches!(sign, '!' | '+');
                            let after = Begun {
                                has_digits: before.has_digits || !is_doubtful,
                                ends_doubtfully: is_doubtful && !before.has_digits,
                                ..before.clone()
                            };
                            self.read(&after, letter, &mut next);
                        }
                    }
                    next.append(&mut begun);
                }
                Symbol::Space => {
                    if let Some(line) = self.whole(&begun) {
                        return Some(line);
                    }
                    for before in &begun {
                        self.end_word(before, &mut next);
                    }
                    next.extend(begun.into_iter().filter(|before| self.is_before_a_word(before)));
                    next.push(self.start());
                }
            }
            begun = each_once(next);
        }
        self.whole(&begun)
    }

    /// The line of a word that stands anywhere among these letters. A sign may be a letter or nothing.
    pub(super) fn line_among(&self, letters: &[Symbol]) -> Option<u64> {
        let mut begun = Vec::new();
        for symbol in letters {
            begun.push(self.start());
            let mut next = Vec::new();
            for before in &begun {
                match *symbol {
                    Symbol::Letter { written, instead } => {
                        self.read_letter(before, written, instead, &mut next);
                    }
                    Symbol::Sign { letter: Some(letter), .. } => self.read(before, letter, &mut next),
                    Symbol::Sign { .. } | Symbol::Space => {}
                }
            }
            if let Some(line) = self.whole(&next) {
                return Some(line);
            }
            if !matches!(symbol, Symbol::Letter { .. }) {
                next.append(&mut begun);
            }
            begun = each_once(next);
        }
        None
    }

    fn start(&self) -> Begun {
        Begun { words: 0..self.words.len(), n_bytes: 0, has_digits: false, ends_doubtfully: false }
    }

    fn read_letter(&self, before: &Begun, written: char, instead: Option<char>, next: &mut Vec<Begun>) {
        let before = Begun { ends_doubtfully: false, ..before.clone() };
        self.read(&before, written, next);
        if let Some(letter) = instead {
            self.read(&Begun { has_digits: true, ..before }, letter, next);
        }
    }

    fn end_word(&self, before: &Begun, next: &mut Vec<Begun>) {
        if !before.ends_doubtfully {
            self.read(&Begun { has_digits: false, ..before.clone() }, ' ', next);
        }
    }

    /// What may have been begun once this letter follows, added to `next`.
    fn read(&self, before: &Begun, letter: char, next: &mut Vec<Begun>) {
        for meant in meant_by(&letter) {
            let mut bytes = [0; 4];
            let bytes = meant.encode_utf8(&mut bytes).as_bytes();
            let end = before.n_bytes + bytes.len();
            let rest = |word: &(String, u64)| {
                let word = word.0.as_bytes();
                word[before.n_bytes.min(word.len())..end.min(word.len())].cmp(bytes)
            };
            let words = &self.words[before.words.clone()];
            let from = before.words.start + words.partition_point(|word| rest(word).is_lt());
            let to = before.words.start + words.partition_point(|word| rest(word).is_le());
            if from < to {
                next.push(Begun { words: from..to, n_bytes: end, ..before.clone() });
            }
        }
    }

    /// The line of a word that was read to its end.
    fn whole(&self, begun: &[Begun]) -> Option<u64> {
        let whole = |begun: &Begun| {
            // Of words that begin alike the shortest stands first.
            let (word, line) = self.words.get(begun.words.start)?;
            (word.len() == begun.n_bytes && begun.n_bytes > 0 && !begun.ends_doubtfully).then_some(*line)
        };
        begun.iter().find_map(whole)
    }

    fn is_before_a_word(&self, begun: &Begun) -> bool {
        let last = begun.n_bytes.checked_sub(1);
        last.is_some_and(|last| self.words[begun.words.start].0.as_bytes()[last] == b' ')
    }
}

/// What was begun in the same way twice goes on in the same way, so that no text has more ways than the list has words.
fn each_once(mut begun: Vec<Begun>) -> Vec<Begun> {
    let mut known = HashSet::with_capacity(begun.len());
    begun.retain(|one| known.insert(one.clone()));
    begun
}
