//! The JavaScript libraries that the tests meet.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{installation, process, workspace::Workspace};

/// Installs what `tests/javascript/package-lock.json` pins under `target/`, unless exactly that is there already. Gives
/// the folder that Node.js is to look for modules in.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf, String> {
    let sources = workspace.root.join("tests/javascript");
    let folder = workspace.target.join("javascript");
    let pins = sources.join("package-lock.json");
    installation::once("JavaScript libraries", &folder, &pins, || {
        fill(&folder, &sources).map_err(|problem| format!("{problem}\n{NODE_HINT}"))
    })?;
    Ok(folder.join("node_modules"))
}

fn fill(folder: &Path, sources: &Path) -> Result<(), String> {
    let describe = |error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(describe)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(sources.join(file), folder.join(file)).map_err(describe)?;
    }
    // `ci` installs exactly what is locked, and removes what was there before. The scripts would only compile variants
    // in C++ of what is there in JavaScript.
    process::run(Command::new("npm").current_dir(folder).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--silent",
    ]))
}

const NODE_HINT: &str = "The JavaScript peers need Node.js 20 or newer with npm (on Debian and Ubuntu: \
    `apt install nodejs npm`, where that is new enough) and access to the npm registry. \
    `cargo test --workspace` runs all tests that need neither.";
