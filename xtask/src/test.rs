//! All tests, with nothing left out.

use crate::{
    crossbar, examples, javascript, process, routers,
    workspace::{Workspace, cargo},
};

/// Runs the tests of the whole workspace, those against routers and peers of other makes among them, and the examples.
/// With `arguments` it only runs the tests these choose.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), String> {
    process::run(
        cargo()
            .current_dir(&workspace.root)
            .args(["test", "--workspace", "--all-features"])
            .args(arguments)
            .env("SPELL_CROSSBAR", crossbar::install(workspace)?)
            .env("SPELL_JAVASCRIPT", javascript::install(workspace)?)
            .env("SPELL_ROUTERS", routers::build(workspace)?),
    )?;
    if arguments.is_empty() {
        examples::run(workspace)
    } else {
        Ok(())
    }
}
