//! A graph out of a drawing, in which the values of a node stand in a row without their names.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::values;
use super::graph::{Graph, Node};

/// The names of a node's values in the order of a drawing. What stands behind a seed says what becomes of it next.
const WIDGETS: [(&str, &[&str]); 31] = [
    ("KSampler", &["seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"]),
    (
        "KSamplerAdvanced",
        &[
            "add_noise",
            "noise_seed",
            "",
            "steps",
            "cfg",
            "sampler_name",
            "scheduler",
            "start_at_step",
            "end_at_step",
            "return_with_leftover_noise",
        ],
    ),
    ("SamplerCustom", &["add_noise", "noise_seed", "", "cfg"]),
    ("KSamplerSelect", &["sampler_name"]),
    ("BasicScheduler", &["scheduler", "steps", "denoise"]),
    ("KarrasScheduler", &["steps", "sigma_max", "sigma_min", "rho"]),
    ("ExponentialScheduler", &["steps", "sigma_max", "sigma_min"]),
    ("PolyexponentialScheduler", &["steps", "sigma_max", "sigma_min", "rho"]),
    ("BetaSamplingScheduler", &["steps", "alpha", "beta"]),
    ("SDTurboScheduler", &["steps", "denoise"]),
    ("AlignYourStepsScheduler", &["model_type", "steps", "denoise"]),
    ("RandomNoise", &["noise_seed", ""]),
    ("CFGGuider", &["cfg"]),
    ("CheckpointLoaderSimple", &["ckpt_name"]),
    ("CheckpointLoader", &["config_name", "ckpt_name"]),
    ("UNETLoader", &["unet_name", "weight_dtype"]),
    ("LoraLoader", &["lora_name", "strength_model", "strength_clip"]),
    ("LoraLoaderModelOnly", &["lora_name", "strength_model"]),
    ("CLIPTextEncode", &["text"]),
    (
        "CLIPTextEncodeSDXL",
        &["width", "height", "crop_w", "crop_h", "target_width", "target_height", "text_g", "text_l"],
    ),
    ("CLIPSetLastLayer", &["stop_at_clip_layer"]),
    ("EmptyLatentImage", &["width", "height", "batch_size"]),
    ("EmptySD3LatentImage", &["width", "height", "batch_size"]),
    ("LatentUpscale", &["upscale_method", "width", "height", "crop"]),
    ("LatentUpscaleBy", &["upscale_method", "scale_by"]),
    ("ImageScale", &["upscale_method", "width", "height", "crop"]),
    ("ImageScaleBy", &["upscale_method", "scale_by"]),
    ("LoadImage", &["image"]),
    ("RescaleCFG", &["multiplier"]),
    ("ModelSamplingDiscrete", &["sampling", "zsnr"]),
    ("PrimitiveNode", &["value"]),
];

/// Nodes in these modes are not run.
const MUTED: u64 = 2;
const BYPASSED: u64 = 4;

/// Reads `{"nodes": [{"id": 3, "type": "KSampler", "inputs": […], "widgets_values": […]}], "links": […]}`.
pub(super) fn from_workflow(json: &str) -> Result<Graph, String> {
    let root = values::parse_json(json).map_err(|fault| format!("is not JSON: {fault}"))?;
    let Some(Value::Array(nodes)) = root.get("nodes") else { return Err("has no list of nodes".to_owned()) };
    let links = links(root.get("links"));
    Graph::new(nodes.iter().filter_map(|drawn| node(drawn, &links)))
}

/// Where each link comes from: `[link, node, slot, node, slot, kind]`, or an object that says the same.
fn links(links: Option<&Value>) -> HashMap<u64, Value> {
    let link = |link: &Value| {
        let at = |place: usize, name: &str| link.get(place).or_else(|| link.get(name));
        let (id, from, slot) = (at(0, "id")?, at(1, "origin_id")?, at(2, "origin_slot")?);
        Some((id.as_u64()?, json!([values::said(from), slot.as_u64()?])))
    };
    links.and_then(Value::as_array).into_iter().flatten().filter_map(link).collect()
}

fn node(drawn: &Value, links: &HashMap<u64, Value>) -> Option<(String, Node)> {
    let id = values::text(drawn.get("id")?)?;
    let class = drawn.get("type")?.as_str()?.to_owned();
    let mode = drawn.get("mode").and_then(Value::as_u64).unwrap_or(0);
    if mode == MUTED {
        return None;
    }
    let mut inputs = widgets(&class, drawn.get("widgets_values"));
    // A value that comes out of another node stands in its place as it was before.
    for input in drawn.get("inputs").and_then(Value::as_array).into_iter().flatten() {
        let name = input.get("name").and_then(Value::as_str);
        let link = input.get("link").and_then(Value::as_u64).and_then(|id| links.get(&id));
        if let (Some(name), Some(link)) = (name, link) {
            inputs.insert(name.to_owned(), link.clone());
        }
    }
    // What goes in at one side comes out at the other.
    let class = if mode == BYPASSED { format!("bypassed {class}") } else { class };
    Some((id, Node { class, inputs }))
}

fn widgets(class: &str, given: Option<&Value>) -> Map<String, Value> {
    match given {
        Some(Value::Object(named)) => named.clone(),
        Some(Value::Array(row)) => {
            let names = WIDGETS.iter().find(|(known, _)| *known == class).map_or(&[][..], |(_, names)| names);
            let pairs = names.iter().zip(row).filter(|(name, _)| !name.is_empty());
            pairs.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
        }
        _ => Map::new(),
    }
}
