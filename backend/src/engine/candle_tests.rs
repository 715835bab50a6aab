use std::path::Path;

use inference::model_files::ModelFiles;
use types::note::Note;

use super::*;
use crate::memory::Parameters;
use crate::models::tests::copy_of_demo;
use types::request::{RawRequest, RequestContext};

fn engine() -> CandleEngine {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");
    let bundled = ["demo", "demo-prompts"].map(|name| ModelFiles::folder(format!("{models}/{name}")));
    CandleEngine::open(&Config { bundled: bundled.into(), ..Config::default() }).unwrap()
}

pub(super) fn request(engine: &CandleEngine) -> GenerationRequest {
    let raw = RawRequest {
        prompt: "a red boat".into(),
        steps: Some(2),
        width: Some(128),
        height: Some(128),
        ..RawRequest::default()
    };
    let context = RequestContext { models: &engine.picture_models(), ..RequestContext::default() };
    raw.check(&context, || 7).unwrap()
}

#[test]
fn the_demo_model_paints_and_shows_a_preview_of_every_step() {
    let engine = engine();
    let request = request(&engine);
    let mut steps = Vec::new();
    let mut paint = || {
        engine.generate(&request, 0..1, &Materials::default(), &mut |report| {
            if let Report::Step(step) = report {
                steps.push((step.step, (step.preview)().is_some()));
            }
            ControlFlow::Continue(())
        })
    };
    let made = paint().unwrap();
    assert_eq!((made.len(), made[0].image.dimensions(), made[0].notes.len()), (1, (128, 128), 0));
    assert_eq!(paint().unwrap(), made, "the same seed gives the same picture");
    assert_eq!(steps, [(1, true), (2, true), (1, true), (2, true)]);
}

