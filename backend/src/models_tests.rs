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

#[test]
fn a_part_in_several_files_is_counted_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let unet = folder.path().join("unet");
    std::fs::create_dir(&unet).unwrap();
    let shard = |name: &str, header: &str| {
        let length = u64::try_from(header.len()).unwrap().to_le_bytes();
        std::fs::write(unet.join(name), [&length[..], header.as_bytes()].concat()).unwrap();
    };
    shard(
        "model-1.safetensors",
        r#"{"__metadata__": {"format": "pt"}, "a": {"shape": [2, 3]}, "b": {"shape": [4]}}"#,
    );
    shard("model-2.safetensors", r#"{"c": {"shape": [5, 1, 2]}}"#);
    let index = r#"{"weight_map": {"a": "model-1.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}}"#;
    std::fs::write(unet.join("model.safetensors.index.json"), index).unwrap();
    assert_eq!(card::n_parameters(&ModelFiles::folder(folder.path()), "unet", "model"), 20);
}

#[test]
fn a_models_folder_that_is_not_there_has_no_models() {
    let config = Config { models_dir: Some("/nowhere/at/all".into()), ..Config::default() };
    assert!(look(&config).pictures.is_empty());
}
