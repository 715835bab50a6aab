//! What becomes of ComfyUI's workflows, and what there is for them.

use axum::http::StatusCode;
use backend::EngineError;
use backend::engine::fake::{Behaviour, FakeEngine};
use serde_json::{Value, json};
use types::job::JobStatus;

use crate::comfyui::{graph, job_of, program, with_node};
use crate::helpers::TestApp;

#[tokio::test]
async fn what_waits_and_what_runs_is_in_the_queue_and_can_be_stopped() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.newcomer();
    let first = anna.accepted(&graph(&[])).await;
    let mut events = app.services.events(&program(&app.services), job_of(&first), None).await.unwrap();
    gate.allow(1);
    // Until it runs.
    while let Some(event) = futures::StreamExt::next(&mut events).await {
        if matches!(event.event, types::event::JobEvent::Progress { .. }) {
            break;
        }
    }
    let second = anna.accepted(&graph(&[("3", "seed", json!(8))])).await;
    let third = anna.accepted(&graph(&[("3", "seed", json!(9))])).await;
    let queue: Value = anna.get("/queue").await.json();
    let names = |list: &str| {
        let list = queue[list].as_array().unwrap();
        list.iter().map(|entry| entry[1].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("queue_running"), [first.as_str()]);
    assert_eq!(names("queue_pending"), [second.as_str(), third.as_str()]);
    assert_eq!(queue["queue_pending"][0][2], graph(&[("3", "seed", json!(8))]));
    let remaining: Value = anna.get("/prompt").await.json();
    assert_eq!(remaining, json!({ "exec_info": { "queue_remaining": 3 } }));

    // Nobody else sees or stops it.
    let other = [("authorization", "Bearer ben"), ("content-type", "application/json")];
    assert_eq!(
        anna.get_with("/queue", &other).await.json::<Value>(),
        json!({ "queue_running": [], "queue_pending": [] })
    );
    let everything = json!({ "clear": true }).to_string();
    anna.send(axum::http::Method::POST, "/queue", &other, everything.into()).await;
    anna.send(axum::http::Method::POST, "/interrupt", &other, "".into()).await;
    assert_eq!(anna.get(&format!("/history/{first}")).await.json::<Value>(), json!({}));

    assert_eq!(anna.post_json("/queue", &json!({ "delete": [second, "x"] })).await.status, StatusCode::OK);
    assert_eq!(anna.post_json("/interrupt", &json!({ "prompt_id": third })).await.status, StatusCode::OK);
    let queue: Value = anna.get("/queue").await.json();
    assert_eq!(queue["queue_running"][0][1], *first);
    assert_eq!(queue["queue_pending"][0][1], *third, "what waits is not interrupted");
    assert_eq!(anna.post_text("/interrupt", "application/json", "").await.status, StatusCode::OK);
    let stopped = app.services.wait(job_of(&first)).await.unwrap();
    assert_eq!(stopped.status, JobStatus::Cancelled);
    let history: Value = anna.get(&format!("/history/{first}")).await.json();
    assert_eq!(history[&first]["status"]["status_str"], "error");
    assert_eq!(history[&first]["status"]["completed"], false);
    assert_eq!(history[&first]["status"]["messages"][2][0], "execution_interrupted");
    assert_eq!(history[&first]["outputs"], json!({}));
    gate.open();
    assert_eq!(app.services.wait(job_of(&third)).await.unwrap().status, JobStatus::Done);
}

#[tokio::test]
async fn everything_is_stopped_however_much_waits() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.newcomer();
    let first = anna.accepted(&graph(&[])).await;
    let mut events = app.services.events(&program(&app.services), job_of(&first), None).await.unwrap();
    gate.allow(1);
    // Until it runs.
    while let Some(event) = futures::StreamExt::next(&mut events).await {
        if matches!(event.event, types::event::JobEvent::Progress { .. }) {
            break;
        }
    }
    // More than are read at once.
    for seed in 0..=backend::MOST_WORKFLOWS {
        anna.accepted(&graph(&[("3", "seed", json!(seed))])).await;
    }
    // The second time, what began since the first.
    for (path, body) in
        [("/interrupt", json!({})), ("/queue", json!({ "clear": true })), ("/interrupt", json!({}))]
    {
        assert_eq!(anna.post_json(path, &body).await.status, StatusCode::OK);
    }
    gate.open();
    let jobs = app.services.latest_jobs(&program(&app.services), 300).await.unwrap();
    assert_eq!(jobs.len() as u64, backend::MOST_WORKFLOWS + 2);
    for job in jobs {
        assert_eq!(app.services.wait(job.id).await.unwrap().status, JobStatus::Cancelled);
    }
}

