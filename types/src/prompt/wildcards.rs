//! Words that stand for others: `__colour__`, and `{red|blue}`.
//!
//! The syntax is that of Dynamic Prompts, as far as it chooses at random: lists by name, choices in braces, how many
//! and how likely. Its variables, loops and samplers are text here.

use serde::{Deserialize, Serialize};

use super::choice::{Choice, choice_at_start};
use super::random::Random;
use super::word_lists::{WORD_LISTS, of_vocabulary};
use crate::model::Vocabulary;
use crate::request::MAX_PROMPT_CHARS;

/// How deep wildcards and choices may lie in each other.
pub const MAX_WILDCARD_DEPTH: u32 = 16;
/// Most wildcards and choices of one text, those among the words that are put in included.
pub const MAX_WILDCARDS: u32 = 1_000;

/// A list of words, of which `__name__` in a prompt stands for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard {
    /// Its name; one from a folder within the folder is `animals/cat`.
    pub name: String,
    /// What it stands for. An entry may hold wildcards and choices itself.
    pub entries: Vec<String>,
}

/// The lists that a prompt may name.
#[derive(Debug, Clone, Copy, Default)]
pub struct WordLists<'a> {
    /// Those of the site, which go before all others.
    pub files: &'a [Wildcard],
    /// The words of the model, if it knows only some; they go before the lists that every site has.
    pub vocabulary: Option<&'a Vocabulary>,
}

/// A list of words as the site shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WildcardInfo {
    /// Its name, which stands between two underscores on either side.
    pub name: String,
    /// How many entries it has.
    pub n_entries: usize,
    /// Its first entries.
    pub examples: Vec<String>,
    /// Comes with the program, rather than from the site's folder.
    pub built_in: bool,
}

/// Entries of a list that are shown.
const N_EXAMPLES: usize = 5;

/// The entries of one list.
#[derive(Debug, Clone, Copy)]
enum Entries<'a> {
    Owned(&'a [String]),
    BuiltIn(&'static [&'static str]),
}

impl<'a> Entries<'a> {
    fn len(self) -> usize {
        match self {
            Self::Owned(entries) => entries.len(),
            Self::BuiltIn(entries) => entries.len(),
        }
    }

    fn at(self, index: usize) -> &'a str {
        match self {
            Self::Owned(entries) => &entries[index],
            Self::BuiltIn(entries) => entries[index],
        }
    }
}

impl<'a> WordLists<'a> {
    /// The names of all of them, those of the site first.
    pub fn names(self) -> Vec<&'a str> {
        let built_in = WORD_LISTS.iter().map(|(name, _)| *name);
        let built_in = built_in.filter(|name| !self.files.iter().any(|list| list.name == *name));
        self.files.iter().map(|list| list.name.as_str()).chain(built_in).collect()
    }

    /// All of them as the site shows them, in the same order.
    pub fn infos(self) -> Vec<WildcardInfo> {
        let info = |(place, name): (usize, &str)| {
            let entries = self.exact(name)?;
            let examples = (0..entries.len().min(N_EXAMPLES)).map(|index| entries.at(index).to_owned());
            Some(WildcardInfo {
                name: name.to_owned(),
                n_entries: entries.len(),
                examples: examples.collect(),
                built_in: place >= self.files.len(),
            })
        };
        self.names().into_iter().enumerate().filter_map(info).collect()
    }

    /// A name counts as it is written, and else in any case.
    fn entries(self, name: &str) -> Option<Entries<'a>> {
        self.exact(name).or_else(|| {
            let lower = name.to_lowercase();
            let of_file = self.files.iter().find(|list| list.name.to_lowercase() == lower);
            of_file.map(|list| Entries::Owned(&list.entries)).or_else(|| self.exact(&lower))
        })
    }

    fn exact(self, name: &str) -> Option<Entries<'a>> {
        let of_file = || Some(Entries::Owned(&self.files.iter().find(|list| list.name == name)?.entries));
        let of_model = || self.vocabulary.and_then(|words| of_vocabulary(words, name)).map(Entries::Owned);
        let built_in = || {
            let (_, entries) = WORD_LISTS.iter().find(|(known, _)| *known == name)?;
            Some(Entries::BuiltIn(entries))
        };
        of_file().or_else(of_model).or_else(built_in)
    }
}

/// Why a text cannot be written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WildcardError {
    /// There is no list of that name.
    Unknown(String),
    /// Wildcards or choices lie deeper in each other than [`MAX_WILDCARD_DEPTH`].
    TooDeep,
    /// There are more of them than [`MAX_WILDCARDS`].
    TooMany,
    /// The text is longer than a prompt may be.
    TooLong,
}

/// Which of the texts of a request is written out: the words of one do not change with what stands in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WildcardStream {
    /// The prompt.
    Prompt = 0,
    /// The negative prompt.
    NegativePrompt = 1,
    /// What styles add to both.
    Styles = 2,
}

/// Writes texts out, with the words that a seed names.
pub struct Expander<'a> {
    lists: WordLists<'a>,
    random: Random,
    n_left: u32,
}

impl<'a> Expander<'a> {
    /// The same seed, stream and lists give the same words.
    pub fn new(lists: WordLists<'a>, seed: u64, stream: WildcardStream) -> Self {
        Self { lists, random: Random::new(seed, stream as u64), n_left: MAX_WILDCARDS }
    }

