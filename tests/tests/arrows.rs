//! The crates depend on each other in one direction only, and the lower ones stay free of what does not concern them.
//!
//! Reads `cargo metadata`, so what counts is what cargo builds and not what a diagram says.

#![expect(clippy::unwrap_used, reason = "a test stops where it is surprised")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// What each crate of ours may depend on, itself a drawing of the layers: a crate that is not named here, or an arrow
/// that is not, fails the tests. Development dependencies may point up (the facade's examples run against the router).
const ARROWS: &[(&str, &[&str])] = &[
    ("spell-message", &[]),
    ("spell-serializer", &["spell-message"]),
    ("spell-transport", &["spell-message"]),
    (
        "spell-peer",
        &["spell-message", "spell-serializer", "spell-transport"],
    ),
    (
        "spell-roles",
        &["spell-message", "spell-serializer", "spell-peer"],
    ),
    (
        "spell-router",
        &["spell-message", "spell-serializer", "spell-transport"],
    ),
    (
        "spell-wamp",
        &[
            "spell-message",
            "spell-serializer",
            "spell-transport",
            "spell-peer",
            "spell-roles",
            "spell-router",
        ],
    ),
];

/// Members that are not published and use whatever they like.
const ON_TOP: &[&str] = &[
    "spell-examples",
    "spell-tests",
    "spell-benches",
    "spell-wire",
    "xtask",
];

#[test]
fn no_arrow_points_up_or_sideways() {
    let metadata = metadata(&["--no-deps"]);
    let mut members = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        members.insert(name);
        if ON_TOP.contains(&name) {
            continue;
        }
        let Some((_, allowed)) = ARROWS.iter().find(|(member, _)| *member == name) else {
            panic!("`{name}` has no place among the layers: add it to ARROWS");
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let target = dependency["name"].as_str().unwrap();
            // A dependency with a path is a member of the workspace.
            if dependency["path"].is_string() && dependency["kind"] != "dev" {
                assert!(
                    allowed.contains(&target),
                    "`{name}` must not depend on `{target}`"
                );
            }
        }
    }
    let known: BTreeSet<_> = ARROWS
        .iter()
        .map(|(name, _)| *name)
        .chain(ON_TOP.iter().copied())
        .collect();
    assert_eq!(
        members, known,
        "the members of the workspace and those that this test knows"
    );
}

#[test]
fn messages_and_serializers_know_no_runtime() {
    for name in ["spell-message", "spell-serializer"] {
        let tree = Tree::of(name, &["--all-features"]);
        for runtime in [
            "tokio",
            "tokio-util",
            "async-std",
            "smol",
            "futures-util",
            "mio",
        ] {
            tree.assert_without(runtime);
        }
    }
}

#[test]
fn transports_know_no_messages_codecs_or_peers() {
    let tree = Tree::of("spell-transport", &["--all-features"]);
    for codec in ["spell-serializer", "serde_json", "rmp-serde", "cbor4ii"] {
        tree.assert_without(codec);
    }
}

#[test]
fn the_engine_alone_needs_no_runtime() {
    let tree = Tree::of("spell-peer", &["--no-default-features"]);
    for driven in ["tokio-util", "backon", "tokio-tungstenite"] {
        tree.assert_without(driven);
    }
    let features = tree.features("tokio");
    for feature in ["rt", "rt-multi-thread", "macros"] {
        assert!(
            !features.contains(feature),
            "tokio's `{feature}` in the engine alone, with {features:?}"
        );
    }
    assert!(
        features.contains("sync"),
        "tokio's features are read wrongly: {features:?}"
    );
}

#[test]
fn the_router_knows_no_roles_and_no_peer() {
    let tree = Tree::of("spell-router", &["--all-features"]);
    for above in ["spell-peer", "spell-roles", "spell-wamp"] {
        tree.assert_without(above);
    }
}

/// All that a crate is built of, without development dependencies: package name to the features turned on in it.
struct Tree {
    of: String,
    packages: BTreeMap<String, BTreeSet<String>>,
}

impl Tree {
    /// As if the crate were built alone: `cargo tree` takes the features of the one package, where the graph of
    /// `cargo metadata` holds those of the whole workspace.
    fn of(name: &str, features: &[&str]) -> Self {
        // `{p}` is "name v1.2.3", `{f}` the features, both without white space of their own but for that one.
        let text = cargo(
            &[
                &[
                    "tree",
                    "--package",
                    name,
                    "--edges",
                    "normal,build",
                    "--prefix",
                    "none",
                    "--format",
                    "{p}|{f}",
                ],
                features,
            ]
            .concat(),
        );
        let mut packages = BTreeMap::<String, BTreeSet<String>>::new();
        for line in text.lines() {
            let (package, features) = line.split_once('|').unwrap();
            let name = package.split_whitespace().next().unwrap();
            let features = features
                .trim_end_matches("(*)")
                .trim()
                .split(',')
                .filter(|feature| !feature.is_empty());
            packages
                .entry(name.to_owned())
                .or_default()
                .extend(features.map(str::to_owned));
        }
        assert!(
            packages.contains_key(name),
            "cargo tree does not begin with `{name}`:\n{text}"
        );
        Self {
            of: name.to_owned(),
            packages,
        }
    }

    fn assert_without(&self, name: &str) {
        assert!(
            !self.packages.contains_key(name),
            "`{}` is built with `{name}`",
            self.of
        );
    }

    fn features(&self, name: &str) -> BTreeSet<&str> {
        self.packages
            .get(name)
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }
}

fn metadata(arguments: &[&str]) -> Value {
    serde_json::from_str(&cargo(
        &[&["metadata", "--format-version", "1"], arguments].concat(),
    ))
    .unwrap()
}

/// Runs cargo in the workspace, without the network, and gives what it printed.
fn cargo(arguments: &[&str]) -> String {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(arguments)
        .args(["--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "cargo {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}
