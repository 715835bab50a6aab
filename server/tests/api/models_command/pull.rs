//! `darkroom models pull`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use super::hub::{Commit, FakeHub, Fault, repository};
use super::run;

const WEIGHTS: &str = "unet/diffusion_pytorch_model.safetensors";

/// What a model that was pulled has in a file.
fn pulled(folder: &Path, file: &str) -> Vec<u8> {
    std::fs::read(folder.join("data/models/small").join(file)).unwrap()
}

/// What unfinished downloads there are.
fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder.join("data/models")).unwrap().map(|entry| entry.unwrap().path());
    listed.filter(|path| path.extension().is_some_and(|ending| ending == "part")).collect()
}

#[test]
fn a_pulled_model_has_what_it_needs_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let hub = FakeHub::start(repository());
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(ended.stdout, "model small is installed at FOLDER/data/models/small");
    assert_eq!(pulled(folder.path(), WEIGHTS), repository()[WEIGHTS]);
    let asked = hub.asked().join("\n");
    for name in ["README", ".bin", "fp16", "non_ema", "safety", "whole", "outside"] {
        assert!(!asked.contains(name), "{asked}");
    }
    let again = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!(
        again.stderr,
        "error: there is `small` in `FOLDER/data/models` already; choose another name with --name"
    );
    let list = run(folder.path(), &["list"], &[]).stdout;
    assert!(list.lines().any(|line| line.starts_with("small ") && line.ends_with("ready")), "{list}");
}

#[test]
fn a_download_that_broke_off_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let hub = FakeHub::start(repository());
    hub.set_fault(Some(Fault::BreaksOff(WEIGHTS, 1000)));
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    let expected = format!("error: `{WEIGHTS}` breaks off; the same command goes on from there");
    assert!(ended.code == 1 && ended.stderr.starts_with(&expected), "{}", ended.stderr);
    hub.set_fault(None);
    hub.asked();
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let expected = format!("/somebody/small/resolve/c0ffee/{WEIGHTS} bytes=1000- -");
    assert!(hub.asked().contains(&expected));
    assert_eq!(pulled(folder.path(), WEIGHTS), repository()[WEIGHTS]);
}

#[test]
fn a_download_begins_anew_if_the_repository_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let hub = FakeHub::start(repository());
    hub.set_fault(Some(Fault::BreaksOff(WEIGHTS, 1000)));
    assert_eq!(hub.pull(folder.path(), &["somebody/small"], None).code, 1);
    // Files of the same sizes, among them one that the hub tells no sum of: nothing else would give them away.
    let mut changed = repository();
    let weights = changed.get_mut(WEIGHTS).unwrap();
    weights.iter_mut().rev().take(10).for_each(|byte| *byte = !*byte);
    let config = changed.get_mut("unet/config.json").unwrap();
    *config.iter_mut().find(|byte| **byte == b' ').unwrap() = b'\n';
    hub.push("main", Commit { id: "decaf", files: changed.clone() });
    hub.set_fault(None);
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    for name in [WEIGHTS, "unet/config.json"] {
        assert!(
            changed[name] != repository()[name] && pulled(folder.path(), name) == changed[name],
            "{name}"
        );
    }
    assert!(unfinished(folder.path()).is_empty(), "what the first try left is deleted");
}

#[test]
fn a_download_begins_anew_if_another_variant_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let half = "unet/diffusion_pytorch_model.fp16.safetensors";
    let mut files = repository();
    files.insert(half.to_owned(), files[WEIGHTS].clone());
    let hub = FakeHub::start(files);
    hub.set_fault(Some(Fault::BreaksOff(half, 1000)));
    assert_eq!(hub.pull(folder.path(), &["somebody/small", "--variant", "fp16"], None).code, 1);
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_eq!(pulled(folder.path(), WEIGHTS), repository()[WEIGHTS]);
    assert!(
        !folder.path().join("data/models/small").join(half).exists(),
        "half a file is no part of the model"
    );
}

