//! Small files that say they are huge, or unpack to much more than they are. Nothing is packed that comes in a body,
//! so what unpacks is inside pictures alone; zip files are made here and read nowhere.

use std::io::Write;

use axum::http::StatusCode;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use serde_json::json;

use super::hostile_pages::with_text;
use crate::a1111::base64;
use crate::helpers::{Browser, Multipart, TestApp};
use crate::uploads::{crc32, teal};

/// So much of nothing is inside each bomb that unpacks: a thousand times its size.
const UNPACKED: usize = 64 << 20;

fn zlib(n_zeros: usize) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&vec![0; n_zeros]).unwrap();
    packer.finish().unwrap()
}

/// A chunk of a PNG.
fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    let body = [kind, content].concat();
    [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
}

/// A PNG that says it is this large, with these bits to each of its four channels; `chunks` stand before its pixels.
fn png(width: u32, height: u32, depth: u8, chunks: &[u8], pixels: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, 6, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    [signature, chunk(b"IHDR", &header), chunks.to_vec(), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
        .concat()
}

/// A RIFF file of these chunks.
fn webp(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let chunks: Vec<u8> = chunks
        .iter()
        .flat_map(|(kind, body)| {
            let length = u32::try_from(body.len()).unwrap().to_le_bytes();
            [&kind[..], &length, body, &[0][..body.len() % 2]].concat()
        })
        .collect();
    let length = u32::try_from(4 + chunks.len()).unwrap().to_le_bytes();
    [b"RIFF", &length[..], b"WEBP", &chunks].concat()
}

/// A grey progressive JPEG of this size, and so many passes over its pixels.
fn jpeg(width: u16, height: u16, n_scans: usize) -> Vec<u8> {
    let quantisation = [&[0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
    let frame =
        [&[0xff, 0xc2, 0, 11, 8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
    // One code of one bit: no difference to the block before.
    let codes = [&[0xff, 0xc4, 0, 20, 0, 1][..], &[0; 16]].concat();
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0, 0x7f];
    [&[0xff, 0xd8][..], &quantisation, &frame, &codes, &scan.repeat(n_scans), &[0xff, 0xd9]].concat()
}

/// A GIF of the largest size there is, with so many frames as large.
fn gif(n_frames: usize) -> Vec<u8> {
    let frame = b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0";
    [&b"GIF89a\xff\xff\xff\xff\0\0\0"[..], &frame.repeat(n_frames), b"\x3b"].concat()
}

/// A zip file whose one file says that it unpacks to four gigabytes.
fn zip() -> Vec<u8> {
    let packed = zlib(UNPACKED);
    let packed = &packed[2..packed.len() - 4];
    let sizes = [&u32::try_from(packed.len()).unwrap().to_le_bytes()[..], &[0xff; 4], &[9, 0, 0, 0]].concat();
    [b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0", &sizes[..], b"image.png", packed].concat()
}

fn gzip() -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&vec![b' '; UNPACKED]).unwrap();
    packer.finish().unwrap()
}

/// Files that no picture is made of, each with what it tries.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let canvas = |side: [u8; 3]| [&[0b10, 0, 0, 0][..], &side, &side].concat();
    let lossless = [0x2f, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0];
    let lossy = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0, 0];
    let frame = [&[0; 6][..], &[0xff; 6], &[0; 4], b"VP8L", &[8, 0, 0, 0], &lossless].concat();
    let frames = std::iter::repeat_n((b"ANMF", frame), 20_000);
    let animation = std::iter::once((b"VP8X", canvas([0xff, 0x3f, 0]))).chain([(b"ANIM", vec![0; 6])]);
    vec![
        ("a PNG of many millions of pixels a side", png(0x7fff_ffff, 0x7fff_ffff, 8, b"", &zlib(64))),
        ("a PNG of one very long row", png(u32::MAX >> 1, 1, 8, b"", &zlib(64))),
        ("a PNG of allowed size and too many bits", png(8000, 8000, 16, b"", &zlib(64))),
        ("a PNG of allowed size without its pixels", png(8000, 7900, 8, b"", &zlib(64))),
        ("a WebP with a canvas of millions of pixels a side", webp(&[(b"VP8X", canvas([0xff; 3]))])),
        ("a lossless WebP of the largest size", webp(&[(b"VP8L", lossless.to_vec())])),
        ("a lossy WebP of the largest size", webp(&[(b"VP8 ", lossy.to_vec())])),
        ("a WebP of twenty thousand frames", webp(&animation.chain(frames).collect::<Vec<_>>())),
        (
            "a WebP whose chunk says it is longer than all",
            webp(&[(b"VP8X", canvas([1, 0, 0]))])[..30].to_vec(),
        ),
        ("a JPEG of the largest size", jpeg(u16::MAX, u16::MAX, 1)),
        ("a JPEG of ten thousand passes", jpeg(8, 8, 10_000)),
        ("a GIF of the largest size", gif(1)),
        ("a GIF of a hundred thousand frames", gif(100_000)),
        ("a zip file", zip()),
        ("a gzip file", gzip()),
    ]
}

/// Sends a file to every place that takes pictures: what each answers.
async fn send_everywhere(anna: &Browser, bytes: &[u8]) -> Vec<(&'static str, StatusCode, String)> {
    let mut answers = Vec::new();
    for kind in ["image/png", "image/webp", "image/jpeg"] {
        answers.push(("/api/v1/uploads", anna.post_text("/api/v1/uploads", kind, bytes.to_vec()).await));
    }
    for (path, field) in [
        ("/api/v1/uploads", "file"),
        ("/api/v1/metadata", "file"),
        ("/upload/image", "image"),
        ("/v1/images/edits", "image"),
        ("/v1/images/variations", "image"),
        ("/", "start_file"),
        ("/read-settings", "settings_file"),
    ] {
        let form = Multipart::new().field("prompt", "a boat").file(field, "boat.png", bytes);
        let form = if field == "file" || path.ends_with("variations") {
            Multipart::new().file(field, "boat.png", bytes)
        } else {
            form
        };
        answers.push((path, anna.post_multipart(path, form).await));
    }
    let image = base64(bytes);
    let start = json!({ "prompt": "a boat", "init_images": [image] });
    answers.push(("/sdapi/v1/img2img", anna.post_json("/sdapi/v1/img2img", &start).await));
    answers
        .push(("/sdapi/v1/png-info", anna.post_json("/sdapi/v1/png-info", &json!({ "image": image })).await));
    answers.into_iter().map(|(path, answer)| (path, answer.status, answer.text())).collect()
}

#[tokio::test]
async fn a_bomb_is_refused_wherever_pictures_are_taken() {
    let app = TestApp::start().await;
    let anna = app.browser();
    anna.get("/").await;
    for (name, bytes) in bombs() {
        assert!(bytes.len() < 2 << 20, "{name} is small itself");
        for (path, status, said) in send_everywhere(&anna, &bytes).await {
            // Settings are read without any pixel, and there may be none.
            let reads_settings =
                path.ends_with("png-info") || path.ends_with("settings") || path.ends_with("metadata");
            let is_refused = status.is_client_error() || reads_settings && status == StatusCode::OK;
            assert!(is_refused, "{name} at {path}: {status} {said}");
            assert!(!said.contains("not carried"), "{name} at {path}: {said}");
        }
    }
    assert!(anna.history("").await.pictures.is_empty());
    let kept = std::fs::read_dir(app.data().join("uploads")).map(Iterator::count).unwrap_or_default();
    assert_eq!(kept, 0, "nothing of them is kept");
}

#[tokio::test]
async fn a_picture_with_a_bomb_beside_its_pixels_is_that_picture_alone() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let packed = zlib(UNPACKED);
    let many = |n: usize, one: &[u8]| one.repeat(n);
    let pixels = zlib(64 * (1 + 4 * 64));
    let frame = [&[0; 4][..], &[0xff; 8], &[0; 14]].concat();
    for (name, chunks) in [
        ("a text that unpacks", chunk(b"zTXt", &[&b"parameters\0\0"[..], &packed].concat())),
        (
            "an international text that unpacks",
            chunk(b"iTXt", &[&b"prompt\0\x01\0\0\0"[..], &packed].concat()),
        ),
        ("a colour profile that unpacks", chunk(b"iCCP", &[&b"profile\0\0"[..], &packed].concat())),
        ("a hundred thousand texts", many(100_000, &chunk(b"tEXt", b"parameters\0boat"))),
        ("four thousand million frames", chunk(b"acTL", &[0xff; 8])),
        ("ten thousand frames of the largest size", many(10_000, &chunk(b"fcTL", &frame))),
    ] {
        let bytes = png(64, 64, 8, &chunks, &pixels);
        for (path, status, said) in send_everywhere(&anna, &bytes).await {
            assert!(!status.is_server_error(), "{name} at {path}: {status} {said}");
            assert!(said.len() < 1 << 20, "{name} at {path} is told at length");
        }
    }
    let endless = png(64, 64, 8, b"", &packed);
    for (path, status, said) in send_everywhere(&anna, &endless).await {
        assert!(!status.is_server_error(), "{path}: {status} {said}");
    }
}

#[tokio::test]
async fn a_workflow_of_a_hundred_thousand_nodes_inside_a_picture_ends_with_a_sentence() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let node =
        |id: usize| format!(r#""{id}":{{"class_type":"KSampler","inputs":{{"model":["{}",0]}}}}"#, id + 1);
    let graph = format!("{{{}}}", (0..100_000).map(node).collect::<Vec<_>>().join(","));
    for keyword in ["prompt", "workflow"] {
        let picture = with_text(&teal(64, 64), keyword, &graph);
        let answer = anna.post_text("/api/v1/metadata", "image/png", picture).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        assert!(answer.text().len() < 2000, "{}", answer.text());
    }
}

#[tokio::test]
async fn a_packed_body_is_unpacked_nowhere() {
    let app = TestApp::start().await;
    let anna = app.browser();
    for path in ["/api/v1/jobs", "/v1/images/generations", "/sdapi/v1/txt2img", "/prompt"] {
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let headers = [("content-type", "application/json"), ("content-encoding", coding)];
            let answer = anna.send(axum::http::Method::POST, path, &headers, gzip().into()).await;
            assert!(answer.status.is_client_error(), "{path}: {} {}", answer.status, answer.text());
        }
    }
}
