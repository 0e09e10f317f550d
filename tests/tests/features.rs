//! `docs/features.md` says what is true: as far as a test can tell.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where it is surprised"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use spell_message::Feature;

#[test]
fn every_test_that_is_named_exists() {
    let sources = sources();
    let mut named = 0;
    for name in rows().iter().flat_map(|row| backticked(&row[4])) {
        // `tests/` for example is none.
        if name.contains('_') {
            assert!(
                sources.contains(&format!("fn {name}(")),
                "there is no test `{name}`"
            );
            named += 1;
        }
    }
    assert!(named > 50, "{named}");
}

#[test]
fn every_method_that_is_named_exists() {
    let sources = sources();
    let mut named = 0;
    for name in rows()
        .iter()
        .flat_map(|row| [backticked(&row[2]), backticked(&row[3])])
        .flatten()
    {
        let last = name.rsplit("::").next().unwrap();
        let is_method = last.starts_with(|first: char| first.is_ascii_lowercase());
        if name.contains("::") && is_method {
            assert!(
                ["(", "<"]
                    .map(|end| format!("pub fn {last}{end}"))
                    .iter()
                    .any(|method| sources.contains(method))
                    || sources.contains(&format!("pub async fn {last}(")),
                "there is no method `{name}`"
            );
            named += 1;
        }
    }
    assert!(named > 30, "{named}");
}

#[test]
fn every_feature_has_a_row() {
    let keys: BTreeSet<_> = rows().iter().flat_map(|row| backticked(&row[1])).collect();
    for feature in Feature::ALL {
        assert!(keys.contains(feature.key()), "{feature} has no row");
    }
    let numbers: BTreeSet<_> = rows().into_iter().map(|mut row| row.remove(0)).collect();
    for (letter, count) in [("A", 13), ("B", 11), ("C", 15)] {
        for number in 1..=count {
            assert!(numbers.contains(&format!("{letter}{number}")));
        }
    }
}

#[test]
fn every_cell_is_filled() {
    for row in rows() {
        assert_eq!(row.len(), 6, "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        // Of the other chapters not all is here.
        let is_feature = !row[0].starts_with('C') || ["C1", "C2"].contains(&&*row[0]);
        assert!(!is_feature || row[4].contains('`'), "{row:?}");
    }
}

#[test]
fn the_versions_are_those_that_are_pinned() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let python = read("tests/crossbar/requirements.txt");
    let javascript = read("tests/javascript/package.json");
    let rust = read("tests/routers/Cargo.toml");
    let page = page();
    let versions: Vec<_> = page
        .lines()
        .filter_map(|line| {
            let cells = cells(line).filter(|cells| cells.len() == 3)?;
            let (name, version) = cells.get(2)?.strip_prefix('`')?.split_once("` ")?;
            Some((cells[1].clone(), name.to_owned(), version.to_owned()))
        })
        .collect();
    assert_eq!(versions.len(), 6, "{versions:?}");
    for (kind, name, version) in versions {
        let is_pinned = python.contains(&format!("\n{name}=={version}\n"))
            && !kind.contains("Java")
            || javascript.contains(&format!("\"{name}\": \"{version}\""))
            || rust.contains(&format!("{name} = \"={version}\""))
            || rust.contains(&format!("{name} = {{ version = \"={version}\""));
        assert!(is_pinned, "{name} {version}");
    }
}

/// The rows about features.
fn rows() -> Vec<Vec<String>> {
    let rows: Vec<_> = page()
        .lines()
        .filter_map(cells)
        .filter(|cells| {
            let mut number = cells[0].chars();
            number.next().is_some_and(|first| "ABC".contains(first))
                && number.next().is_some_and(|second| second.is_ascii_digit())
        })
        .collect();
    assert!(!rows.is_empty());
    rows
}

/// The cells of a line, if it is one of a table.
fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(line.split('|').map(|cell| cell.trim().to_owned()).collect())
}

/// What stands between backticks.
fn backticked(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/features.md")).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All sources in Rust, but for what cargo made.
fn sources() -> String {
    let mut sources = String::new();
    read_rust(&root(), &mut sources);
    sources
}

fn read_rust(folder: &Path, sources: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                read_rust(&path, sources);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
