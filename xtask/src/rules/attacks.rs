//! Every test that `docs/attacks.md` names is there, so that nobody believes a table that is older than the tests.

use std::fs;

use anyhow::{Context, Result};

use crate::paths;

/// The table.
const TABLE: &str = "docs/attacks.md";

/// How a row ends: in its last cell, tests stand behind the file that they are in.
#[derive(Debug, PartialEq, Eq)]
struct Test<'a> {
    file: &'a str,
    name: &'a str,
}

/// Every row without a test, and every test that is not there.
pub fn breaches() -> Result<Vec<String>> {
    let root = paths::root();
    let table = fs::read_to_string(root.join(TABLE)).with_context(|| format!("{TABLE} cannot be read"))?;
    let mut breaches = Vec::new();
    for (number, row) in rows(&table) {
        let tests = tests_in(row);
        if tests.is_empty() {
            breaches
                .push(format!("{TABLE}:{number}: the row names no test, as in `path/of/tests.rs`: `a_name`"));
        }
        for Test { file, name } in tests {
            let source = fs::read_to_string(root.join(file)).unwrap_or_default();
            if !has_test(file, &source, name) {
                breaches.push(format!("{TABLE}:{number}: there is no test `{name}` in `{file}`"));
            }
        }
    }
    Ok(breaches)
}

/// The rows of all tables, but for their heads, each with its line's number.
fn rows(table: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = table.lines().collect();
    let is_rule = |line: Option<&&str>| line.is_some_and(|line| line.starts_with("| ---"));
    let is_row = move |index: usize| {
        lines[index].starts_with('|') && !is_rule(lines.get(index)) && !is_rule(lines.get(index + 1))
    };
    table.lines().enumerate().filter(move |(index, _)| is_row(*index)).map(|(index, line)| (index + 1, line))
}

/// The tests that a row's last cell names.
fn tests_in(row: &str) -> Vec<Test<'_>> {
    let cell = row.trim_end().trim_end_matches('|').rsplit(" | ").next().unwrap_or_default();
    let mut file = "";
    let mut tests = Vec::new();
    // Every second part stands between backticks.
    for said in cell.split('`').skip(1).step_by(2) {
        // No name of a test has a slash.
        if said.contains('/') {
            file = said;
        } else {
            tests.push(Test { file, name: said });
        }
    }
    tests
}

/// Whether a file's source has that test: a function marked as one, or a title.
fn has_test(file: &str, source: &str, name: &str) -> bool {
    if file.ends_with(".spec.ts") {
        return source.contains(&format!("test(\"{name}\"")) || source.contains(&format!("test(`{name}`"));
    }
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let begins = [format!("fn {name}("), format!("async fn {name}(")];
    lines.iter().enumerate().any(|(index, line)| {
        let marks = lines[..index].iter().rev().take_while(|line| line.starts_with("#["));
        begins.iter().any(|begin| line.starts_with(begin.as_str()))
            && marks.into_iter().any(|mark| mark.starts_with("#[test]") || mark.starts_with("#[tokio::test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Attacks\n\n| attack | expectation | tests |\n| --- | --- | --- |\n\
                            | a bomb | `413`, at once | `a/b.rs`: `one`, `two`; `e/c.spec.ts`: `a page is calm` |\n\
                            | nothing | none | |\n";

    #[test]
    fn every_test_that_the_list_of_attacks_names_is_there() {
        assert_eq!(breaches().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_row_names_tests_behind_their_files() {
        let rows: Vec<_> = rows(DOCUMENT).collect();
        assert_eq!(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [5, 6]);
        let test = |file, name| Test { file, name };
        assert_eq!(
            tests_in(rows[0].1),
            [test("a/b.rs", "one"), test("a/b.rs", "two"), test("e/c.spec.ts", "a page is calm")]
        );
        assert_eq!(tests_in(rows[1].1), []);
    }

    #[test]
    fn a_test_is_a_function_that_is_marked_as_one_or_a_title() {
        let source =
            "#[test]\n#[cfg(unix)]\nfn one() {}\n    #[tokio::test]\n    async fn two() {}\nfn three() {}\n";
        assert!(has_test("a.rs", source, "one") && has_test("a.rs", source, "two"));
        assert!(!has_test("a.rs", source, "three") && !has_test("a.rs", source, "tw"));
        assert!(has_test("a.spec.ts", "test(\"a page is calm\", async () => {});", "a page is calm"));
        assert!(!has_test("a.spec.ts", "// a page is calm", "a page is calm"));
    }
}
