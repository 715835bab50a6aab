use super::*;
use types::request::RawRequest;

fn engine() -> CandleEngine {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");
    let bundled = ["demo", "demo-prompts"].map(|name| ModelFiles::folder(format!("{models}/{name}")));
    CandleEngine::open(&Config { bundled: bundled.into(), ..Config::default() }).unwrap()
}

fn request(engine: &CandleEngine) -> GenerationRequest {
    let raw = RawRequest {
        prompt: "a red boat".into(),
        steps: Some(2),
        width: Some(128),
        height: Some(128),
        ..RawRequest::default()
    };
    raw.check(&engine.picture_models(), || 7).unwrap()
}

#[test]
fn the_demo_model_paints_and_shows_a_preview_of_every_step() {
    let engine = engine();
    let request = request(&engine);
    let mut steps = Vec::new();
    let mut paint = || {
        engine.generate(&request, 0, &mut |step| {
            steps.push((step.step, (step.preview)().is_some()));
            ControlFlow::Continue(())
        })
    };
    let picture = paint().unwrap();
    assert_eq!(picture.dimensions(), (128, 128));
    assert_eq!(paint().unwrap(), picture, "the same seed gives the same picture");
    assert_eq!(steps, [(1, true), (2, true), (1, true), (2, true)]);
}

#[test]
fn breaking_off_cancels_after_the_step() {
    let engine = engine();
    let mut n_steps = 0;
    let broken = engine.generate(&request(&engine), 0, &mut |_| {
        n_steps += 1;
        ControlFlow::Break(())
    });
    assert!(matches!(broken, Err(EngineError::Cancelled)));
    assert_eq!(n_steps, 1);
}

#[test]
fn the_demo_writer_goes_on_from_a_start_and_stops_when_told() {
    let engine = engine();
    assert_eq!(engine.prompt_models(), ["demo-prompts"]);
    let mut text = String::new();
    engine
        .write_prompt("a red", 1, &mut |piece| {
            text.push_str(piece);
            ControlFlow::Break(())
        })
        .unwrap();
    assert!(!text.is_empty());
}

#[test]
fn a_default_model_that_is_not_installed_is_an_error() {
    let config = Config { default_model: Some("sdxl".into()), ..Config::default() };
    let error = CandleEngine::open(&config).err().unwrap();
    assert_eq!(error.to_string(), "model `sdxl` is not installed");
}
