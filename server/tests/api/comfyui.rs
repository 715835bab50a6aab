//! Workflows as programs post them that know ComfyUI.

use std::task::Poll;
use std::time::Duration;

use axum::http::StatusCode;
use backend::{Services, Visitor};
use serde_json::{Map, Value, json};
use types::job::JobId;

use crate::helpers::{Answer, Browser, TestApp};

/// Text to image with the inputs of nodes changed: node, input, value.
pub fn graph(changes: &[(&str, &str, Value)]) -> Value {
    let mut graph = json!({
        "3": { "class_type": "KSampler", "inputs": {
            "model": ["4", 0], "seed": 7, "steps": 3, "cfg": 5.0, "sampler_name": "dpmpp_2m", "scheduler": "karras",
            "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0], "denoise": 1.0,
        } },
        "4": { "class_type": "CheckpointLoaderSimple", "inputs": { "ckpt_name": "demo.safetensors" } },
        "5": { "class_type": "EmptyLatentImage", "inputs": { "width": 128, "height": 64, "batch_size": 1 } },
        "6": { "class_type": "CLIPTextEncode", "inputs": { "text": "a red boat", "clip": ["4", 1] } },
        "7": { "class_type": "CLIPTextEncode", "inputs": { "text": "fog", "clip": ["4", 1] } },
        "8": { "class_type": "VAEDecode", "inputs": { "samples": ["3", 0], "vae": ["4", 2] } },
        "9": { "class_type": "SaveImage", "inputs": { "images": ["8", 0], "filename_prefix": "boats" } },
    });
    for (node, input, value) in changes {
        graph[node]["inputs"][input] = value.clone();
    }
    graph
}

/// The same with one node more, or with another one in its place.
pub fn with_node(mut graph: Value, id: &str, class_type: &str, inputs: Value) -> Value {
    graph[id] = json!({ "class_type": class_type });
    graph[id]["inputs"] = inputs;
    graph
}

impl Browser {
    pub async fn post_workflow(&self, graph: &Value) -> Answer {
        self.post_json("/prompt", &json!({ "prompt": graph, "client_id": "anna" })).await
    }

    /// A workflow that is expected to be accepted: its name.
    pub async fn accepted(&self, graph: &Value) -> String {
        let answer = self.post_workflow(graph).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let answer: Value = answer.json();
        assert_eq!(answer["node_errors"], json!({}));
        answer["prompt_id"].as_str().expect("a workflow has a name").to_owned()
    }

    /// A workflow that is expected to be made: its name, and what the history tells of it.
    pub async fn worked_off(&self, app: &TestApp, graph: &Value) -> (String, Value) {
        let id = self.accepted(graph).await;
        app.services.wait(job_of(&id)).await.expect("the job comes to its end");
        let history: Value = self.get(&format!("/history/{id}")).await.json();
        (id.clone(), history[&id].clone())
    }

    /// The picture that an answer tells of.
    pub async fn view(&self, image: &Value) -> Answer {
        let text = |field: &str| image[field].as_str().expect("a picture is told by its name").to_owned();
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(["filename", "subfolder", "type"].map(|field| (field, text(field))))
            .finish();
        self.get(&format!("/view?{query}")).await
    }
}

/// Who a program without a cookie and without a key is, on this machine.
pub fn program(services: &Services) -> Visitor {
    Visitor::from_token(&format!("program\n{}\n", services.signature("address 127.0.0.1")))
}

pub fn job_of(prompt_id: &str) -> JobId {
    prompt_id.parse().expect("a workflow is named after its first job")
}

/// What is wrong: the whole's kind and message, and each node's details.
fn refusal(answer: &Answer) -> String {
    let body: Value = answer.json();
    let error = &body["error"];
    let mut lines = vec![format!(
        "{} {}: {}",
        answer.status.as_u16(),
        error["type"].as_str().unwrap_or(""),
        error["message"].as_str().unwrap_or("")
    )];
    for (node, faults) in body["node_errors"].as_object().expect("faults of nodes are an object") {
        for fault in faults["errors"].as_array().expect("a node's faults are a list") {
            let text = |field: &str| fault[field].as_str().unwrap_or("").to_owned();
            lines.push(format!("{node} {}: {}", text("type"), text("details")));
        }
    }
    lines.join("\n")
}

