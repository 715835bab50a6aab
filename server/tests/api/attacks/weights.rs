//! Files of weights by every name that a request may give, and lists of words without an end. That pickles are not
//! opened wherever they lie is tried in `models_command/pickles.rs`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::comfyui::graph;
use crate::helpers::{Browser, TestApp};

/// The status of every way to ask for a picture with such a model, LoRA or VAE.
async fn ask_by(anna: &Browser, name: &str) -> Vec<(String, StatusCode, String)> {
    let mut answers = Vec::new();
    for (path, body) in [
        ("/api/v1/jobs", json!({ "prompt": "a boat", "model": name })),
        ("/api/v1/jobs", json!({ "prompt": "a boat", "loras": [{ "name": name }] })),
        ("/generate-image", json!({ "prompt": "a boat", "model": name })),
        ("/v1/images/generations", json!({ "prompt": "a boat", "loras": [{ "name": name }] })),
        (
            "/sdapi/v1/txt2img",
            json!({ "prompt": "a boat", "override_settings": { "sd_model_checkpoint": name } }),
        ),
        ("/sdapi/v1/options", json!({ "sd_model_checkpoint": name })),
        ("/prompt", json!({ "prompt": graph(&[("4", "ckpt_name", json!(name))]) })),
    ] {
        let answer = anna.post_json(path, &body).await;
        answers.push((format!("{path} {body}"), answer.status, answer.text()));
    }
    answers
}

#[tokio::test]
async fn no_request_names_a_file_of_weights_that_is_not_installed() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let evil = app.data().join("evil.ckpt");
    std::fs::write(&evil, b"\x80\x02cposix\nsystem\n").unwrap();
    let whole = evil.display().to_string();
    for name in [
        "evil",
        "evil.ckpt",
        "./evil.ckpt",
        "../evil.ckpt",
        "../data/evil.ckpt",
        &whole,
        "demo/unet",
        "http://evil.example/evil.safetensors",
        "file:///etc/passwd",
        "hf://somebody/evil",
        "\\\\evil\\share\\model",
        "demo\0.ckpt",
    ] {
        for (asked, status, said) in ask_by(&anna, name).await {
            assert!(status.is_client_error(), "{asked}: {status} {said}");
        }
    }
    assert!(anna.history("").await.pictures.is_empty());
}

#[tokio::test]
async fn a_list_of_words_without_an_end_is_refused_in_a_sentence() {
    let app = TestApp::start().await;
    let folder = app.data().join("wildcards");
    std::fs::create_dir_all(folder.join("deep")).unwrap();
    let doubling = (0..40).map(|level| (format!("l{level}"), format!("__l{0}__ __l{0}__", level + 1)));
    let lists = [
        ("self", "__self__"),
        ("a", "__b__"),
        ("b", "{__a__|__a__}"),
        ("deep/down", "__deep/down__ and __deep/down__"),
        ("l40", "word"),
        ("long", &"word ".repeat(100_000)),
    ];
    let lists = lists.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).chain(doubling);
    for (name, text) in lists {
        std::fs::write(folder.join(format!("{name}.txt")), text).unwrap();
    }
    let anna = app.browser();
    for prompt in [
        "__self__",
        "__a__",
        "__b__",
        "__deep/down__",
        "__l0__",
        "__long__",
        "{9999999$$__a__}",
        "{3$$__self__|__self__}",
    ] {
        for request in [
            json!({ "prompt": prompt }),
            json!({ "prompt": "a boat", "negative_prompt": prompt }),
            json!({ "prompt": prompt, "count": 8 }),
        ] {
            let answer = anna.create_job(request.clone()).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{request}: {}", answer.text());
            assert!(answer.text().len() < 1000, "{}", answer.text());
        }
        let answer: Value =
            anna.post_json("/v1/images/generations", &json!({ "prompt": prompt })).await.json();
        assert!(answer["error"]["message"].is_string(), "{prompt}: {answer}");
    }
    assert!(anna.history("").await.pictures.is_empty());
}

#[tokio::test]
async fn the_name_of_a_list_of_words_leads_to_no_other_file() {
    let app = TestApp::start().await;
    let folder = app.data().join("wildcards");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("size.txt"), "small\n").unwrap();
    std::fs::write(app.data().join("secret.txt"), "secret\n").unwrap();
    let anna = app.browser();
    for name in [
        "/etc/passwd",
        "../secret",
        "../secret.txt",
        "size/../../secret",
        "..",
        "size.txt",
        "/size",
        "size/../size",
        "*",
        "si?e",
        "..\\secret",
        "%2e%2e/secret",
        "SIZE\u{200b}",
    ] {
        let prompt = format!("a __{name}__ boat");
        let answer = anna.create_job(json!({ "prompt": prompt })).await;
        if answer.status == StatusCode::ACCEPTED {
            assert_eq!(answer.json::<Value>()["request"]["prompt"], prompt, "it is text");
        } else {
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {}", answer.text());
        }
        assert!(
            !answer.text().contains("small") && !answer.text().contains("secret boat"),
            "{}",
            answer.text()
        );
    }
}
