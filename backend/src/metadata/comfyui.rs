//! What `ComfyUI` writes: the graph that it ran (`prompt`), and the one that was drawn (`workflow`).
//!
//! Source: `SaveImage` and the other nodes in `nodes.py`, `comfy_extras/nodes_custom_sampler.py` and
//! `comfy_extras/nodes_images.py` of comfyanonymous/ComfyUI.
//!
//! # Layout
//! * [`graph`]: nodes and what leads to them; [`workflow`]: one out of a drawing
//! * [`passes`]: the samplers that made the picture; [`schedules`]: noise levels that nodes of their own make
//! * [`latent`]: what a sampler begins with; [`model`]: what it paints with; [`conditioning`]: what it is told to paint
//! * [`text`]: words as that program reads them

mod conditioning;
mod graph;
mod latent;
mod model;
mod passes;
mod schedules;
pub(super) mod text;
mod workflow;

use types::metadata::Program;

use super::texts::Texts;
use super::{MetadataError, Read};
use graph::Graph;

pub(super) fn read(texts: &Texts) -> Read {
    let mut fault = None;
    // The drawing says what was there when the picture was asked for; the other what was done.
    for (keyword, reader) in [
        ("prompt", graph::from_prompt as fn(&str) -> Result<Graph, String>),
        ("workflow", workflow::from_workflow),
    ] {
        let Some(json) = texts.get(keyword) else { continue };
        match reader(json).and_then(|graph| passes::read(&graph)) {
            Ok(found) => return Ok(Some(found)),
            Err(why) => {
                fault.get_or_insert(format!("the graph in `{keyword}` {why}"));
            }
        }
    }
    match fault {
        Some(why) => Err(MetadataError::unreadable(Program::ComfyUi, why)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
