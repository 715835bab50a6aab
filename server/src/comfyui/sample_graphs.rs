//! Workflows for tests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::values::Installed;

/// Two models, two LoRAs and two pictures.
pub fn installed() -> Installed {
    let pictures = [("boat.png", "upload-1"), ("mask.png", "upload-2")];
    Installed {
        checkpoints: vec!["demo".into(), "other".into()],
        loras: vec!["ink".into(), "grain".into()],
        pictures: pictures
            .map(|(name, id)| (name.to_owned(), id.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    }
}

/// Text to image, as ComfyUI's first workflow has it.
pub fn text_to_image() -> Value {
    json!({
        "3": { "class_type": "KSampler", "inputs": {
            "model": ["4", 0], "seed": 7, "steps": 20, "cfg": 8.0, "sampler_name": "dpmpp_2m", "scheduler": "karras",
            "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0], "denoise": 1.0,
        } },
        "4": { "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": "demo" } },
        "5": { "class_type": "EmptyLatentImage", "inputs": { "width": 128, "height": 64, "batch_size": 2 } },
        "6": { "class_type": "CLIPTextEncode", "inputs": { "text": "a red boat", "clip": ["4", 1] } },
        "7": { "class_type": "CLIPTextEncode", "inputs": { "text": "fog", "clip": ["4", 1] } },
        "8": { "class_type": "VAEDecode", "inputs": { "samples": ["3", 0], "vae": ["4", 2] } },
        "9": { "class_type": "SaveImage", "inputs": { "images": ["8", 0], "filename_prefix": "boats" } },
    })
}

/// Image to image.
pub fn image_to_image(denoise: f64) -> Value {
    let mut graph = text_to_image();
    graph["1"] = json!({ "class_type": "LoadImage", "inputs": { "image": "boat.png" } });
    graph["5"] = json!({ "class_type": "VAEEncode", "inputs": { "pixels": ["1", 0], "vae": ["4", 2] } });
    graph["3"]["inputs"]["denoise"] = json!(denoise);
    graph
}

/// Text to image with a larger pass behind it.
pub fn two_passes() -> Value {
    let mut graph = text_to_image();
    graph["10"] = json!({ "class_type": "LatentUpscaleBy", "inputs": {
        "samples": ["3", 0], "upscale_method": "nearest-exact", "scale_by": 1.5,
    } });
    graph["11"] = graph["3"].clone();
    graph["11"]["inputs"]["latent_image"] = json!(["10", 0]);
    graph["11"]["inputs"]["steps"] = json!(7);
    graph["11"]["inputs"]["denoise"] = json!(0.5);
    graph["8"]["inputs"]["samples"] = json!(["11", 0]);
    graph
}

/// The advanced sampler in the place of the simple one, with its own inputs changed.
pub fn advanced(mut graph: Value, changes: &Value) -> Value {
    let inputs = &mut graph["3"]["inputs"];
    let own = json!({
        "add_noise": "enable", "noise_seed": 7, "start_at_step": 0, "end_at_step": 10000,
        "return_with_leftover_noise": "disable",
    });
    for changes in [&own, changes] {
        for (name, value) in changes.as_object().into_iter().flatten() {
            inputs[name] = value.clone();
        }
    }
    if let Some(inputs) = inputs.as_object_mut() {
        inputs.remove("seed");
        inputs.remove("denoise");
    }
    graph["3"]["class_type"] = json!("KSamplerAdvanced");
    graph
}
