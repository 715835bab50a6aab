//! What the program promises in numbers. Times are not among them: they belong to a machine.

use std::collections::HashSet;
use std::process::{Command, Output};

use crate::process::darkroom;

/// How the sentences are made that demo-prompts has learnt from.
const CAPTIONS: &str = include_str!("../../../training/captions.py");

fn text_of(Output { status, stdout, stderr }: Output) -> String {
    assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("output is text")
}

/// The system refuses it more than the limit, so nobody has to look at the right moment.
#[cfg(target_os = "linux")]
#[test]
fn a_picture_is_painted_within_a_gigabyte_of_memory() {
    const MOST_KIB: u32 = 1_000_000_000 / 1024;
    let folder = tempfile::tempdir().unwrap();
    let command = darkroom(folder.path());
    let mut limited = Command::new("sh");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited.current_dir(folder.path()).args(["-c", &format!("ulimit -d {MOST_KIB} && exec \"$@\""), "sh"]);
    limited.arg(command.get_program()).args([
        "generate",
        "a red sailing boat",
        "--seed",
        "7",
        "-o",
        "boat.png",
    ]);
    assert_eq!(text_of(limited.output().unwrap()), "boat.png seed 7\n");
}

#[test]
fn two_hundred_prompts_are_nearly_all_different_and_hold_no_word_that_was_not_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let output = darkroom(folder.path()).args(["prompt", "--count", "200", "--seed", "1"]).output().unwrap();
    let text = text_of(output);
    let prompts: Vec<_> = text.lines().collect();
    assert_eq!(prompts.len(), 200);
    let different: HashSet<_> = prompts.iter().collect();
    assert!(different.len() >= 195, "{} are different", different.len());
    let known = learnt_words();
    let unknown: Vec<_> =
        prompts.iter().flat_map(|prompt| words(prompt)).filter(|word| !known.contains(word)).collect();
    assert_eq!(unknown, [""; 0]);
    for prompt in prompts {
        assert_eq!(types::request::check_prompt("prompt", prompt).unwrap(), prompt, "usable as typed");
    }
}

/// The words in the tables of phrases, and the articles, which are put before them in code.
fn learnt_words() -> HashSet<&'static str> {
    let tables = CAPTIONS.find("SUBJECT_WORDS").unwrap()..CAPTIONS.find("\ndef ").unwrap();
    let quoted = CAPTIONS[tables].split('"').skip(1).step_by(2);
    quoted.flat_map(words).chain(["a", "an", "the"]).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',']).filter(|word| !word.is_empty())
}
