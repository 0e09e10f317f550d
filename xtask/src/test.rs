//! All tests, with nothing left out.

use crate::{
    crossbar, examples, process,
    workspace::{Workspace, cargo},
};

/// Runs the tests of the whole workspace, the interoperability tests against Crossbar.io among them, and the
/// examples. With `arguments` it only runs the tests these choose.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    let program = crossbar::install(workspace)?;
    process::run(
        cargo()
            .current_dir(&workspace.root)
            .args(["test", "--workspace", "--all-features"])
            .args(arguments)
            .env("SPELL_CROSSBAR", program),
    )?;
    if arguments.is_empty() {
        examples::run(workspace)
    } else {
        Ok(())
    }
}
