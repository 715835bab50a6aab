//! From a sampler's input to the file that the model is in, with what is added on the way.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::found::{ClipLayer, Found, FoundLora, FoundModel};
use super::super::values;
use super::conditioning::leave_once;
use super::graph::{Graph, LONGEST_WAY, Link, Node};

/// Inputs that name a model's file.
const FILES: [&str; 4] = ["ckpt_name", "unet_name", "model_name", "base_ckpt_name"];

/// Nodes that change nothing of what is painted.
const SILENT: [&str; 5] =
    ["Reroute", "ModelSamplingDiscrete", "TorchCompileModel", "PrimitiveNode", "TomePatchModel"];

/// Follows a model back to its file.
pub(super) fn read(graph: &Graph, begin: Option<Link<'_>>, found: &mut Found) {
    let mut at = begin;
    let mut loras = Vec::new();
    // What lies in a circle adds its LoRAs once.
    let mut seen = BTreeSet::new();
    while let Some(Link { id, node, .. }) = at
        && seen.insert(id)
    {
        loras.extend(loras_of(graph, node).into_iter().rev());
        if let Some(name) = FILES.into_iter().find_map(|input| graph.text(node, input)) {
            found.model = Some(FoundModel { name, hash: None });
            break;
        }
        patch(graph, node, found);
        let is_silent = SILENT.contains(&node.class.as_str()) || node.class.starts_with("bypassed ");
        at = graph.input(node, "model").or_else(|| graph.sources(node).next().filter(|_| is_silent));
    }
    // The one next to the file comes first.
    loras.reverse();
    found.loras = loras;
}

/// What a node adds that is there here too, or else that it is not.
fn patch(graph: &Graph, node: &Node, found: &mut Found) {
    let class = node.class.as_str();
    if class.starts_with("bypassed ") || class.contains("Lora") || class.contains("LoRA") {
        return;
    }
    match class {
        "RescaleCFG" => found.raw.guidance_rescale = graph.number(node, "multiplier"),
        "ModelSamplingDiscrete" => {
            let kind = graph.text(node, "sampling").unwrap_or_default();
            let is_zero = graph.value(node, "zsnr").is_some_and(|value| value == &Value::Bool(true));
            // Models say themselves what they predict.
            if !matches!(kind.as_str(), "" | "eps" | "v_prediction" | "lcm") || is_zero {
                leave_once(found, class, &kind, "noise levels are those of the model here");
            }
        }
        _ if SILENT.contains(&class) => {}
        _ => leave_once(found, class, "", "nothing changes the model in this way here"),
    }
}

/// The LoRAs that a node adds.
fn loras_of(graph: &Graph, node: &Node) -> Vec<FoundLora> {
    if node.class.starts_with("bypassed ") {
        return Vec::new();
    }
    let mut loras = Vec::new();
    if let Some(name) = graph.text(node, "lora_name").filter(|name| name != "None") {
        let unet = graph.number(node, "strength_model").unwrap_or(1.0);
        // One for the U-Net alone has no other strength.
        let text_encoder = if node.inputs.contains_key("clip") || node.inputs.contains_key("strength_clip") {
            graph.number(node, "strength_clip").unwrap_or(unet)
        } else {
            0.0
        };
        loras.push(FoundLora { name, text_encoder, unet });
    }
    // Nodes that hold several, each as an object.
    for value in node.inputs.values() {
        let Value::Object(fields) = value else { continue };
        let is_on = fields.get("on").is_none_or(|on| !values::is_nothing(on));
        let name = fields.get("lora").and_then(values::text).filter(|name| name != "None");
        let strength = fields.get("strength").and_then(values::number);
        if let (true, Some(name), Some(unet)) = (is_on, name, strength) {
            let text_encoder = fields.get("strengthTwo").and_then(values::number).unwrap_or(unet);
            loras.push(FoundLora { name, text_encoder, unet });
        }
    }
    loras
}

/// At which layer the text encoder stops that read the prompt: `-2` is the last but one.
pub(super) fn clip_layer(graph: &Graph, begin: Option<Link<'_>>) -> ClipLayer {
    let mut at = begin;
    for _ in 0..LONGEST_WAY {
        let Some(Link { node, .. }) = at else { break };
        if node.class == "CLIPSetLastLayer" {
            let layer = graph.whole(node, "stop_at_clip_layer");
            return layer.map_or(ClipLayer::Usual, |layer| ClipLayer::FromLast(layer.saturating_neg()));
        }
        at = graph.input(node, "clip");
    }
    ClipLayer::Usual
}
