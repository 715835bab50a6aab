use super::*;

/// The demo model as the repository carries it.
fn demo() -> ModelFiles {
    ModelFiles::folder(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/demo"))
}

/// A copy of the demo model that a test may spoil.
pub(crate) fn copy_of_demo(to: &Path) {
    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let target = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &target);
            } else {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
    }
    copy(Path::new(demo().name()), to);
}

/// What is said of a copy of the demo model, named `mine`, after it was spoilt.
fn problem_after(spoil: impl FnOnce(&Path)) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("mine");
    copy_of_demo(&model);
    spoil(&model);
    let config = Config { models_dir: Some(folder.path().to_owned()), ..Config::default() };
    let mut installed = look(&config);
    assert_eq!(installed.pictures.len(), 1, "a model that cannot be used is shown all the same");
    let info = installed.pictures.remove(0).info;
    assert_eq!(info.name, "mine");
    info.problem
}

#[test]
fn the_bundled_model_is_described_by_its_card_and_its_weights() {
    let config = Config { bundled: vec![demo()], ..Config::default() };
    let info = look(&config).pictures.remove(0).info;
    assert_eq!(info.problem, None);
    assert_eq!((info.name.as_str(), info.title.as_str(), info.bundled), ("demo", "Postcards", true));
    assert!(info.vocabulary.unwrap().subjects.contains(&"lighthouse".to_owned()));
    assert!((1_000_000..100_000_000).contains(&info.n_parameters), "{}", info.n_parameters);
    for (width, height) in info.sizes {
        assert!(info.limits.allows_side(width) && info.limits.allows_side(height), "{:?}", info.limits);
    }
}

#[test]
fn the_default_model_comes_first_and_prompt_writers_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    copy_of_demo(&folder.path().join("another"));
    copy_of_demo(&folder.path().join("mine"));
    std::fs::create_dir(folder.path().join("writer")).unwrap();
    std::fs::write(folder.path().join("writer/config.json"), "{}").unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let config = Config {
        bundled: vec![demo()],
        models_dir: Some(folder.path().to_owned()),
        default_model: Some("mine".into()),
        ..Config::default()
    };
    let installed = look(&config);
    let names: Vec<_> = installed.pictures.iter().map(|model| model.info.name.as_str()).collect();
    assert_eq!(names, ["mine", "demo", "another"]);
    assert_eq!(installed.writers.iter().map(|writer| writer.name.as_str()).collect::<Vec<_>>(), ["writer"]);
}

#[test]
fn a_model_with_a_part_missing_says_which() {
    assert_eq!(problem_after(|_| {}), None);
    for file in [
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    ] {
        let problem = problem_after(|model| std::fs::remove_file(model.join(file)).unwrap()).unwrap();
        assert_eq!(problem, format!("model `mine` has no file `{file}`"));
    }
}

#[test]
fn a_truncated_file_is_noticed_before_anybody_waits_for_it() {
    let problem = problem_after(|model| {
        let weights = model.join("unet/diffusion_pytorch_model.safetensors");
        let bytes = std::fs::read(&weights).unwrap();
        std::fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    });
    let problem = problem.unwrap();
    assert!(
        problem
            .starts_with("file `unet/diffusion_pytorch_model.safetensors` of model `mine` cannot be read: ")
    );
    assert!(problem.contains("truncated"), "{problem}");
}

#[test]
fn a_card_that_is_not_json_is_a_problem_and_no_panic() {
    let problem = problem_after(|model| std::fs::write(model.join("darkroom.json"), "{").unwrap());
    assert!(problem.unwrap().starts_with("file `darkroom.json` of model `mine` cannot be read: "));
}

