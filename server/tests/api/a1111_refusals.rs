//! What clients of the AUTOMATIC1111 web UI get to read when something is wrong.

use backend::EngineError;
use backend::engine::fake::{Behaviour, FakeEngine};
use serde_json::{Value, json};

use crate::a1111::base64;
use crate::helpers::TestApp;
use crate::uploads::teal;

#[tokio::test]
async fn what_a_hand_can_do_wrong_is_told_in_the_shape_that_clients_know() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let said = async |request: Value| anna.txt2img(request).await.refusal();
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "steps": 0 })).await,
        @r#"422 ["body","steps"]: steps 0 is out of range; allowed are 1 to 150"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "steps": "many" })).await,
        @r#"422 ["body","steps"]: steps is "many"; expected is a whole number"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "cfg_scale": 99 })).await,
        @r#"422 ["body","cfg_scale"]: guidance scale 99 is out of range; allowed are 0 to 30"#
    );
    insta::assert_snapshot!(
        said(json!({ "steps": 3 })).await,
        @r#"422 ["body","prompt"]: the prompt is empty; write 1 to 2000 characters"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "batch_size": 3, "n_iter": 4 })).await,
        @r#"422 ["body","batch_size"]: batch_size times n_iter, 12 is out of range; allowed are 1 to 8"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "batch_size": -2, "n_iter": -2 })).await,
        @r#"422 ["body","batch_size"]: batch_size times n_iter, -2 is out of range; allowed are 1 to 8"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "width": 100 })).await,
        @r#"422 ["body","width"]: width 100 is not possible with model `demo`; allowed are multiples of 8 from 64 to 512"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "sampler_name": "Restart" })).await,
        @"400: sampler `Restart` is unknown; known are dpmpp_2m, euler, euler_ancestral, dpmpp_2m_sde, dpmpp_sde, uni_pc, ddim, heun, dpmpp_3m_sde, dpmpp_2s_ancestral, lcm, tcd, dpm_2, dpm_2_ancestral, lms, pndm, ddpm"
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "scheduler": "Turbo" })).await,
        @r#"422 ["body","scheduler"]: schedule `Turbo` is unknown; known are karras, normal, exponential, sgm_uniform, simple, beta, align_your_steps"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "override_settings": { "sd_model_checkpoint": "sdxl" } })).await,
        @"404: model `sdxl` is not installed; installed are demo"
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "override_settings": { "randn_source": "TPU" } })).await,
        @r#"422 ["body","override_settings","randn_source"]: randn_source `TPU` is unknown; known are CPU, GPU, NV"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "script_name": "x/y/z plot" })).await,
        @r#"422 ["body","script_name"]: there is no script `x/y/z plot` here"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "a boat <lora:oil>" })).await,
        @r#"422 ["body","prompt"]: LoRA `oil` is not installed; installed are ink"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "override_settings_restore_afterwards": "later" })).await,
        @r#"422 ["body","override_settings_restore_afterwards"]: override_settings_restore_afterwards is "later"; expected is true or false"#
    );
    let long = json!({ "notes": "x".repeat(70_000) });
    insta::assert_snapshot!(
        said(json!({
            "prompt": "boat", "override_settings": long, "override_settings_restore_afterwards": false,
        })).await,
        @"413: the options have 70012 bytes; at most 65536 are allowed"
    );
    assert_eq!(anna.history("").await.n_matches, 0, "nothing came of any of them");
}

