//! Names under which a browser saves files: made of a prompt, and never more than a name.

use std::collections::HashSet;

use axum::http::StatusCode;
use serde_json::json;
use types::picture::{PictureFormat, PictureInfo};

use super::HOSTILE;
use crate::comfyui::graph;
use crate::helpers::{Answer, Browser, TestApp};

/// Prompts that would be something else than a name.
fn prompts() -> Vec<String> {
    let prompts = [
        HOSTILE,
        "boat\r\nset-cookie: evil=1\r\n\r\n<html>",
        "boat\"; filename=\"evil.exe",
        "boat; filename*=UTF-8''evil.exe",
        "../../../etc/passwd",
        "..\\..\\windows\\system32",
        "C:\\boot.ini",
        "/dev/null",
        "con",
        ".htaccess",
        "~/.ssh/id_rsa",
        "$(reboot) `reboot` | reboot & reboot",
        "-rf --no-preserve-root",
        "%2e%2e%2f%00 %0d%0aset-cookie: evil=1",
        "boat.png\u{202e}exe.",
        "\u{2028}boat\u{2029}\u{feff}\u{200b}",
        "夕暮れ",
    ];
    let long = ["x".repeat(2000), "boat ".repeat(400)];
    prompts.into_iter().map(str::to_owned).chain(long).collect()
}

/// A file's name that no shell, no browser and no file system takes for more.
fn assert_plain_name(name: &str, prompt: &str) {
    let (stem, ending) = name.rsplit_once('.').unwrap_or_else(|| panic!("{name} has an ending"));
    assert!(["png", "jpg", "webp", "zip"].contains(&ending), "{name} from {prompt}");
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(stem.chars().all(is_plain) && !stem.starts_with('-'), "{name} from {prompt}");
    assert!((5..=100).contains(&name.len()), "{name} from {prompt}");
}

impl Answer {
    /// The name that a browser saves the answer under.
    fn download_name(&self, prompt: &str) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        let said: Vec<_> = self.headers.get_all("content-disposition").iter().collect();
        assert_eq!(said.len(), 1, "{said:?} from {prompt}");
        assert_eq!(self.header("set-cookie"), "", "a line of the prompt is no header");
        let said = said[0].to_str().unwrap_or_else(|_| panic!("{said:?} from {prompt}"));
        let name = said.strip_prefix("attachment; ").unwrap_or(said).strip_prefix("filename=\"");
        let name =
            name.and_then(|name| name.strip_suffix('"')).unwrap_or_else(|| panic!("{said} from {prompt}"));
        name.to_owned()
    }
}

/// The names of the files in a zip file, as its directory has them.
fn names_in(zip: &[u8]) -> Vec<String> {
    /// Before each line of the directory at the end.
    const LINE: &[u8] = b"PK\x01\x02";
    let begins = zip.windows(4).enumerate().filter(|(_, window)| *window == LINE).map(|(at, _)| at);
    begins
        .map(|at| {
            let length = usize::from(u16::from_le_bytes([zip[at + 28], zip[at + 29]]));
            String::from_utf8(zip[at + 46..at + 46 + length].to_vec()).expect("a name is text")
        })
        .collect()
}

async fn paint_all(anna: &Browser) -> Vec<PictureInfo> {
    let mut pictures = Vec::new();
    for prompt in prompts() {
        pictures.push(anna.paint(&prompt).await);
    }
    pictures
}

#[tokio::test]
async fn a_download_has_a_name_that_is_a_name_alone_whatever_its_prompt_is() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for picture in paint_all(&anna).await {
        for format in PictureFormat::ALL {
            let answer = anna.get(&format!("{}?download", picture.path(format))).await;
            assert_plain_name(&answer.download_name(&picture.prompt), &picture.prompt);
        }
    }
}

#[tokio::test]
async fn a_zip_file_and_the_files_in_it_have_names_that_are_names_alone_and_no_two_alike() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let pictures = paint_all(&anna).await;
    let ids: Vec<_> = pictures.iter().map(|picture| picture.id.to_string()).collect();
    let fields: Vec<_> = ids.iter().map(|id| ("picture", id.as_str())).collect();
    for answer in [
        anna.post_form("/history/zip", &fields).await,
        anna.post_json("/api/v1/images/zip", &json!({ "ids": ids })).await,
    ] {
        assert_plain_name(&answer.download_name("a zip file"), "a zip file");
        let names = names_in(&answer.body);
        assert_eq!(names.len(), pictures.len(), "pictures alone are in it: {names:?}");
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
        for name in names {
            assert_plain_name(&name, "a picture in a zip file");
        }
    }
}

#[tokio::test]
async fn what_programs_of_comfyuis_shape_view_has_a_name_that_is_a_name_alone() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for prompt in prompts() {
        let changes = [("6", "text", json!(prompt)), ("9", "filename_prefix", json!(prompt))];
        let (_, history) = anna.worked_off(&app, &graph(&changes)).await;
        let answer = anna.view(&history["outputs"]["9"]["images"][0]).await;
        assert_plain_name(&answer.download_name(&prompt), &prompt);
    }
}
