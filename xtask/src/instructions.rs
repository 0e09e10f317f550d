//! How many instructions the work of the library takes, and whether a change made it more.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process,
    workspace::{Workspace, cargo},
};

/// Counts the instructions per operation of each workload of the program `instructions` of the benches, and compares
/// them with what `benches/instructions.txt` records; with `--record` it writes them there.
///
/// Where the counts could not be compared, it says so and succeeds.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    let records = match arguments {
        [] => false,
        [flag] if flag == "--record" => true,
        _ => return Err("the only argument of `instructions` is `--record`".to_owned()),
    };
    if env::consts::ARCH != ARCHITECTURE {
        println!("xtask: instructions SKIPPED, those recorded are of {ARCHITECTURE}");
        return Ok(());
    }
    if process::output(Command::new("valgrind").arg("--version")).is_err() {
        println!("xtask: instructions SKIPPED, valgrind is not installed");
        return Ok(());
    }
    let program = build(workspace, "instructions")?;
    let counted = count(&program)?;
    let file = workspace.root.join("benches/instructions.txt");
    if records {
        return fs::write(&file, write(&counted))
            .map_err(|error| format!("{}: {error}", file.display()));
    }
    let recorded =
        fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    compare(&read(&recorded)?, &counted)
}

/// Builds a program of the benches, always in the same way.
pub(crate) fn build(workspace: &Workspace, program: &str) -> Result<PathBuf, String> {
    process::run(
        cargo()
            .current_dir(&workspace.root)
            .args(["build", "--quiet", "--profile", PROFILE])
            .args(["--package", "spell-benches", "--bin", program])
            .env("CARGO_INCREMENTAL", "0")
            // What someone's environment adds would change the code.
            .env_remove("RUSTFLAGS"),
    )?;
    Ok(workspace.target.join(PROFILE).join(program))
}

/// Instructions per operation of each workload: what `OPERATIONS` more of them add.
fn count(program: &Path) -> Result<BTreeMap<String, u64>, String> {
    let workloads = process::output(&mut Command::new(program))?;
    let mut counted = BTreeMap::new();
    for workload in workloads.lines() {
        let prepared = (OPERATIONS * 2).to_string();
        let run = |done: u64| collected(program, &[workload, &prepared, &done.to_string()]);
        let (fewer, more) = (run(OPERATIONS)?, run(OPERATIONS * 2)?);
        let each = more.saturating_sub(fewer) / OPERATIONS;
        counted.insert(workload.to_owned(), each);
    }
    Ok(counted)
}

/// The instructions of one run from its first to its last.
pub(crate) fn collected(program: &Path, arguments: &[&str]) -> Result<u64, String> {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments);
    let output = command
        .output()
        .map_err(|error| format!("cannot start valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{arguments:?} failed under valgrind:\n{said}"));
    }
    let total = said.lines().find_map(|line| {
        let (_, total) = line.split_once("Collected : ")?;
        total.trim().parse().ok()
    });
    total.ok_or_else(|| format!("valgrind did not say how much it collected:\n{said}"))
}

fn compare(
    recorded: &BTreeMap<String, u64>,
    counted: &BTreeMap<String, u64>,
) -> Result<(), String> {
    let mut problems = String::new();
    println!(
        "{:<24} {:>10} {:>10}  instructions per operation",
        "", "recorded", "counted"
    );
    for (workload, counted) in counted {
        let Some(recorded) = recorded.get(workload) else {
            let _ = writeln!(problems, "{workload}: {counted}, and nothing is recorded");
            continue;
        };
        let verdict = Verdict::of(*recorded, *counted);
        println!(
            "{workload:<24} {recorded:>10} {counted:>10}  {}",
            verdict.words()
        );
        if verdict == Verdict::Dearer {
            let _ = writeln!(
                problems,
                "{workload}: {counted} instructions per operation, recorded are {recorded}, and {TOLERANCE} % more \
                 are allowed"
            );
        }
    }
    for workload in recorded.keys().filter(|name| !counted.contains_key(*name)) {
        let _ = writeln!(
            problems,
            "{workload}: recorded, and there is no such workload"
        );
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{problems}If that is meant: `cargo xtask instructions --record`, and say why in the commit"
        ))
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Same,
    Dearer,
    Cheaper,
}

impl Verdict {
    fn of(recorded: u64, counted: u64) -> Self {
        let (recorded, counted) = (u128::from(recorded), u128::from(counted));
        if counted * 100 > recorded * (100 + TOLERANCE) {
            Self::Dearer
        } else if counted * 100 < recorded * (100 - TOLERANCE) {
            Self::Cheaper
        } else {
            Self::Same
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Dearer => "MORE than allowed",
            Self::Cheaper => "less: record it anew, so that it stays so",
        }
    }
}

fn read(text: &str) -> Result<BTreeMap<String, u64>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entry = |line: &str| {
        let (workload, each) = line.split_once(' ')?;
        Some((workload.to_owned(), each.trim().parse().ok()?))
    };
    lines
        .map(|line| entry(line).ok_or_else(|| format!("benches/instructions.txt: `{line}`")))
        .collect()
}

fn write(counted: &BTreeMap<String, u64>) -> String {
    let mut text = format!(
        "# Instructions per operation on {ARCHITECTURE}, written by `cargo xtask instructions --record`.\n\
         # {TOLERANCE} % more are allowed.\n"
    );
    for (workload, each) in counted {
        let _ = writeln!(text, "{workload:<24} {each:>10}");
    }
    text
}

const ARCHITECTURE: &str = "x86_64";
const PROFILE: &str = "instructions";
const OPERATIONS: u64 = 500;
/// In percent of what is recorded.
const TOLERANCE: u128 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_more_than_the_tolerance_fails() {
        let recorded = BTreeMap::from([("call".to_owned(), 1000)]);
        for (counted, passes) in [(1050, true), (1051, false), (949, true)] {
            let counted = BTreeMap::from([("call".to_owned(), counted)]);
            assert_eq!(compare(&recorded, &counted).is_ok(), passes, "{counted:?}");
        }
        assert_eq!(Verdict::of(1000, 949), Verdict::Cheaper);
        assert_eq!(Verdict::of(1000, 950), Verdict::Same);
    }

    #[test]
    fn a_workload_without_a_record_or_a_record_without_a_workload_fails() {
        let call = BTreeMap::from([("call".to_owned(), 1000)]);
        assert!(compare(&call, &BTreeMap::new()).is_err());
        assert!(compare(&BTreeMap::new(), &call).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let counted = BTreeMap::from([("call".to_owned(), 1000), ("event".to_owned(), 7)]);
        assert_eq!(read(&write(&counted)), Ok(counted));
    }
}