    /// A text with words in the place of its wildcards and choices.
    ///
    /// # Errors
    /// A wildcard is unknown, or there is no end to what they stand for.
    pub fn expand(&mut self, text: &str) -> Result<String, WildcardError> {
        let mut written = String::new();
        self.write(text, 0, &mut written)?;
        if written.trim().chars().count() > MAX_PROMPT_CHARS {
            return Err(WildcardError::TooLong);
        }
        Ok(written)
    }

    fn write(&mut self, text: &str, depth: u32, written: &mut String) -> Result<(), WildcardError> {
        let mut rest = text;
        while let Some(at) = rest.find(['{', '_']) {
            let (plain, special) = rest.split_at(at);
            written.push_str(plain);
            rest = if let Some((choice, after)) = choice_at_start(special) {
                self.go_on(depth, written)?;
                self.choose(&choice, depth + 1, written)?;
                after
            } else if let Some((name, after)) = wildcard_at_start(special) {
                self.go_on(depth, written)?;
                let entries = self.entries(name)?;
                let entry = self.random.below(entries.len());
                if entries.len() > 0 {
                    self.write(entries.at(entry), depth + 1, written)?;
                }
                after
            } else {
                // Both are one byte long.
                written.push_str(&special[..1]);
                &special[1..]
            };
        }
        written.push_str(rest);
        Ok(())
    }

    /// Counts one more wildcard or choice, at this depth.
    fn go_on(&mut self, depth: u32, written: &str) -> Result<(), WildcardError> {
        if depth >= MAX_WILDCARD_DEPTH {
            return Err(WildcardError::TooDeep);
        }
        check_length(written)?;
        self.n_left = self.n_left.checked_sub(1).ok_or(WildcardError::TooMany)?;
        Ok(())
    }

    fn entries(&self, name: &str) -> Result<Entries<'a>, WildcardError> {
        self.lists.entries(name).ok_or_else(|| WildcardError::Unknown(name.to_owned()))
    }

    fn choose(&mut self, choice: &Choice<'_>, depth: u32, written: &mut String) -> Result<(), WildcardError> {
        let Some(several) = &choice.several else {
            let weights: Vec<f64> = choice.options.iter().map(|(weight, _)| *weight).collect();
            let (_, option) = choice.options[self.random.weighted(&weights)];
            return self.write(option, depth, written);
        };
        let mut left = self.left(choice)?;
        let most = several.most.unwrap_or(left.len()).min(left.len());
        let least = several.least.min(most);
        let n_chosen = least + self.random.below(most - least + 1);
        for place in 0..n_chosen {
            check_length(written)?;
            let option = left.take(&mut self.random);
            if place > 0 {
                written.push_str(several.separator);
            }
            self.write(option.trim(), depth, written)?;
        }
        Ok(())
    }

    /// What several are chosen from: where that is one wildcard alone, its entries, so that none comes twice.
    fn left<'o>(&self, choice: &Choice<'o>) -> Result<Left<'o>, WildcardError>
    where
        'a: 'o,
    {
        if let [(_, only)] = choice.options[..]
            && let Some((name, "")) = wildcard_at_start(only.trim())
        {
            return Ok(Left::Entries { entries: self.entries(name)?, taken: Vec::new() });
        }
        Ok(Left::Options(choice.options.clone()))
    }
}

/// What can still be chosen where several are.
enum Left<'a> {
    /// Entries of a list, which may be a long one, and the places of those that are taken, in their order.
    Entries { entries: Entries<'a>, taken: Vec<usize> },
    /// Options with their weights.
    Options(Vec<(f64, &'a str)>),
}

impl<'a> Left<'a> {
    fn len(&self) -> usize {
        match self {
            Self::Entries { entries, taken } => entries.len() - taken.len(),
            Self::Options(options) => options.len(),
        }
    }

    /// Takes one out; something has to be left.
    fn take(&mut self, random: &mut Random) -> &'a str {
        match self {
            Self::Entries { entries, taken } => {
                // A place among those that are left, and then among all.
                let mut place = random.below(entries.len() - taken.len());
                let mut n_before = 0;
                while taken.get(n_before).is_some_and(|before| *before <= place) {
                    place += 1;
                    n_before += 1;
                }
                taken.insert(n_before, place);
                entries.at(place)
            }
            Self::Options(options) => {
                let weights: Vec<f64> = options.iter().map(|(weight, _)| *weight).collect();
                options.remove(random.weighted(&weights)).1
            }
        }
    }
}

/// Whether what is written so far can still become a prompt.
fn check_length(written: &str) -> Result<(), WildcardError> {
    // No character has more than four bytes.
    if written.len() > MAX_PROMPT_CHARS * 4 { Err(WildcardError::TooLong) } else { Ok(()) }
}

/// The name in a wildcard that a text begins with, and what stands behind it.
fn wildcard_at_start(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix("__")?.split_once("__")?;
    is_wildcard_name(name).then_some((name, after))
}

/// Whether a list can be asked for by this name: letters, digits, and single `-`, `_`, `.` and `/` between them.
pub fn is_wildcard_name(name: &str) -> bool {
    let is_inner = |c: char| matches!(c, '-' | '_' | '.' | '/');
    let ends_well = |end: Option<char>| end.is_some_and(char::is_alphanumeric);
    name.chars().all(|c| c.is_alphanumeric() || is_inner(c))
        && ends_well(name.chars().next())
        && ends_well(name.chars().next_back())
        && !["__", "..", "//"].iter().any(|doubled| name.contains(doubled))
}

#[cfg(test)]
#[path = "wildcards_tests.rs"]
mod tests;
