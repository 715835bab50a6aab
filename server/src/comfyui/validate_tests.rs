use serde_json::{Map, Value, json};

use super::super::graph::{Graph, MOST_NODES};
use super::super::sample_graphs::{installed, text_to_image};
use super::*;

/// What is wrong with a graph: node, kind, message and details of each fault.
fn faults(prompt: &Value) -> Vec<(String, &'static str, String, String)> {
    let graph = Graph::read(prompt).unwrap();
    let checked = validate(&graph, &installed());
    let told = checked.node_faults().into_iter().flat_map(|(node, faults)| {
        let of_node = move |fault: Fault| (node.clone(), fault.kind, fault.message, fault.details);
        faults.errors.into_iter().map(of_node).collect::<Vec<_>>()
    });
    told.collect()
}

/// What is wrong with a text-to-image graph if one input of a node is another one.
fn wrong(node: &str, input: &str, value: Value) -> (String, &'static str, String, String) {
    let mut graph = text_to_image();
    graph[node]["inputs"][input] = value;
    let faults = faults(&graph);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.into_iter().next().unwrap()
}

#[test]
fn a_sound_graph_has_no_fault_and_its_values_are_read() {
    let prompt = text_to_image();
    let graph = Graph::read(&prompt).unwrap();
    let checked = validate(&graph, &installed());
    assert_eq!(checked.node_faults(), []);
    let place = |id: &str| graph.place(id).unwrap();
    assert!(checked.is_sound(place("9")));
    assert_eq!(checked.link(place("8"), "vae"), (place("4"), 2));
    assert_eq!(checked.integer(place("3"), "steps"), 20);
    assert_eq!(checked.text(place("4"), "ckpt_name"), "demo");
}

#[test]
fn every_input_that_is_wrong_is_told_with_its_kind() {
    for (node, input, value, kind, message, details) in [
        ("3", "steps", json!(0), "value_smaller_than_min", "0 is smaller than 1, the least", "steps"),
        ("3", "steps", json!("151"), "value_bigger_than_max", "151 is bigger than 150, the most", "steps"),
        ("3", "cfg", json!(30.5), "value_bigger_than_max", "30.5 is bigger than 30, the most", "cfg"),
        (
            "3",
            "denoise",
            json!(-0.1),
            "value_smaller_than_min",
            "-0.1 is smaller than 0, the least",
            "denoise",
        ),
        (
            "3",
            "steps",
            json!("many"),
            "invalid_input_type",
            "the value cannot be read as INT",
            "steps, \"many\"",
        ),
        ("3", "cfg", json!({}), "invalid_input_type", "the value cannot be read as FLOAT", "cfg, {}"),
        ("6", "text", json!(null), "invalid_input_type", "the value cannot be read as STRING", "text, null"),
        (
            "4",
            "ckpt_name",
            json!("sdxl.safetensors"),
            "value_not_in_list",
            "the value is not in the list",
            "ckpt_name: `sdxl.safetensors` is none of: demo, other",
        ),
        (
            "3",
            "scheduler",
            json!("kl_optimal"),
            "value_not_in_list",
            "the value is not in the list",
            "scheduler: `kl_optimal` is none of: karras, normal, exponential, sgm_uniform, simple, beta, \
             align_your_steps",
        ),
        (
            "8",
            "samples",
            json!(["3"]),
            "bad_linked_input",
            "a link is a list of a node's name and the number of its output",
            "samples, the list has 1 items",
        ),
        (
            "8",
            "samples",
            json!(["30", 0]),
            "bad_linked_input",
            "a link is a list of a node's name and the number of its output",
            "samples, the prompt has no node 30",
        ),
        (
            "8",
            "samples",
            json!(["3", 1]),
            "bad_linked_input",
            "a link is a list of a node's name and the number of its output",
            "samples, node 3 has no such output",
        ),
        (
            "8",
            "vae",
            json!("demo"),
            "bad_linked_input",
            "a link is a list of a node's name and the number of its output",
            "vae, VAE has to be linked",
        ),
        (
            "8",
            "vae",
            json!(["4", 1]),
            "return_type_mismatch",
            "the linked output is of another type",
            "vae, CLIP is linked where VAE is needed",
        ),
        (
            "3",
            "seed",
            json!(["4", 0]),
            "return_type_mismatch",
            "the linked output is of another type",
            "seed, MODEL is linked where INT is needed",
        ),
    ] {
        let found = wrong(node, input, value);
        let expected = (node.to_owned(), kind, message.to_owned(), details.to_owned());
        assert_eq!(found, expected);
    }
}

