//! A hash of all that makes a job's pictures. Where it is the same, the pictures are.

use sha2::{Digest, Sha256};
use types::request::{GenerationRequest, PictureSource};

use super::materials;
use crate::hexadecimal::hexadecimal;
use crate::safety::SafetyMode;
use crate::shared::Shared;
use crate::{Engine, Error, Result};

/// The fingerprint of what this owner asks for: a hash of the whole request, in which the content of the pictures that
/// it names stands in place of their names, and behind it one of what the engine makes it with.
///
/// `None` if the engine cannot tell what it makes it with.
///
/// # Errors
/// A picture that the request names is not there any more.
pub(crate) async fn of(
    shared: &Shared,
    owner_id: &str,
    request: &GenerationRequest,
) -> Result<Option<String>> {
    let Some(engine) = made_with(&*shared.engine, shared.safety, request) else { return Ok(None) };
    let mut canonical = request.clone();
    if let Some(start) = &mut canonical.start {
        start.source = content(shared, owner_id, &start.source, "the picture it starts from").await?;
    }
    if let Some(mask) = &mut canonical.mask {
        mask.source = content(shared, owner_id, &mask.source, "its mask").await?;
    }
    let canonical = serde_json::to_string(&canonical)
        .map_err(|error| Error::Broken(format!("a request cannot be written as JSON: {error}")))?;
    Ok(Some(hash(canonical.as_bytes()) + &hash(engine.as_bytes())))
}

/// Whether the engine still makes it with what it would have then.
pub(crate) fn is_still(fingerprint: &str, shared: &Shared, request: &GenerationRequest) -> bool {
    made_with(&*shared.engine, shared.safety, request)
        .is_some_and(|now| fingerprint.ends_with(&hash(now.as_bytes())))
}

/// What the engine makes a request's pictures with, and what looks at them. The words of a grid's cells may name other
/// LoRAs each, and the cells other models.
fn made_with(engine: &dyn Engine, safety: SafetyMode, request: &GenerationRequest) -> Option<String> {
    let of = |request: &GenerationRequest| {
        let made_with = engine.fingerprint(request)?;
        if !safety.is_on() {
            return Some(made_with);
        }
        Some(format!("{made_with} {safety} {:?}", engine.safety_checker(&request.model)))
    };
    let cells = (0..request.count).map_while(|index| request.cell(index));
    let mut said = cells.map(|cell| of(&cell)).collect::<Option<Vec<_>>>()?;
    if said.is_empty() {
        return of(request);
    }
    said.dedup();
    Some(said.join("\n"))
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

async fn content(
    shared: &Shared,
    owner_id: &str,
    source: &PictureSource,
    role: &str,
) -> Result<PictureSource> {
    let bytes = materials::read(shared, owner_id, source, role).await?;
    Ok(PictureSource::File(hash(&bytes)))
}
