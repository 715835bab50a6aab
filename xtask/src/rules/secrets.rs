//! Secrets that must not be in the repository: keys and tokens that are known by their form.

use std::fs;
use std::process::Command;

use crate::{command, paths};

/// How a secret begins, what it goes on with at least, and whose it is.
struct Form {
    begins: &'static str,
    /// So many letters, digits, hyphens or underscores follow at least.
    at_least: usize,
    whose: &'static str,
}

const FORMS: [Form; 9] = [
    Form { begins: "AKIA", at_least: 16, whose: "Amazon's" },
    Form { begins: "ghp_", at_least: 36, whose: "GitHub's" },
    Form { begins: "github_pat_", at_least: 50, whose: "GitHub's" },
    Form { begins: "glpat-", at_least: 20, whose: "GitLab's" },
    Form { begins: "hf_", at_least: 30, whose: "Hugging Face's" },
    Form { begins: "sk-", at_least: 40, whose: "OpenAI's" },
    Form { begins: "xoxb-", at_least: 30, whose: "Slack's" },
    Form { begins: "AIza", at_least: 35, whose: "Google's" },
    Form { begins: "dk_", at_least: 77, whose: "Darkroom's own" },
];

/// Every secret in a file that git keeps.
pub fn breaches() -> Vec<String> {
    let root = paths::root();
    let mut list = Command::new("git");
    list.arg("-C").arg(&root).args(["ls-files", "-z"]);
    let Ok(files) = command::output(&mut list) else {
        println!("  this is no clone of git's, so nobody looks for secrets");
        return Vec::new();
    };
    let mut breaches = Vec::new();
    for file in files.split('\0').filter(|file| !file.is_empty()) {
        // What is no text is a picture or a model, and what was deleted is not committed yet.
        let Ok(text) = fs::read_to_string(root.join(file)) else { continue };
        breaches.extend(text.lines().enumerate().filter_map(|(index, line)| {
            Some(format!("{file}:{}: {} must not be in the repository", index + 1, secret_in(line)?))
        }));
    }
    breaches
}

/// Whose secret is in the line, if one is.
fn secret_in(line: &str) -> Option<String> {
    // In two parts, so that this line is none.
    if line.contains(concat!("-----BEGIN ", "PRIVATE KEY"))
        || line.contains(concat!("RSA ", "PRIVATE KEY-----"))
    {
        return Some("a private key".to_owned());
    }
    let found = FORMS.iter().find(|form| line.match_indices(form.begins).any(|(at, _)| form.is_at(line, at)));
    found.map(|form| format!("a key of {}", form.whose))
}

impl Form {
    fn is_at(&self, line: &str, at: usize) -> bool {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let is_begin = !line[..at].ends_with(is_part);
        let rest = &line[at + self.begins.len()..];
        let token: Vec<char> = rest.chars().take_while(|&c| is_part(c)).collect();
        // A word of one letter again and again is an example.
        let is_varied = token.iter().any(|&c| c != token[0]);
        is_begin && token.len() >= self.at_least && is_varied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_form() {
        let digits = "0123456789abcdef".repeat(5);
        for line in [
            format!("key = \"ghp_{}\"", &digits[..36]),
            format!("TOKEN=hf_{digits}"),
            format!("Bearer dk_{}_{}", &digits[..12], &digits[..64]),
            concat!("-----BEGIN ", "PRIVATE KEY-----").to_owned(),
        ] {
            assert!(secret_in(&line).is_some(), "{line}");
        }
    }

    #[test]
    fn examples_and_parts_of_words_are_none() {
        let digits = "0123456789abcdef".repeat(5);
        for line in [
            "Bearer dk_…".to_owned(),
            "ghp_short".to_owned(),
            format!("half_{digits}"),
            format!("hf_{}", "x".repeat(60)),
        ] {
            assert_eq!(secret_in(&line), None, "{line}");
        }
    }
}
