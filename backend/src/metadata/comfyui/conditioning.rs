//! From a sampler's input to the words that were typed.

use serde_json::Value;

use super::super::found::Found;
use super::graph::{Graph, LONGEST_WAY, Link, Node};

/// Words, and the text encoder that read them.
#[derive(Default)]
pub(super) struct Words<'a> {
    pub(super) text: String,
    pub(super) clip: Option<Link<'a>>,
}

/// Inputs that conditioning comes in by, the most important first.
const INPUTS: [&str; 6] =
    ["conditioning", "conditioning_1", "conditioning_to", "positive", "negative", "base_positive"];

/// Nodes that pass on what they get.
const SILENT: [&str; 4] = ["Reroute", "FluxGuidance", "ConditioningSetTimestepRange", "PrimitiveNode"];

/// Follows conditioning back to its words. What is done to it on the way is left in `found`.
///
/// `role` is `positive` or `negative`: loaders that make everything at once hold the words under that name.
pub(super) fn words<'a>(
    graph: &'a Graph,
    begin: Option<Link<'a>>,
    role: &str,
    found: &mut Found,
) -> Words<'a> {
    let mut at = begin;
    let mut last = None;
    for _ in 0..LONGEST_WAY {
        let Some(link @ Link { id, node, slot }) = at else { break };
        last = Some(link);
        if let Some(text) = node.inputs.get(role).and_then(Value::as_str) {
            return Words { text: text.to_owned(), clip: graph.input(node, "clip") };
        }
        if let Some(words) = encoded(graph, id, node, found) {
            return words;
        }
        if node.class == "ConditioningZeroOut" {
            // Nothing of the words is left.
            return Words { text: String::new(), clip: graph.input(node, "conditioning") };
        }
        tell(graph, node, found);
        // A node with both sorts gives back both, in this order.
        let both = ["positive", "negative"];
        let same_sort = both.get(usize::try_from(slot).unwrap_or(0)).and_then(|name| graph.input(node, name));
        let is_both = both.iter().all(|name| node.inputs.contains_key(*name));
        at = same_sort.filter(|_| is_both).or_else(|| graph.first_input(node, &INPUTS)).or_else(|| {
            let is_silent = SILENT.contains(&node.class.as_str()) || node.class.starts_with("bypassed ");
            graph.sources(node).next().filter(|_| is_silent)
        });
    }
    if let Some(Link { id, node, .. }) = last {
        found.leave(format!("{role} prompt"), format!("node {id}, {}", node.class), MADE_MEANWHILE);
    }
    Words::default()
}

/// Why words are missing.
const MADE_MEANWHILE: &str = "its text was made while the graph ran, and does not stand in it";

/// The words of a node that reads text.
fn encoded<'a>(graph: &'a Graph, id: &str, node: &'a Node, found: &mut Found) -> Option<Words<'a>> {
    let is_encoder = node.inputs.contains_key("clip") || node.class.contains("TextEncode");
    let has = |name: &str| node.inputs.contains_key(name);
    if !is_encoder || !["text", "text_g", "prompt"].into_iter().any(has) {
        return None;
    }
    let mut read = |name: &str| {
        let text = text(graph, node, name);
        if text.is_none() {
            let value = format!("node {id}, {}", node.class);
            found.leave("prompt", value, MADE_MEANWHILE);
        }
        text.unwrap_or_default()
    };
    let words = if has("text_g") {
        let (text, other) = (read("text_g"), if has("text_l") { read("text_l") } else { String::new() });
        if text.is_empty() {
            other
        } else {
            if !other.is_empty() && other != text {
                found.leave("text_l", &other, "both text encoders read one prompt here");
            }
            text
        }
    } else {
        read(if has("text") { "text" } else { "prompt" })
    };
    Some(Words { text: words, clip: graph.input(node, "clip") })
}

/// Says what a node does to the words that has no counterpart.
fn tell(graph: &Graph, node: &Node, found: &mut Found) {
    let class = node.class.as_str();
    if class.starts_with("ControlNet") || class.contains("ControlNetApply") {
        let control = graph.input(node, "control_net");
        let model = control.and_then(|link| graph.text(link.node, "control_net_name")).unwrap_or_default();
        leave_once(found, class, &model, "there is no ControlNet here");
    } else if class.starts_with("Conditioning") && !SILENT.contains(&class) {
        leave_once(found, class, "", "one prompt is for the whole picture here; the first one is taken");
    } else if class.starts_with("unCLIP") || class.contains("IPAdapter") || class.contains("StyleModel") {
        leave_once(found, class, "", "a picture is no prompt here");
    }
}

pub(super) fn leave_once(found: &mut Found, name: &str, value: &str, reason: &str) {
    if !found.not_carried.iter().any(|left| left.name == name && left.value == value) {
        found.leave(name, value, reason);
    }
}

/// Most texts that are joined to one.
const MOST_JOINED: usize = 64;

/// The text of an input: as it stands there, or as other nodes hold it or join it.
fn text(graph: &Graph, node: &Node, name: &str) -> Option<String> {
    let mut joined = String::new();
    let mut n_left = MOST_JOINED;
    collect(graph, node, name, &mut n_left, &mut joined)?;
    Some(joined)
}

fn collect(graph: &Graph, node: &Node, name: &str, n_left: &mut usize, joined: &mut String) -> Option<()> {
    *n_left = n_left.checked_sub(1)?;
    let value = node.inputs.get(name)?;
    if let Some(text) = value.as_str() {
        joined.push_str(text);
        return Some(());
    }
    let Link { node, .. } = graph.link(value)?;
    if node.inputs.contains_key("string_a") {
        collect(graph, node, "string_a", n_left, joined)?;
        if node.inputs.contains_key("string_b") {
            joined.push_str(graph.value(node, "delimiter").and_then(Value::as_str).unwrap_or_default());
            collect(graph, node, "string_b", n_left, joined)?;
        }
        return Some(());
    }
    let names = [
        "text",
        "string",
        "value",
        "prompt",
        "populated_text",
        "text_positive",
        "positive",
        "String",
        "STRING",
    ];
    let name = names.into_iter().find(|name| node.inputs.contains_key(*name))?;
    collect(graph, node, name, n_left, joined)
}
