use serde_json::{Value, json};
use types::request::{RawLora, RawRequest};

use super::super::graph::Graph;
use super::super::sample_graphs::{advanced, image_to_image, installed, text_to_image, two_passes};
use super::super::validate::validate;
use super::*;

/// What node 9 of a graph asks for.
fn made_of(prompt: &Value) -> Result<Recipe, String> {
    let graph = Graph::read(prompt).unwrap();
    let checked = validate(&graph, &installed());
    assert_eq!(checked.node_faults(), [], "the graph is sound");
    let told = |(place, fault): NodeFault| format!("{}: {}", graph.node(place).id, fault.details);
    recipe(&checked, graph.place("9").unwrap()).map_err(told)
}

fn request(prompt: &Value) -> RawRequest {
    made_of(prompt).unwrap().request
}

fn refused(prompt: &Value) -> String {
    made_of(prompt).unwrap_err()
}

/// A graph with other inputs: node, input, value.
fn changed(mut graph: Value, changes: &[(&str, &str, Value)]) -> Value {
    for (node, input, value) in changes {
        graph[node]["inputs"][input] = value.clone();
    }
    graph
}

fn plain() -> RawRequest {
    RawRequest {
        prompt: "a red boat".into(),
        negative_prompt: Some("fog".into()),
        model: Some("demo".into()),
        steps: Some(20),
        guidance_scale: Some(8.0),
        sampler: Some("dpmpp_2m".into()),
        schedule: Some("karras".into()),
        seed: Some(7),
        width: Some(128),
        height: Some(64),
        count: Some(2),
        weighting: Some("compel".into()),
        ..RawRequest::default()
    }
}

/// [`plain`] that starts from the picture rather than from nothing.
fn from_picture(steps: i64, strength: f64) -> RawRequest {
    RawRequest {
        steps: Some(steps),
        start: Some("upload-1".into()),
        strength: Some(strength),
        width: None,
        height: None,
        count: None,
        ..plain()
    }
}

#[test]
fn text_to_image_is_one_request() {
    let recipe = made_of(&text_to_image()).unwrap();
    assert_eq!(recipe.request, plain());
    assert_eq!(recipe.mask, None);
    let plan = Plan { loader: "4".into(), samplers: vec!["3".into()], decoder: "8".into() };
    assert_eq!(recipe.plan, plan);
}

#[test]
fn every_field_is_blamed_on_the_input_that_it_comes_from() {
    let prompt = text_to_image();
    let graph = Graph::read(&prompt).unwrap();
    let checked = validate(&graph, &installed());
    let recipe = recipe(&checked, graph.place("9").unwrap()).unwrap();
    for (field, node, input) in [
        ("prompt", "6", "text"),
        ("negative_prompt", "7", "text"),
        ("model", "4", "ckpt_name"),
        ("steps", "3", "steps"),
        ("guidance_scale", "3", "cfg"),
        ("sampler", "3", "sampler_name"),
        ("schedule", "3", "scheduler"),
        ("seed", "3", "seed"),
        ("width", "5", "width"),
        ("height", "5", "height"),
        ("count", "5", "batch_size"),
    ] {
        assert_eq!(recipe.origin(field), Some((graph.place(node).unwrap(), input)), "{field}");
    }
    assert_eq!(recipe.origin("quality"), None);
}

#[test]
fn a_seed_beyond_what_requests_name_is_the_one_with_the_same_noise() {
    let with_seed = |seed: u64| request(&changed(text_to_image(), &[("3", "seed", json!(seed))])).seed;
    assert_eq!(with_seed((1 << 53) - 1), Some((1 << 53) - 1));
    assert_eq!(with_seed(1 << 53), Some(0));
    assert_eq!(with_seed(u64::MAX), Some(0xffff_ffff));
}

#[test]
fn less_than_all_of_the_noise_walks_as_many_steps_as_are_asked_for() {
    // 20 steps at 0.5 are the last of 40.
    assert_eq!(request(&image_to_image(0.5)), from_picture(40, 0.5));
    assert_eq!(request(&image_to_image(1.0)), from_picture(20, 1.0));
    // The last 20 of 66: a strength of 0.3 would walk 19.
    let asked = request(&image_to_image(0.3));
    assert_eq!(asked.steps, Some(66));
    let strength = asked.strength.unwrap();
    assert_eq!((66.0 * strength) as u32, 20);
    assert_eq!(
        refused(&image_to_image(0.1)),
        "3: denoise - 20 steps at denoise 0.1 are the last of 200; at most 150 are possible"
    );
    assert_eq!(
        refused(&image_to_image(0.0)),
        "3: denoise - denoise 0 walks no step; allowed are numbers above 0"
    );
}

