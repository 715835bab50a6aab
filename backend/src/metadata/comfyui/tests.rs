use serde_json::{Value, json};

use super::super::found::{ClipLayer, Found, FoundLora};
use super::*;

fn read_graph(graph: &Value) -> Found {
    read(&Texts::from([("prompt", graph.to_string().as_str())])).unwrap().unwrap()
}

fn left(found: &Found) -> Vec<String> {
    found.not_carried.iter().map(|left| format!("{}={}", left.name, left.value)).collect()
}

/// The graph that the program starts with, and other nodes beside or in the place of its own.
fn graph(others: Value) -> Value {
    let mut graph = json!({
        "3": {"class_type": "KSampler", "inputs": {"seed": 156_680_208_700_286_u64, "steps": 20, "cfg": 8.0,
            "sampler_name": "dpmpp_2m", "scheduler": "karras", "denoise": 1.0, "model": ["4", 0],
            "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "SD15/v1-5-pruned.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 768, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a glass bottle", "clip": ["4", 1]},
            "_meta": {"title": "CLIP Text Encode (Prompt)"}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
    });
    let (Value::Object(all), Value::Object(others)) = (&mut graph, others) else {
        panic!("both are objects")
    };
    all.extend(others);
    graph
}

#[test]
fn the_graph_that_the_program_starts_with_is_read() {
    let found = read_graph(&graph(json!({})));
    assert_eq!(found.program, Program::ComfyUi);
    assert_eq!(found.raw.prompt, "a glass bottle");
    assert_eq!(found.raw.negative_prompt.as_deref(), Some("text, watermark"));
    assert_eq!((found.raw.steps, found.raw.guidance_scale), (Some(20), Some(8.0)));
    assert_eq!(
        (found.raw.sampler.as_deref(), found.raw.schedule.as_deref()),
        (Some("dpmpp_2m"), Some("karras"))
    );
    assert_eq!((found.raw.width, found.raw.height), (Some(512), Some(768)));
    assert_eq!(found.seed, Some(156_680_208_700_286));
    assert_eq!(found.model.as_ref().unwrap().name, "SD15/v1-5-pruned.safetensors");
    assert_eq!(left(&found), Vec::<String>::new());
}

#[test]
fn loras_clip_skip_and_rescaled_guidance_lie_between_model_and_sampler() {
    let found = read_graph(&graph(json!({
        "3": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 20, "cfg": 8, "sampler_name": "euler",
            "scheduler": "normal", "denoise": 1, "model": ["12", 0], "positive": ["6", 0], "negative": ["7", 0],
            "latent_image": ["5", 0]}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a bottle", "clip": ["13", 0]}},
        "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "ink.safetensors", "strength_model": 0.8,
            "strength_clip": 0.5, "model": ["4", 0], "clip": ["4", 1]}},
        "11": {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": "oil.safetensors", "strength_model": 0.3,
            "model": ["10", 0]}},
        "12": {"class_type": "RescaleCFG", "inputs": {"multiplier": 0.7, "model": ["14", 0]}},
        "13": {"class_type": "CLIPSetLastLayer", "inputs": {"stop_at_clip_layer": -2, "clip": ["10", 1]}},
        "14": {"class_type": "FreeU_V2", "inputs": {"b1": 1.3, "model": ["11", 0]}},
    })));
    let lora = |name: &str, text_encoder, unet| FoundLora { name: name.into(), text_encoder, unet };
    assert_eq!(found.loras, [lora("ink.safetensors", 0.5, 0.8), lora("oil.safetensors", 0.0, 0.3)]);
    assert_eq!((found.raw.guidance_rescale, found.clip), (Some(0.7), ClipLayer::FromLast(2)));
    assert_eq!(left(&found), ["FreeU_V2="]);
}

