//! The operator's listener of a running program.

use std::fs::File;
use std::path::Path;

use axum::http::StatusCode;
use backend::access::{Allowance, Ration, Scope};
use serde_json::Value;

use crate::helpers::{Browser, TestApp, Transport};
use crate::process::{Server, darkroom};

/// The address that the log of a program tells, which writes it before it says on stdout that it listens.
fn operator_of(log: &Path) -> Browser {
    let log = std::fs::read_to_string(log).unwrap();
    let told = log.lines().find_map(|line| {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        Some(line["operator.url"].as_str()?.to_owned())
    });
    let url = told.unwrap_or_else(|| panic!("no address in {log}"));
    let address = url.strip_prefix("http://").expect("it is a URL").parse().expect("with an address");
    Browser::new(Transport::Socket(address))
}

#[tokio::test]
async fn the_log_tells_where_the_operator_looks_and_a_stop_ends_that_listener_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let flags = ["--operator-addr", "127.0.0.1:0", "--log-format", "json"];
    let server = Server::start_with(folder.path(), &flags, File::create(&log).unwrap());
    // The site answers once the operator's listener is there too.
    assert_eq!(server.browser().get("/api/v1/health").await.status, StatusCode::OK);
    let operator = operator_of(&log);
    assert_eq!(operator.get("/readyz").await.status, StatusCode::OK);
    assert!(operator.get("/metrics").await.text().contains("darkroom_ready 1\n"));
    assert!(operator.get("/").await.text().contains("Everything is in order"));
    assert_eq!(server.browser().get("/metrics").await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn an_address_that_is_taken_is_refused_with_what_it_was_for() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    std::fs::write(folder.path().join("darkroom.toml"), format!("[operator]\naddr = \"{address}\"\n"))
        .unwrap();
    let output = darkroom(folder.path()).args(["serve", "--addr", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    let expected = format!(
        "error: cannot listen on `{address}` for the operator; give HOST:PORT with a free port, such as 127.0.0.1:3001"
    );
    assert!(said.starts_with(&expected), "{said}");
}

#[test]
fn a_format_of_the_log_that_is_unknown_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |flags: &[&str]| {
        let output = darkroom(folder.path()).args(flags).output().unwrap();
        assert_ne!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&["serve", "--log-format", "xml"]);
    assert!(said.contains("known are text, json"), "{said}");
    std::fs::write(folder.path().join("darkroom.toml"), "log_format = \"xml\"\n").unwrap();
    let said = refused(&["models", "list"]);
    assert_eq!(said, "error: setting `log_format` is wrong: known are text, json\n");
}

#[tokio::test]
async fn where_other_machines_reach_it_the_listener_takes_an_operators_key() {
    let app = TestApp::start().await;
    let key = async |scope| {
        let allowance = Allowance { scopes: vec![scope], ration: Ration::default() };
        let key = app.services.keyring().create("a test's", allowance).await.expect("a key is made");
        (format!("Bearer {}", key.text), key.info.prefix)
    };
    let ((operator, prefix), (other, _)) = (key(Scope::Operator).await, key(Scope::Generate).await);
    let listener = app.operator_at("192.0.2.7:3001");
    for path in ["/", "/readyz", "/metrics", "/favicon.svg"] {
        for headers in [&[][..], &[("authorization", other.as_str())]] {
            let answer = listener.get_with(path, headers).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{path}");
            assert!(
                answer.text().starts_with("this page takes an operator's key"),
                "{path}: {}",
                answer.text()
            );
        }
    }
    let mine = [("authorization", operator.as_str())];
    for path in ["/", "/readyz", "/metrics"] {
        assert_eq!(listener.get_with(path, &mine).await.status, StatusCode::OK, "{path}");
    }
    assert_eq!(listener.get("/livez").await.text(), "ok\n", "whoever restarts it has no key");
    let rebound = [mine[0], ("host", "rebound.evil.example:3001")];
    assert_eq!(listener.get_with("/", &rebound).await.status, StatusCode::MISDIRECTED_REQUEST);
    let named = [mine[0], ("host", "192.0.2.7:3001")];
    assert_eq!(listener.get_with("/", &named).await.status, StatusCode::OK);
    app.services.keyring().revoke(&prefix).await.expect("it is revoked");
    assert_eq!(listener.get_with("/metrics", &mine).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.operator_at("127.0.0.1:3001").get("/metrics").await.status, StatusCode::OK);
}

#[test]
fn an_address_that_other_machines_reach_is_refused_as_long_as_there_is_no_operators_key() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["serve", "--addr", "127.0.0.1:0", "--operator-addr", "0.0.0.0:0"];
    let output = darkroom(folder.path()).args(flags).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{said}");
    assert!(
        said.contains(
            "and there is no operator's key; make one with `darkroom keys create NAME --scope operator`"
        ),
        "{said}"
    );
    let made =
        darkroom(folder.path()).args(["keys", "create", "mine", "--scope", "operator"]).output().unwrap();
    assert!(made.status.success());
    let server =
        Server::start_with(folder.path(), &["--operator-addr", "0.0.0.0:0"], std::process::Stdio::null());
    assert_eq!(server.terminate().code(), Some(0));
}
