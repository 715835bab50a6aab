//! From a sampler's input to what it began with: nothing, a picture, or what another sampler made.

use super::super::found::Found;
use super::conditioning::leave_once;
use super::graph::{Graph, LONGEST_WAY, Link, Node};
use super::passes::is_sampler;

/// What a sampler began with.
#[derive(Default)]
pub(super) struct Beginning<'a> {
    pub(super) from: From<'a>,
    /// What the latent or the picture was enlarged by on its way here.
    pub(super) scale: Option<Scale>,
    pub(super) is_masked: bool,
}

/// Where a latent comes from.
#[derive(Default)]
pub(super) enum From<'a> {
    /// Nobody knows.
    #[default]
    Unknown,
    /// Nothing was there: width, height, and how many.
    Empty { width: Option<i64>, height: Option<i64>, count: Option<i64> },
    /// Another sampler.
    Sampler(Link<'a>),
    /// A picture of that name.
    Picture(String),
}

/// By how much something was enlarged.
#[derive(Clone, Copy)]
pub(super) enum Scale {
    Factor(f64),
    Size(i64, i64),
}

/// Inputs that a latent or a picture comes in by, the most important first.
const INPUTS: [&str; 9] = [
    "samples",
    "latent_image",
    "latent",
    "image",
    "images",
    "pixels",
    "samples_to",
    "upscaled_latent",
    "destination",
];

/// Follows a latent back to its beginning.
pub(super) fn beginning<'a>(graph: &'a Graph, begin: Option<Link<'a>>, found: &mut Found) -> Beginning<'a> {
    let mut beginning = Beginning::default();
    let mut at = begin;
    for _ in 0..LONGEST_WAY {
        let Some(link @ Link { node, .. }) = at else { break };
        if is_sampler(node) {
            beginning.from = From::Sampler(link);
            break;
        }
        let next = graph.first_input(node, &INPUTS);
        if next.is_none() {
            beginning.from = first_of_all(graph, node);
            if !matches!(beginning.from, From::Unknown) {
                break;
            }
        }
        if let Some(scale) = scale_of(graph, node) {
            // The last word on the size is the node's that is next to the sampler.
            beginning.scale.get_or_insert(scale);
            let method = graph.text(node, "upscale_method").filter(|method| method != "lanczos");
            if let Some(method) = method {
                leave_once(found, &node.class, &method, "the picture is enlarged by Lanczos' filter here");
            }
        } else if node.class.contains("UpscaleWithModel") || node.class.contains("UltimateSDUpscale") {
            leave_once(found, &node.class, "", "the picture is enlarged by Lanczos' filter here");
        }
        beginning.is_masked |= node.class.contains("Inpaint") || node.class == "SetLatentNoiseMask";
        let is_silent = node.class == "Reroute" || node.class.starts_with("bypassed ");
        at = next.or_else(|| graph.sources(node).next().filter(|_| is_silent));
    }
    beginning
}

/// A node that nothing leads to.
fn first_of_all<'a>(graph: &Graph, node: &Node) -> From<'a> {
    // The longer names are those of loaders that make everything at once.
    let side =
        |name: &str| graph.whole(node, name).or_else(|| graph.whole(node, &format!("empty_latent_{name}")));
    let (width, height) = (side("width"), side("height"));
    if width.is_some() || height.is_some() || node.class.contains("Empty") {
        return From::Empty { width, height, count: graph.whole(node, "batch_size") };
    }
    match graph.text(node, "image") {
        Some(name) => From::Picture(name),
        None => From::Unknown,
    }
}

fn scale_of(graph: &Graph, node: &Node) -> Option<Scale> {
    if let Some(factor) = graph.number(node, "scale_by") {
        return Some(Scale::Factor(factor));
    }
    if !node.class.contains("Upscale") && !node.class.contains("Scale") && !node.class.contains("Resize") {
        return None;
    }
    Some(Scale::Size(graph.whole(node, "width")?, graph.whole(node, "height")?))
}
