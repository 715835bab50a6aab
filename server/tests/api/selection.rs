use axum::http::StatusCode;
use types::picture::{PictureFormat, PictureInfo};

use crate::helpers::{Answer, Browser, TestApp};

async fn send(browser: &Browser, path: &str, pictures: &[&PictureInfo]) -> Answer {
    let ids: Vec<_> = pictures.iter().map(|picture| picture.id.to_string()).collect();
    let fields: Vec<_> = ids.iter().map(|id| ("picture", id.as_str())).collect();
    browser.post_form_with(path, &fields, &[("referer", "http://localhost:3000/history?search=boat")]).await
}

/// How often a text stands in the bytes.
fn count(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

#[tokio::test]
async fn the_selected_pictures_come_as_one_zip_file_and_a_strangers_do_not() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    let (boat, again) = (anna.paint("a red boat").await, anna.paint("a red boat").await);
    anna.paint("a blue house").await;
    let strange = ben.paint("a black cat").await;

    let answer = send(&anna, "/history/zip", &[&boat, &again, &strange]).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/zip"));
    let name = answer.header("content-disposition");
    assert!(name.starts_with("attachment; filename=\"darkroom-2") && name.ends_with(".zip\""), "{name}");

    // Each name stands once before its file and once in the directory at the end.
    assert_eq!(count(&answer.body, "-a-red-boat-7.png"), 2);
    assert_eq!(count(&answer.body, "-a-red-boat-7-2.png"), 2);
    assert_eq!(count(&answer.body, ".png"), 4, "neither what was not selected nor what is Ben's");
    for picture in [&boat, &again] {
        let png = anna.get(&picture.path(PictureFormat::Png)).await.body;
        assert!(answer.body.windows(png.len()).any(|window| window == png), "stored as it is");
    }
    assert_eq!(anna.history("").await.n_matches, 3);
}

#[tokio::test]
async fn a_zip_file_is_not_packed_a_second_time() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let body = format!("picture={}", anna.paint("a red boat").await.id);
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept-encoding", "gzip")];
    let answer = anna.send(axum::http::Method::POST, "/history/zip", &headers, body.into()).await;
    assert_eq!((answer.status, answer.header("content-encoding")), (StatusCode::OK, ""));
}

#[tokio::test]
async fn the_selected_pictures_are_deleted_and_a_strangers_are_not() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    let (boat, house) = (anna.paint("a red boat").await, anna.paint("a blue house").await);
    let strange = ben.paint("a black cat").await;

    let answer = send(&anna, "/history/delete", &[&boat, &strange]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/history?search=boat"));
    assert_eq!(anna.history("").await.pictures, [house]);
    assert_eq!(ben.history("").await.pictures, [strange]);
    assert_eq!(anna.get(&boat.path(PictureFormat::Png)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_cannot_be_selected_is_said_on_the_page_that_the_form_is_on() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    let boat = anna.paint("a red boat").await;
    for path in ["/history/zip", "/history/delete"] {
        let answer = send(&anna, path, &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        let page = answer.text();
        assert!(page.contains("No picture is selected; select at least one."), "{path}");
        assert!(page.contains("value=\"boat\""), "the search is kept");
    }
    let answer = send(&ben, "/history/zip", &[&boat]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text().contains("None of the selected pictures is there any more."));
    let answer = send(&anna, "/history/delete", &[&boat; 201]).await;
    assert!(answer.text().contains("at most 200 are possible at once"));
    assert_eq!(anna.history("").await.n_matches, 1);
}

#[tokio::test]
async fn every_picture_of_the_history_can_be_selected_without_a_script() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let boat = anna.paint("a red boat").await;
    let page = anna.get("/history").await.text();
    assert!(page.contains("aria-label=\"Select “a red boat”, seed 7\""));
    assert!(page.contains(&format!("value=\"{}\"", boat.id)));
    assert!(page.contains("action=\"/history/zip\"") && page.contains("formaction=\"/history/delete\""));
}