#[test]
fn an_input_that_is_missing_is_told_by_its_name() {
    let mut graph = text_to_image();
    graph["6"]["inputs"].as_object_mut().unwrap().remove("clip");
    let message = "a required input is missing".to_owned();
    assert_eq!(faults(&graph), [("6".to_owned(), "required_input_missing", message, "clip".to_owned())]);
}

#[test]
fn a_picture_that_nobody_sent_is_told_where_to_send_it() {
    let mut graph = text_to_image();
    graph["1"] = json!({ "class_type": "LoadImage", "inputs": { "image": "gone.png" } });
    graph["5"] = json!({ "class_type": "VAEEncode", "inputs": { "pixels": ["1", 0], "vae": ["4", 2] } });
    let details = "image - there is no picture `gone.png`; send it to /upload/image first";
    let message = "the value cannot be used".to_owned();
    assert_eq!(faults(&graph), [("1".to_owned(), "custom_validation_failed", message, details.to_owned())]);
}

#[test]
fn values_may_be_written_as_python_reads_them_and_names_as_files() {
    let mut graph = text_to_image();
    graph["3"]["inputs"]["steps"] = json!("20");
    graph["3"]["inputs"]["cfg"] = json!("7.5");
    graph["3"]["inputs"]["seed"] = json!(u64::MAX);
    graph["3"]["inputs"]["sampler_name"] = json!("dpmpp_2m_sde_gpu");
    graph["4"]["inputs"]["ckpt_name"] = json!("sd15/demo.safetensors");
    let read = Graph::read(&graph).unwrap();
    let checked = validate(&read, &installed());
    assert_eq!(checked.node_faults(), []);
    let place = |id: &str| read.place(id).unwrap();
    assert_eq!(checked.integer(place("3"), "steps"), 20);
    assert!((checked.number(place("3"), "cfg") - 7.5).abs() < 1e-12);
    assert_eq!(checked.integer(place("3"), "seed"), i128::from(u64::MAX));
    assert_eq!(checked.text(place("3"), "sampler_name"), "dpmpp_2m_sde");
    assert_eq!(checked.text(place("4"), "ckpt_name"), "demo");
}

#[test]
fn a_long_list_is_cut_short() {
    let mut installed = installed();
    installed.loras = (0..25).map(|i| format!("lora-{i}")).collect();
    let mut graph = text_to_image();
    graph["10"] = json!({ "class_type": "LoraLoaderModelOnly", "inputs": {
        "model": ["4", 0], "lora_name": "ink", "strength_model": 1,
    } });
    graph["3"]["inputs"]["model"] = json!(["10", 0]);
    let graph = Graph::read(&graph).unwrap();
    let faults = validate(&graph, &installed).node_faults();
    let fault = &faults[0].1.errors[0];
    assert!(fault.details.ends_with("lora-18, lora-19 and 5 more"), "{}", fault.details);
    assert_eq!(fault.extra_info["input_config"], Value::Null);
}

#[test]
fn nodes_that_no_output_needs_are_not_looked_at() {
    let mut graph = text_to_image();
    graph["20"] = json!({ "class_type": "LoadImage", "inputs": {} });
    assert_eq!(faults(&graph), []);
}

#[test]
fn what_is_wrong_is_told_with_the_outputs_that_depend_on_it_and_the_others_stay_sound() {
    let mut graph = text_to_image();
    graph["10"] = json!({ "class_type": "PreviewImage", "inputs": { "images": ["8", 0] } });
    graph["11"] = json!({ "class_type": "PreviewImage", "inputs": { "images": ["12", 0] } });
    graph["12"] = json!({ "class_type": "VAEDecode", "inputs": { "samples": ["3", 0] } });
    let read = Graph::read(&graph).unwrap();
    let checked = validate(&read, &installed());
    let faults = checked.node_faults();
    assert_eq!(faults.len(), 1);
    assert_eq!((faults[0].0.as_str(), &faults[0].1.dependent_outputs[..]), ("12", &["11".to_owned()][..]));
    assert_eq!(faults[0].1.class_type, "VAEDecode");
    let is_sound = |id: &str| checked.is_sound(read.place(id).unwrap());
    assert_eq!([is_sound("9"), is_sound("10"), is_sound("11")], [true, true, false]);
}

