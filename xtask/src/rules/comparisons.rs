//! Secrets are compared in constant time: by hash or signature, with `ct_eq`. How long a usual comparison takes tells
//! how much of a guess was right.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::{fingerprint::files_below, paths};

/// Where keys, passwords, cookies and signed addresses are told from wrong ones.
const PLACES: [&str; 5] = [
    "backend/src/access",
    "backend/src/services/sharing.rs",
    "backend/src/visitors.rs",
    "server/src/callers",
    "server/src/operator",
];

/// Files of these that compare a secret. One that does so no more has no place in this list.
const COMPARE: [&str; 3] =
    ["backend/src/access/keys.rs", "backend/src/services/sharing.rs", "server/src/callers/entry.rs"];

/// What is secret, as it is called there.
const SECRETS: [&str; 7] = ["hash", "digest", "signature", "secret", "password", "token", "pass"];

/// How two things are compared whose first difference ends the comparison.
const USUAL: [&str; 5] = ["==", "!=", ".eq(", ".ne(", ".cmp("];

/// Every secret that is compared as anything else is.
pub fn breaches() -> Result<Vec<String>> {
    let root = paths::root();
    let mut breaches = Vec::new();
    for place in PLACES {
        let place = root.join(place);
        let files = if place.is_dir() { files_below(&place)? } else { vec![place] };
        for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")) {
            breaches.extend(breaches_in(file.strip_prefix(&root)?, &fs::read_to_string(file)?));
        }
    }
    for file in COMPARE {
        if !fs::read_to_string(root.join(file))?.contains(".ct_eq(") {
            breaches.push(format!("{file}: nothing is compared with `ct_eq`, and a secret was"));
        }
    }
    Ok(breaches)
}

fn breaches_in(path: &Path, source: &str) -> Vec<String> {
    let is_program = |line: &&str| line.trim_start() != "#[cfg(test)]";
    let lines = source.lines().take_while(is_program).enumerate();
    let code = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
    let breach = |(index, line): (usize, &str)| {
        let secret = SECRETS.iter().find(|secret| has_word(line, secret))?;
        let usual = USUAL.iter().find(|usual| line.contains(*usual))?;
        let place = path.to_string_lossy().replace('\\', "/");
        Some(format!(
            "{place}:{}: a {secret} is compared by `{usual}`; `ct_eq` of hashes tells nothing by its time",
            index + 1
        ))
    };
    code.filter_map(breach).collect()
}

/// Whether a word stands in a line, by itself or as a part of a name that underscores take apart.
fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_breaches(line: &str) -> usize {
        breaches_in(Path::new("backend/src/access/keys.rs"), line).len()
    }

    #[test]
    fn no_secret_of_this_repository_is_compared_as_anything_else() {
        assert_eq!(breaches().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_secret_that_is_compared_as_anything_else_is_found_with_its_line() {
        assert_eq!(
            breaches_in(
                Path::new("backend/src/access/keys.rs"),
                "fn a() {\n    hash_of(text) == row.hash\n}\n"
            ),
            [
                "backend/src/access/keys.rs:2: a hash is compared by `==`; `ct_eq` of hashes tells nothing by its time"
            ]
        );
        assert_eq!(n_breaches("if signature != shown { return false }"), 1);
        assert_eq!(n_breaches("self.password.eq(&said)"), 1);
    }

    #[test]
    fn what_is_no_secret_or_compared_in_constant_time_or_in_a_test_is_not_found() {
        for line in [
            "hash_of(text).as_bytes().ct_eq(hash.as_bytes()).into()",
            "if scope == Scope::Read { passed += 1 }",
            "// a hash == another",
            "#[cfg(test)]\nassert!(hash == other);",
        ] {
            assert_eq!(n_breaches(line), 0, "{line}");
        }
    }
}
