//! Styles, wildcards, presets and ratios on the command line, with the real models.

use std::path::Path;

use crate::process::{Server, darkroom};

/// Runs `darkroom generate` for one step; what it wrote on stderr, and the bytes of the picture if there is one.
fn generate(folder: &Path, arguments: &[&str]) -> (String, Option<Vec<u8>>) {
    let output = folder.join("picture.png");
    // What is left of the run before, if there is anything.
    let _ = std::fs::remove_file(&output);
    let mut command = darkroom(folder);
    command.arg("generate").args(arguments).args(["--seed", "7", "--steps", "1", "-o", "picture.png"]);
    let ended = command.output().expect("the program starts");
    (String::from_utf8(ended.stderr).expect("output is text"), std::fs::read(&output).ok())
}

/// The first line of the settings in a PNG, which is the prompt, and the second.
fn prompts(png: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(png);
    let settings = text.split_once("parameters\0").expect("the settings are inside").1;
    let mut lines = settings.lines();
    let mut line = || lines.next().unwrap_or_default().to_owned();
    (line(), line())
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn styles_and_lists_of_the_data_folder_are_used_as_on_the_site() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "data/wildcards/vessel.txt", "sailing boat\n");
    write(folder.path(), "data/styles.csv", "name,prompt,negative_prompt\nFair,at sunset,rain\n");
    let arguments =
        ["a __colour__ __vessel__", "--style", "watercolour", "--style", "fair", "--aspect-ratio", "16:9"];
    let (_, first) = generate(folder.path(), &arguments);
    let first = first.expect("a picture is made");
    let (prompt, negative_prompt) = prompts(&first);
    assert!(prompt.ends_with(" sailing boat, watercolour, at sunset"), "{prompt}");
    assert!(!prompt.contains('_'), "{prompt}");
    assert_eq!(negative_prompt, "Negative prompt: rain");
    let pixels = image::load_from_memory(&first).unwrap();
    let ratio = f64::from(pixels.width()) / f64::from(pixels.height());
    assert!((ratio - 16.0 / 9.0).abs() < 0.1, "{}x{}", pixels.width(), pixels.height());
    assert_eq!(generate(folder.path(), &arguments).1, Some(first), "the same seed gives the same file");
}

#[test]
fn gpt_2_goes_on_with_the_prompt_before_it_is_painted() {
    let folder = tempfile::tempdir().unwrap();
    let (_, picture) = generate(folder.path(), &["a red", "--extend"]);
    let (prompt, _) = prompts(&picture.expect("a picture is made"));
    assert!(prompt.starts_with("a red ") && prompt.split(' ').count() > 3, "{prompt}");
    let mut command = darkroom(folder.path());
    let written = command.args(["prompt", "a red", "--seed", "7"]).output().unwrap();
    assert_eq!(String::from_utf8(written.stdout).unwrap().trim(), prompt);
}

#[test]
fn gpt_2_goes_on_with_the_prompt_of_a_model_that_is_named_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let model = crate::helpers::models_folder().join("demo");
    let (_, picture) = generate(folder.path(), &["a red", "--extend", "--model", model.to_str().unwrap()]);
    let (prompt, _) = prompts(&picture.expect("a picture is made"));
    assert!(prompt.starts_with("a red ") && prompt.split(' ').count() > 3, "{prompt}");
}

#[test]
fn a_preset_of_the_settings_file_holds_and_a_wrong_one_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "darkroom.toml",
        "[presets.premium]\nwidth = 320\nheight = 192\n[presets.preview]\nmodel = \"sdxl\"",
    );
    let picture = generate(folder.path(), &["a red boat", "--quality", "premium"]).1;
    let pixels = image::load_from_memory(&picture.expect("a picture is made")).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (320, 192));
    let model = crate::helpers::models_folder().join("demo");
    let of_its_own =
        generate(folder.path(), &["a red boat", "--quality", "preview", "--model", model.to_str().unwrap()]);
    assert!(of_its_own.1.is_some(), "a model that is named goes before the preset's: {}", of_its_own.0);
    insta::assert_snapshot!(
        generate(folder.path(), &["a red boat", "--quality", "preview"]).0.trim_end(),
        @"error: quality `preview` is set to model `sdxl`, which is not installed; installed are demo"
    );
    write(folder.path(), "darkroom.toml", "[presets.premium]\nsteps = 0");
    insta::assert_snapshot!(
        generate(folder.path(), &["a red boat"]).0.trim_end(),
        @"error: setting `presets.premium` is wrong: steps 0 is out of range; allowed are 1 to 150"
    );
}

#[test]
fn a_preset_whose_model_is_not_there_is_said_in_the_log_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "darkroom.toml", "[presets.premium]\nmodel = \"sdxl\"");
    let path = folder.path().join("log");
    let server = Server::start_with(folder.path(), &[], std::fs::File::create(&path).unwrap());
    assert_eq!(server.terminate().code(), Some(0));
    let log = std::fs::read_to_string(path).unwrap();
    let said = log.lines().find(|line| line.contains("a preset cannot be used")).expect("it is said");
    assert!(said.contains("quality `premium` is set to model `sdxl`, which is not installed"), "{said}");
}

#[test]
fn what_cannot_be_used_is_refused_or_said_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "data/styles.csv", "name,prompt,negative_prompt\nInk,ink, wash, old\nOil,oil,\n");
    write(folder.path(), "data/wildcards/my size.txt", "small\n");
    write(folder.path(), "data/wildcards/again.txt", "__again__\n");
    let refused = |arguments: &[&str]| {
        let (said, picture) = generate(folder.path(), arguments);
        assert_eq!(picture, None, "nothing is painted");
        said.trim_end().to_owned()
    };
    insta::assert_snapshot!(
        refused(&["a boat", "--style", "Ink"]),
        @"error: style `Ink` is unknown; known are Oil, Product photograph, Concept art, Portrait, Landscape, Travel poster, Watercolour, Without flaws, Without text, Without people, Without bad anatomy, Without bad weather"
    );
    insta::assert_snapshot!(
        refused(&["a __again__ boat"]),
        @"error: the prompt holds wildcards or choices that lie more than 16 deep in each other, as one does that leads back to itself; at most 16 are allowed"
    );
    insta::assert_snapshot!(
        refused(&["a boat", "--aspect-ratio", "2:1"]),
        @"error: aspect ratio `2:1` is unknown; known are 1:1, 5:4, 4:3, 3:2, 16:9, 21:9, 4:5, 3:4, 2:3, 9:16, 9:21"
    );
    let log = refused(&["a __size__ boat", "--log", "warn"]);
    for sentence in [
        "a style is left out: it has 4 fields where the first line has 3; a text with commas stands in quotation marks",
        "line=2",
        "a list of words is left out: its name is to be letters and digits, with single `-`, `_` or `.` between them",
        "my size.txt",
    ] {
        assert!(log.contains(sentence), "{sentence} in {log}");
    }
}