#[test]
fn less_than_all_of_the_noise_needs_a_picture() {
    let graph = changed(text_to_image(), &[("3", "denoise", json!(0.6))]);
    assert_eq!(
        refused(&graph),
        "3: denoise - only a part of the steps needs a picture to begin with; with an EmptyLatentImage all are walked"
    );
}

#[test]
fn the_advanced_sampler_is_the_simple_one_or_begins_later() {
    assert_eq!(request(&advanced(text_to_image(), &json!({}))), plain());
    let later = advanced(image_to_image(1.0), &json!({ "start_at_step": 5, "end_at_step": 20 }));
    assert_eq!(request(&later), from_picture(20, 0.75));
}

#[test]
fn what_the_advanced_sampler_can_do_beyond_is_refused_at_its_input() {
    for (changes, sentence) in [
        (
            json!({ "add_noise": "disable" }),
            "3: add_noise - `disable` is not possible, as a request always begins with noise of its own; use `enable`",
        ),
        (
            json!({ "return_with_leftover_noise": "enable" }),
            "3: return_with_leftover_noise - `enable` is not possible, as a request is always walked to its end; use \
             `disable`",
        ),
        (
            json!({ "end_at_step": 19 }),
            "3: end_at_step - step 19 is before the last of 20 steps, and a request is always walked to its end",
        ),
        (json!({ "start_at_step": 20 }), "3: start_at_step - of 20 steps none is left from step 20 on"),
    ] {
        assert_eq!(refused(&advanced(image_to_image(1.0), &changes)), sentence);
    }
    let later = advanced(text_to_image(), &json!({ "start_at_step": 5 }));
    assert!(
        refused(&later).starts_with("3: start_at_step - only a part of the steps"),
        "{}",
        refused(&later)
    );
}

#[test]
fn masks_come_from_transparency_or_from_a_channel() {
    let set_mask = |mask: Value| {
        let mut graph = image_to_image(0.5);
        graph["2"] =
            json!({ "class_type": "LoadImageMask", "inputs": { "image": "mask.png", "channel": "red" } });
        graph["20"] =
            json!({ "class_type": "SetLatentNoiseMask", "inputs": { "samples": ["5", 0], "mask": mask } });
        changed(graph, &[("3", "latent_image", json!(["20", 0]))])
    };
    let recipe = made_of(&set_mask(json!(["1", 1]))).unwrap();
    let of = |name: &str, channel| MaskOf { name: name.to_owned(), channel, grow: None };
    assert_eq!(recipe.mask, Some(of("upload-1", Channel::Transparency)));
    assert_eq!(recipe.request, RawRequest { mask_feather: Some(0), ..from_picture(40, 0.5) });
    let recipe = made_of(&set_mask(json!(["2", 0]))).unwrap();
    assert_eq!(recipe.mask, Some(of("upload-2", Channel::Red)));
}

#[test]
fn encoding_for_inpainting_grows_the_mask() {
    let mut graph = image_to_image(1.0);
    graph["5"] = json!({ "class_type": "VAEEncodeForInpaint", "inputs": {
        "pixels": ["1", 0], "vae": ["4", 2], "mask": ["1", 1], "grow_mask_by": 12,
    } });
    let mask = MaskOf { name: "upload-1".into(), channel: Channel::Transparency, grow: Some(12) };
    assert_eq!(made_of(&graph).unwrap().mask, Some(mask));
}

#[test]
fn a_mask_without_a_picture_under_it_is_refused() {
    let mut graph = text_to_image();
    graph["1"] = json!({ "class_type": "LoadImage", "inputs": { "image": "boat.png" } });
    graph["20"] =
        json!({ "class_type": "SetLatentNoiseMask", "inputs": { "samples": ["5", 0], "mask": ["1", 1] } });
    let graph = changed(graph, &[("3", "latent_image", json!(["20", 0]))]);
    assert_eq!(refused(&graph), "20: samples - this comes from EmptyLatentImage; possible is VAEEncode");
}

