//! The two names of every layer: the original one and diffusers'.

use std::collections::BTreeMap;

use crate::weights::{Header, Stored};

/// A layer under both of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// As in the original checkpoints, inside the part.
    pub(crate) original: String,
    /// As diffusers has it.
    pub(crate) diffusers: String,
    /// Besides `weight`.
    pub(crate) has_bias: bool,
    /// Whether a part is broken without it.
    pub(crate) is_needed: bool,
}

impl Pair {
    pub(crate) fn new(original: String, diffusers: String) -> Self {
        Self { original, diffusers, has_bias: true, is_needed: true }
    }

    pub(crate) fn without_bias(self) -> Self {
        Self { has_bias: false, ..self }
    }

    pub(crate) fn optional(self) -> Self {
        Self { is_needed: false, ..self }
    }

    /// Tensors of the layer: ending of both names.
    fn tensors(&self) -> &'static [&'static str] {
        if self.has_bias { &["weight", "bias"] } else { &["weight"] }
    }
}

/// A tensor of a checkpoint as diffusers would have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// Where it lies. The shape is diffusers' one; a transposed tensor lies there in the other order.
    pub(crate) stored: Stored,
    /// Whether rows and columns change places.
    pub(crate) is_transposed: bool,
}

impl View {
    pub(crate) fn whole(stored: &Stored) -> Self {
        Self { stored: stored.clone(), is_transposed: false }
    }

    /// One of `n` equal runs of rows.
    pub(crate) fn rows(stored: &Stored, index: usize, n: usize) -> Option<Self> {
        let rows = *stored.shape.first()?;
        if !rows.is_multiple_of(n) {
            return None;
        }
        let mut shape = stored.shape.clone();
        shape[0] = rows / n;
        let length = stored.length / n;
        let stored = Stored { kind: stored.kind, shape, start: stored.start + index * length, length };
        Some(Self { stored, is_transposed: false })
    }

    /// A matrix with rows and columns exchanged.
    pub(crate) fn transposed(stored: &Stored) -> Self {
        let mut stored = stored.clone();
        stored.shape.reverse();
        Self { stored, is_transposed: true }
    }
}

/// One part of a checkpoint under diffusers' names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) views: BTreeMap<String, View>,
    /// Original names of what should be there and is not.
    pub(crate) missing: Vec<String>,
}

impl Part {
    /// Looks every layer up under `prefix`.
    pub(crate) fn from_pairs(header: &Header, prefix: &str, pairs: &[Pair]) -> Self {
        let mut part = Self::default();
        for pair in pairs {
            for tensor in pair.tensors() {
                let original = format!("{prefix}{}.{tensor}", pair.original);
                part.take(header, &original, format!("{}.{tensor}", pair.diffusers), pair.is_needed);
            }
        }
        part
    }

    /// One tensor, as it is.
    pub(crate) fn take(&mut self, header: &Header, original: &str, diffusers: String, is_needed: bool) {
        match header.tensors.get(original) {
            Some(stored) => {
                self.views.insert(diffusers, View::whole(stored));
            }
            None if is_needed => self.missing.push(original.to_owned()),
            None => {}
        }
    }
}

/// Numbers that stand after `prefix` in names, from 0 to the largest: how many there should be.
pub(crate) fn count(header: &Header, prefix: &str) -> usize {
    below(header, prefix)
        .filter_map(|rest| rest.split('.').next()?.parse::<usize>().ok())
        // A number that no model has would make a list of names of that length.
        .filter(|&number| number < 1000)
        .max()
        .map_or(0, |last| last + 1)
}

/// Whether any name begins so.
pub(crate) fn any(header: &Header, prefix: &str) -> bool {
    below(header, prefix).next().is_some()
}

/// What stands after `prefix`, of the names that begin with it.
fn below<'a>(header: &'a Header, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    header.tensors.range(prefix.to_owned()..).map_while(move |(name, _)| name.strip_prefix(prefix))
}