#[test]
fn a_model_that_fits_but_not_at_once_paints_the_same_and_keeps_nothing() {
    let mut engine = engine();
    let request = request(&engine);
    let paint = |engine: &CandleEngine| {
        engine.generate(&request, 0..1, &Materials::default(), &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let whole = paint(&engine);
    let Parameters { all, largest_part } = engine.installed().pictures[0].parameters;
    assert!(largest_part < all, "{largest_part} of {all}");
    // Room for the picture and half of what is beyond the largest part.
    let needed = memory::of_picture((128, 128)) + 4 * (largest_part + all) / 2;
    engine.memory = Some(Memory::of_machine_with(needed * 10 / 9));
    let parts = paint(&engine);
    assert_eq!(parts, whole);
    let residents = unpoisoned(&engine.painters);
    let kept: Vec<_> = residents.kept().map(|(key, n_bytes)| (key.residence, n_bytes)).collect();
    assert_eq!(kept, [(Residence::PartByPart, 0)], "the whole one made room");
}

#[test]
fn pictures_that_are_made_together_are_what_each_is_alone() {
    let mut engine = engine();
    let request = GenerationRequest { count: 3, ..request(&engine) };
    let paint = |engine: &CandleEngine, indices| {
        engine.generate(&request, indices, &Materials::default(), &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let together = paint(&engine, 0..3);
    for (index, made) in (0..3).zip(&together) {
        assert_eq!(paint(&engine, index..index + 1), std::slice::from_ref(made));
    }
    assert_ne!(together[0], together[1]);
    assert_eq!(engine.n_together(&request), 1, "the processor has no use for more");
    engine.config.n_together = Some(8);
    assert_eq!(engine.n_together(&request), 8);
    // Room for three, and not for four.
    let Parameters { all, .. } = engine.installed().pictures[0].parameters;
    let large = GenerationRequest { width: 512, height: 512, ..request.clone() };
    let needed = 4 * all + memory::of_pictures((512, 512), 3);
    engine.memory = Some(Memory::of_machine_with(needed * 10 / 9 + 1));
    assert_eq!(engine.n_together(&large), 3);
}

#[test]
fn breaking_off_cancels_after_the_step() {
    let engine = engine();
    let mut n_steps = 0;
    let broken = engine.generate(&request(&engine), 0..1, &Materials::default(), &mut |report| {
        n_steps += u32::from(matches!(report, Report::Step(_)));
        at_first_step(report)
    });
    assert!(matches!(broken, Err(EngineError::Cancelled)));
    assert_eq!(n_steps, 1);
}

/// Lets the model be loaded, and breaks off after the first step.
fn at_first_step(report: Report<'_>) -> ControlFlow<()> {
    match report {
        Report::Loading(_) => ControlFlow::Continue(()),
        Report::Step(_) => ControlFlow::Break(()),
    }
}

/// What is told of the loading of a model, until `is_enough` breaks off.
fn told_of_loading(engine: &CandleEngine, is_enough: impl Fn(f64) -> bool) -> Vec<f64> {
    let mut told = Vec::new();
    let broken = engine.generate(&request(engine), 0..1, &Materials::default(), &mut |report| match report {
        Report::Loading(fraction) => {
            told.push(fraction);
            if is_enough(fraction) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        Report::Step(_) => ControlFlow::Break(()),
    });
    assert!(matches!(broken, Err(EngineError::Cancelled)));
    told
}

#[test]
fn a_model_tells_how_much_of_it_is_loaded_and_nothing_once_it_is() {
    let engine = engine();
    let told = told_of_loading(&engine, |_| false);
    assert_eq!((told[0], told.last()), (0.0, Some(&1.0)));
    assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
    assert!(told.len() > 20, "{told:?}");
    assert!(told_of_loading(&engine, |_| false).is_empty());
}

#[test]
fn a_model_whose_loading_is_broken_off_is_dropped_and_as_good_as_before() {
    let engine = engine();
    let told = told_of_loading(&engine, |fraction| fraction >= 0.5);
    assert!(told.iter().all(|&fraction| fraction < 0.9), "{told:?}");
    assert_eq!(engine.picture_models().remove(0).problem, None);
    assert_eq!(told_of_loading(&engine, |_| false).first(), Some(&0.0), "it is loaded from the beginning");
}

#[test]
fn a_model_that_is_loaded_when_its_job_is_broken_off_stays() {
    let engine = engine();
    assert_eq!(told_of_loading(&engine, |fraction| fraction >= 1.0).last(), Some(&1.0));
    assert!(told_of_loading(&engine, |_| false).is_empty());
}

#[test]
fn the_demo_writer_goes_on_from_a_start_and_stops_when_told() {
    let engine = engine();
    assert_eq!(engine.prompt_models(), ["demo-prompts"]);
    let write = |most: usize| {
        let mut pieces = Vec::new();
        engine
            .write_prompt("a red", 1, &mut |piece| {
                pieces.push(piece.to_owned());
                if pieces.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
        pieces
    };
    let whole = write(usize::MAX);
    assert!(whole.len() > 2 && !whole.concat().trim().is_empty(), "{whole:?}");
    assert_eq!(write(1), whole[..1]);
    assert_eq!(write(2), whole[..2]);
}

/// An engine that has what lies in this folder, and nothing else.
pub(super) fn engine_on(models: &Path) -> CandleEngine {
    CandleEngine::open(&Config { models_dir: Some(models.to_owned()), ..Config::default() }).unwrap()
}

#[test]
fn a_model_that_is_added_while_the_program_runs_is_seen_and_one_that_is_taken_away_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_on(folder.path());
    assert!(engine.picture_models().is_empty());
    let model = folder.path().join("mine");
    copy_of_demo(&model);
    let found = engine.picture_models();
    assert_eq!((found[0].name.as_str(), found[0].problem.as_deref()), ("mine", None));

    std::fs::remove_file(model.join("vae/config.json")).unwrap();
    let problem = engine.picture_models().remove(0).problem.unwrap();
    assert_eq!(problem, "model `mine` has no file `vae/config.json`");
    std::fs::remove_dir_all(model).unwrap();
    assert!(engine.picture_models().is_empty());
}

#[test]
fn a_model_that_could_not_be_loaded_is_tried_again_once_it_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("demo");
    copy_of_demo(&model);
    // What is wrong with it shows only when it is loaded.
    let path = model.join("text_encoder/config.json");
    let whole = std::fs::read(&path).unwrap();
    let mut config: serde_json::Value = serde_json::from_slice(&whole).unwrap();
    config["intermediate_size"] = (config["intermediate_size"].as_u64().unwrap() + 8).into();
    std::fs::write(&path, config.to_string()).unwrap();

    let engine = engine_on(folder.path());
    let request = request(&engine);
    let paint = || engine.generate(&request, 0..1, &Materials::default(), &mut at_first_step);
    let EngineError::Unusable { reason, .. } = paint().unwrap_err() else { panic!("it cannot be loaded") };
    assert!(reason.contains("has shape"), "{reason}");
    assert_eq!(engine.picture_models().remove(0).problem, Some(reason.clone()));

    let mut is_read = false;
    let again = engine.generate(&request, 0..1, &Materials::default(), &mut |report| {
        is_read |= matches!(report, Report::Loading(_));
        ControlFlow::Continue(())
    });
    let EngineError::Unusable { reason: same, .. } = again.unwrap_err() else { panic!("it is still broken") };
    assert_eq!((same, is_read), (reason, false), "nothing is read a second time");

    std::fs::write(&path, whole).unwrap();
    assert_eq!(engine.picture_models().remove(0).problem, None);
    assert!(matches!(paint(), Err(EngineError::Cancelled)), "it was loaded and did a step");
}

#[test]
fn a_default_model_that_is_not_installed_is_an_error() {
    let config = Config { default_model: Some("sdxl".into()), ..Config::default() };
    let error = CandleEngine::open(&config).err().unwrap();
    assert_eq!(error.to_string(), "model `sdxl` is not installed");
}

/// A LoRA that changes how the demo model's innermost block listens to the prompt.
fn write_lora(path: &Path) {
    const WIDTH: usize = 192;
    const TEXT: usize = 192;
    let layer = "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_v";
    let half = TEXT * 4;
    let header = serde_json::json!({
        (format!("{layer}.lora_A.weight")):
            { "dtype": "F32", "shape": [1, TEXT], "data_offsets": [0, half] },
        (format!("{layer}.lora_B.weight")):
            { "dtype": "F32", "shape": [WIDTH, 1], "data_offsets": [half, half + WIDTH * 4] },
    })
    .to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    let numbers = (0..TEXT + WIDTH).map(|i| if i % 2 == 0 { 0.5_f32 } else { -0.3 });
    bytes.extend(numbers.flat_map(f32::to_le_bytes));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_lora_changes_the_picture_and_leaves_no_trace_when_it_is_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    copy_of_demo(&folder.path().join("demo"));
    write_lora(&folder.path().join("loras/ink.safetensors"));
    let engine = engine_on(folder.path());
    let plain = request(&engine);
    let paint = |request: &GenerationRequest| {
        engine.generate(request, 0..1, &Materials::default(), &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let with = |weight: f64| {
        let ink = types::request::LoraUse { name: "ink".into(), weight };
        GenerationRequest { loras: vec![ink], ..plain.clone() }
    };
    let tagged = GenerationRequest { prompt: "a red boat<lora:ink:1>".into(), ..plain.clone() };
    let before = paint(&plain);
    let changed = paint(&with(1.0));
    assert_ne!(changed, before);
    assert_eq!(paint(&tagged), changed, "a tag in the prompt asks for the same");
    assert_eq!(paint(&with(0.0)), before);
    assert_eq!(paint(&plain), before);
}

#[test]
fn a_lora_that_is_gone_is_refused_and_the_model_stays_usable() {
    let folder = tempfile::tempdir().unwrap();
    copy_of_demo(&folder.path().join("demo"));
    let engine = engine_on(folder.path());
    let ink = types::request::LoraUse { name: "ink".into(), weight: 1.0 };
    let request = GenerationRequest { loras: vec![ink], ..request(&engine) };
    let error = engine.generate(&request, 0..1, &Materials::default(), &mut at_first_step);
    assert_eq!(error.unwrap_err().to_string(), "LoRA `ink` is not installed any more");
    assert_eq!(engine.picture_models().remove(0).problem, None);
}

#[test]
fn the_demo_model_goes_on_from_a_picture_and_keeps_what_the_mask_covers() {
    let engine = engine();
    let start = types::request::Start {
        source: types::request::PictureSource::File("start.png".into()),
        strength: 1.0,
    };
    let mask = types::request::Mask { source: start.source.clone(), feather: 0 };
    let request = GenerationRequest { start: Some(start), mask: Some(mask), ..request(&engine) };
    let blue = image::Rgb([20, 60, 180]);
    let materials = Materials {
        start: Some(RgbImage::from_pixel(128, 128, blue)),
        mask: Some(image::GrayImage::from_fn(128, 128, |x, _| image::Luma([if x < 64 { 0 } else { 255 }]))),
    };
    let made = engine.generate(&request, 0..1, &materials, &mut |_| ControlFlow::Continue(())).unwrap();
    let picture = &made[0].image;
    assert_eq!((picture.dimensions(), *picture.get_pixel(10, 64)), ((128, 128), blue));
    assert!((64..128).any(|x| *picture.get_pixel(x, 64) != blue), "the other half was painted");
}

#[test]
fn what_the_masked_part_begins_with_changes_that_part_alone() {
    let engine = engine();
    let start = types::request::Start {
        source: types::request::PictureSource::File("start.png".into()),
        strength: 0.5,
    };
    let mask = types::request::Mask { source: start.source.clone(), feather: 0 };
    let request = GenerationRequest { start: Some(start), mask: Some(mask), ..request(&engine) };
    let materials = Materials {
        start: Some(RgbImage::from_fn(128, 128, |x, y| image::Rgb([2 * x as u8, 2 * y as u8, 90]))),
        mask: Some(image::GrayImage::from_fn(128, 128, |x, _| image::Luma([if x < 64 { 0 } else { 255 }]))),
    };
    let paint = |mask_fill| {
        let request = GenerationRequest { mask_fill, ..request.clone() };
        let made = engine.generate(&request, 0..1, &materials, &mut |_| ControlFlow::Continue(())).unwrap();
        let picture = made.into_iter().next().unwrap().image;
        let half = |x| image::imageops::crop_imm(&picture, x, 0, 64, 128).to_image();
        (half(0), half(64))
    };
    let [original, fill, noise, nothing] = types::request::MaskFill::ALL.map(paint);
    let painted = [&original.1, &fill.1, &noise.1, &nothing.1];
    for (i, half) in painted.iter().enumerate() {
        assert!(painted[..i].iter().all(|other| other != half));
    }
    assert!([&fill.0, &noise.0, &nothing.0].into_iter().all(|half| *half == original.0));
}

#[test]
fn a_model_without_its_vae_encoder_paints_and_says_what_it_lacks_when_it_is_to_begin_with_a_picture() {
    let models = tempfile::tempdir().unwrap();
    let copy = models.path().join("half");
    copy_of_demo(&copy);
    let weights = copy.join("vae/diffusion_pytorch_model.safetensors");
    let mut tensors = candle_core::safetensors::load(&weights, &Device::Cpu).unwrap();
    tensors.retain(|name, _| !name.starts_with("encoder."));
    candle_core::safetensors::save(&tensors, &weights).unwrap();
    let config = Config { models_dir: Some(models.path().to_owned()), ..Config::default() };
    let engine = CandleEngine::open(&config).unwrap();
    let request = GenerationRequest { steps: 2, ..request(&engine) };
    let paint = |request: &GenerationRequest, start: Option<RgbImage>| {
        let materials = Materials { start, mask: None };
        engine.generate(request, 0..1, &materials, &mut |_| ControlFlow::Continue(()))
    };
    assert!(paint(&request, None).is_ok());
    let source = types::request::PictureSource::File("start.png".into());
    let start = Some(types::request::Start { source, strength: 0.5 });
    let request = GenerationRequest { start, ..request };
    let error = paint(&request, Some(RgbImage::new(128, 128))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "model `half` cannot be used: file `vae/diffusion_pytorch_model.safetensors` has no tensor \
         `encoder.down_blocks.0.resnets.0.norm1.weight`"
    );
}

/// What an engine says of a request that its asker can mend: the field, and the sentence.
fn refusal(result: Result<Vec<Made>, EngineError>) -> (String, String) {
    match result.unwrap_err() {
        EngineError::Refused(error) | EngineError::OutOfMemory(error) => {
            (error.field.unwrap_or_default(), error.message)
        }
        other => panic!("not refused: {other}"),
    }
}

#[test]
fn what_a_model_has_not_enough_layers_for_is_the_askers_to_mend() {
    let engine = engine();
    let request = GenerationRequest { clip_skip: 12, ..request(&engine) };
    let painted = engine.generate(&request, 0..1, &Materials::default(), &mut |_| ControlFlow::Continue(()));
    assert_eq!(
        refusal(painted),
        (
            "clip_skip".to_owned(),
            "clip skip 12 is not possible with this model; allowed are 1 to 4".to_owned()
        )
    );
    assert_eq!(engine.picture_models().remove(0).max_clip_skip, 4, "so it is refused before it is asked for");
}

#[test]
fn a_full_graphics_card_is_said_in_a_sentence_and_no_fault_of_the_model() {
    for said in ["DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")", "Metal: out of memory"] {
        let error = inference::Error::Candle(candle_core::Error::Msg(said.to_owned()));
        let (field, sentence) = refusal(Err(faults::of_run("demo", None, &error)));
        assert_eq!(field, "width");
        assert_eq!(
            sentence,
            "there is not enough memory on the graphics card for this picture; ask for a smaller one"
        );
    }
    let other = inference::Error::Candle(candle_core::Error::Msg("shape mismatch".to_owned()));
    assert!(matches!(faults::of_run("demo", None, &other), EngineError::Fault { .. }));
}

#[test]
fn a_model_that_edits_asks_for_a_picture_and_for_nothing_that_it_has_no_use_for() {
    let models = tempfile::tempdir().unwrap();
    copy_of_demo(&models.path().join("edits"));
    let config = models.path().join("edits/unet/config.json");
    let mut unet: serde_json::Value = serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    unet["in_channels"] = 24.into();
    std::fs::write(config, unet.to_string()).unwrap();
    let engine = engine_on(models.path());
    assert!(engine.picture_models().remove(0).edits);
    let plain: GenerationRequest = serde_json::from_str(
        r#"{"prompt": "make it blue", "negative_prompt": "", "model": "edits", "steps": 2, "guidance_scale": 4,
        "sampler": "euler", "schedule": "normal", "seed": 7, "width": 128, "height": 128, "count": 1}"#,
    )
    .unwrap();
    let said = |request: &GenerationRequest| {
        let error = engine.fits(request).unwrap_err();
        (error.field.unwrap_or_default(), error.message)
    };
    assert_eq!(
        said(&plain),
        (
            "start".to_owned(),
            "model `edits` changes a picture by an instruction; give it a start picture".to_owned()
        )
    );
    let start = serde_json::from_str(r#"{"kind": "file", "id": "a.png", "strength": 0.5}"#).unwrap();
    let started = GenerationRequest { start: Some(start), ..plain };
    assert_eq!(engine.fits(&started), Ok(()));
    let mask = serde_json::from_str(r#"{"kind": "file", "id": "m.png", "feather": 9}"#).unwrap();
    assert_eq!(
        said(&GenerationRequest { mask: Some(mask), ..started }),
        (
            "mask".to_owned(),
            "model `edits` changes a whole picture by an instruction; it takes no mask".to_owned()
        )
    );
}

/// Makes the first numbers of the demo model's decoder so large that its sums leave the range of f16. What comes after
/// is normalised, so in f32 it decodes a picture.
fn write_loud_vae(model: &Path) {
    // So much is added to the exponents, of which the largest are then just within f16.
    const LOUDER: u16 = 17 << 10;
    let path = model.join("vae/diffusion_pytorch_model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let (length, rest) = bytes.split_at_mut(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let (header, data) = rest.split_at_mut(length);
    let header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let stored = &header["decoder.conv_in.weight"];
    assert_eq!(stored["dtype"], "F16");
    let [start, end] = [0, 1].map(|at| stored["data_offsets"][at].as_u64().unwrap() as usize);
    for half in data[start..end].as_chunks_mut().0 {
        *half = (u16::from_le_bytes(*half) + LOUDER).to_le_bytes();
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_vae_that_leaves_the_range_of_f16_is_noted() {
    let models = tempfile::tempdir().unwrap();
    copy_of_demo(&models.path().join("demo"));
    write_loud_vae(&models.path().join("demo"));
    let notes_with = |precision| {
        let models_dir = Some(models.path().to_owned());
        let engine = CandleEngine::open(&Config { models_dir, precision, ..Config::default() }).unwrap();
        let request = GenerationRequest { steps: 1, ..request(&engine) };
        engine
            .generate(&request, 0..1, &Materials::default(), &mut |_| ControlFlow::Continue(()))
            .unwrap()
            .remove(0)
            .notes
    };
    assert_eq!(notes_with(Precision::F16), [Note::DecodedInF32]);
    assert!(notes_with(Precision::F32).is_empty());
}

#[test]
fn pictures_are_made_once_more_in_f32_where_that_is_more() {
    let models = tempfile::tempdir().unwrap();
    copy_of_demo(&models.path().join("demo"));
    let engine = |precision| {
        let models_dir = Some(models.path().to_owned());
        CandleEngine::open(&Config { models_dir, precision, ..Config::default() }).unwrap()
    };
    let (half, full) = (engine(Precision::F16), engine(Precision::F32));
    let request = GenerationRequest { steps: 1, ..request(&full) };
    let go_on = &mut |_: Report<'_>| ControlFlow::Continue(());
    let materials = Materials::default();
    assert_eq!(full.generate_in_f32(&request, 0..1, &materials, go_on).unwrap(), None);
    let expected = full.generate(&request, 0..1, &materials, go_on).unwrap();
    assert_eq!(half.generate_in_f32(&request, 0..1, &materials, go_on).unwrap(), Some(expected.clone()));
    assert_ne!(half.generate(&request, 0..1, &materials, go_on).unwrap(), expected);
}

/// Multiplies the first numbers of the demo model's U-Net, and stores them in f32.
fn write_loud_unet(model: &Path, factor: f64) {
    let path = model.join("unet/diffusion_pytorch_model.safetensors");
    let mut tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let first = tensors["conv_in.weight"].to_dtype(candle_core::DType::F32).unwrap();
    tensors.insert("conv_in.weight".to_owned(), first.affine(factor, 0.0).unwrap());
    candle_core::safetensors::save(&tensors, &path).unwrap();
}

#[test]
fn a_unet_that_leaves_the_range_of_f16_is_no_picture_there_and_one_in_f32() {
    let models = tempfile::tempdir().unwrap();
    copy_of_demo(&models.path().join("demo"));
    // Far beyond f16, and then normalised.
    write_loud_unet(&models.path().join("demo"), 1e7);
    let config =
        Config { models_dir: Some(models.path().to_owned()), precision: Precision::F16, ..Config::default() };
    let engine = CandleEngine::open(&config).unwrap();
    let request = GenerationRequest { steps: 1, ..request(&engine) };
    let (materials, go_on) = (Materials::default(), &mut |_: Report<'_>| ControlFlow::Continue(()));
    let painted = engine.generate(&request, 0..1, &materials, go_on);
    let Err(EngineError::NotFinite(error)) = painted else { panic!("{painted:?}") };
    assert_eq!(
        error.message,
        "the picture has numbers that are none: the model left the range of f16; with dtype f32 it may not"
    );
    let painted = engine.generate_in_f32(&request, 0..1, &materials, go_on).unwrap().unwrap();
    assert_eq!(painted[0].image.dimensions(), (128, 128));
}

#[test]
fn a_model_whose_numbers_are_none_says_so_and_is_no_picture() {
    let models = tempfile::tempdir().unwrap();
    copy_of_demo(&models.path().join("demo"));
    write_loud_unet(&models.path().join("demo"), f64::INFINITY);
    let engine = engine_on(models.path());
    let request = GenerationRequest { steps: 1, ..request(&engine) };
    let painted = engine.generate(&request, 0..1, &Materials::default(), &mut |_| ControlFlow::Continue(()));
    let Err(EngineError::NotFinite(error)) = painted else { panic!("{painted:?}") };
    assert_eq!(
        error.message,
        "the picture has numbers that are none: the model left the range of f32, which is the widest there is; its \
         weights may be broken"
    );
}
