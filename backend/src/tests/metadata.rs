use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use types::metadata::Program;
use types::model::ModelInfo;
use types::picture::PictureFormat;
use types::request::RawRequest;

use super::helpers::{TestServices, asking, free_running};
use crate::engine::fake::{FakeEngine, fake_model};

#[tokio::test]
async fn a_picture_of_ones_own_asks_for_itself_again_start_and_all() {
    let (mut test, _folder) = free_running().await;
    let first = test.ask("a boat").await;
    test.run_next_job().await;
    let start = test.job(first).await.pictures[0].id.to_string();
    let raw = RawRequest {
        start: Some(start.clone()),
        strength: Some(0.5),
        count: Some(2),
        ..asking("a blue boat")
    };
    let job = test.services.create_job(&test.alice, raw).await.unwrap();
    test.run_next_job().await;
    let picture = test.job(job.id).await.pictures[1].clone();
    let file = test.services.picture_file(&test.alice, picture.id, PictureFormat::Png).await.unwrap();

    let own = test.services.read_settings(&test.alice, file.bytes.clone()).await.unwrap();
    assert_eq!((own.program, own.not_carried), (Program::Darkroom, vec![]));
    assert_eq!((own.request.start.as_deref(), own.request.strength), (Some(start.as_str()), Some(0.5)));
    let again = test.services.create_job(&test.alice, own.request).await.unwrap();
    test.run_next_job().await;
    let again = test.job(again.id).await.pictures[0].clone();
    let again = test.services.picture_file(&test.alice, again.id, PictureFormat::Webp).await.unwrap();
    let pixels = |bytes: &Bytes| image::load_from_memory(bytes).unwrap().into_rgb8();
    assert!(pixels(&again.bytes) == pixels(&file.bytes), "pixel for pixel");

    let others = test.services.read_settings(&test.bob, file.bytes).await.unwrap();
    assert_eq!(others.request.start, None);
    let reason =
        format!("start `{start}` is neither an upload nor a picture of yours; upload it, or leave it out");
    assert_eq!(others.not_carried.iter().find(|left| left.name == "start").unwrap().reason, reason);
    assert_eq!(others.request.prompt, "a blue boat");
}

#[tokio::test]
async fn a_file_without_settings_is_refused_with_a_sentence() {
    let (test, _folder) = free_running().await;
    let refused =
        test.services.read_settings(&test.alice, Bytes::from_static(b"GIF89a")).await.unwrap_err().public();
    assert_eq!(refused.field.as_deref(), Some("file"));
    assert_eq!(refused.message, "the file is an image of the kind GIF; allowed are PNG, JPEG and WebP");
}

#[tokio::test]
async fn the_texts_of_a_picture_are_read_in_every_format() {
    let (mut test, _folder) = free_running().await;
    let job = test.ask("a boat").await;
    test.run_next_job().await;
    let picture = test.job(job).await.pictures[0].clone();
    for format in PictureFormat::ALL {
        let file = test.services.picture_file(&test.alice, picture.id, format).await.unwrap();
        let texts = test.services.picture_texts(&test.alice, file.bytes).await.unwrap();
        let told = texts.iter().find(|(keyword, _)| keyword == "parameters");
        assert!(told.is_some_and(|(_, text)| text.starts_with("a boat\n")), "{format:?}: {texts:?}");
    }
    assert!(
        test.services.picture_texts(&test.alice, Bytes::from_static(b"GIF89a")).await.unwrap().is_empty()
    );
}

#[tokio::test]
async fn a_small_file_whose_texts_unpack_to_very_much_has_none() {
    let mut packed = ZlibEncoder::new(b"Comment\0\0".to_vec(), Compression::best());
    for _ in 0..64 {
        packed.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    let packed = packed.finish().unwrap();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"zTXt", &packed[..]), (b"tEXt", &b"parameters\0a boat"[..])] {
        file.extend((data.len() as u32).to_be_bytes());
        file.extend(kind);
        file.extend(data);
        file.extend([0; 4]);
    }
    assert!(file.len() < 100_000);
    let (test, _folder) = free_running().await;
    let texts = test.services.picture_texts(&test.alice, file.into()).await.unwrap();
    assert_eq!(texts, [("parameters".to_owned(), "a boat".to_owned())]);
}

/// The samples that `scripts/make_metadata_samples.py` writes, with the program of each and what it cannot give.
const SAMPLES: [(&str, Program, &[u8], &[&str]); 6] = [
    (
        "automatic1111.png",
        Program::Automatic1111,
        include_bytes!("samples/automatic1111.png"),
        &["ADetailer model", "model"],
    ),
    ("comfyui.png", Program::ComfyUi, include_bytes!("samples/comfyui.png"), &["model"]),
    ("comfyui.webp", Program::ComfyUi, include_bytes!("samples/comfyui.webp"), &["model"]),
    ("invokeai.png", Program::InvokeAi, include_bytes!("samples/invokeai.png"), &["model"]),
    (
        "fooocus.jpg",
        Program::Fooocus,
        include_bytes!("samples/fooocus.jpg"),
        &["styles", "adm_guidance", "sharpness", "model"],
    ),
    ("swarmui.webp", Program::SwarmUi, include_bytes!("samples/swarmui.webp"), &["model"]),
];

#[tokio::test]
async fn the_sample_of_every_program_gives_the_same_request() {
    let (test, _folder) = free_running().await;
    for (name, program, file, not_carried) in SAMPLES {
        let read = test.services.read_settings(&test.alice, Bytes::from_static(file)).await.unwrap();
        let expected = RawRequest {
            prompt: "a red sailing boat, \"calm\" sea: café at sunset".into(),
            negative_prompt: Some("fog, rain".into()),
            width: Some(320),
            height: Some(256),
            steps: Some(12),
            sampler: Some("dpmpp_2m".into()),
            schedule: Some("karras".into()),
            seed: Some(1_234_567),
            guidance_scale: Some(5.5),
            count: Some(1),
            ..RawRequest::default()
        };
        assert_eq!((read.program, &read.request), (program, &expected), "{name}");
        let names: Vec<_> = read.not_carried.iter().map(|left| left.name.as_str()).collect();
        assert_eq!(names, not_carried, "{name}");
        let model = read.not_carried.last().unwrap();
        assert!(model.value.starts_with("v1-5-pruned-emaonly"), "{name}");
        assert_eq!(model.reason, "it is not installed here; `demo` takes its place");
        test.services.create_job(&test.alice, read.request).await.unwrap();
    }
}

#[tokio::test]
async fn the_model_of_a_sample_is_taken_where_it_is_installed() {
    let folder = tempfile::tempdir().unwrap();
    let model = ModelInfo { name: "v1-5-pruned-emaonly".into(), ..fake_model() };
    let engine = FakeEngine::new().with_models(vec![fake_model(), model]);
    let test = TestServices::open(folder.path(), engine).await;
    for (name, _, file, not_carried) in SAMPLES {
        let read = test.services.read_settings(&test.alice, Bytes::from_static(file)).await.unwrap();
        assert_eq!(read.request.model.as_deref(), Some("v1-5-pruned-emaonly"), "{name}");
        assert_eq!(read.not_carried.len(), not_carried.len() - 1, "{name}");
    }
}
