//! Pictures that visitors send.

use std::io::Cursor;

use axum::http::StatusCode;
use bytes::Bytes;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use types::upload::{MAX_UPLOAD_BYTES, UploadInfo};

use crate::helpers::{Browser, Multipart, TestApp};

/// A colour that the fake engine never paints all over.
pub const TEAL: Rgb<u8> = Rgb([10, 200, 190]);

pub fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).expect("a picture becomes a file");
    bytes.into_inner().into()
}

/// A PNG of one colour.
pub fn teal(width: u32, height: u32) -> Bytes {
    encoded(RgbImage::from_pixel(width, height, TEAL), ImageFormat::Png)
}

/// A mask that lets the right half be painted anew.
pub fn right_half(width: u32, height: u32) -> Bytes {
    let mask = GrayImage::from_fn(width, height, |x, _| Luma([if x < width / 2 { 0 } else { 255 }]));
    encoded(mask, ImageFormat::Png)
}

impl Browser {
    /// A PNG that is expected to be kept.
    pub async fn upload(&self, png: Bytes) -> UploadInfo {
        let answer = self.post_text("/api/v1/uploads", "image/png", png).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }
}

#[tokio::test]
async fn a_picture_is_kept_and_had_back_as_it_was_sent() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for (format, kind) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::WebP, "image/webp; charset=binary"),
    ] {
        let bytes = encoded(RgbImage::from_pixel(96, 64, TEAL), format);
        let answer = anna.post_text("/api/v1/uploads", kind, bytes.clone()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        let upload: UploadInfo = answer.json();
        assert_eq!((upload.width, upload.height), (96, 64));
        let path = answer.header("location").to_owned();
        assert_eq!(path, format!("/api/v1/uploads/{}", upload.id));
        let back = anna.get(&path).await;
        assert_eq!((back.status, &back.body), (StatusCode::OK, &bytes));
        assert!(kind.starts_with(back.header("content-type")) && !back.header("content-type").is_empty());
        assert!(back.header("cache-control").starts_with("private"));
        let again = anna.get_with(&path, &[("if-none-match", back.header("etag"))]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    }
}

#[tokio::test]
async fn a_picture_is_taken_from_a_form_too() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let form = Multipart::new().file("file", "boat.png", &teal(32, 16));
    let answer = anna.post_multipart("/api/v1/uploads", form).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert_eq!(answer.json::<UploadInfo>().width, 32);
    insta::assert_snapshot!(
        anna.post_multipart("/api/v1/uploads", Multipart::new().field("file", "boat.png")).await.complaint(),
        @"422 invalid_field (file): the form has no file in the field `file`; choose one"
    );
    let noted = Multipart::new().field("note", "mine").file("file", "boat.png", &teal(32, 16));
    insta::assert_snapshot!(
        anna.post_multipart("/api/v1/uploads", noted).await.complaint(),
        @"400 invalid_request: there is no field `note` here; known is `file`"
    );
    let half = Multipart::new().file("file", "boat.png", &teal(32, 16)).cut_off();
    insta::assert_snapshot!(
        anna.post_multipart("/api/v1/uploads", half).await.complaint(),
        @"400 invalid_request: the form broke off before its end"
    );
}

#[tokio::test]
async fn the_upload_of_somebody_else_is_as_unknown_as_none() {
    let app = TestApp::start().await;
    let (anna, ben) = (app.browser(), app.browser());
    let upload = anna.upload(teal(32, 16)).await;
    let path = format!("/api/v1/uploads/{}", upload.id);
    assert_eq!(
        ben.get(&path).await.complaint(),
        format!("404 not_found: there is no upload with the id {}", upload.id)
    );
    insta::assert_snapshot!(
        anna.get("/api/v1/uploads/12").await.complaint(),
        @"404 not_found: there is no upload with the id 12"
    );
    assert_eq!(anna.get(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let complaint =
        async |kind: &str, body: Bytes| anna.post_text("/api/v1/uploads", kind, body).await.complaint();
    insta::assert_snapshot!(
        complaint("image/png", Bytes::new()).await,
        @"422 invalid_field (file): the file is empty; send a PNG, JPEG or WebP image"
    );
    insta::assert_snapshot!(
        complaint("image/png", "<svg></svg>".into()).await,
        @"422 invalid_field (file): the file is not an image; allowed are PNG, JPEG and WebP"
    );
    insta::assert_snapshot!(
        complaint("image/png", Bytes::from_static(b"GIF89a\x01\0\x01\0\0\0\0;")).await,
        @"422 invalid_field (file): the file is an image of the kind GIF; allowed are PNG, JPEG and WebP"
    );
    insta::assert_snapshot!(
        complaint("text/plain", teal(32, 16)).await,
        @"415 invalid_request: the header `content-type` does not say that a picture is sent; allowed are image/png, image/jpeg, image/webp, and multipart/form-data with the field `file`"
    );
    let png = teal(320, 160);
    insta::assert_snapshot!(
        complaint("image/png", png.slice(..png.len() / 2)).await,
        @"422 invalid_field (file): the file breaks off before its end; send it again"
    );
    let jpeg =
        encoded(RgbImage::from_fn(64, 64, |x, y| Rgb([(x * y) as u8, x as u8, y as u8])), ImageFormat::Jpeg);
    insta::assert_snapshot!(
        complaint("image/jpeg", jpeg.slice(..jpeg.len() - 30)).await,
        @"422 invalid_field (file): the file breaks off before its end; send it again"
    );
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let complaint =
        async |body: Bytes| anna.post_text("/api/v1/uploads", "image/png", body).await.complaint();
    insta::assert_snapshot!(
        complaint(vec![0; MAX_UPLOAD_BYTES + 1].into()).await,
        @"413 invalid_request (file): the file is too large; at most 33554432 bytes are allowed"
    );
    insta::assert_snapshot!(
        complaint(teal(8200, 8)).await,
        @"422 invalid_field (file): the file has 8200x8 pixels; allowed are at most 8192 a side and 64 million in all"
    );
    // A bomb: a few bytes that say they are a picture of sixteen million million pixels.
    let mut bomb = teal(8, 8).to_vec();
    let size = 4_000_000_u32.to_be_bytes();
    bomb[16..20].copy_from_slice(&size);
    bomb[20..24].copy_from_slice(&size);
    let checksum = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
    insta::assert_snapshot!(
        complaint(bomb.into()).await,
        @"422 invalid_field (file): the file has 4000000x4000000 pixels; allowed are at most 8192 a side and 64 million in all"
    );
}

/// The checksum of a PNG's chunk.
pub fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    };
    !bytes.iter().fold(!0, step)
}
