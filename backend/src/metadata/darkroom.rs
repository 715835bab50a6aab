//! Darkroom's own pictures: the whole request, and which of its pictures this is.

use types::metadata::Program;
use types::request::{COUNT, MAX_SEED, RawRequest};

use super::found::Found;
use super::texts::Texts;
use super::{MetadataError, Read};
use crate::pictures::Origin;

pub(super) fn read(texts: &Texts) -> Read {
    let Some(json) = texts.get("darkroom") else { return Ok(None) };
    let unreadable = |why: String| MetadataError::unreadable(Program::Darkroom, why);
    let Origin { version: _, index, request } =
        serde_json::from_str(json).map_err(|fault| unreadable(fault.to_string()))?;
    // Anybody can write a chunk, and the seeds of a job's pictures are sums.
    if index >= *COUNT.end() {
        return Err(unreadable(format!("picture {index} of a job; there are at most {}", COUNT.end())));
    }
    let second_seed = request.variation.map_or(0, |variation| variation.seed);
    if let Some(seed) = [request.seed, second_seed].into_iter().find(|seed| *seed > MAX_SEED) {
        return Err(unreadable(format!("seed {seed} is out of range; allowed are 0 to {MAX_SEED}")));
    }
    let raw = RawRequest::one_of(&request, index);
    let seed = raw.seed.map(i128::from);
    Ok(Some(Found { raw, seed, ..Found::new(Program::Darkroom) }))
}
