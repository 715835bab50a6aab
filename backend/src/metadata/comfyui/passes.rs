//! The samplers that made the picture: one, or one and then another over what it made.

use std::collections::{BTreeSet, VecDeque};

use types::metadata::Program;
use types::request::RawRequest;

use super::super::found::{Found, whole_way};
use super::conditioning::words;
use super::graph::{Graph, Link, Node};
use super::latent::{Beginning, From, Scale, beginning};
use super::model;
use super::schedules::{Levels, levels, sampler};
use super::text::as_comfyui_reads_it;

/// Whether a node walks noise levels down.
pub(super) fn is_sampler(node: &Node) -> bool {
    let has = |name: &str| node.inputs.contains_key(name);
    let is_whole = has("steps") && has("cfg") && (has("seed") || has("noise_seed"));
    let is_in_parts = has("sigmas") && has("sampler");
    (is_whole || is_in_parts) && has("latent_image") && !node.class.starts_with("bypassed ")
}

/// What one sampler was told.
struct Pass<'a> {
    node: &'a Node,
    seed: Option<i128>,
    steps: Option<i64>,
    cfg: Option<f64>,
    sampler: Option<String>,
    schedule: Option<String>,
    denoise: f64,
    model: Option<Link<'a>>,
    positive: Option<Link<'a>>,
    negative: Option<Link<'a>>,
    /// Whether there is a place for it.
    takes_negative: bool,
}

impl<'a> Pass<'a> {
    fn read(graph: &'a Graph, node: &'a Node) -> Self {
        let seed = |node: &Node| graph.seed(node, "noise_seed").or_else(|| graph.seed(node, "seed"));
        // Guidance may be a node of its own.
        let guider = graph.input(node, "guider").map_or(node, |link| link.node);
        let levels = if node.inputs.contains_key("sigmas") {
            levels(graph, graph.input(node, "sigmas"))
        } else {
            Levels {
                schedule: graph.text(node, "scheduler"),
                steps: graph.whole(node, "steps"),
                denoise: graph.number(node, "denoise"),
            }
        };
        Self {
            node,
            seed: graph.input(node, "noise").map_or_else(|| seed(node), |link| seed(link.node)),
            steps: levels.steps,
            cfg: graph.number(guider, "cfg"),
            sampler: graph
                .text(node, "sampler_name")
                .or_else(|| sampler(graph, graph.input(node, "sampler"))),
            schedule: levels.schedule,
            denoise: levels.denoise.unwrap_or(1.0),
            model: graph.input(guider, "model"),
            positive: graph.first_input(guider, &["positive", "conditioning"]),
            negative: graph.input(guider, "negative"),
            takes_negative: guider.inputs.contains_key("negative"),
        }
    }
}

/// Reads a graph: from a node that keeps pictures back to the sampler next to it.
pub(super) fn read(graph: &Graph) -> Result<Found, String> {
    let last = last_sampler(graph).ok_or_else(|| "has no sampler that is known".to_owned())?;
    let mut found = Found::new(Program::ComfyUi);
    let mut pass = Pass::read(graph, last.node);
    let mut start = beginning(graph, graph.input(last.node, "latent_image"), &mut found);
    // The first of them makes the picture, those after it work it over.
    let mut later = Vec::new();
    let mut seen = BTreeSet::from([last.id]);
    while let From::Sampler(link) = start.from
        && seen.insert(link.id)
    {
        let before = Pass::read(graph, link.node);
        let start_of_before = beginning(graph, graph.input(link.node, "latent_image"), &mut found);
        later.push((std::mem::replace(&mut pass, before), start.scale));
        start = start_of_before;
    }
    let positive = words(graph, pass.positive, "positive", &mut found);
    let negative = words(graph, pass.negative, "negative", &mut found);
    found.raw = RawRequest {
        steps: pass.steps,
        guidance_scale: pass.cfg.or_else(|| (!pass.takes_negative).then_some(1.0)),
        sampler: pass.sampler.take(),
        schedule: pass.schedule.take(),
        ..as_comfyui_reads_it(&positive.text, &negative.text)
    };
    found.seed = pass.seed;
    model::read(graph, pass.model, &mut found);
    found.clip = model::clip_layer(graph, positive.clip);
    read_beginning(&pass, &start, &mut found);
    read_later(later, &mut found);
    graph.check_end()?;
    Ok(found)
}