#[test]
fn a_circle_is_told_at_each_of_its_nodes() {
    let mut graph = text_to_image();
    graph["3"]["inputs"]["latent_image"] = json!(["10", 0]);
    graph["10"] = json!({ "class_type": "LatentUpscaleBy", "inputs": {
        "samples": ["3", 0], "upscale_method": "area", "scale_by": 2,
    } });
    let faults = faults(&graph);
    let nodes: Vec<_> = faults.iter().map(|(node, kind, ..)| (node.as_str(), *kind)).collect();
    assert_eq!(nodes.len(), 2, "{faults:?}");
    for node in ["3", "10"] {
        assert!(nodes.contains(&(node, "dependency_cycle")), "{faults:?}");
    }
    assert!(["3 -> 10 -> 3", "10 -> 3 -> 10"].contains(&faults[0].3.as_str()), "{faults:?}");
}

/// As many LoRAs one after the other as there may be nodes, the last on the first if it is a circle.
fn long_chain(is_circle: bool) -> Value {
    let mut graph = text_to_image();
    let n_loras = MOST_NODES - graph.as_object().unwrap().len();
    for i in 0..n_loras {
        let before = match i {
            0 if is_circle => json!([format!("l{}", n_loras - 1), 0]),
            0 => json!(["4", 0]),
            _ => json!([format!("l{}", i - 1), 0]),
        };
        graph[format!("l{i}")] = json!({ "class_type": "LoraLoaderModelOnly", "inputs": {
            "model": before, "lora_name": "ink", "strength_model": 0.001,
        } });
    }
    graph["3"]["inputs"]["model"] = json!([format!("l{}", n_loras - 1), 0]);
    graph
}

#[test]
fn the_deepest_graph_is_walked_and_the_longest_circle_is_told_shortly() {
    assert_eq!(faults(&long_chain(false)), []);
    let faults = faults(&long_chain(true));
    assert_eq!(faults.len(), MOST_NODES - text_to_image().as_object().map_or(0, Map::len));
    assert!(faults[0].3.len() < 200, "{}", faults[0].3);
}

/// LoRAs one after the other, each with a link back to the first, so that there are as many circles as LoRAs; and as many
/// outputs as LoRAs, which all depend on them.
fn many_circles(n_loras: usize) -> Value {
    let mut graph = text_to_image();
    let name = |i: usize| format!("{i:0>100}");
    for i in 0..n_loras {
        let before = if i == 0 { n_loras - 1 } else { i - 1 };
        graph[name(i)] = json!({ "class_type": "LoraLoader", "inputs": {
            "model": [name(before), 0], "clip": [name(0), 1], "lora_name": "ink",
            "strength_model": 0.001, "strength_clip": 0.001,
        } });
        graph[format!("output-{i}")] = json!({ "class_type": "SaveImage", "inputs": {
            "images": ["8", 0], "filename_prefix": "boat",
        } });
    }
    graph["3"]["inputs"]["model"] = json!([name(n_loras - 1), 0]);
    graph
}

#[test]
fn many_circles_under_many_outputs_are_told_once_a_node_and_in_few_words() {
    let n_loras = (MOST_NODES - text_to_image().as_object().map_or(0, Map::len)) / 2;
    let prompt = many_circles(n_loras);
    let graph = Graph::read(&prompt).unwrap();
    let checked = validate(&graph, &installed());
    assert!(graph.outputs().all(|output| !checked.is_sound(output)));
    let faults = checked.node_faults();
    assert_eq!(faults.len(), n_loras);
    for (node, faults) in &faults {
        assert_eq!(faults.errors.len(), 1, "{node}");
        assert_eq!(faults.dependent_outputs.len(), MOST_DEPENDENTS, "{node}");
    }
    let n_bytes = super::super::faults::by_node(&faults).to_string().len();
    assert!(n_bytes < 4_000_000, "{n_bytes}");
}

#[test]
fn an_output_over_any_of_many_circles_is_not_sound() {
    let mut graph = text_to_image();
    let lora = |model: &str| {
        json!({ "class_type": "LoraLoaderModelOnly", "inputs": {
            "model": [model, 0], "lora_name": "ink", "strength_model": 1,
        } })
    };
    graph["first"] = lora("second");
    graph["second"] = lora("first");
    // The same circle, and one of its own that leads through it.
    graph["third"] = lora("first");
    graph["3"]["inputs"]["model"] = json!(["third", 0]);
    let graph = Graph::read(&graph).unwrap();
    let checked = validate(&graph, &installed());
    assert!(graph.outputs().all(|output| !checked.is_sound(output)));
    let mut nodes: Vec<_> = checked.node_faults().into_iter().map(|(node, _)| node).collect();
    nodes.sort();
    assert_eq!(nodes, ["first", "second"]);
}