#[test]
fn a_second_sampler_over_an_enlarged_latent_is_a_second_pass() {
    let found = read_graph(&graph(json!({
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["21", 0], "vae": ["4", 2]}},
        "20": {"class_type": "LatentUpscaleBy", "inputs": {"upscale_method": "bislerp", "scale_by": 1.5,
            "samples": ["3", 0]}},
        "21": {"class_type": "KSampler", "inputs": {"seed": 9, "steps": 10, "cfg": 8, "sampler_name": "euler",
            "scheduler": "normal", "denoise": 0.5, "model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0],
            "latent_image": ["20", 0]}},
    })));
    assert_eq!((found.seed, found.raw.sampler.as_deref()), (Some(156_680_208_700_286), Some("dpmpp_2m")));
    assert_eq!((found.raw.hires_scale, found.raw.hires_strength), (Some(1.5), Some(0.5)));
    assert_eq!(found.raw.hires_steps, Some(20), "10 of 20 are walked");
    assert_eq!(left(&found), ["LatentUpscaleBy=bislerp"]);
}

#[test]
fn a_sampler_out_of_parts_is_read() {
    let found = read_graph(&json!({
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": ["30", 0], "height": 896, "batch_size": 2}},
        "6": {"class_type": "CLIPTextEncodeSDXL", "inputs": {"text_g": "a boat", "text_l": "calm", "clip": ["4", 1],
            "width": 1024}},
        "7": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}},
        "10": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["11", 0], "guider": ["12", 0],
            "sampler": ["13", 0], "sigmas": ["14", 0], "latent_image": ["5", 0]}},
        "11": {"class_type": "RandomNoise", "inputs": {"noise_seed": ["31", 0]}},
        "12": {"class_type": "CFGGuider", "inputs": {"cfg": 5.5, "model": ["4", 0], "positive": ["6", 0],
            "negative": ["7", 0]}},
        "13": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler_ancestral"}},
        "14": {"class_type": "BasicScheduler", "inputs": {"scheduler": "sgm_uniform", "steps": 12, "denoise": 1,
            "model": ["4", 0]}},
        "15": {"class_type": "VAEDecode", "inputs": {"samples": ["10", 1], "vae": ["4", 2]}},
        "16": {"class_type": "PreviewImage", "inputs": {"images": ["15", 0]}},
        "30": {"class_type": "PrimitiveInt", "inputs": {"value": 1152}},
        "31": {"class_type": "Seed (rgthree)", "inputs": {"seed": 77, "last": ""}},
    }));
    assert_eq!((found.raw.prompt.as_str(), found.raw.negative_prompt.as_deref()), ("a boat", None));
    assert_eq!((found.seed, found.raw.steps, found.raw.guidance_scale), (Some(77), Some(12), Some(5.5)));
    let names = (found.raw.sampler.as_deref(), found.raw.schedule.as_deref());
    assert_eq!(names, (Some("euler_ancestral"), Some("sgm_uniform")));
    assert_eq!((found.raw.width, found.raw.height), (Some(1152), Some(896)));
    assert_eq!(left(&found), ["text_l=calm", "batch_size=2"]);
}

#[test]
fn a_picture_at_the_beginning_a_control_net_and_joined_words_are_told() {
    let found = read_graph(&graph(json!({
        "3": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 20, "cfg": 8, "sampler_name": "euler",
            "scheduler": "normal", "denoise": 0.5, "model": ["4", 0], "positive": ["20", 0], "negative": ["20", 1],
            "latent_image": ["22", 0]}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["24", 0], "clip": ["4", 1]}},
        "20": {"class_type": "ControlNetApplyAdvanced", "inputs": {"strength": 1, "positive": ["6", 0],
            "negative": ["7", 0], "control_net": ["21", 0], "image": ["23", 0]}},
        "21": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "canny.pth"}},
        "22": {"class_type": "VAEEncode", "inputs": {"pixels": ["23", 0], "vae": ["4", 2]}},
        "23": {"class_type": "LoadImage", "inputs": {"image": "boat.png", "upload": "image"}},
        "24": {"class_type": "StringConcatenate", "inputs": {"string_a": "a boat", "string_b": ["25", 0],
            "delimiter": ", "}},
        "25": {"class_type": "PrimitiveString", "inputs": {"value": "calm"}},
    })));
    assert_eq!(
        (found.raw.prompt.as_str(), found.raw.negative_prompt.as_deref()),
        ("a boat, calm", Some("text, watermark"))
    );
    assert_eq!((found.raw.strength, found.raw.steps), (Some(0.5), Some(40)), "20 of 40 are walked");
    assert_eq!(left(&found), ["ControlNetApplyAdvanced=canny.pth", "LoadImage=boat.png"]);
}

