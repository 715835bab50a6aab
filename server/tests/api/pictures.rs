use axum::http::StatusCode;
use image::ImageFormat;
use serde_json::json;
use types::picture::{PictureFormat, PictureInfo};

use crate::helpers::TestApp;

#[tokio::test]
async fn a_picture_is_served_in_three_formats() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    for (format, expected) in [
        (PictureFormat::Png, ImageFormat::Png),
        (PictureFormat::Jpeg, ImageFormat::Jpeg),
        (PictureFormat::Webp, ImageFormat::WebP),
    ] {
        let answer = anna.get(&picture.path(format)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.header("content-type"), format.content_type());
        assert_eq!(image::guess_format(&answer.body).unwrap(), expected);
        let pixels = image::load_from_memory(&answer.body).unwrap();
        assert_eq!((pixels.width(), pixels.height()), (picture.width, picture.height));
    }
}

#[tokio::test]
async fn the_settings_are_inside_the_png() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    let answer = anna.get(&picture.path(PictureFormat::Png)).await;
    assert!(answer.text().contains("parameters\0a red boat\nSteps: 4, Sampler: DPM++ 2M"));
}

#[tokio::test]
async fn a_download_is_saved_under_a_telling_name_and_a_view_is_not_saved() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("A red boat!").await;
    let path = picture.path(PictureFormat::Jpeg);
    let download = anna.get(&format!("{path}?download")).await;
    assert_eq!(download.header("content-disposition"), "attachment; filename=\"darkroom-a-red-boat-7.jpg\"");
    assert_eq!(anna.get(&path).await.header("content-disposition"), "");
}

#[tokio::test]
async fn a_browser_keeps_a_picture_for_ever_and_learns_that_it_is_the_same() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    for path in [picture.path(PictureFormat::Png), picture.thumbnail_path()] {
        let answer = anna.get(&path).await;
        assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable");
        let again = anna.get_with(&path, &[("if-none-match", answer.header("etag"))]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    }
}

#[tokio::test]
async fn a_thumbnail_is_small() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    let answer = anna.get(&picture.thumbnail_path()).await;
    assert!(answer.header("content-type").starts_with("image/"));
    let pixels = image::load_from_memory(&answer.body).unwrap();
    assert!(pixels.width() <= 256 && pixels.height() <= 256);
}

#[tokio::test]
async fn what_is_no_picture_is_not_found() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    insta::assert_snapshot!(
        anna.get("/images/boat.png").await.complaint(),
        @"404 not_found: there is no picture with the id boat"
    );
    insta::assert_snapshot!(
        anna.get(&format!("/images/{}.gif", picture.id)).await.complaint(),
        @"404 not_found: pictures are not available as `gif`; known are png, jpg, webp"
    );
}

#[tokio::test]
async fn an_owner_marks_and_deletes_a_picture() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    assert!(anna.favourite(picture.id, true).await.json::<PictureInfo>().favourite);
    assert_eq!(anna.history("favourites=true").await.n_matches, 1);
    assert_eq!(anna.delete_picture(picture.id).await.status, StatusCode::NO_CONTENT);
    assert_eq!(anna.get(&picture.path(PictureFormat::Png)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(anna.history("").await.n_matches, 0);
}

#[tokio::test]
async fn a_stranger_with_the_address_sees_a_picture_that_is_shared_and_can_do_nothing_to_it() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    let picture = anna.paint("a red boat").await;
    let missing = format!("404 not_found: there is no picture with the id {}", picture.id);
    let addresses = [
        picture.path(PictureFormat::Png),
        picture.thumbnail_path(),
        format!("/api/v1/images/{}", picture.id),
    ];
    for address in &addresses {
        assert_eq!(ben.get(address).await.complaint(), missing, "{address}");
        let guessed = [("if-none-match", "*")];
        assert_eq!(ben.get_with(address, &guessed).await.complaint(), missing, "{address}");
    }
    let zip = ben.post_json("/api/v1/images/zip", &json!({ "ids": [picture.id] })).await;
    assert_eq!(zip.status, StatusCode::NOT_FOUND, "{}", zip.text());
    let form = [("shared", "true")];
    let shared = anna.post_form(&format!("/j/{}/share", picture.job_id), &form).await;
    assert_eq!(shared.header("location"), format!("/j/{}#share", picture.job_id));
    for address in &addresses {
        assert_eq!(ben.get(address).await.status, StatusCode::OK, "{address}");
    }
    assert_eq!(ben.favourite(picture.id, true).await.complaint(), missing);
    assert_eq!(ben.delete_picture(picture.id).await.complaint(), missing);
    assert_eq!(anna.history("favourites=false").await.pictures, [picture]);
}

#[tokio::test]
async fn a_browser_that_has_a_picture_is_not_told_so_once_it_is_deleted() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let picture = anna.paint("a red boat").await;
    let path = picture.path(PictureFormat::Jpeg);
    let etag = anna.get(&path).await.header("etag").to_owned();
    let known = [("if-none-match", etag.as_str())];
    assert_eq!(anna.get_with(&path, &known).await.status, StatusCode::NOT_MODIFIED);
    anna.delete_picture(picture.id).await;
    assert_eq!(anna.get_with(&path, &known).await.status, StatusCode::NOT_FOUND);
}
