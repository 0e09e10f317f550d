//! The examples, as a reader would run them.

use crate::{
    process,
    workspace::{Workspace, cargo},
};

/// Runs each example against the router it brings along. The output of `quickstart` is what the README promises.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    for name in workspace.examples() {
        println!("xtask: example {name}");
        let printed = process::output(
            cargo()
                .current_dir(&workspace.root)
                // The features of `cargo test`, so that nothing is built twice.
                .args(["run", "--quiet", "--all-features", "--example", name])
                .env_remove("SPELL_URL")
                .env_remove("SPELL_REALM"),
        )?;
        print!("{printed}");
        if name == "quickstart" {
            for line in QUICKSTART {
                if !printed.lines().any(|printed| printed == line) {
                    return Err(format!("example quickstart did not print `{line}`"));
                }
            }
        }
    }
    Ok(())
}

const QUICKSTART: [&str; 2] = [
    r#"event com.example.hello ["Hello, WAMP"]"#,
    "com.example.add2(2, 3) = 5",
];