#[test]
fn a_text_that_was_made_while_the_graph_ran_is_told() {
    let found = read_graph(&graph(json!({
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["24", 0], "clip": ["4", 1]}},
        "24": {"class_type": "Captioner", "inputs": {"image": ["8", 0]}},
    })));
    assert_eq!(
        (found.raw.prompt.as_str(), left(&found)),
        ("", vec!["prompt=node 6, CLIPTextEncode".to_owned()])
    );
}

#[test]
fn a_loader_that_makes_everything_at_once_holds_the_words_and_the_size() {
    let found = read_graph(&json!({
        "1": {"class_type": "Efficient Loader", "inputs": {"ckpt_name": "xl.safetensors", "lora_name": "None",
            "positive": "a boat", "negative": "fog", "empty_latent_width": 832, "empty_latent_height": 1216}},
        "2": {"class_type": "KSampler (Efficient)", "inputs": {"seed": 7, "steps": 20, "cfg": 8, "sampler_name": "euler",
            "scheduler": "normal", "denoise": 1, "model": ["1", 0], "positive": ["1", 1], "negative": ["1", 2],
            "latent_image": ["1", 3]}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 5]}},
    }));
    assert_eq!((found.raw.prompt.as_str(), found.raw.negative_prompt.as_deref()), ("a boat", Some("fog")));
    assert_eq!((found.raw.width, found.raw.height), (Some(832), Some(1216)));
    assert_eq!((found.model.as_ref().unwrap().name.as_str(), left(&found)), ("xl.safetensors", vec![]));
}

#[test]
fn a_refiner_is_told_and_the_base_is_read() {
    let sampler = |more: Value| {
        let mut inputs = json!({"noise_seed": 7, "steps": 25, "cfg": 8, "sampler_name": "euler", "scheduler": "normal",
            "positive": ["6", 0], "negative": ["7", 0], "return_with_leftover_noise": "enable"});
        let (Value::Object(all), Value::Object(more)) = (&mut inputs, more) else {
            panic!("both are objects")
        };
        all.extend(more);
        json!({"class_type": "KSamplerAdvanced", "inputs": inputs})
    };
    let found = read_graph(&graph(json!({
        "3": sampler(json!({"add_noise": "enable", "start_at_step": 0, "end_at_step": 20, "model": ["4", 0],
            "latent_image": ["5", 0]})),
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["21", 0], "vae": ["4", 2]}},
        "21": sampler(json!({"add_noise": "disable", "start_at_step": 20, "end_at_step": 10000, "model": ["22", 0],
            "latent_image": ["3", 0]})),
        "22": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "refiner.safetensors"}},
    })));
    assert_eq!(found.model.as_ref().unwrap().name, "SD15/v1-5-pruned.safetensors");
    assert_eq!((found.raw.steps, left(&found)), (Some(25), vec!["KSamplerAdvanced=25 steps".to_owned()]));
}

