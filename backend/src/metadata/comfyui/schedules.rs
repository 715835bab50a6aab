//! Noise levels that a node of their own makes, for samplers that are put together out of parts.

use super::graph::{Graph, LONGEST_WAY, Link, Node};

/// As much of noise levels as a request can say.
#[derive(Debug, Default)]
pub(super) struct Levels {
    pub(super) schedule: Option<String>,
    pub(super) steps: Option<i64>,
    pub(super) denoise: Option<f64>,
}

/// Follows noise levels back to the node that makes them.
pub(super) fn levels(graph: &Graph, begin: Option<Link<'_>>) -> Levels {
    let mut at = begin;
    for _ in 0..LONGEST_WAY {
        let Some(Link { node, .. }) = at else { break };
        if node.inputs.contains_key("steps") {
            return Levels {
                schedule: schedule_of(graph, node),
                steps: graph.whole(node, "steps"),
                denoise: graph.number(node, "denoise"),
            };
        }
        at = graph.first_input(node, &["sigmas", "sigmas_1"]);
    }
    Levels::default()
}

fn schedule_of(graph: &Graph, node: &Node) -> Option<String> {
    let name = match node.class.as_str() {
        "KarrasScheduler" => "karras",
        // With its usual factor of 1 the second is the first.
        "ExponentialScheduler" | "PolyexponentialScheduler" => "exponential",
        "BetaSamplingScheduler" => "beta",
        "AlignYourStepsScheduler" => "align_your_steps",
        // Ten even steps, of which the first are walked.
        "SDTurboScheduler" => "sgm_uniform",
        _ => return graph.text(node, "scheduler"),
    };
    Some(name.to_owned())
}

/// The sampler's name: of a node that only says it, or that is one itself (`SamplerDPMPP_2M_SDE`).
pub(super) fn sampler(graph: &Graph, link: Option<Link<'_>>) -> Option<String> {
    let Link { node, .. } = link?;
    let named = graph.text(node, "sampler_name");
    named.or_else(|| node.class.strip_prefix("Sampler").map(str::to_ascii_lowercase))
}
