//! What a program hears of its workflows while they are made.

use std::net::SocketAddr;

use backend::EngineError;
use backend::engine::fake::{Behaviour, FakeEngine, Gate};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::comfyui::{graph, job_of, with_node};
use crate::helpers::{Browser, TestApp, Transport};

type Stream = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// A program that listens on a real connection.
struct Listening {
    address: SocketAddr,
    anna: Browser,
    stop: Option<oneshot::Sender<()>>,
    server: tokio::task::JoinHandle<anyhow::Result<()>>,
    app: TestApp,
}

impl Listening {
    async fn start(engine: FakeEngine) -> Self {
        let app = TestApp::with_engine(engine).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(server::run(
            listener,
            app.services.clone(),
            server::callers::Access::default(),
            async {
                // A test that failed has dropped the other end, which stops the server as well.
                let _ = stopped.await;
            },
        ));
        let anna = Browser::newcomer(Transport::Socket(address));
        Self { address, anna, stop: Some(stop), server, app }
    }

    async fn gated() -> (Self, Gate) {
        let (engine, gate) = FakeEngine::gated();
        (Self::start(engine).await, gate)
    }

    /// A socket whose first message, where things stand, was read.
    async fn watch(&self, client_id: &str) -> Watching {
        let url = format!("ws://{}/ws?clientId={client_id}", self.address);
        let (stream, _) = connect_async(url).await.expect("the socket opens");
        let mut watching = Watching { stream };
        let first = watching.next().await;
        assert_eq!(first["type"], "status");
        assert_eq!(first["data"]["sid"], client_id);
        watching
    }
}

/// An open socket.
struct Watching {
    stream: Stream,
}

impl Watching {
    async fn next_raw(&mut self) -> Option<Message> {
        loop {
            match self.stream.next().await?.ok()? {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return Some(message),
            }
        }
    }

    async fn next(&mut self) -> Value {
        match self.next_raw().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).expect("messages are JSON"),
            other => panic!("{other:?} is no message of text"),
        }
    }

    /// All messages to the end of one workflow; previews as their bytes' number.
    async fn read_to_end(&mut self, id: &str) -> Vec<Value> {
        let mut told = Vec::new();
        loop {
            let message = match self.next_raw().await.expect("the workflow comes to its end") {
                Message::Text(text) => serde_json::from_str(&text).expect("messages are JSON"),
                Message::Binary(bytes) => {
                    assert_eq!(bytes[..8], [0, 0, 0, 1, 0, 0, 0, 1]);
                    image::load_from_memory(&bytes[8..]).expect("a preview is a picture");
                    json!({ "type": "preview" })
                }
                other => panic!("{other:?}"),
            };
            told.push(message);
            let last = &told[told.len() - 1];
            if last["type"] == "executing"
                && last["data"]["node"].is_null()
                && last["data"]["prompt_id"] == *id
            {
                return told;
            }
        }
    }
}

/// Each message in a word or two.
fn in_short(told: &[Value]) -> Vec<String> {
    let short = |message: &Value| {
        let data = &message["data"];
        let kind = message["type"].as_str().unwrap();
        match kind {
            "status" => format!("status {}", data["status"]["exec_info"]["queue_remaining"]),
            "executing" => format!("executing {}", data["node"].as_str().unwrap_or("-")),
            "progress" => {
                format!("progress {} {}/{}", data["node"].as_str().unwrap(), data["value"], data["max"])
            }
            "executed" => format!("executed {}", data["node"].as_str().unwrap()),
            _ => kind.to_owned(),
        }
    };
    told.iter().map(short).collect()
}