#[tokio::test]
async fn a_workflow_makes_the_very_picture_that_the_same_request_makes() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let answer = anna.post_workflow(&graph(&[])).await;
    let posted: Value = answer.json();
    let id = posted["prompt_id"].as_str().unwrap().to_owned();
    assert_eq!(posted, json!({ "prompt_id": id, "number": 1, "node_errors": {} }));
    assert_eq!(id.len(), 36, "a name has hyphens");
    app.services.wait(job_of(&id)).await.unwrap();

    let history: Value = anna.get(&format!("/history/{id}")).await.json();
    let entry = &history[&id];
    assert_eq!(entry["prompt"][0], 1);
    assert_eq!(entry["prompt"][1], *id);
    assert_eq!(entry["prompt"][2], graph(&[]));
    assert_eq!(entry["prompt"][3]["client_id"], "anna");
    assert_eq!(entry["prompt"][4], json!(["9"]));
    assert_eq!(entry["status"]["status_str"], "success");
    assert_eq!(entry["status"]["completed"], true);
    let names: Vec<_> =
        entry["status"]["messages"].as_array().unwrap().iter().map(|message| message[0].clone()).collect();
    assert_eq!(names, ["execution_start", "execution_cached", "execution_success"]);

    let images = entry["outputs"]["9"]["images"].as_array().unwrap();
    assert_eq!(images.len(), 1);
    assert_eq!((&images[0]["subfolder"], &images[0]["type"]), (&json!(""), &json!("output")));
    assert!(images[0]["filename"].as_str().unwrap().starts_with("boats_"), "{images:?}");
    let picture = anna.view(&images[0]).await;
    assert_eq!((picture.status, picture.header("content-type")), (StatusCode::OK, "image/png"));
    let same = anna
        .generate_image(json!({
            "prompt": "a red boat", "negative_prompt": "fog", "model": "demo", "steps": 3, "guidance_scale": 5,
            "sampler": "dpmpp_2m", "schedule": "karras", "seed": 7, "width": 128, "height": 64, "weighting": "compel",
        }))
        .await;
    assert_eq!(picture.body, same.body);
}

