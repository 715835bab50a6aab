//! Streams of those who may look no longer, and connections of those who take too long.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use backend::Config;
use backend::access::{Allowance, Ration, Scope};
use backend::engine::fake::FakeEngine;
use futures::StreamExt;
use serde_json::json;
use server::callers::Access;
use server::patience::Patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::helpers::{Browser, TestApp, Transport};

/// Far less than the usual, so that no test waits.
const OFTEN: Duration = Duration::from_millis(10);

/// The site on a socket, until the test is over.
async fn listening(app: &TestApp, access: Access) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server::run(listener, app.services.clone(), access, std::future::pending()));
    address
}

#[tokio::test]
async fn a_stream_ends_when_the_key_is_revoked_that_it_was_opened_with() {
    let (engine, _gate) = FakeEngine::gated();
    let access = Access { recheck: OFTEN, ..Access::default() };
    let app = TestApp::guarded(engine, Config::default(), access).await;
    let allowance = Allowance { scopes: vec![Scope::Generate], ration: Ration::default() };
    let key = app.services.keyring().create("a test's", allowance).await.unwrap();
    let bearer = format!("Bearer {}", key.text);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let program = app.newcomer();
    let body = json!({ "prompt": "a red boat" }).to_string();
    let asked = program.send(axum::http::Method::POST, "/api/v1/jobs", &headers, body.into()).await;
    let path = format!("{}/events", asked.header("location"));
    let mut stream = program.open_events(&path, &headers[..1]).await;
    assert!(stream.next().await.is_some());
    app.services.keyring().revoke(&key.info.prefix).await.unwrap();
    let rest = stream.rest().await;
    assert!(!rest.iter().any(|event| event.name == "done"), "{rest:?}");
}

#[tokio::test]
async fn a_socket_ends_when_the_key_is_revoked_that_it_was_opened_with() {
    let app = TestApp::start().await;
    let address = listening(&app, Access { recheck: OFTEN, ..Access::default() }).await;
    let allowance = Allowance { scopes: vec![Scope::Generate], ration: Ration::default() };
    let key = app.services.keyring().create("a test's", allowance).await.unwrap();
    let mut request = format!("ws://{address}/ws?clientId=anna").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", key.text).parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    assert!(socket.next().await.is_some());
    app.services.keyring().revoke(&key.info.prefix).await.unwrap();
    loop {
        match socket.next().await {
            None | Some(Ok(Message::Close(_)) | Err(_)) => break,
            Some(Ok(_)) => {}
        }
    }
}

#[tokio::test]
async fn a_socket_is_one_of_the_connections_for_as_long_as_it_is_open() {
    let app = TestApp::start().await;
    let patience = Patience { most_connections: 1, ..Patience::default() };
    let address = listening(&app, Access { patience, ..Access::default() }).await;
    let (mut socket, _) = connect_async(format!("ws://{address}/ws?clientId=anna")).await.unwrap();
    assert!(socket.next().await.is_some());
    let ben = Browser::new(Transport::Socket(address));
    let beside = tokio::time::timeout(Duration::from_millis(200), ben.get("/api/v1/models")).await;
    assert!(beside.is_err(), "a connection was served beside the socket");
    drop(socket);
    assert_eq!(ben.get("/api/v1/models").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_stream_of_a_shared_job_ends_when_the_share_is_taken_back_and_its_owners_goes_on() {
    let (app, gate) = TestApp::gated().await;
    let (anna, ben) = (app.browser(), app.browser());
    let (job, other) = (anna.ask_for("a red boat").await, anna.ask_for("a blue boat").await);
    let share = async |id, shared: bool| {
        anna.post_json(&format!("/api/v1/jobs/{id}/share"), &json!({ "shared": shared })).await
    };
    for id in [job.id, other.id] {
        share(id, true).await;
    }
    let path = format!("/api/v1/jobs/{}/events", job.id);
    let (mut own, mut stream) = (anna.open_events(&path, &[]).await, ben.open_events(&path, &[]).await);
    assert!(own.next().await.is_some() && stream.next().await.is_some());
    share(other.id, false).await;
    gate.allow(1);
    while stream.next().await.expect("another job's share is no matter").name != "progress" {}
    share(job.id, false).await;
    let rest = stream.rest().await;
    assert!(!rest.iter().any(|event| event.name == "done"), "{rest:?}");
    assert_eq!(ben.get(&path).await.status, StatusCode::NOT_FOUND);
    gate.open();
    assert!(own.rest().await.last().is_some_and(|event| event.name == "done"));
}

/// What is answered to a body that comes a byte at a time, or of which nothing but a byte comes.
async fn answer_to_single_bytes(patience: Patience, goes_on: bool) -> String {
    let app = TestApp::start().await;
    let address = listening(&app, Access { patience, ..Access::default() }).await;
    let (mut answers, mut sends) = TcpStream::connect(address).await.unwrap().into_split();
    let head = "POST /api/v1/uploads HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/png\r\n\
                content-length: 30000000\r\nconnection: close\r\n\r\n";
    sends.write_all(head.as_bytes()).await.unwrap();
    let sending = async {
        while sends.write_all(b"x").await.is_ok() && goes_on {
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        read = answers.read_to_end(&mut answer) => {
            // Whoever is hung up on while still sending may learn it from the system, behind the answer.
            if let Err(error) = read {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            }
        }
        () = sending => {}
    }
    // The connection of somebody else is none of this one's.
    let status = Browser::new(Transport::Socket(address)).get("/api/v1/models").await.status;
    assert_eq!(status, StatusCode::OK);
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn whoever_sends_a_byte_and_then_nothing_is_cut_off() {
    let patience = Patience { body_pause: Duration::from_millis(50), ..Patience::default() };
    let answer = answer_to_single_bytes(patience, false).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(
        answer.contains("the body came too slowly; allowed are pauses of 0.05 s, and 300 s in all"),
        "{answer}"
    );
}

#[tokio::test]
async fn whoever_sends_a_byte_at_a_time_is_cut_off_though_there_is_no_pause() {
    let patience = Patience { body: Duration::from_millis(200), ..Patience::default() };
    let answer = answer_to_single_bytes(patience, true).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("allowed are pauses of 20 s, and 0.2 s in all"), "{answer}");
}

#[tokio::test]
async fn whoever_reads_a_long_answer_too_slowly_is_hung_up_on() {
    let app = TestApp::start().await;
    // However much was read, it gives no time.
    let (answer, answer_rate) = (Duration::from_millis(200), u32::MAX);
    let patience = Patience { answer, answer_rate, ..Patience::default() };
    let address = listening(&app, Access { patience, ..Access::default() }).await;
    let anna = app.browser();
    // More than the system takes for a reader who does not read.
    let file = crate::room::noise(2048);
    let upload = anna.upload(file.clone()).await;
    let head = format!(
        "GET /api/v1/uploads/{} HTTP/1.1\r\nhost: localhost\r\ncookie: {}\r\nconnection: close\r\n\r\n",
        upload.id,
        anna.cookie()
    );
    let mut reader = TcpStream::connect(address).await.unwrap();
    reader.write_all(head.as_bytes()).await.unwrap();
    let mut begin = [0; 13];
    reader.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200 ");
    tokio::time::sleep(answer * 2).await;
    let mut rest = Vec::new();
    // Whoever is hung up on may learn it from the system, behind what came.
    let _ = reader.read_to_end(&mut rest).await;
    assert!(rest.len() < file.len(), "all {} bytes came", file.len());
}