#[tokio::test]
async fn a_program_hears_what_happens_to_its_workflow_from_its_start_to_its_pictures() {
    let (program, gate) = Listening::gated().await;
    let mut socket = program.watch("anna").await;
    let id = program.anna.accepted(&graph(&[])).await;
    // One at a time, so that each is heard.
    let mut told = Vec::new();
    for step in 1..=3 {
        gate.allow(1);
        loop {
            let message = socket.next().await;
            let is_it = message["type"] == "progress" && message["data"]["value"] == step;
            told.push(message);
            if is_it {
                break;
            }
        }
    }
    gate.open();
    told.extend(socket.read_to_end(&id).await);
    assert_eq!(
        in_short(&told),
        [
            "status 1",
            "execution_start",
            "execution_cached",
            "executing 3",
            "progress 3 1/3",
            "progress 3 2/3",
            "progress 3 3/3",
            "executing 8",
            "executing 9",
            "executed 9",
            "execution_success",
            "status 0",
            "executing -",
        ]
    );
    assert!(
        told.iter()
            .skip(1)
            .filter(|message| message["type"] != "status")
            .all(|message| { message["data"]["prompt_id"] == *id })
    );
    let executed = told.iter().find(|message| message["type"] == "executed").unwrap();
    let image = &executed["data"]["output"]["images"][0];
    assert_eq!(program.anna.view(image).await.header("content-type"), "image/png");
    // Both tell of the same pictures.
    let history: Value = program.anna.get(&format!("/history/{id}")).await.json();
    assert_eq!(history[&id]["outputs"]["9"], executed["data"]["output"]);
}

#[tokio::test]
async fn previews_come_to_those_who_ask_for_them() {
    let program = Listening::start(FakeEngine::new()).await;
    let mut socket = program.watch("anna").await;
    let id = program.anna.accepted(&graph(&[])).await;
    let told = in_short(&socket.read_to_end(&id).await);
    assert!(!told.contains(&"preview".to_owned()), "{told:?}");
    drop(program);

    let (program, gate) = Listening::gated().await;
    let mut socket = program.watch("anna").await;
    let body =
        json!({ "prompt": graph(&[]), "client_id": "anna", "extra_data": { "preview_method": "auto" } });
    let posted: Value = program.anna.post_json("/prompt", &body).await.json();
    gate.allow(1);
    // The first step always has a preview.
    let shown = loop {
        if let Message::Binary(bytes) = socket.next_raw().await.unwrap() {
            break bytes;
        }
    };
    assert_eq!(shown[..8], [0, 0, 0, 1, 0, 0, 0, 1]);
    image::load_from_memory(&shown[8..]).expect("a preview is a picture");
    gate.open();
    socket.read_to_end(posted["prompt_id"].as_str().unwrap()).await;
}

