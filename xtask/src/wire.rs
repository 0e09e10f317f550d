//! What operations cost on the wire, beside other programs that speak WAMP.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    process,
    workspace::{Workspace, cargo},
};

/// Runs the wire bench that lies in a folder with Spell's client and those of the named others.
///
/// Such a folder has `run.sh <client>...`, which prints the table and reads the programs of clients from
/// `clients.list` beside it, a line each: `name | command`. The folder stays as it is: a mirror of it under `target/`
/// has the list with Spell, and the results.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    let [flag, folder, others @ ..] = arguments else {
        return Err(USAGE.to_owned());
    };
    if flag != "--bench" {
        return Err(USAGE.to_owned());
    }
    let bench = fs::canonicalize(folder).map_err(|error| format!("{folder}: {error}"))?;
    process::run(cargo().current_dir(&workspace.root).args([
        "build",
        "--release",
        "--package",
        "spell-wire",
    ]))?;
    let program = workspace.target.join("release/spell-wire");
    let mirror = workspace.target.join("wire");
    reflect(&bench, &mirror, &program).map_err(|error| format!("{folder}: {error}"))?;
    process::run(Command::new(mirror.join("run.sh")).arg(NAME).args(others))
}

/// Makes the mirror anew: links to what the bench has, a list of clients with this program, and a folder for results.
fn reflect(bench: &Path, mirror: &Path, program: &Path) -> io::Result<()> {
    match fs::remove_dir_all(mirror) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(mirror.join(RESULTS))?,
    }
    for entry in fs::read_dir(bench)? {
        let source: PathBuf = entry?.path();
        match source.file_name() {
            Some(name) if name != RESULTS && name != LIST => link(&source, &mirror.join(name))?,
            _ => {}
        }
    }
    let list = fs::read_to_string(bench.join(LIST))?;
    fs::write(mirror.join(LIST), with_spell(&list, program))
}

/// The list, in which Spell is this program.
fn with_spell(list: &str, program: &Path) -> String {
    let name = |line: &str| line.split('|').next().map(|name| name.trim() == NAME);
    let mut lines: Vec<String> = list
        .lines()
        .filter(|line| name(line) != Some(true))
        .map(str::to_owned)
        .collect();
    lines.push(format!("{NAME} | {}\n", program.display()));
    lines.join("\n")
}

#[cfg(unix)]
fn link(source: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(source, target)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "the wire bench needs Unix",
    ))
}

const NAME: &str = "spell";
const LIST: &str = "clients.list";
const RESULTS: &str = "results";
const USAGE: &str = "`wire --bench <folder> [client]...`; `cargo bench --bench calls` measures against the embedded \
    router alone";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_this_program_once() {
        let list = "# name | command\nlimit | limit\nspell | another\n";
        assert_eq!(
            with_spell(list, Path::new("/spell-wire")),
            "# name | command\nlimit | limit\nspell | /spell-wire\n"
        );
    }
}