#[tokio::test]
async fn a_start_picture_that_is_none_is_told_as_such() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let said = async |request: Value| anna.img2img(request).await.refusal();
    insta::assert_snapshot!(said(json!({ "prompt": "boat" })).await, @"404: init_images has no picture; send one in base64");
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": ["a red boat!"] })).await,
        @r#"422 ["body","init_images",0]: init_images is no base64: invalid symbol 33, offset 8"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": [base64("a red boat")] })).await,
        @r#"422 ["body","init_images",0]: the file is not an image; allowed are PNG, JPEG and WebP"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": ["https://example.org/a.png"] })).await,
        @r#"422 ["body","init_images",0]: an address is not fetched; send the picture itself in base64"#
    );
    let start = base64(teal(96, 64));
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": [start, start] })).await,
        @r#"422 ["body","init_images"]: init_images has 2 pictures; allowed is 1 in one call"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": [start], "mask": base64("GIF89a") })).await,
        @r#"422 ["body","mask"]: the file is an image of the kind GIF; allowed are PNG, JPEG and WebP"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": [start], "mask": start, "mask_blur": 90 })).await,
        @r#"422 ["body","mask_blur"]: mask feather 90 is out of range; allowed are 0 to 64"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": [start], "inpainting_fill": 9 })).await,
        @r#"422 ["body","inpainting_fill"]: inpainting_fill 9 is unknown; known are 0 (fill), 1 (original), 2 (latent noise) and 3 (latent nothing)"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": [start], "denoising_strength": 1.5 })).await,
        @r#"422 ["body","denoising_strength"]: strength 1.5 is out of range; allowed are 0 to 1"#
    );
    insta::assert_snapshot!(
        said(json!({ "prompt": "boat", "init_images": [start], "override_settings_restore_afterwards": 2 })).await,
        @r#"422 ["body","override_settings_restore_afterwards"]: override_settings_restore_afterwards is 2; expected is true or false"#
    );
    assert_eq!(anna.history("").await.n_matches, 0, "nothing came of any of them");
    let n_uploads = || std::fs::read_dir(app.data().join("uploads")).unwrap().count();
    assert_eq!(n_uploads(), 0, "pictures of refused calls are not kept");
    let made = anna.img2img(json!({ "prompt": "boat", "init_images": [start] })).await.made();
    assert_eq!((made.files.len(), n_uploads()), (1, 1));
}

#[tokio::test]
async fn a_body_that_is_none_is_told_as_such() {
    let app = TestApp::start().await;
    let anna = app.browser();
    let said =
        async |body: &str| anna.post_text("/sdapi/v1/txt2img", "text/plain", body.to_owned()).await.refusal();
    insta::assert_snapshot!(said("prompt=boat").await, @r#"422 ["body"]: the body is not JSON: expected value at line 1 column 1"#);
    insta::assert_snapshot!(said("").await, @r#"422 ["body"]: the body is empty; send a JSON object such as {"prompt": "a boat"}"#);
    insta::assert_snapshot!(said("[1]").await, @r#"422 ["body"]: the body is a list; expected is a JSON object"#);
    for path in ["/sdapi/v1/txt2img", "/sdapi/v1/options", "/promptgen/generate"] {
        let large = " ".repeat((1 << 20) + 1);
        assert_eq!(
            anna.post_text(path, "application/json", large).await.refusal(),
            "413: the body is too large; at most 1048576 bytes are allowed",
            "{path}"
        );
    }
    for path in ["/sdapi/v1/img2img", "/sdapi/v1/png-info"] {
        let large = " ".repeat((64 << 20) + 1);
        assert_eq!(
            anna.post_text(path, "application/json", large).await.refusal(),
            "413: the body is too large; at most 67108864 bytes are allowed",
            "{path}"
        );
        let many = format!("{{\"notes\": [0{}]}}", ",0".repeat(1 << 20));
        assert_eq!(
            anna.post_text(path, "application/json", many).await.refusal(),
            "413: the body has 1048578 commas and opening brackets; at most 100000 are allowed",
            "{path}"
        );
    }
    // Pictures make a body large.
    let request =
        json!({ "prompt": "a boat", "init_images": [base64(teal(96, 64))], "denoising_strength": 0.5 });
    let large = format!("{}{request}", " ".repeat(2 << 20));
    let answer = anna.post_text("/sdapi/v1/img2img", "application/json", large).await;
    assert_eq!(answer.made().files.len(), 1);
}

#[tokio::test]
async fn a_job_that_fails_is_answered_by_the_kind_of_its_mistake() {
    let said = async |fault| {
        let app = TestApp::with_engine(FakeEngine::new().behaving(Behaviour::Fails(fault))).await;
        app.browser().txt2img(json!({ "prompt": "boat" })).await.refusal()
    };
    let reason = "file `vae/config.json` is missing".to_owned();
    insta::assert_snapshot!(
        said(EngineError::Unusable { model: "demo".to_owned(), reason }).await,
        @"422: the job made no picture: model `demo` cannot be used: file `vae/config.json` is missing"
    );
    insta::assert_snapshot!(
        said(EngineError::Fault { model: "demo".to_owned(), reason: "out of memory".to_owned() }).await,
        @"500: the job made no picture: something went wrong on the server; its log has the details"
    );
}
