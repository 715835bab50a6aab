//! `darkroom models inspect`, `import` and `pull`.

mod hub;
mod pickles;
mod pull;

use std::fmt::Write as _;
use std::path::Path;

use crate::helpers::models_folder;
use crate::process::darkroom;

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = darkroom(folder);
    for name in
        ["HF_TOKEN", "HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"]
    {
        command.env_remove(name);
    }
    let output = command.arg("models").args(arguments).envs(environment.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| {
        String::from_utf8(bytes).unwrap().replace(folder.to_str().unwrap(), "FOLDER").trim_end().to_owned()
    };
    Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn demo() -> String {
    models_folder().join("demo").to_str().unwrap().to_owned()
}

/// A safetensors file of zeros.
fn write_safetensors(path: &Path, tensors: &[(&str, &[usize])]) {
    let (mut header, mut end) = (String::new(), 0);
    for (name, shape) in tensors {
        let length = 4 * shape.iter().product::<usize>();
        let comma = if header.is_empty() { "" } else { "," };
        write!(
            header,
            r#"{comma}"{name}":{{"dtype":"F32","shape":{shape:?},"data_offsets":[{end},{}]}}"#,
            end + length
        )
        .unwrap();
        end += length;
    }
    let header = format!("{{{header}}}");
    let length = (header.len() as u64).to_le_bytes();
    std::fs::write(path, [&length[..], header.as_bytes(), &vec![0; end]].concat()).unwrap();
}

#[test]
fn a_model_is_inspected_part_by_part() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["inspect", &demo()], &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert_eq!(lines[0], "a family of its own, a folder in diffusers' layout");
    for part in ["text_encoder", "unet", "vae"] {
        let line = lines.iter().find(|line| line.starts_with(part)).unwrap();
        assert!(line.contains("f16") && line.ends_with("MB"), "{line}");
    }
    assert_eq!(*lines.last().unwrap(), "It can be used.");
}

#[test]
fn what_is_no_model_is_refused_with_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str| {
        let ended = run(folder.path(), &["inspect", name], &[]);
        format!("{} {}", ended.code, ended.stderr)
    };
    std::fs::write(folder.path().join("old.ckpt"), "PK").unwrap();
    write_safetensors(&folder.path().join("flux.safetensors"), &[("double_blocks.0.weight", &[1])]);
    insta::assert_snapshot!(refused("old.ckpt"), @"2 error: file `old.ckpt` is a pickle, and a pickle can run any program while it is read, so it is not opened; take the model's .safetensors file instead, or convert it in a place where it can do no harm");
    insta::assert_snapshot!(refused("flux.safetensors"), @"2 error: file `flux.safetensors` is no Stable Diffusion 1.x, 2.x or XL checkpoint: it is a FLUX model");
    insta::assert_snapshot!(refused("nothing"), @"2 error: `nothing` cannot be read: No such file or directory (os error 2)");
}

#[test]
fn an_imported_model_can_be_listed_and_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let import = |extra: &[&str]| run(folder.path(), &[&["import", &demo()], extra].concat(), &[]);
    let ended = import(&["--name", "mine"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout, "model mine is installed at FOLDER/data/models/mine");
    let linked = import(&["--name", "linked", "--link"]);
    assert_eq!(linked.code, 0, "{}", linked.stderr);
    let list = run(folder.path(), &["list"], &[]).stdout;
    for name in ["mine ", "linked "] {
        assert!(list.lines().any(|line| line.starts_with(name) && line.ends_with("ready")), "{list}");
    }
    let again = import(&["--name", "mine"]);
    assert_eq!(
        (again.code, again.stderr.as_str()),
        (2, "error: there is `mine` in `FOLDER/data/models` already; choose another name with --name")
    );
    for name in ["../mine", ".hidden", "loras"] {
        let ended = import(&["--name", name]);
        assert_eq!(ended.code, 2, "{}", ended.stderr);
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.path().join("data/models"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["linked", "mine"], "nothing unfinished is left");
}

#[test]
fn a_lora_is_imported_to_its_own_folder() {
    let folder = tempfile::tempdir().unwrap();
    let layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
    let (down, up) = (format!("{layer}.lora_down.weight"), format!("{layer}.lora_up.weight"));
    write_safetensors(&folder.path().join("ink.safetensors"), &[(&down, &[4, 768]), (&up, &[320, 4])]);
    let ended = run(folder.path(), &["import", "ink.safetensors"], &[]);
    assert_eq!(
        ended.stdout, "LoRA ink is installed at FOLDER/data/models/loras/ink.safetensors",
        "{}",
        ended.stderr
    );
    let list = run(folder.path(), &["list"], &[]).stdout;
    let line = list.lines().find(|line| line.starts_with("ink ")).unwrap();
    assert!(
        line.contains("LoRA") && line.contains("Stable Diffusion 1.x") && line.ends_with("ready"),
        "{line}"
    );
}

#[test]
fn a_name_that_another_model_has_is_refused_before_anything_is_copied() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("data/models");
    std::fs::create_dir_all(&models).unwrap();
    let import = |name: &str| {
        let ended = run(folder.path(), &["import", &demo(), "--name", name], &[]);
        format!("{} {}", ended.code, ended.stderr)
    };
    insta::assert_snapshot!(import("demo"), @"2 error: `demo` is a model that this program brings along; choose another name with --name");
    insta::assert_snapshot!(import("demo-prompts"), @"2 error: `demo-prompts` is a model that this program brings along; choose another name with --name");
    std::fs::write(models.join("old.ckpt"), "PK").unwrap();
    insta::assert_snapshot!(import("old"), @"2 error: there is `old.ckpt` in `FOLDER/data/models` already; choose another name with --name");
    std::fs::write(models.join("Whole.SAFETENSORS"), "").unwrap();
    insta::assert_snapshot!(import("Whole"), @"2 error: there is `Whole.SAFETENSORS` in `FOLDER/data/models` already; choose another name with --name");
    assert_eq!(std::fs::read_dir(&models).unwrap().count(), 2, "nothing was copied");
    std::fs::write(models.join("notes.txt"), "").unwrap();
    assert_eq!(import("notes"), "0 ", "a file that is no model has no model's name");
}

#[test]
fn a_lora_of_a_kind_that_is_not_supported_is_told_alike_wherever_it_is_met() {
    let folder = tempfile::tempdir().unwrap();
    let loras = folder.path().join("data/models/loras");
    std::fs::create_dir_all(&loras).unwrap();
    let layer = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
    for (kind, ending) in [("DoRA", "dora_scale"), ("LoKr", "lokr_w1")] {
        let (down, up) = (format!("{layer}.lora_down.weight"), format!("{layer}.lora_up.weight"));
        let other = format!("{layer}.{ending}");
        let path = folder.path().join("other.safetensors");
        write_safetensors(&path, &[(&down, &[4, 768]), (&up, &[320, 4]), (&other, &[320, 1])]);
        let sentence = format!(
            "file `other.safetensors` is a LoRA of the kind {kind}, which is not supported; supported are LoRA, LoCon and \
             LoHa, under the names of kohya's scripts or of PEFT"
        );
        for command in ["import", "inspect"] {
            let ended = run(folder.path(), &[command, "other.safetensors"], &[]);
            assert_eq!((ended.code, ended.stderr), (2, format!("error: {sentence}")));
        }
        std::fs::rename(path, loras.join("other.safetensors")).unwrap();
        let list = run(folder.path(), &["list"], &[]).stdout;
        let line = list.lines().find(|line| line.starts_with("other ")).unwrap();
        assert!(line.ends_with(&sentence), "{line}");
    }
}
