//! Traffic and faults for a long time.

use crate::{
    process,
    workspace::{Workspace, cargo},
};

/// Runs the program `soak` of the tests with these arguments, optimised as in production.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    process::run(
        cargo()
            .current_dir(&workspace.root)
            .args([
                "run",
                "--release",
                "-p",
                "spell-tests",
                "--bin",
                "soak",
                "--",
            ])
            .args(arguments),
    )
}
