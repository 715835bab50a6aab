//! Pickles, which can run any program while they are read, wherever a file of weights may lie and by whatever name.

use std::path::Path;

use super::{Ended, demo, run};
use crate::process::darkroom;

/// How torch writes a pickle today and how it did before, with what would make the file `it-ran`.
fn pickles() -> [(&'static str, Vec<u8>); 2] {
    let command = b"touch it-ran";
    let code = [b"\x80\x02cposix\nsystem\nX", &(command.len() as u32).to_le_bytes()[..], command, b"\x85R."]
        .concat();
    [("zipped", [b"PK\x03\x04", &code[..]].concat()), ("bare", code)]
}

fn refused(ended: &Ended, place: &str) {
    assert_ne!(ended.code, 0, "{place}: {}", ended.stdout);
    assert!(ended.stderr.contains("pickle"), "{place}: {}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{place}: {}", ended.stderr);
}

fn generate(folder: &Path, prompt: &str, more: &[&str]) -> Ended {
    let arguments = [&["generate", "--steps", "1"], more, &["-o", "boat.png", "--", prompt]].concat();
    let output = darkroom(folder).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_pickle_is_opened_in_no_place_that_weights_may_lie_in() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("data/models");
    for name in ["loras", "embeddings"] {
        std::fs::create_dir_all(models.join(name)).unwrap();
    }
    for (form, bytes) in pickles() {
        for ending in ["ckpt", "pt", "pth", "bin", "CKPT", "safetensors"] {
            let name = format!("{form}-{ending}");
            let file = models.join(format!("{name}.{ending}"));
            std::fs::write(&file, &bytes).unwrap();
            let file = file.display().to_string();
            refused(&run(folder.path(), &["inspect", &file], &[]), &name);
            refused(&run(folder.path(), &["import", &file, "--name", "mine"], &[]), &name);
            refused(&generate(folder.path(), "a red boat", &["--model", &name]), &name);
            std::fs::remove_file(&file).unwrap();
        }
    }
    let [(_, bytes), _] = pickles();
    std::fs::write(models.join("loras/evil.pt"), &bytes).unwrap();
    refused(&generate(folder.path(), "a red boat", &["--lora", "evil"]), "a LoRA");
    refused(&generate(folder.path(), "a red boat <lora:evil:1>", &[]), "a LoRA in the prompt");
    std::fs::write(models.join("embeddings/evil.pt"), &bytes).unwrap();
    refused(&generate(folder.path(), "a red evil boat", &[]), "a textual inversion");
    assert!(!folder.path().join("it-ran").exists() && !folder.path().join("boat.png").exists());
}

#[test]
fn a_model_whose_part_is_a_pickle_alone_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["import", &demo(), "--name", "mine"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let part = folder.path().join("data/models/mine/unet");
    std::fs::remove_file(part.join("diffusion_pytorch_model.safetensors")).unwrap();
    let [_, (_, bytes)] = pickles();
    std::fs::write(part.join("diffusion_pytorch_model.bin"), bytes).unwrap();
    let inspected = run(folder.path(), &["inspect", part.parent().unwrap().to_str().unwrap()], &[]);
    assert!(format!("{}{}", inspected.stdout, inspected.stderr).contains("pickle"), "{}", inspected.stdout);
    let list = run(folder.path(), &["list"], &[]).stdout;
    assert!(list.lines().any(|line| line.starts_with("mine ") && line.contains("pickle")), "{list}");
    assert!(!folder.path().join("it-ran").exists());
}
