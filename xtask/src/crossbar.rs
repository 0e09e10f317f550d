//! Crossbar.io, the router that the tests compare the embedded one with.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{installation, process, workspace::Workspace};

/// Installs what `tests/crossbar/requirements.txt` pins into a virtual environment under `target/`, unless exactly
/// that is there already. Gives the path of the `crossbar` program.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf, String> {
    let requirements = workspace.root.join("tests/crossbar/requirements.txt");
    let environment = workspace.target.join("crossbar");
    installation::once("Crossbar.io", &environment, &requirements, || {
        fill(&environment, &requirements).map_err(|problem| format!("{problem}\n{PYTHON_HINT}"))
    })?;
    Ok(environment.join("bin/crossbar"))
}

fn fill(environment: &Path, requirements: &Path) -> Result<(), String> {
    // `--clear` removes what an interrupted or older installation left.
    process::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(environment),
    )?;
    process::run(
        pip(environment)
            .args([
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(requirements)
            // Two serializers that nobody here uses need neither a C compiler nor the headers of Python.
            .env("PYBJDATA_NO_EXTENSION", "1")
            .env("PYUBJSON_NO_EXTENSION", "1"),
    )
}

fn pip(environment: &Path) -> Command {
    let mut command = Command::new(environment.join("bin/python"));
    command.args(["-m", "pip"]);
    command
}

const PYTHON_HINT: &str = "Crossbar.io needs Python 3.11 or newer with venv and pip (on Debian and Ubuntu: \
    `apt install python3-venv`) and access to PyPI. \
    `cargo test --workspace` runs all tests that need neither.";