#[test]
fn a_checkpoint_begins_anew_if_another_file_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let files = [("first one.safetensors", "1111111111"), ("second.safetensors", "22222222222222")];
    let hub = FakeHub::start(files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into());
    hub.set_fault(Some(Fault::BreaksOff("first%20one.safetensors", 5)));
    assert_eq!(hub.pull(folder.path(), &["somebody/small", "--file", "first one.safetensors"], None).code, 1);
    assert_eq!(std::fs::read(&unfinished(folder.path())[0]).unwrap(), b"11111");
    let ended = hub.pull(folder.path(), &["somebody/small", "--file", "second.safetensors"], None);
    assert!(ended.stderr.starts_with("error: it came whole, but it cannot be used: "), "{}", ended.stderr);
    let came = std::fs::read(folder.path().join("data/models/small.safetensors")).unwrap();
    assert_eq!(String::from_utf8(came).unwrap(), "22222222222222");
}

#[test]
fn a_revision_may_have_slashes_in_it_and_one_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let hub = FakeHub::start(repository());
    hub.push("refs/pr/1", Commit { id: "decaf", files: repository() });
    let ended = hub.pull(folder.path(), &["somebody/small", "--revision", "refs/pr/1"], None);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let asked = hub.asked();
    assert_eq!(asked[0], "/api/models/somebody/small/revision/refs%2Fpr%2F1?blobs=true - -");
    assert!(asked[1..].iter().all(|file| file.starts_with("/somebody/small/resolve/decaf/")), "{asked:?}");
    let ended = hub.pull(folder.path(), &["somebody/small", "--revision", "a b", "--name", "other"], None);
    assert_eq!(ended.code, 1);
    insta::assert_snapshot!(ended.stderr, @"error: repository `somebody/small` at `HUB` has no revision `a b`");
}

#[test]
fn the_name_of_a_model_that_the_program_brings_along_is_refused_before_the_hub_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let hub = FakeHub::start(repository());
    let ended = hub.pull(folder.path(), &["somebody/demo"], None);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.stderr, @"error: `demo` is a model that this program brings along; choose another name with --name");
    assert_eq!(hub.asked(), [""; 0]);
}

#[test]
fn what_came_with_other_bytes_than_promised_is_deleted_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let broken = "vae/diffusion_pytorch_model.safetensors";
    let hub = FakeHub::start(repository());
    hub.set_fault(Some(Fault::OtherBytes(broken)));
    let ended = hub.pull(folder.path(), &["somebody/small"], None);
    assert_eq!(ended.code, 1);
    let start = format!("error: `{broken}` has the SHA-256 ");
    assert!(ended.stderr.starts_with(&start) && ended.stderr.ends_with("; try again"), "{}", ended.stderr);
    assert!(!folder.path().join("data/models/small").exists());
    let unfinished = unfinished(folder.path());
    assert!(unfinished.len() == 1 && !unfinished[0].join(broken).exists(), "{unfinished:?}");
}

#[test]
fn no_network_no_repository_and_no_permission_are_three_different_sentences() {
    let folder = tempfile::tempdir().unwrap();
    let hub = FakeHub::start(repository());
    let pull = |repository: &str, token: Option<&str>| {
        let ended = hub.pull(folder.path(), &[repository], token);
        format!("{} {}", ended.code, ended.stderr)
    };
    insta::assert_snapshot!(pull("somebody/nothing", None), @"1 error: `HUB` has no repository `somebody/nothing`");
    insta::assert_snapshot!(pull("somebody/private", None), @"1 error: `HUB` has no repository `somebody/private` for everybody; if it is private or asks for consent, set HF_TOKEN to a token that may read it");
    insta::assert_snapshot!(pull("somebody/private", Some("wrong")), @"1 error: `HUB` does not know the token in HF_TOKEN, or not `somebody/private`");
    insta::assert_snapshot!(pull("somebody/gated", Some("secret")), @"1 error: `somebody/gated` is not for everybody: agree to its terms at `HUB/somebody/gated`, and set HF_TOKEN to a token of that account");
    insta::assert_snapshot!(pull("small", None), @"2 error: repository `small` is not possible; write it as OWNER/NAME");
    assert_eq!(hub.pull(folder.path(), &["somebody/private"], Some("secret")).code, 0);

    // A port that nobody listens on.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = run(folder.path(), &["pull", "somebody/other"], &[("HF_ENDPOINT", endpoint.as_str())]);
    let expected = format!("error: `{endpoint}` cannot be reached; is there a network?");
    assert!(ended.code == 1 && ended.stderr.starts_with(&expected), "{}", ended.stderr);
}