#[tokio::test]
async fn a_picture_that_is_asked_for_over_the_socket_comes_as_a_file() {
    let program = Listening::start(FakeEngine::new()).await;
    let mut socket = program.watch("anna").await;
    let sent = with_node(graph(&[]), "9", "SaveImageWebsocket", json!({ "images": ["8", 0] }));
    let id = program.anna.accepted(&sent).await;
    let mut node = Value::Null;
    let file = loop {
        match socket.next_raw().await.expect("the picture comes") {
            Message::Text(text) => {
                let message: Value = serde_json::from_str(&text).unwrap();
                if message["type"] == "executing" {
                    node = message["data"]["node"].clone();
                }
            }
            Message::Binary(bytes) => break bytes,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(node, "9", "a program knows by it that this is the finished picture");
    assert_eq!(file[..8], [0, 0, 0, 1, 0, 0, 0, 2]);
    socket.read_to_end(&id).await;
    let (_, saved) = program.anna.worked_off(&program.app, &graph(&[])).await;
    assert_eq!(program.anna.view(&saved["outputs"]["9"]["images"][0]).await.body, file[8..]);
    let history: Value = program.anna.get(&format!("/history/{id}")).await.json();
    assert_eq!(history[&id]["outputs"], json!({}));
}

#[tokio::test]
async fn the_pictures_of_a_batch_are_one_nodes_work() {
    let program = Listening::start(FakeEngine::new()).await;
    let mut socket = program.watch("anna").await;
    let id = program.anna.accepted(&graph(&[("5", "batch_size", json!(2))])).await;
    let told = in_short(&socket.read_to_end(&id).await);
    let progress: Vec<_> = told.iter().filter(|told| told.starts_with("progress")).collect();
    assert_eq!(progress[progress.len() - 1], "progress 3 6/6", "{told:?}");
    assert!(progress.is_sorted(), "{told:?}");
}

#[tokio::test]
async fn two_pictures_of_one_workflow_are_told_one_after_the_other() {
    let program = Listening::start(FakeEngine::new()).await;
    let mut socket = program.watch("anna").await;
    let mut two = graph(&[]);
    two["13"] = two["3"].clone();
    two["13"]["inputs"]["seed"] = json!(8);
    let two = with_node(two, "18", "VAEDecode", json!({ "samples": ["13", 0], "vae": ["4", 2] }));
    let two = with_node(two, "19", "PreviewImage", json!({ "images": ["18", 0] }));
    let id = program.anna.accepted(&two).await;
    let told = in_short(&socket.read_to_end(&id).await);
    let place = |what: &str| told.iter().position(|told| told == what).expect("it is told");
    let in_order =
        ["execution_start", "executing 8", "executed 9", "executing 18", "executed 19", "execution_success"];
    assert!(in_order.map(place).is_sorted(), "{told:?}");
    for once in ["execution_start", "execution_success"] {
        assert_eq!(told.iter().filter(|told| *told == once).count(), 1, "{told:?}");
    }
}

#[tokio::test]
async fn a_job_that_was_deleted_is_passed_over_and_the_rest_is_told() {
    let (program, gate) = Listening::gated().await;
    let mut two = graph(&[]);
    two["13"] = two["3"].clone();
    two["13"]["inputs"]["seed"] = json!(8);
    let two = with_node(two, "18", "VAEDecode", json!({ "samples": ["13", 0], "vae": ["4", 2] }));
    let two = with_node(two, "19", "PreviewImage", json!({ "images": ["18", 0] }));
    let id = program.anna.accepted(&two).await;
    // The steps of the first picture.
    gate.allow(3);
    let services = &program.app.services;
    services.wait(job_of(&id)).await.unwrap();
    let anna = crate::comfyui::program(&program.app.services);
    services.delete_job(&anna, job_of(&id)).await.unwrap();
    let mut socket = program.watch("anna").await;
    gate.open();
    let told = in_short(&socket.read_to_end(&id).await);
    assert!(told.contains(&"executed 19".to_owned()), "{told:?}");
    assert!(!told.contains(&"executed 9".to_owned()), "{told:?}");
}

#[tokio::test]
async fn two_passes_are_the_work_of_two_nodes() {
    let (program, gate) = Listening::gated().await;
    let mut socket = program.watch("anna").await;
    let mut two = with_node(
        graph(&[]),
        "10",
        "LatentUpscaleBy",
        json!({ "samples": ["3", 0], "upscale_method": "bicubic", "scale_by": 2 }),
    );
    two["11"] = two["3"].clone();
    two["11"]["inputs"]["latent_image"] = json!(["10", 0]);
    two["11"]["inputs"]["denoise"] = json!(0.5);
    two["8"]["inputs"]["samples"] = json!(["11", 0]);
    let id = program.anna.accepted(&two).await;
    gate.allow(4);
    let mut told = Vec::new();
    loop {
        let message = socket.next().await;
        let is_last = message["type"] == "progress" && message["data"]["node"] == "11";
        told.push(message);
        if is_last {
            break;
        }
    }
    let told = in_short(&told);
    assert_eq!(told[told.len() - 2..], ["executing 11", "progress 11 1/3"], "{told:?}");
    gate.open();
    let rest = socket.read_to_end(&id).await;
    let executed = rest.iter().find(|message| message["type"] == "executed").unwrap();
    let picture = program.anna.view(&executed["data"]["output"]["images"][0]).await;
    let pixels = image::load_from_memory(&picture.body).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (256, 128));
}

#[tokio::test]
async fn who_comes_later_hears_the_rest_and_others_hear_nothing() {
    let (program, gate) = Listening::gated().await;
    let mut ben = program.watch("ben").await;
    let id = program.anna.accepted(&graph(&[])).await;
    let url = format!("ws://{}/ws?clientId=anna", program.address);
    let (stream, _) = connect_async(url.as_str()).await.unwrap();
    let mut late = Watching { stream };
    assert_eq!(late.next().await["data"]["status"]["exec_info"]["queue_remaining"], 1);
    // The same name with another key is somebody else.
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", "Bearer ben".parse().unwrap());
    let (stream, _) = connect_async(request).await.unwrap();
    let mut stranger = Watching { stream };
    assert_eq!(stranger.next().await["data"]["status"]["exec_info"]["queue_remaining"], 0);
    gate.open();
    let told = in_short(&late.read_to_end(&id).await);
    assert!(told.contains(&"executed 9".to_owned()), "{told:?}");
    // What is asked after that is the first that the others hear of.
    for other in [&mut ben, &mut stranger] {
        let hello = json!({ "type": "feature_flags", "data": {} }).to_string();
        other.stream.send(Message::text(hello)).await.unwrap();
        assert_eq!(other.next().await["type"], "feature_flags");
    }
}

#[tokio::test]
async fn a_workflow_that_is_interrupted_and_one_that_fails_are_told_as_such() {
    let (program, gate) = Listening::gated().await;
    let mut socket = program.watch("anna").await;
    let id = program.anna.accepted(&graph(&[])).await;
    gate.allow(1);
    while socket.next().await["type"] != "progress" {}
    program.anna.post_text("/interrupt", "application/json", "").await;
    let told = socket.read_to_end(&id).await;
    let short = in_short(&told);
    assert_eq!(short[short.len() - 3..], ["execution_interrupted", "status 0", "executing -"]);
    let interrupted = &told[told.len() - 3]["data"];
    assert_eq!((&interrupted["node_id"], &interrupted["node_type"]), (&json!("3"), &json!("KSampler")));
    drop(program);

    let fault = EngineError::Fault { model: "demo".to_owned(), reason: "out of memory".to_owned() };
    let program = Listening::start(FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
    let mut socket = program.watch("anna").await;
    let id = program.anna.accepted(&graph(&[])).await;
    let told = socket.read_to_end(&id).await;
    let error = &told.iter().find(|message| message["type"] == "execution_error").expect("it failed")["data"];
    assert_eq!(error["exception_type"], "internal");
    assert_eq!(error["exception_message"], "something went wrong on the server; its log has the details");
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_socket_and_who_asks_otherwise_is_told_so() {
    let program = Listening::start(FakeEngine::new()).await;
    let mut request = format!("ws://{}/ws?clientId=anna", program.address).into_client_request().unwrap();
    request.headers_mut().insert("origin", "https://example.org".parse().unwrap());
    let refused = connect_async(request).await.expect_err("another site is refused");
    assert!(refused.to_string().contains("403"), "{refused}");
    let answer = program.anna.get("/ws").await;
    let body: Value = answer.json();
    assert_eq!(
        body["error"]["message"], "this address is a WebSocket; ask for it with `Upgrade: websocket`",
        "{}",
        answer.status
    );
}

#[tokio::test]
async fn a_socket_is_kept_alive_though_nothing_happens() {
    let program = Listening::start(FakeEngine::new()).await;
    let (mut stream, _) = connect_async(format!("ws://{}/ws", program.address)).await.unwrap();
    // The first beat comes at once.
    loop {
        if let Message::Ping(_) = stream.next().await.expect("the socket stays open").unwrap() {
            break;
        }
    }
}

#[tokio::test]
async fn a_program_without_a_name_is_told_one_and_hears_under_it() {
    let program = Listening::start(FakeEngine::new()).await;
    let (stream, _) = connect_async(format!("ws://{}/ws", program.address)).await.unwrap();
    let mut socket = Watching { stream };
    let name = socket.next().await["data"]["sid"].as_str().expect("a name").to_owned();
    let body = json!({ "prompt": graph(&[]), "client_id": name });
    let posted: Value = program.anna.post_json("/prompt", &body).await.json();
    let told = in_short(&socket.read_to_end(posted["prompt_id"].as_str().unwrap()).await);
    assert!(told.contains(&"executed 9".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_socket_ends_when_the_server_stops() {
    let mut program = Listening::start(FakeEngine::new()).await;
    let mut socket = program.watch("anna").await;
    program.stop.take().unwrap().send(()).unwrap();
    assert!(matches!(socket.next_raw().await, None | Some(Message::Close(_))));
    (&mut program.server).await.unwrap().unwrap();
}