#[test]
fn circles_and_loose_ends_are_no_way_without_an_end() {
    let found = read_graph(&json!({
        "3": {"class_type": "KSampler", "inputs": {"seed": ["3", 0], "steps": 20, "cfg": ["30", 0], "sampler_name": "euler",
            "scheduler": "normal", "model": ["10", 0], "positive": ["11", 0], "negative": ["404", 0],
            "latent_image": ["12", 0]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "other": ["3", 0]}},
        "10": {"class_type": "FreeU", "inputs": {"model": ["10", 0]}},
        "11": {"class_type": "ConditioningCombine", "inputs": {"conditioning_1": ["11", 0], "conditioning_2": ["11", 0]}},
        "12": {"class_type": "LatentUpscaleBy", "inputs": {"scale_by": 2, "samples": ["12", 0]}},
        "30": {"class_type": "PrimitiveFloat", "inputs": {"value": ["30", 0]}},
    }));
    assert_eq!((found.raw.steps, found.seed, found.raw.guidance_scale), (Some(20), None, None));
    assert!(
        left(&found).contains(&"positive prompt=node 11, ConditioningCombine".to_owned()),
        "{:?}",
        left(&found)
    );
    let in_a_circle = read_graph(&json!({
        "3": {"class_type": "KSampler", "inputs": {"seed": 7, "steps": 20, "cfg": 8, "latent_image": ["3", 0]}},
    }));
    assert_eq!((in_a_circle.seed, left(&in_a_circle)), (Some(7), vec!["KSampler=latent_image".to_owned()]));
    let joined = read_graph(&graph(json!({
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["24", 0], "clip": ["4", 1]}},
        "24": {"class_type": "StringConcatenate", "inputs": {"string_a": ["24", 0], "string_b": ["24", 0]}},
    })));
    assert_eq!(joined.raw.prompt, "");
}

/// A row of samplers, each over what the one before it made, and all with this seed.
fn row_of_samplers(n_samplers: usize, seed: &Value) -> Value {
    let mut graph = graph(json!({"8": {"class_type": "VAEDecode", "inputs": {"samples": ["later 1", 0]}}}));
    for place in 1..=n_samplers {
        let before = if place == n_samplers { "3".to_owned() } else { format!("later {}", place + 1) };
        graph[format!("later {place}")] = json!({"class_type": "KSampler", "inputs": {"seed": seed, "steps": seed,
            "cfg": seed, "sampler_name": "euler", "scheduler": "normal", "denoise": 0.5, "model": ["4", 0],
            "positive": ["6", 0], "negative": ["7", 0], "latent_image": [before, 0]}});
    }
    graph
}

#[test]
fn many_samplers_are_read_and_refused_only_if_they_lead_in_circles() {
    let found = read_graph(&row_of_samplers(2_000, &json!(7)));
    assert_eq!((found.raw.steps, found.seed), (Some(20), Some(156_680_208_700_286)));
    let mut in_circles = row_of_samplers(2_000, &json!(["30", 0]));
    in_circles["30"] = json!({"class_type": "PrimitiveInt", "inputs": {"value": ["30", 0]}});
    let refused = read(&Texts::from([("prompt", in_circles.to_string().as_str())])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the settings that ComfyUI wrote cannot be read: the graph in `prompt` leads in circles: 100000 links were \
         followed, and there was no end"
    );
}

#[test]
fn loras_in_a_circle_are_there_once() {
    let mut graph = graph(json!({
        "20": {"class_type": "Power Lora Loader (rgthree)", "inputs": {"model": ["20", 0],
            "lora_1": {"on": true, "lora": "ink.safetensors", "strength": 0.5}}},
    }));
    graph["3"]["inputs"]["model"] = json!(["20", 0]);
    let ink = FoundLora { name: "ink.safetensors".into(), text_encoder: 0.5, unet: 0.5 };
    assert_eq!(read_graph(&graph).loras, [ink]);
}

#[test]
fn a_node_of_a_monstrous_size_is_left_out() {
    let mut inputs = serde_json::Map::new();
    inputs.extend((0..2_000).map(|number| (format!("input {number}"), json!(number))));
    inputs.insert("ckpt_name".into(), json!("v1-5.safetensors"));
    let found = read_graph(&graph(json!({
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": inputs},
        "7": {"class_type": "x".repeat(2_000), "inputs": {"text": "fog", "clip": ["4", 1]}},
    })));
    assert_eq!((found.model, found.raw.negative_prompt.as_deref()), (None, None));
    assert_eq!(found.raw.prompt, "a glass bottle");
    let long = "x".repeat(2_000);
    let found = read_graph(&graph(json!({
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": long}},
    })));
    assert_eq!(found.model, None);
}

