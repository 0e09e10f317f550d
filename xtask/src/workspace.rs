//! What cargo knows about this workspace.
#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value indexed by a name it does not have is null"
)]

use std::{env, path::PathBuf, process::Command};

use serde_json::Value;

use crate::process;

/// The members of the workspace and where things are.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    packages: Vec<Value>,
}

impl Workspace {
    /// Asks `cargo metadata`; needs no network.
    pub(crate) fn load() -> Result<Self, String> {
        let mut command = cargo();
        command.args(["metadata", "--format-version", "1", "--no-deps"]);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        let text = process::output(&mut command)?;
        let metadata: Value = serde_json::from_str(&text)
            .map_err(|error| format!("cargo metadata printed no JSON: {error}"))?;
        let path = |key: &str| {
            metadata[key]
                .as_str()
                .map(PathBuf::from)
                .ok_or_else(|| format!("cargo metadata has no `{key}`"))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
            packages: metadata["packages"].as_array().cloned().unwrap_or_default(),
        })
    }

    /// The crates that are published, each with the names of its features except `default`.
    pub(crate) fn libraries(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        // `publish` is null where nothing is said, and the empty list for `publish = false`.
        self.packages
            .iter()
            .filter(|package| package["publish"].is_null())
            .filter_map(|package| {
                let features = package["features"].as_object()?.keys().map(String::as_str);
                Some((
                    package["name"].as_str()?,
                    features.filter(|name| *name != "default").collect(),
                ))
            })
    }

    /// The names of all examples.
    pub(crate) fn examples(&self) -> impl Iterator<Item = &str> {
        let targets = self
            .packages
            .iter()
            .filter_map(|package| package["targets"].as_array())
            .flatten();
        targets
            .filter(|target| target["kind"][0] == "example")
            .filter_map(|target| target["name"].as_str())
    }
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
