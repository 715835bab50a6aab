//! What may be named in which folder only.

use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::{fingerprint::files_below, paths};

/// A word that belongs to a place.
struct Rule {
    /// Any of these in a line of code breaks the rule.
    words: &'static [&'static str],
    /// Beginnings of the paths in which it may stand.
    places: &'static [&'static str],
    reason: &'static str,
}

const RULES: [Rule; 4] = [
    Rule { words: &["StatusCode"], places: &["server/"], reason: "only server knows status codes" },
    Rule {
        words: &["sea_orm", "sqlx"],
        // Its errors are told apart where all errors are.
        places: &["backend/src/store/", "backend/src/error.rs"],
        reason: "only backend/src/store knows the database",
    },
    Rule {
        words: &["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "CREATE INDEX "],
        places: &["backend/src/store/"],
        reason: "all SQL lies in backend/src/store",
    },
    Rule {
        words: &["unsafe ", "allow(unsafe_code", "expect(unsafe_code"],
        places: &["inference/src/nn/kernels/"],
        reason: "unsafe code is for kernels only",
    },
];

/// The folders that hold the program. This one is not among them: the rules have to name the words.
const SOURCES: [&str; 6] = ["types", "inference", "backend", "app", "frontend", "server"];

/// Every word out of its place.
pub fn breaches() -> Result<Vec<String>> {
    let root = paths::root();
    let mut breaches = Vec::new();
    for folder in SOURCES {
        for file in files_below(&root.join(folder))? {
            if file.extension().is_some_and(|ending| ending == "rs") {
                breaches.extend(breaches_in(file.strip_prefix(&root)?, &fs::read_to_string(&file)?));
            }
        }
    }
    Ok(breaches)
}

fn breaches_in(path: &Path, source: &str) -> Vec<String> {
    let place = path.to_string_lossy().replace('\\', "/");
    let mut breaches = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") {
            continue;
        }
        for rule in &RULES {
            let allowed = rule.places.iter().any(|allowed| place.starts_with(allowed));
            if !allowed && let Some(word) = rule.words.iter().find(|word| code.contains(*word)) {
                breaches.push(format!("{place}:{}: `{}`: {}", index + 1, word.trim(), rule.reason));
            }
        }
    }
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_out_of_its_place_is_found_with_its_line() {
        let source = "use axum::Json;\nuse axum::http::StatusCode;\n";
        assert_eq!(
            breaches_in(Path::new("backend/src/jobs/queue.rs"), source),
            ["backend/src/jobs/queue.rs:2: `StatusCode`: only server knows status codes"]
        );
        assert_eq!(breaches_in(Path::new("server/src/error.rs"), source), Vec::<String>::new());
    }

    #[test]
    fn sql_outside_the_store_is_found() {
        let source = r#"    let sql = "SELECT id FROM jobs";"#;
        assert_eq!(breaches_in(Path::new("server/src/api/jobs.rs"), source).len(), 1);
        assert_eq!(breaches_in(Path::new("backend/src/store/jobs.rs"), source).len(), 0);
    }

    #[test]
    fn a_comment_may_say_what_it_likes() {
        assert_eq!(
            breaches_in(Path::new("types/src/error.rs"), "/// Turned into a StatusCode by the server.").len(),
            0
        );
    }
}
