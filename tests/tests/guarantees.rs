//! `docs/guarantees.md` names a test for each of its promises, and each of these tests exists.
#![expect(clippy::unwrap_used, reason = "a test stops where it is surprised")]

use std::{collections::BTreeSet, fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn document() -> String {
    fs::read_to_string(root().join("docs/guarantees.md")).unwrap()
}

/// The numbers in brackets.
fn numbers(text: &str) -> BTreeSet<usize> {
    let parts = text.split('[').skip(1);
    parts
        .filter_map(|part| part.split(']').next()?.parse().ok())
        .collect()
}

/// The tests at the end: number, name, file.
fn tests(document: &str) -> Vec<(usize, String, String)> {
    let (_, list) = document.split_once("## The tests").unwrap();
    let lines = list.lines().filter(|line| !line.is_empty());
    let test = |line: &str| {
        let (number, rest) = line.split_once(". `").unwrap();
        let (name, rest) = rest.split_once("` in `").unwrap();
        (
            number.parse().unwrap(),
            name.to_owned(),
            rest.trim_end_matches('`').to_owned(),
        )
    };
    lines.map(test).collect()
}

#[test]
fn every_promise_names_a_test() {
    let document = document();
    let mut cells = 0;
    let mut is_promise = false;
    for line in document.lines() {
        if line.starts_with("## ") {
            is_promise = ["## Operation by moment", "## Always"].contains(&line);
        }
        // Not the heads of the tables, nor the lines below them.
        if !is_promise || !line.starts_with("| ") || line.starts_with("| |") {
            continue;
        }
        for cell in line.trim_matches('|').split('|').skip(1).map(str::trim) {
            assert!(
                cell == "–" || !numbers(cell).is_empty(),
                "no test for: {cell}"
            );
            cells += 1;
        }
    }
    assert!(cells > 80, "{cells}");
}

#[test]
fn every_test_that_is_named_exists_and_is_used() {
    let document = document();
    let (promises, _) = document.split_once("## The tests").unwrap();
    let mut listed = BTreeSet::new();
    for (number, name, file) in tests(&document) {
        assert!(listed.insert(number), "{number} twice");
        let source = fs::read_to_string(root().join(&file)).unwrap();
        let (before, _) = source
            .split_once(&format!("fn {name}("))
            .unwrap_or_else(|| std::panic::panic_any(format!("no `{name}` in {file}")));
        // Its attribute is above it, or above those of a property test.
        let above: Vec<_> = before.lines().rev().take(6).collect();
        let is_test = |line: &&str| line.contains("#[test]") || line.contains("#[tokio::test");
        assert!(above.iter().any(is_test), "`{name}` in {file} is no test");
    }
    assert_eq!(numbers(promises), listed);
}