#[test]
fn loras_are_found_on_the_way_to_model_and_text_encoder() {
    let lora = |name: &str, model: f64, clip: f64, before: &str| {
        json!({ "class_type": "LoraLoader", "inputs": {
            "model": [before, 0], "clip": [before, 1], "lora_name": name, "strength_model": model, "strength_clip": clip,
        } })
    };
    let with = |loras: &[Value]| {
        let mut graph = text_to_image();
        for (i, lora) in loras.iter().enumerate() {
            graph[format!("l{i}")] = lora.clone();
        }
        let last = format!("l{}", loras.len() - 1);
        let links = [
            ("3", "model", json!([last, 0])),
            ("6", "clip", json!([last, 1])),
            ("7", "clip", json!([last, 1])),
        ];
        changed(graph, &links)
    };
    let raw = |name: &str, weight: f64| RawLora { name: name.into(), weight: Some(weight) };
    let both = with(&[lora("ink.safetensors", 0.8, 0.8, "4"), lora("grain", -0.5, -0.5, "l0")]);
    assert_eq!(request(&both), RawRequest { loras: vec![raw("ink", 0.8), raw("grain", -0.5)], ..plain() });
    // Twice the same adds up, and with no weight it is not there.
    let twice =
        with(&[lora("ink", 0.5, 0.5, "4"), lora("ink", 0.25, 0.25, "l0"), lora("grain", 0.0, 0.0, "l1")]);
    assert_eq!(request(&twice), RawRequest { loras: vec![raw("ink", 0.75)], ..plain() });
    // Other weights for both stand in the prompt.
    let uneven = with(&[lora("ink", 1.0, 0.25, "4")]);
    assert_eq!(request(&uneven).prompt, "a red boat <lora:ink:te=0.25:unet=1>");
}

#[test]
fn a_lora_of_the_model_alone_leaves_the_text_encoder_as_it_is() {
    let mut graph = text_to_image();
    graph["l"] = json!({ "class_type": "LoraLoaderModelOnly", "inputs": {
        "model": ["4", 0], "lora_name": "ink", "strength_model": 0.5,
    } });
    let graph = changed(graph, &[("3", "model", json!(["l", 0]))]);
    assert_eq!(request(&graph).prompt, "a red boat <lora:ink:te=0:unet=0.5>");
}

#[test]
fn the_last_layer_of_the_text_encoder_is_clip_skip() {
    let mut graph = text_to_image();
    graph["10"] =
        json!({ "class_type": "CLIPSetLastLayer", "inputs": { "clip": ["4", 1], "stop_at_clip_layer": -2 } });
    let both = changed(graph.clone(), &[("6", "clip", json!(["10", 0])), ("7", "clip", json!(["10", 0]))]);
    assert_eq!(request(&both).clip_skip, Some(2));
    let one = changed(graph, &[("6", "clip", json!(["10", 0]))]);
    assert_eq!(
        refused(&one),
        "7: clip - the negative prompt has to be encoded as the positive one is, by the same LoRAs and to the same layer"
    );
}

#[test]
fn an_enlarged_latent_between_two_samplers_is_a_larger_pass() {
    let recipe = made_of(&two_passes()).unwrap();
    let larger =
        RawRequest { hires_scale: Some(1.5), hires_steps: Some(14), hires_strength: Some(0.5), ..plain() };
    assert_eq!(recipe.request, larger);
    assert_eq!(recipe.plan.samplers, ["3", "11"]);
    let to_size = |width: u32, height: u32| {
        let mut graph = two_passes();
        graph["10"] = json!({ "class_type": "LatentUpscale", "inputs": {
            "samples": ["3", 0], "upscale_method": "bislerp", "width": width, "height": height, "crop": "disabled",
        } });
        graph
    };
    for (width, height, scale) in [(256, 128, 2.0), (192, 0, 1.5), (0, 128, 2.0)] {
        assert_eq!(request(&to_size(width, height)).hires_scale, Some(scale), "{width}x{height}");
    }
    assert_eq!(
        refused(&to_size(256, 256)),
        "10: height - 256x256 has another shape than 128x64; a larger pass keeps the shape"
    );
    assert_eq!(
        refused(&to_size(0, 0)),
        "10: width - a width and a height of 0 leave the picture as it is; name one of them"
    );
}