#[test]
fn a_card_that_asks_for_what_no_request_may_have_is_a_problem() {
    let problem = |card: &str| {
        let card = card.to_owned();
        problem_after(move |model| std::fs::write(model.join("darkroom.json"), card).unwrap()).unwrap()
    };
    let defaults = |steps: u32, guidance_scale: f64| {
        format!(
            r#"{{"defaults": {{"steps": {steps}, "guidance_scale": {guidance_scale}, "sampler": "euler", "schedule": "karras"}}}}"#
        )
    };
    let card = "file `darkroom.json` of model `mine` cannot be read:";
    assert_eq!(
        problem(&defaults(20, 31.0)),
        format!("{card} guidance scale 31 is out of range; allowed are 0 to 30")
    );
    assert_eq!(problem(&defaults(0, 4.0)), format!("{card} steps 0 is out of range; allowed are 1 to 150"));
    let problem = problem(r#"{"sizes": [[256, 256], [320, 200], [192, 320]]}"#);
    assert!(
        problem.starts_with(&format!("{card} size 320x200 is not possible; allowed are multiples of ")),
        "{problem}"
    );
}

/// A safetensors file of tensors of one number each.
pub(crate) fn write_safetensors(path: &Path, names: &[&str], shape: &str) {
    let n: usize = serde_json::from_str::<Vec<usize>>(shape).unwrap().iter().product();
    let line = |(i, name): (usize, &&str)| {
        let (from, to) = (4 * n * i, 4 * n * (i + 1));
        format!(r#""{name}": {{"dtype": "F32", "shape": {shape}, "data_offsets": [{from}, {to}]}}"#)
    };
    let header = format!("{{{}}}", names.iter().enumerate().map(line).collect::<Vec<_>>().join(", "));
    let length = u64::try_from(header.len()).unwrap().to_le_bytes();
    std::fs::write(path, [&length[..], header.as_bytes(), &vec![0; 4 * n * names.len()]].concat()).unwrap();
}

fn look_into(folder: &Path) -> Installed {
    look(&Config { models_dir: Some(folder.to_owned()), ..Config::default() })
}

#[test]
fn a_part_in_several_files_is_counted_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("mine");
    copy_of_demo(&model);
    let whole = look_into(folder.path()).pictures.remove(0).info.n_parameters;
    let unet = model.join("unet");
    std::fs::rename(unet.join("diffusion_pytorch_model.safetensors"), unet.join("x-1.safetensors")).unwrap();
    write_safetensors(&unet.join("x-2.safetensors"), &["one", "two"], "[5, 1, 2]");
    let index = r#"{"weight_map": {"a": "x-1.safetensors", "b": "x-2.safetensors"}}"#;
    std::fs::write(unet.join("diffusion_pytorch_model.safetensors.index.json"), index).unwrap();
    assert_eq!(look_into(folder.path()).pictures.remove(0).info.n_parameters, whole + 20);
}

#[test]
fn files_in_the_models_folder_are_models_and_those_that_are_of_no_use_say_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("old.ckpt"), "PK").unwrap();
    write_safetensors(
        &folder.path().join("flux.safetensors"),
        &["double_blocks.0.img_attn.qkv.weight"],
        "[2]",
    );
    std::fs::write(folder.path().join("readme.txt"), "").unwrap();
    let installed = look_into(folder.path());
    let problems: Vec<_> = installed
        .pictures
        .iter()
        .map(|model| (model.info.name.as_str(), model.info.problem.as_deref().unwrap()))
        .collect();
    assert_eq!(problems[0].0, "flux");
    assert!(problems[0].1.ends_with("it is a FLUX model"), "{}", problems[0].1);
    assert_eq!(problems[1].0, "old");
    assert!(problems[1].1.starts_with("file `old.ckpt` is a pickle"), "{}", problems[1].1);
    assert_eq!(problems.len(), 2);
}

#[test]
fn loras_and_embeddings_lie_in_folders_of_their_own_and_are_no_models() {
    let folder = tempfile::tempdir().unwrap();
    for name in [LORAS, EMBEDDINGS] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let loras = folder.path().join(LORAS);
    let layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
    let (down, up) = (format!("{layer}.lora_down.weight"), format!("{layer}.lora_up.weight"));
    write_safetensors(&loras.join("ink.safetensors"), &[&down, &up], "[1, 1]");
    write_safetensors(&loras.join("broken.safetensors"), &["something"], "[1]");
    std::fs::write(loras.join("old.pt"), "PK").unwrap();
    std::fs::write(folder.path().join("embeddings/word.safetensors"), "").unwrap();
    let before = look_into(folder.path());
    assert!(before.pictures.is_empty() && before.writers.is_empty());
    let named: Vec<_> = before.loras.iter().map(|lora| (lora.name.as_str(), &lora.problem)).collect();
    assert_eq!(named[1], ("ink", &None));
    assert!(named[0].0 == "broken" && named[0].1.as_ref().unwrap().ends_with("it is no LoRA"), "{named:?}");
    assert!(named[2].0 == "old" && named[2].1.as_ref().unwrap().contains("is a pickle"), "{named:?}");
    let ink = &before.loras[1];
    assert_eq!((ink.family, ink.n_layers, ink.changes_text_encoder), (Family::Other, 1, false));

    let config = Config { models_dir: Some(folder.path().to_owned()), ..Config::default() };
    assert_eq!(embeddings(&config), ["word"]);
    assert!(look_again(&config, &before).is_none());
    std::fs::remove_file(loras.join("old.pt")).unwrap();
    assert_eq!(look_again(&config, &before).unwrap().loras.len(), 2);
}

#[test]
fn the_family_is_told_from_the_sizes() {
    let config = Config { bundled: vec![demo()], ..Config::default() };
    let info = look(&config).pictures.remove(0).info;
    assert_eq!((info.family, info.inpaints), (Family::Other, false));
}

#[test]
fn a_models_folder_that_is_not_there_has_no_models() {
    let config = Config { models_dir: Some("/nowhere/at/all".into()), ..Config::default() };
    assert!(look(&config).pictures.is_empty());
}

#[test]
fn one_may_stop_at_any_layer_of_the_text_encoder_and_with_two_encoders_at_any_but_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("mine");
    copy_of_demo(&model);
    let most = || {
        let config = Config { models_dir: Some(folder.path().to_owned()), ..Config::default() };
        let info = look(&config).pictures.remove(0).info;
        assert_eq!(info.problem, None);
        info.max_clip_skip
    };
    assert_eq!(most(), 4);
    let second = model.join("text_encoder_2");
    std::fs::create_dir(&second).unwrap();
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(model.join("text_encoder").join(file), second.join(file)).unwrap();
    }
    assert_eq!(most(), 3);
}

#[test]
fn a_model_trained_anew_has_another_content_even_where_every_size_stays() {
    let folder = tempfile::tempdir().unwrap();
    copy_of_demo(folder.path());
    let files = ModelFiles::folder(folder.path());
    let before = content(&files);
    assert_eq!(content(&demo()), before, "where it lies does not matter");

    let weights = folder.path().join("unet/diffusion_pytorch_model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    assert_ne!(content(&files), before);
}