/// The sampler next to a node that keeps pictures, and else any.
fn last_sampler(graph: &Graph) -> Option<Link<'_>> {
    let keeps = |words: &'static [&'static str]| {
        graph.nodes.iter().filter(move |(_, node)| words.iter().any(|word| node.class.contains(word)))
    };
    let mut outputs =
        keeps(&["SaveImage", "Save Image", "ImageSave", "Image Save"]).chain(keeps(&["Save", "Preview"]));
    // What led to no sampler once does so from nowhere else.
    let mut seen = BTreeSet::new();
    let found = outputs.find_map(|(id, node)| nearest_sampler(graph, Link { id, node, slot: 0 }, &mut seen));
    found.or_else(|| {
        graph.nodes.iter().map(|(id, node)| Link { id, node, slot: 0 }).find(|link| is_sampler(link.node))
    })
}

/// The sampler with the fewest nodes in between, none of which was seen before.
fn nearest_sampler<'a>(graph: &'a Graph, begin: Link<'a>, seen: &mut BTreeSet<&'a str>) -> Option<Link<'a>> {
    let mut waiting = VecDeque::from([begin]);
    seen.insert(begin.id);
    while let Some(link) = waiting.pop_front() {
        if is_sampler(link.node) {
            return Some(link);
        }
        for source in graph.sources(link.node) {
            if seen.insert(source.id) {
                waiting.push_back(source);
            }
        }
    }
    None
}

fn read_beginning(pass: &Pass<'_>, start: &Beginning<'_>, found: &mut Found) {
    match &start.from {
        From::Empty { width, height, count } => {
            (found.raw.width, found.raw.height) = (*width, *height);
            if let Some(count) = count.filter(|count| *count > 1) {
                let reason = "the noise of its pictures was drawn in one piece, and which one this is does not stand \
                              in the file; the first one's is taken";
                found.leave("batch_size", count.to_string(), reason);
            }
            if pass.denoise < 1.0 {
                let reason = "a picture that starts from noise alone walks the whole way here";
                found.leave("denoise", pass.denoise.to_string(), reason);
            }
        }
        From::Picture(name) => {
            found.raw.strength = Some(pass.denoise);
            found.raw.steps = found.raw.steps.map(|walked| whole_way(walked, pass.denoise));
            if let Some(Scale::Size(width, height)) = start.scale {
                (found.raw.width, found.raw.height) = (Some(width), Some(height));
            }
            found.leave_start("LoadImage", name);
        }
        From::Unknown | From::Sampler(_) => {
            let reason = "what the picture began with is made by a node that is not known; its size is not carried over";
            found.leave(&pass.node.class, "latent_image", reason);
        }
    }
    if start.is_masked {
        found.leave("mask", "", "a file does not hold the mask; paint it again");
    }
}

/// The passes after the first, the last one first. One that enlarges the picture is a second pass here too.
fn read_later(mut later: Vec<(Pass<'_>, Option<Scale>)>, found: &mut Found) {
    let Some((second, scale)) = later.pop() else { return };
    let size = found.raw.width.zip(found.raw.height);
    let scale = match (scale, size) {
        (Some(Scale::Factor(factor)), _) => Some(factor),
        (Some(Scale::Size(width, _)), Some((first, _))) if width > 0 => Some(width as f64 / first as f64),
        (Some(Scale::Size(0, height)), Some((_, first))) => Some(height as f64 / first as f64),
        _ => None,
    };
    if let Some(scale) = scale.filter(|scale| *scale > 1.0) {
        found.raw.hires_scale = Some(scale);
        found.raw.hires_strength = Some(second.denoise);
        let walked = second.steps.or(found.raw.steps);
        found.raw.hires_steps = walked.map(|walked| whole_way(walked, second.denoise));
    } else {
        let value = format!("{} steps", second.steps.unwrap_or_default());
        let reason = "a second sampler takes over here only to enlarge the picture";
        found.leave(&second.node.class, value, reason);
    }
    for (pass, _) in later {
        let value = format!("{} steps", pass.steps.unwrap_or_default());
        found.leave(&pass.node.class, value, "there are two passes at most here");
    }
}