#[tokio::test]
async fn the_history_is_the_asker_own_and_forgets_what_it_is_told_to() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let mut ids = Vec::new();
    for seed in 1..=3 {
        ids.push(anna.worked_off(&app, &graph(&[("3", "seed", json!(seed))])).await.0);
    }
    let listed = async |query: &str| {
        let history: Value = anna.get(&format!("/api/history{query}")).await.json();
        let mut numbers: Vec<_> =
            history.as_object().unwrap().values().map(|entry| entry["prompt"][0].as_i64().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(listed("").await, [1, 2, 3]);
    assert_eq!(listed("?max_items=2").await, [2, 3]);
    assert_eq!(listed("?max_items=1&offset=1").await, [2]);
    assert_eq!(listed("?offset=0").await, [1, 2, 3]);
    assert_eq!(listed("?offset=2").await, [3]);
    assert_eq!(listed(&format!("?offset={}", i64::MAX)).await, [0; 0]);
    assert_eq!(listed("?max_items=2&offset=-1").await, [2, 3]);
    let other = [("authorization", "Bearer ben")];
    assert_eq!(anna.get_with("/api/history", &other).await.json::<Value>(), json!({}));
    let path = format!("/history/{}", ids[0]);
    assert_eq!(anna.get_with(&path, &other).await.json::<Value>(), json!({}));
    assert_eq!(anna.get("/history/nothing").await.json::<Value>(), json!({}));

    anna.post_json("/history", &json!({ "delete": [ids[0], "x"] })).await;
    assert_eq!(listed("").await, [2, 3]);
    anna.post_json("/api/history", &json!({ "clear": true })).await;
    assert!(listed("").await.is_empty());
}

#[tokio::test]
async fn a_list_of_names_without_end_is_refused_and_a_name_that_is_repeated_counts_once() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let (id, _) = anna.worked_off(&app, &graph(&[])).await;
    let many: Vec<_> = (0..=backend::MOST_WORKFLOWS).map(|number| format!("{number:032x}")).collect();
    let answer = anna.post_json("/history", &json!({ "clear": true, "delete": many })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    let sentence = "the field `delete` names 201 workflows; at most 200 are allowed";
    assert_eq!(answer.json::<Value>()["error"]["message"], sentence);
    for (path, named) in [("/history", &many[1..]), ("/queue", &many[..])] {
        let answer = anna.post_json(path, &json!({ "delete": named })).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    }
    let history: Value = anna.get(&format!("/history/{id}")).await.json();
    assert!(history[&id].is_object(), "nothing was forgotten: {history}");
    for path in ["/queue", "/history"] {
        let answer = anna.post_json(path, &json!({ "delete": vec![&id; 20_000] })).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    }
    assert_eq!(anna.get(&format!("/history/{id}")).await.json::<Value>(), json!({}));
}

#[tokio::test]
async fn a_workflow_has_the_name_that_its_program_gives_it_if_it_is_a_new_one() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let id = "0b5cf7a2-9c3e-4f1d-8a6b-2f4e6d8c0a1b";
    let post = async |id: Value| {
        anna.post_json("/prompt", &json!({ "prompt": graph(&[]), "client_id": "a", "prompt_id": id })).await
    };
    let answer = post(json!(id)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json::<Value>()["prompt_id"], id);
    for job in app.services.latest_jobs(&program(&app.services), 9).await.unwrap() {
        app.services.wait(job.id).await.unwrap();
    }
    let history: Value = anna.get(&format!("/history/{id}")).await.json();
    assert_eq!(history[id]["status"]["status_str"], "success", "{history}");
    assert_eq!(history[id]["status"]["messages"][0][1]["prompt_id"], id);
    let refused = [
        (
            json!(id),
            format!("the prompt_id `{id}` stands for another workflow already; send a new one, or none"),
        ),
        (
            json!("mine"),
            "the prompt_id `mine` is no UUID in small letters with hyphens; send one that is new, or none"
                .to_owned(),
        ),
    ];
    for (id, sentence) in refused {
        let answer = post(id).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json::<Value>()["error"]["message"], sentence);
    }
    assert_eq!(post(Value::Null).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_workflow_whose_job_was_deleted_is_told_without_it_and_forgotten_as_any_other() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let (gone, _) = anna.worked_off(&app, &graph(&[])).await;
    let (other, _) = anna.worked_off(&app, &graph(&[("3", "seed", json!(8))])).await;
    app.services.delete_job(&program(&app.services), job_of(&gone)).await.unwrap();
    let history: Value = anna.get("/api/history").await.json();
    assert_eq!(history[&gone]["outputs"], json!({}));
    assert_eq!(history[&other]["outputs"]["9"]["images"].as_array().map(Vec::len), Some(1));
    assert_eq!(anna.get(&format!("/history/{gone}")).await.json::<Value>()[&gone], history[&gone]);
    let answer = anna.post_json("/history", &json!({ "delete": [gone] })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let history: Value = anna.get("/api/history").await.json();
    assert_eq!(history.as_object().unwrap().keys().collect::<Vec<_>>(), [&other]);
}

#[tokio::test]
async fn the_queue_is_told_and_cleared_though_a_job_in_it_was_deleted() {
    let (app, gate) = TestApp::gated().await;
    let anna = app.newcomer();
    let mut two = graph(&[]);
    two["13"] = two["3"].clone();
    two["13"]["inputs"]["seed"] = json!(8);
    let two = with_node(two, "18", "VAEDecode", json!({ "samples": ["13", 0], "vae": ["4", 2] }));
    let two = with_node(two, "19", "PreviewImage", json!({ "images": ["18", 0] }));
    let id = anna.accepted(&two).await;
    // The steps of the first picture.
    gate.allow(3);
    app.services.wait(job_of(&id)).await.unwrap();
    app.services.delete_job(&program(&app.services), job_of(&id)).await.unwrap();
    let queue: Value = anna.get("/queue").await.json();
    let entries = ["queue_running", "queue_pending"].map(|list| queue[list].as_array().unwrap().len());
    assert_eq!(entries.iter().sum::<usize>(), 1, "{queue}");
    for (path, body) in [("/queue", json!({ "clear": true })), ("/interrupt", json!({}))] {
        let answer = anna.post_json(path, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    }
    gate.open();
    for job in app.services.latest_jobs(&program(&app.services), 10).await.unwrap() {
        assert_eq!(app.services.wait(job.id).await.unwrap().status, JobStatus::Cancelled);
    }
    assert_eq!(anna.get("/prompt").await.json::<Value>()["exec_info"]["queue_remaining"], 0);
}

#[tokio::test]
async fn a_browser_gets_pages_where_programs_get_json() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let page = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    for path in ["/history", "/models"] {
        assert!(anna.get_with(path, &page).await.header("content-type").starts_with("text/html"), "{path}");
        let answer = anna.get_with(path, &[("accept", "*/*")]).await;
        assert!(answer.header("content-type").starts_with("application/json"), "{path}");
        assert_eq!(answer.header("vary"), "accept", "{path}");
    }
    let folders: Value = anna.get_with("/models", &[("accept", "application/json")]).await.json();
    assert_eq!(folders, json!(["checkpoints", "loras", "embeddings"]));
}

#[tokio::test]
async fn a_job_that_fails_is_told_in_the_history() {
    let reason = "tensor `conv_in.weight` is missing".to_owned();
    let unusable = EngineError::Unusable { model: "demo".to_owned(), reason };
    let app = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::Fails(unusable))).await;
    let anna = app.newcomer();
    let (_, entry) = anna.worked_off(&app, &graph(&[])).await;
    assert_eq!(entry["status"]["status_str"], "error");
    let message = &entry["status"]["messages"][2];
    assert_eq!(message[0], "execution_error");
    assert_eq!(message[1]["node_id"], "3");
    assert_eq!(message[1]["node_type"], "KSampler");
    assert_eq!(message[1]["exception_type"], "model_unusable");
    let sentence = message[1]["exception_message"].as_str().unwrap();
    assert!(sentence.contains("tensor `conv_in.weight` is missing"), "{sentence}");
}