#[test]
fn both_passes_have_to_agree_in_all_but_their_steps() {
    for (input, value) in [
        ("seed", json!(8)),
        ("cfg", json!(7)),
        ("sampler_name", json!("euler")),
        ("scheduler", json!("normal")),
        ("positive", json!(["7", 0])),
    ] {
        let graph = changed(two_passes(), &[("11", input, value)]);
        let sentence =
            format!("11: {input} - this has to be as node 3 has it, as both passes are one request");
        assert_eq!(refused(&graph), sentence);
    }
}

#[test]
fn a_picture_that_comes_from_elsewhere_is_refused_where_it_enters() {
    let mut saved_as_it_is = text_to_image();
    saved_as_it_is["1"] = json!({ "class_type": "LoadImage", "inputs": { "image": "boat.png" } });
    let saved_as_it_is = changed(saved_as_it_is, &[("9", "images", json!(["1", 0]))]);
    assert_eq!(refused(&saved_as_it_is), "9: images - this comes from LoadImage; possible is VAEDecode");
    let not_walked = changed(text_to_image(), &[("8", "samples", json!(["5", 0]))]);
    assert_eq!(
        refused(&not_walked),
        "8: samples - this comes from EmptyLatentImage; possible is KSampler or KSamplerAdvanced"
    );
    let mut twice = text_to_image();
    twice["11"] = twice["3"].clone();
    let twice =
        changed(twice, &[("11", "latent_image", json!(["3", 0])), ("8", "samples", json!(["11", 0]))]);
    assert_eq!(
        refused(&twice),
        "11: latent_image - this comes from KSampler; possible is EmptyLatentImage, VAEEncode, VAEEncodeForInpaint or \
         SetLatentNoiseMask"
    );
}

#[test]
fn parts_of_two_models_are_not_mixed() {
    let mut graph = text_to_image();
    graph["40"] = json!({ "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": "other" } });
    let other_vae = changed(graph.clone(), &[("8", "vae", json!(["40", 2]))]);
    assert_eq!(refused(&other_vae), "8: vae - this is of `other`, and has to be of `demo`, as the model is");
    let other_clip = changed(graph, &[("6", "clip", json!(["40", 1])), ("7", "clip", json!(["40", 1]))]);
    assert_eq!(
        refused(&other_clip),
        "6: clip - this is of `other`, and has to be of `demo`, as the model is"
    );
}

#[test]
fn the_mark_before_a_textual_inversion_is_left_out() {
    let text = "embedding:inkwash, (embedding:grain:1.2), myembedding:x";
    let graph = changed(text_to_image(), &[("6", "text", json!(text))]);
    assert_eq!(request(&graph).prompt, "inkwash, (grain:1.2), myembedding:x");
}

#[test]
fn whatever_stands_in_an_input_it_is_refused_or_made_sense_of() {
    let mut graphs = vec![text_to_image(), image_to_image(0.5), two_passes()];
    graphs.push(advanced(image_to_image(1.0), &json!({ "start_at_step": 3 })));
    let odd = [
        json!(null),
        json!(""),
        json!("nan"),
        json!("[4, 0]"),
        json!(-1),
        json!(0),
        json!(1e300),
        json!(u64::MAX),
        json!(true),
        json!({}),
        json!([]),
        json!(["3", 0]),
        json!(["4", 1]),
        json!(["5", 0]),
        json!(["8", 0]),
        json!(["9", 0]),
        json!([4, 2]),
        json!(["4", -1]),
        json!(["4", 0, 0]),
    ];
    let (mut n_made, mut n_refused) = (0, 0);
    for graph in graphs {
        let nodes: Vec<String> = graph.as_object().unwrap().keys().cloned().collect();
        for node in nodes {
            let inputs: Vec<String> = graph[&node]["inputs"].as_object().unwrap().keys().cloned().collect();
            for (input, value) in inputs.iter().flat_map(|input| odd.iter().map(move |value| (input, value)))
            {
                let prompt = changed(graph.clone(), &[(&node, input, value.clone())]);
                let read = Graph::read(&prompt).unwrap();
                let checked = validate(&read, &installed());
                let output = read.place("9").unwrap();
                if checked.is_sound(output) && recipe(&checked, output).is_ok() {
                    n_made += 1;
                } else {
                    n_refused += 1;
                }
            }
        }
    }
    assert!(n_made > 100 && n_refused > 1_000, "{n_made} made, {n_refused} refused");
}
