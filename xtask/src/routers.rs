//! The routers of other crates that the tests run against.

use std::path::PathBuf;

use crate::{
    process,
    workspace::{Workspace, cargo},
};

/// Builds `tests/routers`, a workspace of its own, under `target/`. Gives the folder with the programs.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf, String> {
    let folder = workspace.target.join("routers");
    process::run(
        cargo()
            .current_dir(workspace.root.join("tests/routers"))
            .args(["build", "--quiet", "--locked", "--target-dir"])
            .arg(&folder),
    )?;
    Ok(folder.join("debug"))
}