#[tokio::test]
async fn a_wrong_query_and_a_wrong_method_are_told_in_comfyuis_shape() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let program = [("accept", "application/json")];
    for path in ["/history?max_items=many", "/api/history?max_items=many"] {
        let answer = anna.get_with(path, &program).await;
        assert!(answer.header("content-type").starts_with("application/json"), "{path}");
        let body: Value = answer.json();
        assert_eq!(body["node_errors"], json!({}), "{path}: {body}");
        let sentence = body["error"]["message"].as_str().unwrap();
        assert!(sentence.contains("max_items"), "{path}: {sentence}");
    }
    for path in ["/view?filename=a&filename=b", "/ws?clientId=a&clientId=b"] {
        let answer = anna.get_with(path, &program).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert_eq!(answer.json::<Value>()["node_errors"], json!({}), "{path}");
    }
    for path in ["/prompt", "/api/queue", "/interrupt", "/history", "/api/history", "/object_info"] {
        let answer = anna.send(axum::http::Method::DELETE, path, &program, "".into()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(!answer.header("allow").is_empty(), "{path}");
        assert_eq!(
            answer.json::<Value>()["error"]["message"],
            "method DELETE is not possible at this address; the answer's header `allow` says which are",
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_there_is_is_told_with_the_real_names() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let nodes: Value = anna.get("/object_info").await.json();
    assert_eq!(nodes.as_object().unwrap().len(), 19);
    let sampler: Value = anna.get("/object_info/KSampler").await.json();
    assert_eq!(sampler["KSampler"], nodes["KSampler"]);
    let inputs = &sampler["KSampler"]["input"]["required"];
    assert_eq!(inputs["steps"], json!(["INT", { "default": 20, "min": 1, "max": 150, "step": 1 }]));
    assert_eq!(inputs["seed"][1]["max"], json!(u64::MAX));
    assert_eq!(inputs["scheduler"][0][0], "karras");
    assert_eq!(sampler["KSampler"]["input_order"]["required"][0], "model");
    assert_eq!(sampler["KSampler"]["output"], json!(["LATENT"]));
    assert_eq!(anna.get("/object_info/Nothing").await.json::<Value>(), json!({}));
    let loader = &nodes["CheckpointLoaderSimple"];
    assert_eq!(loader["input"]["required"]["ckpt_name"], json!([["demo"]]));
    assert_eq!(loader["output_name"], json!(["MODEL", "CLIP", "VAE"]));
    assert_eq!(nodes["LoraLoader"]["input"]["required"]["lora_name"], json!([["ink"]]));
    assert_eq!(nodes["SaveImage"]["output_node"], true);
    for (folder, names) in
        [("checkpoints", json!(["demo"])), ("loras", json!(["ink"])), ("embeddings", json!([]))]
    {
        assert_eq!(anna.get(&format!("/models/{folder}")).await.json::<Value>(), names, "{folder}");
    }
    assert_eq!(anna.get("/models/vae").await.status, StatusCode::NOT_FOUND);
    assert_eq!(anna.get("/extensions").await.json::<Value>(), json!([]));
    let stats: Value = anna.get("/system_stats").await.json();
    assert!(stats["system"]["ram_total"].as_u64().unwrap() > stats["system"]["ram_free"].as_u64().unwrap());
    assert_eq!(stats["devices"][0]["type"], "cpu");
}

#[tokio::test]
async fn a_history_of_large_workflows_is_told_as_far_as_an_answer_goes_and_the_rest_is_asked_for_by_itself() {
    let app = TestApp::start().await;
    let anna = app.newcomer();
    let note = "x".repeat(250_000);
    let mut ids = Vec::new();
    for seed in 0..70 {
        let workflow = graph(&[("3", "seed", json!(seed))]);
        let body = json!({ "prompt": workflow, "extra_data": { "note": note } });
        let posted: Value = anna.post_json("/prompt", &body).await.json();
        ids.push(posted["prompt_id"].as_str().expect("it is accepted").to_owned());
        app.services.wait(job_of(&ids[seed])).await.unwrap();
    }
    let told = async |query: &str| {
        let history: Value = anna.get(&format!("/api/history{query}")).await.json();
        history.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let newest = told("").await;
    assert_eq!(newest.len(), 66, "as many as take up 16 megabytes");
    assert!(newest.contains(&ids[69]) && !newest.contains(&ids[0]));
    let oldest = told("?offset=0").await;
    assert!(oldest.contains(&ids[0]) && !oldest.contains(&ids[69]));
    assert_eq!(told("?offset=66").await.len(), 4);
    let one: Value = anna.get(&format!("/history/{}", ids[0])).await.json();
    assert_eq!(one[&ids[0]]["prompt"][3]["note"], json!(note));
}
