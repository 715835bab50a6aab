//! What the commands print, and how they end.

use std::path::Path;
use std::process::Output;

use crate::helpers::models_folder;
use crate::process::darkroom;

/// How a command ended.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Ended {
    let Output { status, stdout, stderr } =
        darkroom(folder).args(arguments).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
    Ended { code: status.code().expect("it ends by itself"), stdout: text(stdout), stderr: text(stderr) }
}

/// The sentence with which a command fails, and its exit status.
fn complaint(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let Ended { code, stdout, stderr } = run(folder.path(), arguments);
    assert_eq!(stdout, "", "nothing was made");
    format!("{code} {}", stderr.replace(folder.path().to_str().unwrap(), "FOLDER").trim_end())
}

#[test]
fn the_same_command_gives_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["one.png", "two.png"] {
        let ended =
            run(folder.path(), &["generate", "a red boat", "--seed", "7", "--steps", "2", "-o", file]);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (0, format!("{file} seed 7\n").as_str()),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stderr, "", "no bar where there is no terminal");
    }
    let read = |file| std::fs::read(folder.path().join(file)).unwrap();
    assert_eq!(read("one.png"), read("two.png"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no database, no half files");
}

#[test]
fn several_pictures_are_numbered_and_their_ending_says_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(
        folder.path(),
        &[
            "generate",
            "a red boat",
            "--seed",
            "7",
            "--steps",
            "1",
            "--count",
            "2",
            "--width",
            "320",
            "--height",
            "192",
            "-o",
            "boat.webp",
        ],
    );
    assert_eq!(ended.stdout, "boat-1.webp seed 7\nboat-2.webp seed 8\n", "{}", ended.stderr);
    let pixels = image::open(folder.path().join("boat-2.webp")).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (320, 192));
}

#[test]
fn generate_refuses_what_the_site_refuses_in_the_same_words() {
    let generate = |arguments: &[&str]| complaint(&[&["generate"], arguments, &["-o", "boat.png"]].concat());
    insta::assert_snapshot!(generate(&[""]), @"2 error: the prompt is empty; write 1 to 2000 characters");
    insta::assert_snapshot!(generate(&["boat", "--steps", "151"]), @"2 error: steps 151 is out of range; allowed are 1 to 150");
    insta::assert_snapshot!(generate(&["boat", "--seed", "-7"]), @"2 error: seed -7 is out of range; allowed are 0 to 9007199254740991, or -1 for a random one");
    insta::assert_snapshot!(generate(&["boat", "--sampler", "restart"]), @"2 error: sampler `restart` is unknown; known are dpmpp_2m, euler, euler_ancestral, dpmpp_2m_sde, dpmpp_sde, uni_pc, ddim, heun, dpmpp_3m_sde, dpmpp_2s_ancestral, lcm, tcd, dpm_2, dpm_2_ancestral, lms, pndm, ddpm");
    insta::assert_snapshot!(generate(&["boat", "--model", "sdxl"]), @"2 error: model `sdxl` is not installed; installed are demo");
    insta::assert_snapshot!(generate(&["boat", "--count", "0"]), @"2 error: count 0 is out of range; allowed are 1 to 8");
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_anything_is_computed() {
    insta::assert_snapshot!(complaint(&["generate", "boat", "-o", "boat.gif"]), @"2 error: output `boat.gif` has the ending `gif`; allowed are png, jpg, webp");
    insta::assert_snapshot!(complaint(&["generate", "boat", "-o", "nowhere/boat.png"]), @"2 error: output folder `nowhere` is not there; make it first");
}

/// `/dev/full` refuses every byte as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_no_half_picture_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("boat.png.part")).unwrap();
    let ended = run(folder.path(), &["generate", "a red boat", "--steps", "1", "-o", "boat.png"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(ended.stderr.trim_end(), @"error: cannot write `boat.png`: No space left on device (os error 28)");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_holds_no_picture_model_is_refused_for_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    std::fs::write(folder.path().join("model.safetensors"), "").unwrap();
    copy_folder(&models_folder().join("demo-prompts"), &folder.path().join("gpt2"));
    let refused = |model: &str| {
        let ended = run(folder.path(), &["generate", "boat", "--model", model, "-o", "boat.png"]);
        format!("{} {}", ended.code, ended.stderr.trim_end())
    };
    insta::assert_snapshot!(refused("./nowhere"), @"2 error: model `./nowhere` is not there; give a model's name, a folder in diffusers' layout or a .safetensors file");
    insta::assert_snapshot!(refused("./empty"), @"2 error: `./empty` has no model_index.json; give a folder in diffusers' layout or a .safetensors file");
    insta::assert_snapshot!(refused("./gpt2"), @"2 error: `./gpt2` has no model_index.json and paints no pictures: it is a single network, as GPT-2 is");
    insta::assert_snapshot!(refused("./model.safetensors"), @"2 error: file `model.safetensors` of model `./model.safetensors` cannot be read: it ends at byte 0 and should go on to 0 + 8");
}

#[test]
fn a_broken_model_is_named_with_its_part() {
    let broken = |breaking: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model");
        copy_folder(&models_folder().join("demo"), &model);
        breaking(&model);
        let ended = run(folder.path(), &["generate", "boat", "--model", "./model", "-o", "boat.png"]);
        assert!(!folder.path().join("boat.png").exists());
        format!("{} {}", ended.code, ended.stderr.trim_end())
    };
    let weights = "unet/diffusion_pytorch_model.safetensors";
    let missing = broken(&|model| std::fs::remove_file(model.join("vae/config.json")).unwrap());
    insta::assert_snapshot!(missing, @"1 error: model `model` cannot be used: model `model` has no file `vae/config.json`");
    let truncated = broken(&|model| {
        let bytes = std::fs::read(model.join(weights)).unwrap();
        std::fs::write(model.join(weights), &bytes[..bytes.len() / 2]).unwrap();
    });
    // The bytes in between belong to the weights.
    let start =
        format!("1 error: model `model` cannot be used: file `{weights}` of model `model` cannot be read");
    assert!(truncated.starts_with(&start) && truncated.ends_with(": the file is truncated"), "{truncated}");
    let wrong = broken(&|model| {
        let path = model.join("text_encoder/config.json");
        let mut config: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        config["intermediate_size"] = (config["intermediate_size"].as_u64().unwrap() + 8).into();
        std::fs::write(path, config.to_string()).unwrap();
    });
    insta::assert_snapshot!(wrong, @"1 error: model `model` cannot be used: tensor `encoder.layers.0.mlp.fc1.weight` in `text_encoder/model.safetensors` has shape [768, 192], and [776, 192] is needed");
}

#[test]
fn prompts_come_one_a_line_and_the_same_for_the_same_seed() {
    let folder = tempfile::tempdir().unwrap();
    let write = || run(folder.path(), &["prompt", "a red", "--count", "3", "--seed", "1"]);
    let ended = write();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines.iter().all(|line| line.starts_with("a red")), "{lines:?}");
    assert_eq!(write().stdout, ended.stdout);
}