#[test]
fn a_drawing_is_read_where_the_graph_is_missing() {
    let drawing = json!({
        "nodes": [
            {"id": 4, "type": "CheckpointLoaderSimple", "mode": 0, "inputs": [], "widgets_values": ["v1-5.safetensors"]},
            {"id": 5, "type": "EmptyLatentImage", "mode": 0, "widgets_values": [512, 640, 1]},
            {"id": 6, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "link": 3}], "widgets_values": ["a castle"]},
            {"id": 7, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "link": 4}], "widgets_values": ["fog"]},
            {"id": 3, "type": "KSampler", "inputs": [{"name": "model", "link": 11}, {"name": "positive", "link": 5},
                {"name": "negative", "link": 6}, {"name": "latent_image", "link": 2},
                {"name": "steps", "link": 12, "widget": {"name": "steps"}}],
                "widgets_values": [42, "randomize", 20, 8, "euler", "simple", 1]},
            {"id": 8, "type": "VAEDecode", "inputs": [{"name": "samples", "link": 7}]},
            {"id": 9, "type": "SaveImage", "inputs": [{"name": "images", "link": 9}], "widgets_values": ["ComfyUI"]},
            {"id": 10, "type": "LoraLoaderModelOnly", "mode": 4, "inputs": [{"name": "model", "link": 1}],
                "widgets_values": ["ink.safetensors", 1]},
            {"id": 11, "type": "PrimitiveNode", "widgets_values": [33, "fixed"]},
            {"id": 12, "type": "Note", "widgets_values": ["hello"]},
        ],
        "links": [[1, 4, 0, 10, 0, "MODEL"], [2, 5, 0, 3, 3, "LATENT"], [3, 4, 1, 6, 0, "CLIP"], [4, 4, 1, 7, 0, "CLIP"],
            [5, 6, 0, 3, 1, "CONDITIONING"], [6, 7, 0, 3, 2, "CONDITIONING"], [7, 3, 0, 8, 0, "LATENT"],
            [9, 8, 0, 9, 0, "IMAGE"], [11, 10, 0, 3, 0, "MODEL"], [12, 11, 0, 3, 4, "INT"]],
        "version": 0.4,
    });
    let found = read(&Texts::from([("workflow", drawing.to_string().as_str())])).unwrap().unwrap();
    assert_eq!((found.raw.prompt.as_str(), found.raw.negative_prompt.as_deref()), ("a castle", Some("fog")));
    assert_eq!((found.seed, found.raw.steps, found.raw.guidance_scale), (Some(42), Some(33), Some(8.0)));
    assert_eq!((found.raw.schedule.as_deref(), found.raw.height), (Some("simple"), Some(640)));
    assert_eq!((found.model.unwrap().name.as_str(), found.loras.len()), ("v1-5.safetensors", 0));
}

#[test]
fn a_graph_without_a_sampler_is_refused() {
    let complaint =
        |keyword: &str, text: &str| read(&Texts::from([(keyword, text)])).unwrap_err().to_string();
    assert_eq!(
        complaint("prompt", r#"{"9": {"class_type": "SaveImage", "inputs": {}}}"#),
        "the settings that ComfyUI wrote cannot be read: the graph in `prompt` has no sampler that is known"
    );
    assert_eq!(
        complaint("workflow", r#"{"nodes": {}}"#),
        "the settings that ComfyUI wrote cannot be read: the graph in `workflow` has no list of nodes"
    );
    assert_eq!(
        complaint("prompt", "[]"),
        "the settings that ComfyUI wrote cannot be read: the graph in `prompt` is no JSON object"
    );
}