#[tokio::test]
async fn every_address_is_there_under_api_too_and_a_body_need_not_say_what_it_is() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let body = json!({ "prompt": graph(&[]) }).to_string();
    let answer = anna.post_text("/api/prompt", "application/x-www-form-urlencoded", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let id = answer.json::<Value>()["prompt_id"].as_str().unwrap().to_owned();
    app.services.wait(job_of(&id)).await.unwrap();
    let history: Value = anna.get("/api/history").await.json();
    assert_eq!(history[&id]["status"]["completed"], true);
    for path in ["/queue", "/prompt", "/object_info", "/system_stats", "/models", "/embeddings", "/features"]
    {
        let answer = anna.get(&format!("/api{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.header("content-type").starts_with("application/json"), "{path}");
    }
    // The page and the API of the site's own are where they were.
    assert!(anna.get("/api").await.header("content-type").starts_with("text/html"));
    assert_eq!(anna.get("/api/v1/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_batch_is_one_job_with_as_many_pictures() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let (_, entry) = anna.worked_off(&app, &graph(&[("5", "batch_size", json!(3))])).await;
    assert_eq!(entry["outputs"]["9"]["images"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_no_workflow_is_refused_in_comfyuis_shape() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let answer = anna.post_text("/prompt", "application/json", "boat").await;
    insta::assert_snapshot!(refusal(&answer), @"400 invalid_prompt: the body is not JSON: expected value at line 1 column 1");
    let answer = anna.post_json("/prompt", &json!([1])).await;
    insta::assert_snapshot!(refusal(&answer), @"400 invalid_prompt: the body is JSON, and no object");
    let answer = anna.post_json("/prompt", &json!({})).await;
    insta::assert_snapshot!(refusal(&answer), @"400 no_prompt: the body has no field `prompt`; send a workflow in API form in it");
    let answer = anna.post_json("/prompt", &json!({ "prompt": graph(&[]), "extra_data": 7 })).await;
    insta::assert_snapshot!(refusal(&answer), @"400 invalid_prompt: the field `extra_data` is no object");
    let answer =
        anna.post_json("/prompt", &json!({ "prompt": graph(&[]), "client_id": "x".repeat(201) })).await;
    insta::assert_snapshot!(refusal(&answer), @"400 invalid_prompt: the client_id has 201 characters; at most 200 are allowed");
    let unknown = with_node(graph(&[]), "20", "ControlNetLoader", json!({}));
    let answer = anna.post_workflow(&unknown).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let body: Value = answer.json();
    assert_eq!(body["error"]["type"], "missing_node_type");
    assert_eq!(body["error"]["extra_info"]["node_id"], "20");
    assert_eq!(body["node_errors"], json!({}));
    assert_eq!(anna.history("").await.n_matches, 0);
}

#[tokio::test]
async fn a_value_that_no_request_may_have_is_blamed_on_its_node() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let refused = async |changes: &[(&str, &str, Value)]| refusal(&anna.post_workflow(&graph(changes)).await);
    insta::assert_snapshot!(refused(&[("5", "width", json!(100))]).await, @r"
    400 prompt_outputs_failed_validation: none of the prompt's outputs can be made
    5 custom_validation_failed: width - width 100 is not possible with model `demo`; allowed are multiples of 8 from 64 to 512
    ");
    insta::assert_snapshot!(refused(&[("6", "text", json!(" "))]).await, @r"
    400 prompt_outputs_failed_validation: none of the prompt's outputs can be made
    6 custom_validation_failed: text - the prompt is empty; write 1 to 2000 characters
    ");
    insta::assert_snapshot!(refused(&[("3", "cfg", json!(31)), ("3", "sampler_name", json!("restart"))]).await, @r"
    400 prompt_outputs_failed_validation: none of the prompt's outputs can be made
    3 value_bigger_than_max: cfg
    3 value_not_in_list: sampler_name: `restart` is none of: dpmpp_2m, euler, euler_ancestral, dpmpp_2m_sde, dpmpp_sde, uni_pc, ddim, heun, dpmpp_3m_sde, dpmpp_2s_ancestral, lcm, tcd, dpm_2, dpm_2_ancestral, lms, pndm, ddpm
    ");
    let body: Value = anna.post_workflow(&graph(&[("5", "width", json!(100))])).await.json();
    assert_eq!(body["node_errors"]["5"]["class_type"], "EmptyLatentImage");
    assert_eq!(body["node_errors"]["5"]["dependent_outputs"], json!(["9"]));
}

#[tokio::test]
async fn a_body_without_end_and_a_graph_of_a_hundred_thousand_nodes_are_refused_at_once() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let node = json!({ "class_type": "VAEDecode", "inputs": {} });
    let large: Map<_, _> = (0..100_000).map(|id| (id.to_string(), node.clone())).collect();
    let answer = anna.post_workflow(&large.into()).await;
    insta::assert_snapshot!(refusal(&answer), @"413 invalid_request: the body is too large; at most 1048576 bytes are allowed");
    let many: Map<_, _> = (0..1_001).map(|id| (id.to_string(), node.clone())).collect();
    let answer = anna.post_workflow(&many.into()).await;
    insta::assert_snapshot!(refusal(&answer), @"400 invalid_prompt: the prompt has 1001 nodes; at most 1000 are allowed");
    // With as many brackets as are allowed, and with one more.
    let deep = |n: usize| format!("{{\"prompt\": {}1{}}}", "[".repeat(n), "]".repeat(n));
    let answer = anna.post_text("/prompt", "application/json", deep(99_999)).await;
    insta::assert_snapshot!(refusal(&answer), @"400 invalid_prompt: the body is not JSON: recursion limit exceeded at line 1 column 138");
    let answer = anna.post_text("/prompt", "application/json", deep(100_000)).await;
    insta::assert_snapshot!(refusal(&answer), @"413 invalid_request: the body has 100001 commas and opening brackets; at most 100000 are allowed");
}

#[tokio::test]
async fn a_workflow_that_is_too_long_to_be_kept_is_refused_before_any_job_is_made() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let with_note =
        |workflow: &Value| json!({ "prompt": workflow, "extra_data": { "note": "x".repeat(256 << 10) } });
    let prefix = "x".repeat(256 << 10);
    let long = json!({ "prompt": graph(&[("9", "filename_prefix", json!(prefix))]) });
    for body in [with_note(&graph(&[])), long] {
        let refused = refusal(&anna.post_json("/prompt", &body).await);
        assert!(
            refused.starts_with("413 invalid_request: the workflow and its extra_data have 26"),
            "{refused}"
        );
        assert!(refused.ends_with(" bytes; at most 262144 are allowed"), "{refused}");
    }
    assert!(app.services.latest_jobs(&program(&app.services), 10).await.unwrap().is_empty());
    // What is wrong with the workflow itself is told first.
    let answer = anna.post_json("/prompt", &with_note(&json!({}))).await;
    insta::assert_snapshot!(refusal(&answer), @"400 prompt_no_outputs: the prompt has no output; add a SaveImage or a PreviewImage");
}

#[tokio::test]
async fn outputs_that_can_be_made_are_made_and_the_others_are_told() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let half = with_node(graph(&[]), "20", "PreviewImage", json!({ "images": ["21", 0] }));
    let half = with_node(half, "21", "VAEDecode", json!({ "samples": ["3", 0] }));
    let answer = anna.post_workflow(&half).await;
    assert_eq!(answer.status, StatusCode::OK);
    let body: Value = answer.json();
    assert_eq!(body["node_errors"]["21"]["errors"][0]["type"], "required_input_missing");
    assert_eq!(body["node_errors"]["21"]["dependent_outputs"], json!(["20"]));
    let id = body["prompt_id"].as_str().unwrap();
    app.services.wait(job_of(id)).await.unwrap();
    let history: Value = anna.get(&format!("/history/{id}")).await.json();
    assert_eq!(history[id]["prompt"][4], json!(["9"]));
}

#[tokio::test]
async fn one_picture_for_two_outputs_is_one_job_and_two_pictures_are_two() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let same = with_node(graph(&[]), "10", "PreviewImage", json!({ "images": ["8", 0] }));
    let (_, entry) = anna.worked_off(&app, &same).await;
    assert_eq!(anna_has(&anna).await, 1);
    assert_eq!(entry["outputs"]["10"]["images"][0]["type"], "temp");
    assert_eq!(anna.view(&entry["outputs"]["10"]["images"][0]).await.status, StatusCode::OK);

    let mut two = graph(&[]);
    two["13"] = two["3"].clone();
    two["13"]["inputs"]["seed"] = json!(8);
    let two = with_node(two, "18", "VAEDecode", json!({ "samples": ["13", 0], "vae": ["4", 2] }));
    let two = with_node(two, "19", "SaveImage", json!({ "images": ["18", 0], "filename_prefix": "b" }));
    let id = anna.accepted(&two).await;
    // The second job comes after the first.
    for job in app.services.latest_jobs(&program(&app.services), 10).await.unwrap() {
        app.services.wait(job.id).await.unwrap();
    }
    let history: Value = anna.get(&format!("/history/{id}")).await.json();
    let outputs = &history[&id]["outputs"];
    assert_ne!(outputs["9"]["images"], outputs["19"]["images"]);
    assert_eq!(anna_has(&anna).await, 3);
}

/// How many pictures were made for programs without a cookie.
async fn anna_has(anna: &Browser) -> usize {
    let history: Value = anna.get("/api/history").await.json();
    let entries = history.as_object().unwrap().values();
    let files =
        entries.flat_map(|entry| entry["outputs"].as_object().unwrap().values().cloned().collect::<Vec<_>>());
    let names = files.flat_map(|output| output["images"].as_array().unwrap().clone());
    let ids: std::collections::HashSet<String> = names
        .map(|image| {
            let name = image["filename"].as_str().unwrap();
            name[name.len() - 36..].to_owned()
        })
        .collect();
    ids.len()
}

/// A request whose caller hangs up when it has waited so many times. Whether the answer came before.
async fn hangs_up_after(n_waits: usize, request: impl Future<Output = Answer>) -> bool {
    let mut request = std::pin::pin!(request);
    let mut left = n_waits;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        request.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn no_job_is_left_without_its_workflow_whenever_the_caller_hangs_up() {
    let (app, _gate) = TestApp::gated().await;
    let anna = app.newcomer();
    let mut n_waits = 1;
    // At every moment at which there is something to wait for.
    while !hangs_up_after(n_waits, anna.post_workflow(&graph(&[("3", "seed", json!(n_waits))]))).await {
        n_waits += 1;
    }
    let all_are_kept = async {
        loop {
            let n_jobs = app.services.latest_jobs(&program(&app.services), 100).await.unwrap().len() as u64;
            if n_jobs > 0 && app.services.n_open_workflows(&program(&app.services)).await.unwrap() == n_jobs {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_are_kept).await.expect("each job has its workflow");
}