#[test]
fn the_models_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["models", "list"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("NAME"), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("demo ") && line.ends_with("ready")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("demo-prompts ")), "{lines:?}");
}

#[test]
fn the_models_are_listed_even_if_the_default_one_is_not_installed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("darkroom.toml"), "default_model = \"sdxl\"").unwrap();
    let ended = run(folder.path(), &["models", "list"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (0, "warning: the default model `sdxl` is not installed\n")
    );
    assert!(ended.stdout.contains("\ndemo "), "{}", ended.stdout);
}

#[test]
fn the_benchmark_prints_figures_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["bench", "--json", "--repetitions", "1"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let figures: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    for name in
        ["picture_load_ms", "step_ms", "decode_ms", "picture_ms", "prompt_load_ms", "tokens_per_second"]
    {
        assert!(figures[name].as_f64().is_some_and(|figure| figure > 0.0), "{name} in {figures}");
    }
}

#[test]
fn the_licences_are_printed_under_either_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["licences"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.starts_with(include_str!("../../../NOTICE")), "{}", ended.stdout);
    assert_eq!(run(folder.path(), &["licenses"]).stdout, ended.stdout);
}

#[test]
fn serve_says_why_it_cannot_listen() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let message = complaint(&["serve", "--addr", &address]);
    assert!(
        message.starts_with(&format!("1 error: cannot listen on `{address}`; give HOST:PORT")),
        "{message}"
    );
    assert!(complaint(&["serve", "--addr", "3000"]).starts_with("1 error: cannot listen on `3000`"));
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("darkroom.toml"), "addr = \"from-file\"\n").unwrap();
    let listens_on = |environment: &[(&str, &str)], flags: &[&str]| {
        let mut command = darkroom(folder.path());
        let output = command.arg("serve").args(flags).envs(environment.iter().copied()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        stderr.split('`').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(listens_on(&[], &[]), "from-file");
    assert_eq!(listens_on(&[("DARKROOM_ADDR", "from-environment")], &[]), "from-environment");
    assert_eq!(listens_on(&[("DARKROOM_ADDR", "from-environment")], &["--addr", "from-flag"]), "from-flag");
}

#[test]
fn help_says_the_default_of_every_option_that_has_one() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["serve", "generate", "prompt", "bench"] {
        let help = run(folder.path(), &[command, "--help"]).stdout;
        let options: Vec<_> = options(&help).collect();
        assert!(options.len() >= 4, "{help}");
        for option in options {
            // A file to write to has to be named.
            assert!(option.contains("[default:") || option.contains("--output"), "{option}");
        }
    }
    assert!(run(folder.path(), &["--help"]).stdout.contains("darkroom serve"));
}

/// What a help text says of each option that takes a value.
fn options(help: &str) -> impl Iterator<Item = String> {
    let mut options: Vec<String> = Vec::new();
    for line in help.lines() {
        if line.trim_start().starts_with('-') {
            options.push(String::new());
        }
        if let Some(option) = options.last_mut() {
            option.push_str(line);
            option.push('\n');
        }
    }
    options.into_iter().filter(|option| option.lines().next().is_some_and(|line| line.contains('<')))
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
