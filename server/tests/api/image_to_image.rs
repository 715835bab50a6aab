//! Pictures that begin with another one.

use axum::http::StatusCode;
use image::RgbImage;
use serde_json::{Value, json};
use types::job::{JobInfo, JobStatus};
use types::picture::PictureFormat;
use types::request::PictureSource;

use crate::helpers::{Browser, Multipart, TestApp};
use crate::uploads::{TEAL, right_half, teal};

impl Browser {
    /// A job that is expected to be accepted, and done.
    async fn made(&self, request: Value) -> JobInfo {
        let answer = self.create_job(request).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        let id = answer.json::<JobInfo>().id;
        self.events(id).await;
        let job: JobInfo = self.job(id).await.json();
        assert_eq!(job.status, JobStatus::Done, "{:?}", job.error);
        job
    }

    async fn pixels(&self, job: &JobInfo) -> RgbImage {
        let png = self.get(&job.pictures[0].path(PictureFormat::Png)).await.body;
        image::load_from_memory(&png).expect("a picture is an image").into_rgb8()
    }
}

#[tokio::test]
async fn a_picture_begins_with_an_upload_and_keeps_what_its_mask_covers() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let (start, mask) = (anna.upload(teal(96, 64)).await.id, anna.upload(right_half(96, 64)).await.id);
    let job = anna
        .made(json!({ "prompt": "a boat", "start": start, "mask": mask, "mask_feather": 8, "strength": 1 }))
        .await;
    assert_eq!((job.pictures[0].width, job.pictures[0].height), (96, 64));
    let pixels = anna.pixels(&job).await;
    assert_eq!(*pixels.get_pixel(10, 10), TEAL);
    assert_ne!(*pixels.get_pixel(90, 10), TEAL);
    let file = anna.get(&job.pictures[0].path(PictureFormat::Png)).await.text();
    assert!(file.contains("Denoising strength: 1, RNG: CPU, Mask blur: 8"));
}

#[tokio::test]
async fn a_picture_begins_with_a_finished_one_and_grows() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let first = anna.paint("a boat").await;
    let job = anna
        .made(json!({ "prompt": "a sea", "start": first.id, "strength": 0.5, "outpaint_left": 64, "outpaint_top": 32 }))
        .await;
    assert_eq!((job.pictures[0].width, job.pictures[0].height), (first.width + 64, first.height + 32));
    assert_eq!(job.request.start.expect("it has a start").source, PictureSource::Picture(first.id));
}

#[tokio::test]
async fn what_does_not_go_together_is_refused_by_its_field() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    let start = anna.upload(teal(96, 64)).await.id;
    let mask = anna.upload(right_half(64, 96)).await.id;
    let complaint = async |request: Value| anna.create_job(request).await.complaint();
    insta::assert_snapshot!(
        complaint(json!({ "prompt": "boat", "start": start, "mask": mask })).await,
        @"422 invalid_field (mask): the mask has 64x96 pixels; allowed are 96x64, as the start picture has"
    );
    insta::assert_snapshot!(
        complaint(json!({ "prompt": "boat", "start": start, "strength": 1.5 })).await,
        @"422 invalid_field (strength): strength 1.5 is out of range; allowed are 0 to 1"
    );
    insta::assert_snapshot!(
        complaint(json!({ "prompt": "boat", "start": "boat.png" })).await,
        @"422 invalid_field (start): start `boat.png` is neither an upload nor a picture of yours; upload it, or leave it out"
    );
    insta::assert_snapshot!(
        complaint(json!({ "prompt": "boat", "outpaint_left": 64 })).await,
        @"422 invalid_field (outpaint_left): outpaint left 64 has no picture to paint on to; name one as `start`"
    );
    insta::assert_snapshot!(
        complaint(json!({ "prompt": "boat", "loras": [{ "name": "oil" }] })).await.split(';').next().unwrap(),
        @"422 invalid_field (loras): LoRA `oil` is not installed"
    );
    insta::assert_snapshot!(
        complaint(json!({ "prompt": "boat", "loras": [{ "weight": 1 }] })).await,
        @"400 invalid_request (loras[0]): `loras[0]` cannot be used: missing field `name`"
    );
    let bens = ben.create_job(json!({ "prompt": "boat", "start": start })).await.complaint();
    assert_eq!(
        bens,
        format!(
            "422 invalid_field (start): start `{start}` is neither an upload nor a picture of yours; upload it, or \
             leave it out",
            start = start.0
        )
    );
    assert_eq!(anna.history("").await.n_matches, 0);
}

#[tokio::test]
async fn the_form_takes_files_without_a_script() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form = Multipart::new()
        .field("prompt", "a boat")
        .field("strength", "1")
        .field("shape", "square")
        .file("start_file", "boat.png", &teal(96, 64))
        .file("mask_file", "mask.png", &right_half(96, 64));
    let answer = anna.post_multipart("/", form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let id = answer.header("location").strip_prefix("/j/").expect("it leads to the job").parse().unwrap();
    anna.events(id).await;
    let job: JobInfo = anna.job(id).await.json();
    assert_eq!(job.status, JobStatus::Done, "{:?}", job.error);
    let pixels = anna.pixels(&job).await;
    assert_eq!((pixels.dimensions(), *pixels.get_pixel(10, 10)), ((96, 64), TEAL));
}

#[tokio::test]
async fn a_form_whose_files_nobody_chose_is_a_form_without_files() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form =
        Multipart::new().field("prompt", "a boat").file("start_file", "", b"").file("mask_file", "", b"");
    let answer = anna.post_multipart("/", form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let id = answer.header("location").strip_prefix("/j/").expect("it leads to the job").parse().unwrap();
    assert_eq!(anna.job(id).await.json::<JobInfo>().request.start, None);
}

#[tokio::test]
async fn a_form_with_a_file_that_is_no_picture_comes_back_with_what_was_typed() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form = Multipart::new().field("prompt", "a red boat").field("seed", "7").file(
        "start_file",
        "boat.txt",
        b"hello",
    );
    let answer = anna.post_multipart("/", form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text();
    assert!(page.contains("he file is not an image; allowed are PNG, JPEG and WebP"), "{page}");
    assert!(page.contains("a red boat") && page.contains("value=\"7\""));
}

#[tokio::test]
async fn a_form_that_is_refused_for_something_else_need_not_send_its_file_again() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form = Multipart::new().field("prompt", "a boat").field("steps", "900").file(
        "start_file",
        "boat.png",
        &teal(96, 64),
    );
    let answer = anna.post_multipart("/", form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.text();
    let field = page.split("<input").find(|input| input.contains("name=\"start\""));
    let field = field.expect("the form holds the upload's id");
    let id = field.split("value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("it has a value");
    let again = Multipart::new().field("prompt", "a boat").field("start", id).file("start_file", "", b"");
    let answer = anna.post_multipart("/", again).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let job = answer.header("location").strip_prefix("/j/").expect("it leads to the job").parse().unwrap();
    let start = anna.job(job).await.json::<JobInfo>().request.start.expect("it begins with the upload");
    assert_eq!(start.source.to_string(), id);
}

#[tokio::test]
async fn a_random_prompt_keeps_the_file_that_came_with_the_form() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form = Multipart::new().field("prompt", "a red").file("start_file", "boat.png", &teal(96, 64));
    let answer = anna.post_multipart("/write-prompt", form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let query =
        answer.header("location").split_once('?').expect("the settings are in the address").1.to_owned();
    let start = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "start");
    let start = start.expect("the upload is named").1.into_owned();
    assert_eq!(anna.get(&format!("/api/v1/uploads/{start}")).await.body, teal(96, 64));
}
